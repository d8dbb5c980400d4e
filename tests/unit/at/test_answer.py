import pytest

from harness.at import Answer, AtError, AtFormatError
from harness.at.answer import answer_of
from harness.at.syntax import FinalResult, parse_command
from harness.errors import Refusal


def test_value_and_text():
    answer = Answer("AT+X", ("+CFUN: 1", "352656100000000", "%CMNG: 1,0", "%CMNG: 1,1"), 0.1)
    assert answer.value("+CFUN") == "1"
    assert answer.values("%CMNG") == ["1,0", "1,1"]
    assert answer.values("+NONE") == []
    assert answer.text == "352656100000000"


@pytest.mark.parametrize("name", ["%CMNG", "+NONE"])
def test_a_missing_or_repeated_line_is_the_boards_fault(name):
    answer = Answer("AT%CMNG=1", ("%CMNG: 1,0", "%CMNG: 1,1"), 0.1)
    with pytest.raises(AtFormatError, match=r"%CMNG: 1,0 \| %CMNG: 1,1") as caught:
        answer.value(name)
    assert isinstance(caught.value, Refusal)


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


def test_undecodable_bytes_become_replacement_characters():
    answer = answer_of(parse_command("AT+X"), FinalResult("OK"), [b"+X: \xff\xfe!"], [b"\xff"], 0.5)
    assert answer.lines == ("+X: \ufffd\ufffd!",)
    assert answer.blobs == (b"\xff",)
    assert answer.seconds == 0.5
