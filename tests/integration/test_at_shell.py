"""The AT port through a shell: prompt, echo, colours, escaped line ends, notifications; and boards told apart."""

import hashlib
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.at import AtError, AtPort
from harness.credentials import CredentialRecords, KeyOrigin, LabCa, ProvisionRequest, provision
from harness.errors import Misuse, NoAnswer
from harness.firmware import WrongFirmware, fetch_commands, open_firmware, port_settings, synchronise
from harness.firmware.shell import provisioning_client
from harness.modem import CredentialKind, Modem
from harness.timeline import Kind, Timeline
from tests.integration.at_far_end import FarEnd
from tests.interop.stand_ins import SEC_TAG, virtual_board
from tests.unit.at.scripted_modem import ScriptedModem

ROOT = (Path(__file__).parents[2] / "harness/cloud/ca/AmazonRootCA1.pem").read_text()
SECRET = "-----BEGIN EC PRIVATE KEY-----\n" + "\n".join(f"{number:x}kEy+line" * 7 for number in range(9))
WAIT = 20.0


@contextmanager
def opened(path, firmware, timeline=None):
    timeline = timeline or Timeline()
    with AtPort.open(path, name="dk1", timeline=timeline, settings=port_settings(firmware)) as port:
        yield port


def find_out(port, firmware):
    """Do what whoever opens a board does."""
    synchronise(port, firmware)
    return open_firmware(port, firmware)


@pytest.fixture(scope="module", params=[[], ["--colour"]], ids=["plain", "colour"])
def board(request):
    with virtual_board("--firmware", "shell", *request.param) as board:
        yield board


@pytest.fixture
def port(board):
    with opened(board["port"], "shell") as port:
        synchronise(port, "shell")
        yield port


@pytest.fixture
def modem(port):
    modem = Modem(port, sec_tags=[SEC_TAG], at_shell=True)
    modem.prepare()
    modem.set_functional_mode(4)
    for kind in (0, 1, 2):
        modem.credentials.delete(SEC_TAG, kind)
    return modem


def test_commands_answers_and_refusals(port, board):
    assert str(open_firmware(port, "shell").firmware) == "Modem Shell"
    port.command("AT+CMEE=1")
    assert port.command("AT+CGSN").text == board["imei"]
    assert port.command("AT+CFUN?").lines[0].startswith("+CFUN: ")
    with pytest.raises(AtError, match="513"):
        port.command("AT%CMNG=3,99,0")
    assert "AT%CMNG" in port.command("AT+CLAC").lines


def test_the_timeline_shows_neither_prompt_nor_colour(port):
    mark = port.timeline.mark()
    port.command("AT+CGMI")
    texts = [event.text for event in port.timeline.since(mark)]
    assert texts == ["AT+CGMI", "at 'AT+CGMI'", "Nordic Semiconductor ASA", "OK"]


def test_a_certificate_is_stored_with_crlf_and_verified(modem):
    modem.credentials.write(SEC_TAG, CredentialKind.ROOT_CA, ROOT)
    crlf = ROOT.replace("\n", "\r\n")
    [item] = modem.credentials.list(SEC_TAG)
    assert item.digest == hashlib.sha256(crlf.encode()).hexdigest().upper()
    modem.credentials.verify(SEC_TAG, CredentialKind.ROOT_CA, ROOT)
    assert modem.credentials.read(SEC_TAG, CredentialKind.ROOT_CA) == crlf


def test_provisioning(modem, board, tmp_path):
    ca, records = LabCa.load_or_create(tmp_path / "ca"), CredentialRecords(tmp_path / "records")
    request = ProvisionRequest(board["device_uuid"], (SEC_TAG,), KeyOrigin.DEVICE, ca, ROOT, records)
    made = provision(modem, request)
    assert not made.kept
    assert made.keygen.device_uuid == board["device_uuid"]
    assert {item.kind for item in modem.credentials.list(SEC_TAG)} == {0, 1, 2}
    assert provision(modem, request).kept


def test_registration_is_seen_through_the_shell(modem, port):
    """URCs come only because the port asked the shell for them, and behind its words."""
    mark = port.timeline.mark()
    assert modem.register(timeout=WAIT).registered
    urcs = [event.text for event in port.timeline.since(mark) if event.kind is Kind.URC]
    assert any(text.startswith("+CEREG: ") for text in urcs)


@pytest.mark.parametrize("text", ["AT+X='1'", 'AT%CMNG=0,1,3,"a\\b"'])
def test_what_the_shell_would_change_is_not_sent(port, text):
    mark = port.timeline.mark()
    with pytest.raises(Misuse, match="no single quote or backslash"):
        port.command(text)
    assert port.timeline.since(mark) == []


# -- other shells, scripted


def in_shell(modem, *, width=None, boot=b"mosh:~$ ", handler=b""):
    """Return what a shell around ``modem`` sends for what it is sent. ``width``: columns, its echo breaks there."""
    line = bytearray()

    def feed(data):
        out = bytearray()
        column = len(boot)
        for byte in data:
            if byte != 0x0D:
                line.append(byte)
                out.append(byte)
                column += 1
                if width and column == width:
                    out += b"\r\n"
                    column = 0
                continue
            text = bytes(line).decode()
            line.clear()
            column = len(boot)
            out += b"\r\n"
            if text.startswith("at '"):
                command = text[4:-1].replace("\\n", "\r\n")
                out += handler + modem.feed(command.encode() + b"\r").replace(b"\n", b"\r\n") + b"\r\n"
            elif text and not text.startswith("at "):
                out += text.split()[0].encode() + b": command not found\r\n"
            out += boot
        return bytes(out)

    return feed


def test_an_echo_that_breaks_at_the_edge_of_the_screen_shows_no_secret():
    modem, timeline = ScriptedModem({"AT%CMNG": b""}), Timeline()
    with FarEnd(in_shell(modem, width=80)) as far, opened(far.path, "shell", timeline) as port:
        port.sync()
        assert port.command(f'AT%CMNG=0,{SEC_TAG},2,"{SECRET}"').lines == ()
        assert port.command("AT+CFUN?").value("+CFUN") == "0"
    assert modem.commands[-2].split('"')[1] == SECRET.replace("\n", "\r\n")
    shown = "\n".join(event.text for event in timeline.since(0))
    assert "kEy+line" not in shown


def test_an_answer_over_many_lines_with_doubled_cr():
    content = ROOT.replace("\n", "\r\n")
    digest = hashlib.sha256(content.encode()).hexdigest().upper()
    answer = f'%CMNG: {SEC_TAG},0,"{digest}","{content}"\r\n'.encode()
    modem = ScriptedModem({f"AT%CMNG=2,{SEC_TAG},0": answer})
    with FarEnd(in_shell(modem)) as far, opened(far.path, "shell") as port:
        port.sync()
        assert Modem(port, sec_tags=[]).credentials.read(SEC_TAG, CredentialKind.ROOT_CA) == content


@pytest.mark.parametrize(
    "event",
    [b"AT event handler: +CEREG: 1\r\n\r\n", b"AT event handler:\r\n+CEREG: 1\r\n\r\n"],
    ids=["mosh", "library"],
)
@pytest.mark.parametrize("pending", [True, False])
def test_notifications_are_urcs(event, pending):
    modem = ScriptedModem({"AT+CGSN": b"352656100000000\r\n"})
    with FarEnd(in_shell(modem, handler=event if pending else b"")) as far, opened(far.path, "shell") as port:
        port.sync()
        listener = port.listen("+CEREG")
        if pending:
            assert port.command("AT+CGSN").text == "352656100000000"
        else:
            far.send(event)
        assert listener.next(WAIT).text == "+CEREG: 1"


# -- boards told apart


@pytest.mark.parametrize(
    ("runs", "said", "message"),
    [
        ("shell", "at-client", "a shell answers here .*say 'firmware: shell'"),
        ("shell", "serial-modem", "a shell answers here .*say 'firmware: shell'"),
        ("at-client", "shell", "no shell around them: say 'firmware: at-client'"),
        ("serial-modem", "shell", "no shell around them: say 'firmware: at-client'"),
        ("at-client", "serial-modem", "does not run Serial Modem"),
        ("serial-modem", "at-client", "the board runs Serial Modem 1.0.0, not the AT client"),
    ],
)
def test_the_wrong_firmware_is_named(runs, said, message, monkeypatch):
    monkeypatch.setattr("harness.at.port._TRY_TIMEOUT", 0.2)
    with virtual_board("--firmware", runs) as board, opened(board["port"], said) as port:
        with pytest.raises(WrongFirmware, match=message) as caught:
            find_out(port, said)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("firmware", ["at-client", "serial-modem", "shell"])
def test_the_right_firmware_is_taken(firmware):
    with virtual_board("--firmware", firmware) as board, opened(board["port"], firmware) as port:
        find_out(port, firmware)
        assert port.command("AT+CGSN").text == board["imei"]


@pytest.mark.parametrize("terminator", ["cr", "lf", "crlf", "nul"])
def test_what_ends_a_command_is_found_out(terminator, monkeypatch):
    monkeypatch.setattr("harness.at.port._TRY_TIMEOUT", 0.2)
    arguments = ("--firmware", "at-client", "--terminator", terminator)
    with virtual_board(*arguments) as board, opened(board["port"], "at-client") as port:
        find_out(port, "at-client")
        assert port.command("AT+CGSN").text == board["imei"]


@pytest.mark.parametrize("model", ["mute", "garbage"])
def test_a_board_that_makes_no_sense_is_not_called_another_firmware(model, monkeypatch):
    monkeypatch.setattr("harness.at.port._TRY_TIMEOUT", 0.2)
    with (
        virtual_board("--model", model) as board,
        opened(board["port"], "shell") as port,
        pytest.raises(NoAnswer, match="in 4 tries"),
    ):
        synchronise(port, "shell")


def test_a_line_of_the_shells_own_is_heard_and_disturbs_no_command(port):
    mark = port.timeline.mark()
    port.type_line("kernel")
    assert port.wait_line("Kernel commands", WAIT, since=mark)
    assert port.command("AT+CFUN?").value("+CFUN").isdecimal()
    sent = [event.text for event in port.timeline.since(mark) if event.kind is Kind.TX]
    assert sent == ["kernel", "AT+CFUN?"]


def test_a_client_that_is_not_there_is_said_at_once(port):
    with pytest.raises(Misuse, match="the shell has no command 'nrf_provisioning now': build its firmware with CONFIG"):
        fetch_commands(port, timeout=WAIT)
    assert port.command("AT+CFUN?").value("+CFUN").isdecimal()


def test_a_client_that_says_nothing_costs_its_time_and_no_more(port, monkeypatch):
    monkeypatch.setattr(provisioning_client, "_NOW", "help")
    assert "within 0.2 s" in fetch_commands(port, timeout=0.2)


def test_only_a_shell_takes_lines_of_its_own():
    with (
        virtual_board() as board,
        opened(board["port"], "serial-modem") as port,
        pytest.raises(Misuse, match="firmware has no shell"),
    ):
        port.type_line("kernel")
