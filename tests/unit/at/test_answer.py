import pytest

from harness.at import LOST_BYTES, Answer, AtError, AtFormatError
from harness.at.answer import answer_of
from harness.at.syntax import FinalResult, parse_command
from harness.errors import LabError


def test_value_and_text():
    answer = Answer("AT+X", ("+CFUN: 1", "352656100000000", "%CMNG: 1,0", "%CMNG: 1,1"), 0.1)
    assert answer.value("+CFUN") == "1"
    assert answer.values("%CMNG") == ["1,0", "1,1"]
    assert answer.values("+NONE") == []
    assert answer.text == "352656100000000"


@pytest.mark.parametrize("name", ["%CMNG", "+NONE"])
def test_a_missing_or_repeated_line_was_lost_on_the_way(name):
    answer = Answer("AT%CMNG=1", ("%CMNG: 1,0", "%CMNG: 1,1"), 0.1)
    with pytest.raises(AtFormatError) as caught:
        answer.value(name)
    count = len(answer.values(name))
    assert str(caught.value) == (
        f"AT%CMNG=1: expected one line {name}: …, got {count} of them; the answer was: %CMNG: 1,0 | %CMNG: 1,1; "
        f"{LOST_BYTES}"
    )
    assert isinstance(caught.value, LabError)


def test_a_line_that_came_twice_is_called_so():
    answer = Answer("AT+CFUN?", ("+CFUN: 1", "+CFUN: 1"), 0.1)
    with pytest.raises(AtFormatError, match=r"got 2 of them; .*; a line came twice on the way: look at the cable"):
        answer.value("+CFUN")


def test_a_line_that_is_missing_is_lost_although_another_came_twice():
    answer = Answer("AT+CFUN?", ("+X: 1", "+X: 1"), 0.1)
    with pytest.raises(AtFormatError, match=r"got 0 of them; .*; bytes were lost on the way"):
        answer.value("+CFUN")


def test_an_answer_without_lines_has_no_text():
    with pytest.raises(AtFormatError) as caught:
        _ = Answer("AT+CGSN", (), 0.1).text
    assert str(caught.value) == (
        f"AT+CGSN: expected one line without a name, got 0 of them; the answer was: nothing; {LOST_BYTES}"
    )


def test_format_error_hides_secrets():
    answer = Answer(
        "AT%ATTESTTOKEN",
        ('%ATTESTTOKEN: "2dn3hQFQUDYxVDkxRPCAIhIbZAFifQNQGv86y_GmR2SiY0wmRsHGVFDT791_BPH8YOWFiyCHND1q"',),
        0,
    )
    with pytest.raises(AtFormatError) as caught:
        answer.value("%KEYGEN")
    assert "2dn3hQ" not in str(caught.value)


def test_refusal_with_code():
    with pytest.raises(AtError) as caught:
        answer_of(parse_command('AT%CMNG=0,16842753,2,"secret key"'), FinalResult("CME", 518), [], [], 0.0)
    error = caught.value
    assert (error.kind, error.code, error.meaning, error.final) == (
        "CME",
        518,
        "not allowed in active state",
        "+CME ERROR: 518",
    )
    assert str(error) == (
        "AT%CMNG=0,16842753,2,<redacted 12 bytes> answered +CME ERROR: 518 (not allowed in active state)"
    )


def test_plain_error_has_no_code():
    with pytest.raises(AtError) as caught:
        answer_of(parse_command("ATI"), FinalResult("ERROR"), [], [], 0.0)
    assert (caught.value.kind, caught.value.code, caught.value.command) == (None, None, "ATI")
    assert str(caught.value) == "ATI answered ERROR (no reason given; AT+CMEE=1 gives one)"


def test_errors_of_messages_have_a_kind_of_their_own():
    with pytest.raises(AtError) as caught:
        answer_of(parse_command("AT+CMGF=1"), FinalResult("CMS", 302), [], [], 0.0)
    assert (caught.value.kind, caught.value.code) == ("CMS", 302)


def test_undecodable_bytes_become_replacement_characters():
    answer = answer_of(parse_command("AT+X"), FinalResult("OK"), [b"+X: \xff\xfe!"], [b"\xff"], 0.5)
    assert answer.command == "AT+X"
    assert answer.lines == ("+X: \ufffd\ufffd!",)
    assert answer.blobs == (b"\xff",)
    assert answer.seconds == 0.5
