"""Virtual boards with at_client and with a shell, on real ports: by hand, and through the harness' own driver."""

import asyncio
import hashlib
import threading
import time
from contextlib import contextmanager

import jwt
import pytest
import serial

from harness.at import AtPort, PortSettings
from harness.errors import NotRegistered
from harness.modem import CredentialKind, Modem
from harness.settings import BoardFault, FirmwareName, Model, NamedBoard, TerminatorName
from harness.timeline import Timeline
from harness.virtual.board import Network, VirtualBoard
from tests.integration.test_virtual_process import stand_ins
from tests.unit.virtual_board.test_modem_credentials import AMAZON_ROOT

PROMPT = b"mosh:~$ "
TAG = 16842753


@contextmanager
def board(folder, name="virtual-1", **options):
    """A board in an event loop of its own thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(10)

    said = NamedBoard(name=name, **{"time_scale": 0.01, **options})
    made = VirtualBoard(said, link=folder / name, network=Network())
    run(made.start())
    try:
        yield made
    finally:
        run(made.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


def ask(port, command, end=b"OK\r\n"):
    port.write(command)
    heard = port.read_until(end)
    assert heard.endswith(end), heard
    return heard


@pytest.fixture
def at_client(tmp_path):
    with board(tmp_path, firmware=FirmwareName.AT_CLIENT) as made:
        yield made


@pytest.fixture
def shell(tmp_path):
    with board(tmp_path, firmware=FirmwareName.SHELL) as made:
        yield made


# -- bytes ------------------------------------------------------------------------------------------------------------


def test_at_client(at_client):
    with serial.Serial(str(at_client.port), 115200, timeout=30, rtscts=True) as port:
        assert ask(port, b"AT+CGSN\r") == f"{at_client.imei}\r\nOK\r\n".encode()
        assert ask(port, b"AT+CMEE=1\r\n") == b"OK\r\n"
        assert ask(port, b"AT%DEVICEUUID\r\n") == f"\n%DEVICEUUID: {at_client.device_uuid}\r\nOK\r\n".encode()
        assert ask(port, b"\bAT%CMNG=3,1,0\r", b"513\r\n") == b"+CME ERROR: 513\r\n"


def test_at_client_keeps_its_state_from_one_tool_to_the_next(at_client):
    with serial.Serial(str(at_client.port), 115200, timeout=30) as port:
        ask(port, b"AT+CMEE=1\r")
        port.write(b"AT+CM")
    with serial.Serial(str(at_client.port), 115200, timeout=30) as port:
        assert ask(port, b"EE?\r") == b"+CMEE: 1\r\nOK\r\n"


@pytest.mark.parametrize(
    ("terminator", "end"), [(TerminatorName.CR, b"\r"), (TerminatorName.LF, b"\n"), (TerminatorName.CRLF, b"\r\n")]
)
def test_at_client_typed_one_byte_at_a_time(tmp_path, terminator, end):
    with (
        board(tmp_path, firmware=FirmwareName.AT_CLIENT, terminator=terminator) as made,
        serial.Serial(str(made.port), 115200, timeout=30) as port,
    ):
        for byte in b"AT+CFUN?" + end:
            port.write(bytes((byte,)))
        assert port.read_until(b"OK\r\n") == b"+CFUN: 0\r\nOK\r\n"


def test_shell(shell):
    with serial.Serial(str(shell.port), 115200, timeout=30) as port:
        assert ask(port, b"\r", PROMPT) == b"\r\n" + PROMPT
        heard = ask(port, b"at 'AT+CGSN'\r\n", PROMPT)
        assert heard == f"at 'AT+CGSN'\r\n{shell.imei}\r\nOK\r\n".encode() + PROMPT
        ask(port, b"at AT+C", b"at AT+C")
    with serial.Serial(str(shell.port), 115200, timeout=30) as port:
        assert ask(port, b"FUN?\r", PROMPT) == b"FUN?\r\n+CFUN: 0\r\nOK\r\n" + PROMPT


def test_pace_of_the_baud_rate_covers_the_echo(tmp_path):
    with (
        board(tmp_path, firmware=FirmwareName.SHELL, baud=115200) as made,
        serial.Serial(str(made.port), 115200, timeout=30) as port,
    ):
        ask(port, b"at AT\r", b"OK\r\n" + PROMPT)  # the banner may still be under way
        line = b"at AT" + b"x" * 2000 + b"\r"
        start = time.monotonic()
        answer = ask(port, line, PROMPT)
        seconds = time.monotonic() - start
        assert answer == line + b"\nERROR\r\n" + PROMPT
        assert seconds > len(answer) * 10 / 115200


# -- the harness' driver ----------------------------------------------------------------------------------------------


@contextmanager
def driver(made, **settings):
    """Port and modem, ready for commands."""
    with AtPort.open(str(made.port), name=made.name, timeline=Timeline(), settings=PortSettings(**settings)) as port:
        port.sync()
        modem = Modem(port, sec_tags=[TAG], at_shell=settings.get("at_shell", False))
        modem.prepare()
        yield port, modem


@pytest.mark.parametrize("model", [Model.NRF9160, Model.NRF9161])
@pytest.mark.parametrize(
    ("firmware", "settings"),
    [(FirmwareName.AT_CLIENT, {}), (FirmwareName.SHELL, {"at_shell": True})],
    ids=["at-client", "shell"],
)
def test_the_driver_makes_and_checks_credentials(tmp_path, model, firmware, settings):
    with board(tmp_path, model=model, firmware=firmware) as made, driver(made, **settings) as (_, modem):
        identity = modem.identity()
        assert (identity.imei, identity.firmware) == (made.imei, made.personality.firmware)
        made_key = modem.generate_key(TAG, subject="CN=nrf-1")
        assert made_key.repaired
        assert made_key.device_uuid == made.device_uuid
        assert made_key.signed_by(made.nvm.identity_key.public_key())
        modem.credentials.write(TAG, CredentialKind.PSK_IDENTITY, "some identity")
        modem.credentials.verify(TAG, CredentialKind.PSK_IDENTITY, "some identity")
        kinds = {item.kind for item in modem.credentials.list(sec_tag=TAG)}
        assert kinds == {CredentialKind.PRIVATE_KEY, CredentialKind.PSK_IDENTITY}


def test_the_driver_registers_through_at_client(at_client):
    with driver(at_client) as (_, modem):
        assert modem.register(timeout=30).registered
        with modem.offline():
            modem.credentials.write(TAG, CredentialKind.PSK_IDENTITY, "x")


@pytest.mark.parametrize(("fault", "status"), [(BoardFault.DENIED, 3), (BoardFault.NO_SIM, 90)])
def test_the_driver_is_told_why_there_is_no_registration(tmp_path, fault, status):
    with (
        board(tmp_path, firmware=FirmwareName.AT_CLIENT, faults=[fault]) as made,
        driver(made) as (_, modem),
        pytest.raises(NotRegistered, match=rf"\+CEREG: (5,)?{status}\b"),
    ):
        modem.register(timeout=30)


def test_a_certificate_through_the_shell_is_stored_with_crlf(shell):
    with driver(shell, at_shell=True) as (port, _):
        port.command(f'AT%CMNG=0,{TAG},0,"{AMAZON_ROOT}"')
        digest = port.command(f"AT%CMNG=1,{TAG},0").value("%CMNG").split('"')[1]
    assert digest == hashlib.sha256(AMAZON_ROOT.replace("\n", "\r\n").encode()).hexdigest().upper()


def test_the_key_that_signs_a_token_is_the_one_that_was_reported(at_client):
    with driver(at_client) as (port, modem):
        key = modem.generate_key(TAG)
        token = port.command(f'AT%JWT=0,0,"nrf-1","",{TAG},2').value("%JWT").strip('"')
    assert jwt.decode(token, key.public_key, algorithms=["ES256"])["sub"] == "nrf-1"


# -- a process --------------------------------------------------------------------------------------------------------


def test_a_process_with_at_client_and_a_fault():
    options = ("--no-cloud", "--model", "nrf9160-1.2", "--firmware", "at-client", "--fault", "store-full")
    with stand_ins(*options) as (_, ready):
        (one,) = ready["boards"]
        assert one["model"] == "nrf9160-1.2"
        with serial.Serial(one["port"], 115200, timeout=30) as port:
            assert ask(port, b"AT+CGMR\r") == b"mfw_nrf9160_1.2.7\r\nOK\r\n"
            assert ask(port, b"AT+CMEE=1\r") == b"OK\r\n"
            assert ask(port, b'AT%CMNG=0,1,4,"x"\r', b"515\r\n") == b"+CME ERROR: 515\r\n"


def test_a_fault_comes_and_goes_while_the_board_runs(at_client):
    with serial.Serial(str(at_client.port), 115200, timeout=30) as port:
        ask(port, b"AT+CMEE=1\r")
        ask(port, b'AT%CMNG=0,1,4,"x"\r')
        at_client.faults.add(BoardFault.LOW_VOLTAGE)
        assert ask(port, b"AT%CMNG=3,1,4\r", b"528\r\n") == b"+CME ERROR: 528\r\n"
        at_client.faults.clear()
        assert ask(port, b"AT%CMNG=3,1,4\r") == b"OK\r\n"
