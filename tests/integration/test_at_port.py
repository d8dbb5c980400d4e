"""AtPort over ptys and loopback sockets."""

import fcntl
import os
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import Any

import pytest
import serial
import serial.rfc2217

from harness.at import AtError, AtPort, PortSettings, StrayAnswer
from harness.at.receiver import Receiver
from harness.errors import BoardLost, LabError, Misuse, NoAnswer, PortBusy, PortMissing
from harness.lab import BoardConfig
from harness.run.open_board import open_board
from harness.timeline import Kind, Timeline
from tests.integration.at_far_end import FarEnd
from tests.unit.at.scripted_modem import ScriptedModem

PEM = "-----BEGIN CERTIFICATE-----\r\n" + "MIIB" * 300 + "\r\n-----END CERTIFICATE-----\r\n"


@pytest.fixture
def timeline():
    return Timeline()


@pytest.fixture
def modem():
    return ScriptedModem({"AT+CGSN": b"352656100000000\r\n", "AT%CMNG": b"", "AT#XSEND": b"", "AT+CFUN": b""})


@pytest.fixture
def far(modem):
    with FarEnd(modem.feed) as far:
        yield far


@pytest.fixture
def port(far, timeline):
    with AtPort.open(far.path, name="board-1", timeline=timeline) as port:
        yield port


@pytest.fixture
def silent():
    with FarEnd() as far:
        yield far


@pytest.fixture
def deaf(silent, timeline):
    """A port whose board says only what the test makes it say."""
    with AtPort.open(silent.path, name="board-1", timeline=timeline) as port:
        yield port


@pytest.fixture
def hasty(monkeypatch):
    """Tries to get back in step last a fifth of a second."""
    monkeypatch.setattr("harness.at.port._TRY_TIMEOUT", 0.2)


def texts(timeline, *kinds):
    return [event.text for event in timeline.since(0) if event.kind in kinds]


def test_commands_and_the_timeline(port, timeline):
    port.sync()
    mark = timeline.mark()
    assert port.command("AT+CGSN").text == "352656100000000"
    assert [(event.kind, event.source, event.text) for event in timeline.since(mark)] == [
        (Kind.TX, "board-1", "AT+CGSN"),
        (Kind.RX, "board-1", "352656100000000"),
        (Kind.RESULT, "board-1", "OK"),
    ]
    stamps = [event.t for event in timeline.since(0)]
    assert stamps == sorted(stamps)


def test_a_refusal(port):
    with pytest.raises(AtError, match=r"AT\+NOSUCH answered ERROR"):
        port.command("AT+NOSUCH")


def test_a_certificate_goes_through_and_a_key_stays_secret(port, modem, timeline):
    port.command(f'AT%CMNG=0,1,0,"{PEM}"')
    port.command('AT%CMNG=0,1,2,"topsecretkey"')
    assert modem.commands == [f'AT%CMNG=0,1,0,"{PEM}"', 'AT%CMNG=0,1,2,"topsecretkey"']
    assert "topsecretkey" not in "".join(f"{event}" for event in timeline.since(0))


def test_misuse_sends_nothing(port, far):
    for text in ('AT%CMNG=0,1,0,"' + "x" * 5000 + '"', "AT\r", 'AT"'):
        with pytest.raises(Misuse):
            port.command(text)
    port.command("AT")
    assert bytes(far.received) == b"AT\r"


def test_data_mode(port, modem):
    assert port.send_payload("AT#XSEND", b'{"a":1}\r\nOK\r\n') == 0
    assert modem.payloads == [b'{"a":1}\r\nOK\r\n']
    assert port.command("AT+CGSN").text == "352656100000000"
    with pytest.raises(Misuse, match="data mode"):
        port.send_payload("AT#XSEND", b"a+++b")
    assert len(modem.payloads) == 1


def test_several_threads_take_turns(port, modem):
    errors = []

    def ask():
        for _ in range(50):
            if port.command("AT+CGSN").text != "352656100000000":
                errors.append("wrong answer")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert modem.commands == ["AT+CGSN"] * 200


@pytest.mark.parametrize("chunk", [1, 7, None])
def test_writing_in_pieces(far, timeline, modem, chunk):
    with AtPort.open(far.path, name="board-1", timeline=timeline, settings=PortSettings(chunk=chunk)) as port:
        port.command(f'AT%CMNG=0,1,0,"{PEM}"')
    assert modem.commands == [f'AT%CMNG=0,1,0,"{PEM}"']


# -- URCs


def test_listeners_get_their_urcs_wherever_they_land(port, far, modem):
    modem.replies["AT+CFUN"] = b"+CSCON: 1\r\n+CEREG: 0\r\n+CSCON: 0\r\n"
    cereg, other = port.listen("+CEREG"), port.listen("+CSCON", "Ready")
    port.command("AT+CFUN=4")
    far.send(b'Ready\r\n+CEREG: 1,"0901"\r\n')
    assert cereg.next(5.0, match=lambda urc: urc.args.startswith("1"), what="registration").args == '1,"0901"'
    assert [other.next(5.0).text for _ in range(3)] == ["+CSCON: 1", "+CSCON: 0", "Ready"]
    assert other.poll() is None


def test_framed_urcs(far, timeline):
    settings = PortSettings(framed={"#XMQTTMSG": lambda args: tuple(map(int, args.split(",")))})
    with AtPort.open(far.path, name="board-1", timeline=timeline, settings=settings) as port:
        listener = port.listen("#XMQTTMSG")
        far.send(b"\r\n#XMQTTMSG: 3,8\r\nt/1\r\n{\r\nOK\r\n}\r\n")
        assert listener.next(5.0).blobs == (b"t/1", b"{\r\nOK\r\n}")
        assert port.command("AT").lines == ()


def test_a_listener_says_what_was_heard(deaf, silent):
    listener = deaf.listen("+CEREG")
    silent.send(b"*** Booting ***\r\n+CSCON: 1\r\n")
    deaf.wait_line(r"CSCON", 5.0, since=0)
    with pytest.raises(
        NoAnswer, match=r"board-1: no registration within .* last heard: \*\*\* Booting \*\*\* \| \+CSCON: 1"
    ):
        listener.next(0.05, what="registration")


def test_wait_line(deaf, silent):
    threading.Timer(0.02, silent.send, [b"<inf> app: up\r\n"]).start()
    assert deaf.wait_line(r"app: (\w+)", 5.0).text == "<inf> app: up"
    assert deaf.wait_line("app", 0.0, since=0).text == "<inf> app: up"
    with pytest.raises(NoAnswer, match=r"no line with 'never' within 0.02 s; last heard: <inf> app: up"):
        deaf.wait_line("never", 0.02)


# -- time-outs and getting back in step


class Slow:
    """A modem that holds one answer back until it is released, as one that is busy does."""

    def __init__(self, modem, held):
        self.modem, self.held, self.late = modem, held, b""
        self.holding = threading.Event()

    def feed(self, data):
        answer = self.modem.feed(data)
        if self.held in data and not self.holding.is_set():
            self.holding.set()
            self.late = answer
            return b""
        late, self.late = self.late, b""
        return late + answer


def test_a_late_answer_is_not_the_next_commands(timeline):
    """The late OK arrives when the next command has already been sent."""
    slow = Slow(ScriptedModem({"AT+CFUN": b"", "AT+CGSN": b"352656100000000\r\n"}), b"AT+CFUN=1")
    with FarEnd(slow.feed) as far, AtPort.open(far.path, name="board-1", timeline=timeline) as port:
        with pytest.raises(NoAnswer, match=r"board-1: no answer to AT\+CFUN=1 within 0.05 s; .*again after 1 tries"):
            port.command("AT+CFUN=1", timeout=0.05)
        with pytest.raises(AtError):
            port.command("AT+NOSUCH")
        assert port.command("AT+CGSN").text == "352656100000000"
    assert "no answer" in texts(timeline, Kind.RESULT)


def test_a_late_answer_to_the_probes_own_command(timeline):
    slow = Slow(ScriptedModem({"AT+CGSN": b"352656100000000\r\n"}), b"AT+CMEE?")
    with FarEnd(slow.feed) as far, AtPort.open(far.path, name="board-1", timeline=timeline) as port:
        with pytest.raises(NoAnswer, match="again after 1 tries"):
            port.command("AT+CMEE?", timeout=0.05)
        assert port.command("AT+CGSN").lines == ("352656100000000",)


def test_out_of_an_open_quote(far, port, modem, hasty):
    os.write(port._stream._fd, b'AT%CMNG=0,1,0,"lost its end\r')
    assert far.wait_received(b"lost its end\r")
    port.sync()
    assert port.command("AT+CGSN").text == "352656100000000"
    assert modem.commands[0].startswith("AT%CMNG")
    assert modem.commands[-1] == "AT+CGSN"


def test_a_quote_that_opened_one_is_closed_again(timeline, hasty):
    """The board was deaf for the first try: the second try's quote opens one, the third's closes it."""
    modem = ScriptedModem({"AT+CGSN": b"352656100000000\r\n"})
    missed = bytearray()

    def answer(data):
        if b"\rAT+CMEE?\r" in missed:
            return modem.feed(data)
        missed.extend(data)
        return b""

    with FarEnd(answer) as far, AtPort.open(far.path, name="board-1", timeline=timeline) as port:
        port.sync()
        assert port.command("AT+CGSN").text == "352656100000000"
    assert [event.data["tries"] for event in timeline.since(0) if "tries" in event.data] == [3]


def test_nothing_answers(deaf, silent, hasty):
    silent.send(b"garbage\r\n")
    deaf.wait_line("garbage", 5.0, since=0)
    with pytest.raises(NoAnswer, match=r"board-1: no answer to AT commands in 4 tries; last heard: garbage; .*speed"):
        deaf.sync()
    # Still out of step: the command is not sent before the board answers.
    with pytest.raises(NoAnswer, match="in 4 tries"):
        deaf.command("AT+CFUN=1")
    assert b"AT+CFUN=1\r" not in silent.received


def test_ctrl_c_during_a_command_leaves_the_port_usable(port, monkeypatch):
    write = port._stream.write

    def interrupted(data):
        monkeypatch.setattr(port._stream, "write", write)
        write(data)
        raise KeyboardInterrupt

    monkeypatch.setattr(port._stream, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        port.command("AT+CGSN")
    assert port.command("AT").lines == ()


def test_data_mode_that_never_ends_is_left(timeline):
    """The board loses the first +++; getting back in step sends it again."""
    modem = ScriptedModem({"AT#XSEND": b"", "AT+CGSN": b"352656100000000\r\n"})
    lost = []

    def answer(data):
        if data.endswith(b"payload+++") and not lost:
            lost.append(data)
            return modem.feed(data[:-3])
        return modem.feed(data)

    with FarEnd(answer) as far, AtPort.open(far.path, name="board-1", timeline=timeline) as port:
        with pytest.raises(NoAnswer, match="no answer to AT#XSEND"):
            port.send_payload("AT#XSEND", b"payload", timeout=0.1)
        assert port.command("AT+CGSN").text == "352656100000000"
    assert modem.payloads == [b"payload"]


def test_data_mode_whose_ok_comes_late_is_left(timeline):
    slow = Slow(ScriptedModem({"AT#XSEND": b"", "AT+CGSN": b"352656100000000\r\n"}), b"AT#XSEND")
    with FarEnd(slow.feed) as far, AtPort.open(far.path, name="board-1", timeline=timeline) as port:
        with pytest.raises(NoAnswer, match=r"no answer to AT#XSEND .*again after 1 tries"):
            port.send_payload("AT#XSEND", b"payload", timeout=0.05)
        assert port.command("AT+CGSN").text == "352656100000000"
    assert slow.modem.payloads == [b""]


def test_a_refused_data_mode_is_none(port, far, modem):
    modem.replies["AT#XMQTTPUB"] = b"ERROR\r\n"
    with pytest.raises(AtError):
        port.send_payload('AT#XMQTTPUB="t"', b"payload")
    port.sync()
    assert b"payload" not in far.received


def test_somebody_elses_refusal_of_a_data_mode_that_is_open_costs_one_command(port, far, modem):
    """A stray ERROR came for the command; the board's OK stands behind it, and the board waits for a payload."""
    strays = [b"\r\nERROR\r\n"]
    modem.replies["AT#XSEND"] = lambda text: strays.pop() if strays else b""
    with pytest.raises(StrayAnswer, match="something else writes to this port: ModemManager"):
        port.send_payload('AT#XSEND="t"', b"payload")
    assert modem.payloads == [b""]
    assert port.send_payload('AT#XSEND="t"', b"payload") == 0
    assert modem.payloads == [b"", b"payload"]


# -- the port's own trouble


def test_no_such_port(timeline):
    with pytest.raises(PortMissing, match="board-1: no port /dev/no-such-port"):
        AtPort.open("/dev/no-such-port", name="board-1", timeline=timeline)


HOLD = """
import fcntl, sys, time
port = open(sys.argv[1], "rb", buffering=0)
fcntl.flock(port, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(path, *arguments):
    """Another process that holds the port."""
    command = [sys.executable, "-c", HOLD, path, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process.pid
        process.stdin.close()


def test_busy_port_names_its_owner(silent, timeline):
    with held(silent.path) as pid, pytest.raises(PortBusy) as caught:
        AtPort.open(silent.path, name="other", timeline=timeline)
    owner = r"in use by python\S* \(pid (\d+)\); end it, or wait for it"
    named = re.search(owner, str(caught.value))
    assert named
    assert named[1] == str(pid)


def test_a_run_does_not_send_its_user_to_end_the_run(port, far, timeline):
    with pytest.raises(PortBusy, match=r"in use by this run itself, for another board: two entries") as caught:
        AtPort.open(far.path, name="other", timeline=timeline)
    assert str(os.getpid()) not in str(caught.value)


def test_a_virtual_board_is_not_the_holder_of_its_own_port(silent, timeline):
    with held(silent.path, "harness.virtual") as pid, pytest.raises(PortBusy) as caught:
        AtPort.open(silent.path, name="other", timeline=timeline)
    assert str(pid) not in str(caught.value)


@contextmanager
def taken(text=b"Port already in use\r\n"):
    """A server of ports that tells each client so and hangs up, as ser2net does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.sendall(text)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("scheme", ["rfc2217", "socket"])
def test_a_server_of_ports_that_says_who_it_is_not_for(scheme, timeline):
    with taken() as address, pytest.raises(PortBusy, match=r"is taken, the server there says 'Port already in use'$"):
        open_board(BoardConfig(name="rack", port=f"{scheme}://{address}"), f"{scheme}://{address}", timeline)


def test_busy_port_of_somebody_unknown(silent, timeline, monkeypatch):
    monkeypatch.setattr("harness.at.serial_link.holders", lambda devices: {device: [] for device in devices})
    with open(silent.path, "rb", buffering=0) as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        with pytest.raises(PortBusy, match="ModemManager"):
            AtPort.open(silent.path, name="board-1", timeline=timeline)


def test_no_permission(timeline, monkeypatch):
    def denied(self):
        raise serial.SerialException(13, "could not open port")

    monkeypatch.setattr("serial.Serial.open", denied)
    with pytest.raises(LabError, match="dialout"):
        AtPort.open("/dev/ttyACM0", name="board-1", timeline=timeline)


@pytest.mark.parametrize("url", ["nosuch://x", "socket://nowhere", "rfc2217://", "loop://"])
def test_a_bad_url(url, timeline):
    with pytest.raises((Misuse, LabError), match="board-1: cannot open"):
        AtPort.open(url, name="board-1", timeline=timeline)


def test_refused_connection(timeline):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    with pytest.raises(PortMissing, match="is the server there"):
        AtPort.open(f"socket://127.0.0.1:{number}", name="board-1", timeline=timeline)


def test_unplugged_reaches_everybody_at_once(deaf, silent, timeline):
    caught = {}

    def wait(what, action):
        try:
            action()
        except BoardLost as error:
            caught[what] = (time.monotonic(), str(error))

    listener = deaf.listen("+CEREG")
    actions = {
        "command": lambda: deaf.command("AT+CFUN=1", timeout=30),
        "listener": lambda: listener.next(30),
        "line": lambda: deaf.wait_line("never", 30),
    }
    threads = [threading.Thread(target=wait, args=item) for item in actions.items()]
    for thread in threads:
        thread.start()
    assert silent.wait_received(b"AT+CFUN=1\r")
    start = time.monotonic()
    silent.unplug()
    for thread in threads:
        thread.join(30)
    assert sorted(caught) == ["command", "line", "listener"]
    assert max(t for t, _ in caught.values()) - start < 15.0  # by the unplugging, not by their time-outs of 30 s
    assert all("board-1: the port went away" in text for _, text in caught.values())
    assert not deaf.alive
    assert len(texts(timeline, Kind.FAULT)) == 1
    for action in actions.values():
        with pytest.raises(BoardLost):
            action()


def test_lines_before_the_unplugging_are_not_lost(deaf, silent):
    listener = deaf.listen("+CEREG")
    silent.send(b"+CEREG: 0\r\nlast words\r\n")
    deaf.wait_line("last words", 5.0, since=0)
    silent.unplug()
    assert listener.next(5.0).args == "0"
    with pytest.raises(BoardLost):
        listener.next(5.0)
    assert deaf.wait_line("last words", 5.0, since=0).text == "last words"


def test_a_reader_that_dies_says_why(port, far, timeline):
    def full(events):
        raise OSError(28, "No space left on device")

    with timeline.sink(full):
        far.send(b"+CEREG: 1\r\n")
        port._receiver._thread.join(30)
    with pytest.raises(LabError, match=r"the reader died of OSError: .*No space left"):
        port.command("AT")


def test_close_ends_waiting_and_the_thread(far, timeline):
    port = AtPort.open(far.path, name="board-1", timeline=timeline)
    listener = port.listen("+CEREG")
    threading.Timer(0.05, port.close).start()
    with pytest.raises(LabError, match="closed"):
        listener.next(30)
    port.close()
    with pytest.raises(Misuse, match="closed"):
        port.command("AT")
    assert not port.alive
    assert not [thread for thread in threading.enumerate() if thread.name == "at-reader-board-1"]
    with AtPort.open(far.path, name="board-1", timeline=timeline) as again:
        assert again.command("AT").lines == ()


def test_open_and_close_leak_no_descriptors(far, timeline):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        AtPort.open(far.path, name="board-1", timeline=timeline).close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_board_that_takes_no_bytes(silent, timeline, monkeypatch):
    monkeypatch.setattr("harness.at.stream.WRITE_TIMEOUT", 0.1)
    silent.stop_reading()
    with (
        AtPort.open(silent.path, name="board-1", timeline=timeline) as port,
        pytest.raises(NoAnswer, match=r"takes no bytes .*flow control"),
    ):
        port._stream.write(b"x" * 200_000)


# -- load


def test_nothing_is_lost_while_nobody_waits(deaf, silent, timeline):
    lines = [
        b"[%08d] <inf> app: some text that makes a line as long as they are\r\n" % number for number in range(6000)
    ]
    silent.send(b"".join(lines) + b"the end\r\n")
    deaf.wait_line("the end", 10.0, since=0)
    assert texts(timeline, Kind.RX) == [line.decode().strip() for line in lines] + ["the end"]


def test_bytes_without_a_line_end_are_cut_and_bounded(deaf, silent, timeline):
    silent.send(b"x" * 200_000 + b"\r\nafter\r\n")
    deaf.wait_line("after", 10.0, since=0)
    pieces = [event for event in timeline.since(0) if event.data.get("role") == "cut"]
    assert [len(event.text) for event in pieces] == [65536, 65536, 65536, 200_000 - 3 * 65536]
    assert deaf._receiver._dialogue._buffer.take_rest() == b""


# -- remote ports


class TcpServer:
    """A TCP server for one client. ``session(send)`` makes, once connected, what takes the client's bytes."""

    def __init__(self, session):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.number = self._server.getsockname()[1]
        self._session = session
        self._client = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def end(self):
        if self._client:
            self._client.shutdown(socket.SHUT_RDWR)
        self._thread.join(30)
        if self._client:
            self._client.close()
        self._server.close()

    def _serve(self):
        self._client, _ = self._server.accept()
        take = self._session(self._client.sendall)
        while data := self._client.recv(65536):
            take(data)


def rfc2217_session(modem):
    """What a lab's RFC 2217 server does, with a port that has no modem lines."""

    class Device:
        baudrate, bytesize, parity, stopbits = 115200, 8, "N", 1
        rtscts = xonxoff = dtr = rts = cts = dsr = ri = cd = break_condition = False

        def reset_input_buffer(self):
            pass

        reset_output_buffer = reset_input_buffer

    class Connection:
        def __init__(self, send):
            self.write = send

    def session(send):
        device: Any = Device()
        connection: Any = Connection(send)
        manager = serial.rfc2217.PortManager(device, connection)

        def take(data):
            if answer := modem.feed(b"".join(manager.filter(data))):
                send(b"".join(manager.escape(answer)))

        return take

    return session


@pytest.mark.parametrize("scheme", ["socket", "rfc2217"])
def test_remote_ports(scheme, modem, timeline):
    plain = lambda send: lambda data: send(modem.feed(data))  # noqa: E731
    server = TcpServer(plain if scheme == "socket" else rfc2217_session(modem))
    with AtPort.open(f"{scheme}://127.0.0.1:{server.number}", name="board-1", timeline=timeline) as port:
        port.sync()
        took = []
        for _ in range(20):
            start = time.monotonic()
            assert port.command("AT+CGSN").text == "352656100000000"
            took.append(time.monotonic() - start)
        # A time-out that is changed while the port is open makes RFC 2217 negotiate: 0.15 s each. Other work does not
        # hold up every command.
        assert min(took) < 0.1
        listener = port.listen("+CEREG")
        server.end()
        with pytest.raises(BoardLost):
            listener.next(10)


def test_receiver_is_one_thread(port):
    assert isinstance(port._receiver, Receiver)
    assert len([thread for thread in threading.enumerate() if thread.name == "at-reader-board-1"]) == 1


def test_what_a_hanging_board_was_asked_is_in_the_files_meanwhile(deaf, silent, timeline):
    asked = threading.Event()

    def ask():
        with pytest.raises(BoardLost):
            deaf.command("AT+CFUN?", timeout=60)

    def sink(events):
        if any(event.text == "AT+CFUN?" for event in events):
            asked.set()

    with timeline.sink(sink):
        thread = threading.Thread(target=ask)
        thread.start()
        assert asked.wait(30)
        silent.unplug()
        thread.join(30)
    assert not thread.is_alive()
