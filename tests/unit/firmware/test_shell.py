"""What a shell is told to find out what it is, and to have its provisioning client look for commands."""

import re

import pytest

from harness.errors import Misuse, NoAnswer
from harness.firmware import FIRMWARES, Capability, fetch_commands
from harness.timeline import Kind, Timeline
from tests.fake import Fake

AT_SHELL = frozenset({Capability.AT, Capability.PROVISIONING})


class Port(Fake):
    """A shell that answers a line with lines."""

    name = "b"

    def __init__(self, **answers):
        self.timeline = Timeline()
        self.answers = answers
        self.typed, self.waits = [], []
        self.timeline.add(Kind.RX, "b", "cloud: command not found")  # of an earlier question
        self.timeline.add(Kind.RX, "b", "No more commands")

    def type_line(self, text):
        self.typed.append(text)
        for line in self.answers.get(text.split()[0], ()):
            self.timeline.add(Kind.RX, "b", line)

    def wait_line(self, pattern, timeout, *, since):
        self.waits.append(timeout)
        for event in self.timeline.since(since):
            if re.search(pattern, event.text):
                return event
        raise NoAnswer(f"b: no line within {timeout:g} s")


@pytest.mark.parametrize(
    ("answer", "product", "more"),
    [
        (["cloud - commands", "Subcommands:"], "Modem Shell", {Capability.OWN_CONNECTION, Capability.PAIRING}),
        (["cloud: command not found"], "AT shell", set()),
        (["a cloud - of smoke"], "AT shell", set()),
        ([], "AT shell", set()),
    ],
)
def test_a_shell_is_modem_shell_where_it_has_the_command_cloud(answer, product, more):
    port = Port(cloud=answer)
    found = FIRMWARES["shell"].recognise(port)
    assert found is not None
    assert (str(found), found.capabilities) == (product, AT_SHELL | more)
    assert (port.typed, port.waits) == (["cloud"], [3.0])


def test_the_client_is_told_to_look_now_and_its_last_line_returned():
    for last in ("Provisioning done", "No more commands", "Provisioning ends"):
        port = Port(nrf_provisioning=["<inf> nrf_provisioning: Claimed", f"<inf> nrf_provisioning: {last}", "more"])
        assert fetch_commands(port, timeout=7.0) == f"<inf> nrf_provisioning: {last}"
        assert (port.typed, port.waits) == (["nrf_provisioning now"], [7.0])


def test_a_client_that_says_nothing_is_told_as_it_is():
    assert fetch_commands(Port(), timeout=7.0) == "b: no line within 7 s"


def test_a_client_that_is_not_there_is_the_callers_mistake():
    port = Port(nrf_provisioning=["nrf_provisioning: command not found"])
    with pytest.raises(Misuse) as caught:
        fetch_commands(port, timeout=7.0)
    assert str(caught.value) == (
        "b: the shell has no command 'nrf_provisioning now': build its firmware with CONFIG_NRF_PROVISIONING and"
        " CONFIG_NRF_PROVISIONING_SHELL, or choose another key origin for this board"
    )
