import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.redact import LineRedactor, Secrets, may_hold_secret, redact_line

KEY = b"-----BEGIN PRIVATE KEY-----\r\nMIGHAgEAMBMGByqGSM49\r\n-----END PRIVATE KEY-----\r\n"
JWT = b"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlc2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("line", "secret", "kept"),
    [
        (b'AT%CMNG=0,16842753,2,"topsecret"', b"topsecret", b"AT%CMNG=0,16842753,2,"),
        (b'at%cmng = 0, 16842753 , 3 , "c0ffee"', b"c0ffee", b"16842753"),
        (b"AT%CMNG=0,1,3,c0ffee", b"c0ffee", b"AT%CMNG=0,1,3,"),
        (b'AT%CMNG=0,1,4,"identity"', b"identity", b"AT%CMNG=0,1,4,"),
        (b'AT%CMNG=0,1,2,"' + KEY, b"MIGH", b"AT%CMNG=0,1,2,"),
        (b"at 'AT%CMNG=0,1,2,\"topsecret\"'", b"topsecret", b"at 'AT%CMNG"),
        (b'AT#XCMNG=0,1,2,"topsecret"', b"topsecret", b"AT#XCMNG=0,1,2,"),
        (b'%CMNG: 42,4,"2C43","identity"', b"identity", b'%CMNG: 42,4,"2C43",'),
        (b'AT%KEYINJECT="abc.def"', b"abc.def", b"AT%KEYINJECT="),
        (b'AT%ATTESTTOKEN="00112233"', b"00112233", b"AT%ATTESTTOKEN="),
        (b'%ATTESTTOKEN: "2dn3hQ.0oRDoQ"', b"2dn3hQ", b"%ATTESTTOKEN: "),
        (b'%JWT: "' + JWT + b'"', b"eyJ", b"%JWT: "),
        (b'%jwt:"' + JWT, b"eyJ", b"%jwt:"),
        (b'%CLAIMTOKEN: "abc.def"', b"abc.def", b"%CLAIMTOKEN: "),
        (b'AT%XSUDO=64,"c2lnbmF0dXJl";%CMNG=0,1,2,"topsecret"', b"topsecret", b"AT%XSUDO=64,"),
        (b'AT%XSUDO=64,"c2lnbmF0dXJl";+CFUN?', b"c2lnbmF0dXJl", b";+CFUN?"),
        (b'AT#XMQTTCON=1,"user","hunter2","host",8883', b"hunter2", b'"host",8883'),
        (b'AT+CGAUTH=0,1,"user","hunter2"', b"hunter2", b"AT+CGAUTH=0,1,"),
        (b'AT+CPIN="1234"', b"1234", b"AT+CPIN="),
        (b'AT+CLCK="SC",1,"1234"', b"1234", b"AT+CLCK="),
        (b"token " + JWT + b" end", b"eyJ", b" end"),
        (b"log " + KEY + b"after", b"MIGH", b"after"),
        (b"-----BEGIN EC PRIVATE KEY-----\nMIGH", b"MIGH", b"<redacted"),
    ],
)
def test_secrets_go_and_the_rest_stays(line, secret, kept):
    redacted = redact_line(line)
    assert secret not in redacted
    assert kept in redacted
    assert b"<redacted " in redacted
    assert may_hold_secret(line)


@pytest.mark.parametrize(
    "line",
    [
        b'AT%CMNG=0,16842753,0,"-----BEGIN CERTIFICATE-----\r\nMIIB\r\n-----END CERTIFICATE-----\r\n"',
        b'AT%CMNG=0,16842753,1,"-----BEGIN CERTIFICATE-----"',
        b'%CMNG: 16842753,2,"3EB33ABEB054A64578ED0ACF2BC13D570557FDEB413566D3D4678A2B89F65695"',
        b'%CMNG: 42,0,"2C43","-----BEGIN CERTIFICATE-----"',
        b"AT%CMNG=1,16842753",
        b"AT%CMNG=3,16842753,2",
        b'%KEYGEN: "MIIBCjCBrw.0oRDoQEmoQRBIVhL"',
        b"AT%ATTESTTOKEN",
        b'AT#XMQTTCON=1,"","","mqtt.nrfcloud.com",8883,16842753',
        b"AT+CPIN?",
        b"+CPIN: READY",
        b'AT+CPINR="SIM PIN"',
        b'+CEREG: 5,"0901","02024720",7',
        b"<inf> 100% of eyJ",
        b"\xff\xfe",
        b"",
    ],
)
def test_public_lines_stay_whole(line):
    assert redact_line(line) == line


def test_a_key_over_several_lines():
    redact = LineRedactor()
    lines = [redact(line) for line in (b"before", *KEY.split(b"\r\n"), b"after")]
    assert lines[0] == b"before"
    assert lines[-2:] == [b"", b"after"]
    assert b"MIGH" not in b"".join(lines)
    assert not redact.inside


def test_a_key_in_one_line_hides_nothing_after_it():
    redact = LineRedactor()
    assert redact(KEY + b"x") == b"<redacted 76 bytes>\r\nx"
    assert redact(b"next") == b"next"
    assert redact(b"-----END PRIVATE KEY-----") == b"-----END PRIVATE KEY-----"
    assert redact(b"next") == b"next"


def test_a_key_without_end_hides_a_bounded_number_of_lines():
    redact = LineRedactor()
    redact(b"-----BEGIN PRIVATE KEY-----")
    hidden = 0
    while redact(b"line") != b"line":
        hidden += 1
    assert hidden == 200


@given(st.binary(max_size=200))
def test_any_bytes(line):
    redacted = redact_line(line)
    if not may_hold_secret(line):
        assert redacted == line


def test_secrets_by_value():
    secrets = Secrets()
    secrets.add("0123456789abcdef")
    secrets.add("0123456789abcdef-and-more")
    secrets.add("short")
    assert (
        secrets.scrub("key 0123456789abcdef-and-more, 0123456789abcdef, short") == "key <redacted>, <redacted>, short"
    )
    assert secrets.scrub(f"Bearer {JWT.decode()}.") == "Bearer <redacted JWT>."
    assert secrets.scrub(f"a {KEY.decode()}b") == "a <redacted key>\r\nb"
