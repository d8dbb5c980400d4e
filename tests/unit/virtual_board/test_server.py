"""Framing of Serial Modem, byte for byte."""

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.virtual.board.outputs import CloseLink, SetBaud
from tests.unit.virtual_board.bench import ERROR, OK, Bench, cme, info, urcs


def test_banner_and_nothing_unasked():
    bench = Bench()
    assert bench.banner == b"Ready\r\n"
    assert bench.advance(3600) == b""


def test_framing_of_answers():
    bench = Bench()
    assert bench.ask("AT") == b"\r\nOK\r\n"
    assert bench.ask("AT+CFUN?") == b"\r\n+CFUN: 0\r\n\r\nOK\r\n"
    assert bench.ask("AT+NOPE") == b"\r\nERROR\r\n"
    assert bench.ask("AT+CMEE=1") == b"\r\nOK\r\n"
    assert bench.ask("AT%CMNG=3,5,0") == b"\r\n+CME ERROR: 513\r\n"
    assert bench.ask("AT#XUUID") == f"\r\n#XUUID: {bench.nvm.identity.device_uuid}\r\n\r\nOK\r\n".encode()


def test_names_are_case_insensitive():
    bench = Bench()
    assert bench.ask("at+cgmr") == info("mfw_nrf91x1_2.0.2")
    assert bench.ask("at#xsmver") == info('#XSMVER: "1.0.0","3.2.1"')


def test_the_grammar_check_and_unknown_commands():
    bench = Bench()
    for line in ("ATI", "AT+CFUN", "AT+CGSN?", "AT%HWVERSION?", "AT+CMEE=2", "AT#XSLMVER", "AT#XSLMUUID", "ATE2"):
        assert bench.ask(line) == ERROR, line
    bench.ask("AT+CMEE=1")
    assert bench.ask("AT+NOPE") == ERROR  # no code, as long as nobody knows better


def test_junk_line_feeds_and_empty_lines_are_harmless():
    bench = Bench()
    assert bench.type(b"\r\n\r\r\x00junk") == b""
    assert bench.type(b"AT\r\n") == OK
    assert bench.type(b"\nAT\r\n\nAT\r\n") == OK + OK


def test_one_byte_at_a_time():
    bench = Bench()
    heard = [bench.type(bytes((byte,))) for byte in b"AT+CFUN?\r"]
    assert heard == [b""] * 8 + [info("+CFUN: 0")]


def test_overflow_is_answered_at_the_terminator():
    bench = Bench()
    assert bench.type(b"AT" + b"x" * 5000) == b""
    assert bench.type(b"\r") == ERROR
    assert bench.ask("AT") == OK


def test_commands_wait_for_the_running_one():
    bench = Bench()
    assert bench.type(b"AT%KEYGEN=1,2,1\rAT\rAT+CFUN?\r") == b""
    heard = bench.advance(1.3)
    assert heard.startswith(b'\r\n%KEYGEN: "')
    assert heard.endswith(b'"\r\n\r\nOK\r\n' + OK + info("+CFUN: 0"))


def test_unsolicited_results_wait_for_the_running_command():
    bench = Bench()
    bench.ask("AT+CEREG=1")
    bench.ask("AT+CSCON=1")
    bench.attach()
    bench.advance(20)  # idle
    bench.type(b"AT+CFUN=4\r")
    assert bench.advance(1) == OK + urcs("+CSCON: 1", "+CEREG: 0", "+CSCON: 0")


def test_echo():
    bench = Bench()
    assert bench.ask("ATE1") == OK
    assert bench.type(b"AT+CF") == b"AT+CF"
    assert bench.type(b"UN?\r\n") == b"UN?\r" + info("+CFUN: 0") + b"\n"
    assert bench.ask("ATE0") == b"ATE0\r" + OK
    assert bench.ask("AT") == OK


def test_with_echo_a_half_typed_line_holds_results_back_for_a_second():
    bench = Bench()
    bench.ask("AT+CEREG=1")
    bench.ask("ATE1")
    bench.ask("AT+CFUN=1")
    bench.advance(1.1)
    assert bench.type(b"AT") == b"AT"
    assert bench.advance(0.9) == b""
    assert bench.advance(0.2) == urcs("+CEREG: 2")


def test_reset_restarts_everything_but_the_memory():
    bench = Bench()
    bench.ask("AT+CMEE=1")
    bench.ask("ATE1")
    bench.ask('AT%CMNG=0,42,4,"identity"')
    assert bench.ask("AT#XRESET") == b"AT#XRESET\r" + OK
    assert bench.type(b"AT\r") == b""  # going down
    assert bench.advance(0.5) == b""
    assert bench.type(b"AT\r") == b""
    assert bench.advance(1) == b"Ready\r\n"
    assert bench.ask("AT+CMEE?") == info("+CMEE: 0")
    assert bench.ask("AT%CMNG=1,42")[:16] == b'\r\n%CMNG: 42,4,"6'


def test_a_reset_while_registered_says_nothing():
    bench = Bench()
    bench.ask("AT+CEREG=5")
    bench.attach()
    assert bench.ask("AT#XRESET") == OK
    assert bench.advance(10) == b"Ready\r\n"
    assert CloseLink(abrupt=True) in bench.taken()
    assert bench.ask("AT+CEREG?") == info("+CEREG: 0,4")


def test_modem_reset():
    bench = Bench()
    bench.ask("AT+CMEE=1")
    bench.attach()
    assert bench.ask("AT#XMODEMRESET") == info("#XMODEMRESET: 0")
    assert bench.ask("AT+CFUN?") == info("+CFUN: 0")
    assert bench.ask("AT+CMEE?") == info("+CMEE: 0")


def test_shutdown_and_sleep_end_the_uart():
    for command in ("AT#XSHUTDOWN", "AT#XSLEEP=1"):
        bench = Bench()
        assert bench.ask(command) == OK
        bench.advance(1)
        assert bench.type(b"AT\r") == b""
        assert bench.advance(100) == b""
    assert Bench().ask("AT#XSLEEP=3") == ERROR
    assert Bench().ask("AT#XSLEEP=?") == info("#XSLEEP: (1,2)")


def test_lists_of_commands_hold_what_is_implemented():
    bench = Bench()
    names = ["XAPOLL", "XCLAC", "XCLOSE", "XCONNECT", "XDATACTRL", "XMODEMRESET", "XMQTTCFG", "XMQTTCON", "XMQTTPUB"]
    names += ["XMQTTSUB", "XMQTTUNSUB", "XNRFCLOUD", "XRECV", "XRECVCFG", "XRESET", "XSEND", "XSHUTDOWN", "XSLEEP"]
    names += ["XSMVER", "XSOCKET", "XSOCKETOPT", "XSSOCKET", "XSSOCKETOPT", "XUUID"]
    assert bench.ask("AT#XCLAC") == "\r\n{}\r\n\r\nOK\r\n".format("\r\n".join(f"AT#{n}" for n in names)).encode()
    listed = bench.ask("AT+CLAC").decode().split()
    assert listed[:2] == ["AT+CCLK", "AT+CEDRXS"]
    assert listed[-2:] == ["AT%XVBAT", "OK"]
    assert {"AT+CFUN", "AT%CMNG", "AT%KEYGEN", "AT+CLAC"} < set(listed)


def test_data_mode_control():
    bench = Bench()
    assert bench.ask("AT#XDATACTRL?") == info("#XDATACTRL: 0,32")
    assert bench.ask("AT#XDATACTRL=31") == ERROR
    assert bench.ask("AT#XDATACTRL=500") == OK
    assert bench.ask("AT#XDATACTRL?") == info("#XDATACTRL: 500,32")
    assert bench.ask("AT#XDATACTRL=?") == info("#XDATACTRL=<time_limit>")


def test_baud_rate():
    bench = Bench()
    assert bench.ask("AT+IPR?") == info("+IPR: 115200")
    assert bench.ask("AT+IPR=?") == info("+IPR: (),(115200,230400,460800,921600,1000000)")
    assert bench.ask("AT+IPR=9600") == ERROR
    assert bench.ask("AT+IPR=1000000") == OK
    assert bench.taken() == [SetBaud(1000000)]
    assert bench.ask("AT#XDATACTRL?") == info("#XDATACTRL: 0,12")


def test_an_answer_that_does_not_fit_is_an_error():
    bench = Bench()
    for tag in range(50):
        assert bench.ask(f'AT%CMNG=0,{tag},4,"x"') == OK
    assert bench.ask("AT%CMNG=1") == ERROR
    assert bench.ask("AT%CMNG=1,7").endswith(OK)


def test_extended_errors_only_when_asked_for():
    bench = Bench()
    assert bench.ask("AT%CMNG=3,42,0") == ERROR
    assert bench.ask("AT+CMEE=1") == OK
    assert bench.ask("AT+CMEE?") == info("+CMEE: 1")
    assert bench.ask("AT+CMEE=?") == info("+CMEE: (0,1)")
    assert bench.ask("AT%CMNG=3,42,0") == cme(513)


NAMES = [name for name in (Bench().ask("AT+CLAC") + Bench().ask("AT#XCLAC")).decode().split() if name != "OK"]
ARGUMENTS = st.one_of(
    st.integers(-1, 50).map(str),
    st.sampled_from(["", '""', '"CN=x"', '"00101"', "16842753", "4294967294", '"{}"', '"', "a", '"00000000"']),
    st.text(alphabet=st.characters(max_codepoint=255, exclude_characters='\r\x08\x7f"'), max_size=9).map('"{}"'.format),
)
COMMANDS = st.builds(
    lambda name, form: name + form,
    st.sampled_from([name for name in NAMES if name not in ("AT#XRESET", "AT#XSHUTDOWN", "AT#XSLEEP")]),
    st.one_of(st.sampled_from(["", "?", "=?"]), st.lists(ARGUMENTS, max_size=6).map(lambda args: "=" + ",".join(args))),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(COMMANDS.filter(lambda command: command.count('"') % 2 == 0), max_size=8))
def test_every_command_gets_exactly_one_final_result(commands):
    bench = Bench()
    for command in commands:
        answer = bench.ask(command)
        finals = [line for line in answer.split(b"\r\n") if line in (b"OK", b"ERROR") or b"+CME ERROR: " in line]
        assert len(finals) == 1, (command, answer)


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_no_bytes_bring_it_down(data):
    bench = Bench()
    bench.type(data)
    bench.advance(10)
    heard = bench.type(b'"\rAT\rAT"\r\rAT\r')
    assert heard.endswith(OK)
