"""Runs of the suite with a man in the middle on the board's port, and a proxy before the broker.

Tests of such a run may ask for ``line`` (a OneLine, which loses, doubles or splits the line that it is told) and
``broker`` (a TcpProxy that the board's network leads through).
"""

from __future__ import annotations

from pathlib import Path

from tests.integration.runs import Result, run

CONFTEST = (
    Path(__file__).with_name("one_line.py").read_text()
    + '''
import pytest
from harness.faults import TcpProxy
from harness.lab import Lab
from harness.run import cloud_device

pytest_plugins = ["harness.plugin"]
cloud_device._PATIENCE_LOCAL = 2.0  # what does not come is waited for often here
LINES = {}


@pytest.fixture(scope="session", autouse=True)
def _lines(tmp_path_factory):
    original = Lab.port_url

    def port_url(lab, board):
        url = original(lab, board)
        if board.virtual is None:
            return url
        if board.name not in LINES:
            link = tmp_path_factory.mktemp("line") / "port"
            LINES[board.name] = OneLine(url, link).__enter__()
        return str(LINES[board.name].link)

    Lab.port_url = port_url
    yield
    Lab.port_url = original
    for line in LINES.values():
        line.__exit__(None, None, None)


@pytest.fixture
def line(board):
    return LINES[board.name]


@pytest.fixture
def broker(board, provisioned):
    """Leads the board through a proxy to the broker, for this test. ``faults`` may be added to."""
    faults = []
    host, port = board.cloud.endpoints.device_mqtt
    network = board.cloud.stand_in.ready["cloud"]["network"]
    target = network[f"{host}:{port}"]
    provisioned.link.forget()
    with TcpProxy(tuple(target), faults) as proxy:
        proxy.faults = faults
        board.stand_in.command("set-route", name=f"{host}:{port}", target="{}:{}".format(*proxy.address))
        yield proxy
        board.stand_in.command("set-route", name=f"{host}:{port}", target="{}:{}".format(*target))
'''
)

PUBLISHES = """
import pytest
from harness.trial import Outcome
from harness.faults import Deed, Direction, Fault


def publish(board, trial, provisioned):
    prefix = board.cloud.account.mqtt_prefix
    trial.publish(f"{prefix}m/d/{provisioned.device_id}/d2c", witness=None).expect(Outcome.TOLERATED)


def violate(trial):
    trial.publish("forbidden/topic", witness=None).expect(Outcome.POLICY_DISCONNECT)


def test_before(board, trial, provisioned):
    publish(board, trial, provisioned)
    violate(trial)
"""

AFTER = """

def test_after_{number}(board, trial, provisioned):
    publish(board, trial, provisioned)
    violate(trial)
"""

BOARDS = """
boards:
  - {name: one, virtual: {}}
"""


def disturbed(folder: Path, tests: list[str], *, boards: str = BOARDS) -> Result:
    """Run ``tests`` in one run: each is the body of a ``test_hit_{number}``, and a ``test_after_{number}`` follows it.

    The latter is right when nothing is disturbed.
    """
    source = PUBLISHES
    for number, body in enumerate(tests):
        arguments = "board, trial, provisioned, device, line, observer" + (", broker" if "broker" in body else "")
        lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
        source += f"\n\ndef test_hit_{number}({arguments}):\n{lines}\n" + AFTER.format(number=number)
    return run(folder, boards, source, conftest=CONFTEST)
