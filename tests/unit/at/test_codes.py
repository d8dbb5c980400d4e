import pytest

from harness.at.codes import default_timeout, meaning


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("CME", 518, "not allowed in active state"),
        ("CME", 513, "not found"),
        ("CME", 519, "already exists"),
        ("CME", 9999, "meaning not documented"),
        ("CMS", 515, "memory full"),
        ("CMS", 300, "SMS service failure, 3GPP TS 27.005"),
        ("CMS", 127, "network cause, 3GPP TS 24.011"),
        ("CMS", 128, "network cause, 3GPP TS 23.040"),
        ("CMS", 299, "meaning not documented"),
    ],
)
def test_meaning(kind, code, words):
    assert meaning(kind, code) == words


@pytest.mark.parametrize(
    ("name", "test_form", "seconds"),
    [
        ("+CFUN", False, 60.0),
        ("%KEYGEN", False, 15.0),
        ("%CMNG", False, 15.0),
        ("+COPS", True, 300.0),
        ("+COPS", False, 5.0),
        ("", False, 5.0),
    ],
)
def test_default_timeout(name, test_form, seconds):
    assert default_timeout(name, test_form=test_form) == seconds
