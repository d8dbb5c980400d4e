import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.at import AtFormatError
from harness.modem import Registration
from tests.unit.modem.vectors import VECTORS

_TRACE = [text for _, kind, text in VECTORS["modem_boundary_trace"]["events"] if kind == "rsp" and "+CEREG" in text]

URC_FORMS = [
    # n = 1 to 5, and what each of them leaves out
    ("2", Registration("+CEREG: 2", 2)),
    ("0", Registration("+CEREG: 0", 0)),
    ("90", Registration("+CEREG: 90", 90)),
    ('1,"0901","02024720",7', Registration("", 1, "0901", "02024720", 7)),
    ('2,"1D23","0D70394D",9', Registration("", 2, "1D23", "0D70394D", 9)),
    ('0,"0138","001B8B1E",7', Registration("", 0, "0138", "001B8B1E", 7)),
    ('3,"002F","0012BEEF",7,0,13', Registration("", 3, "002F", "0012BEEF", 7, 0, 13)),
    ('3,"","",,0,11', Registration("", 3, None, None, None, 0, 11)),
    (
        '5,"0901","02024720",7,,,"11100000","00100001"',
        Registration("", 5, "0901", "02024720", 7, None, None, "11100000", "00100001"),
    ),
    (
        '3,"002F","0012BEEF",7,0,15,"11100000","00100001"',
        Registration("", 3, "002F", "0012BEEF", 7, 0, 15, "11100000", "00100001"),
    ),
]


def _fields(registration):
    return {name: value for name, value in vars(registration).items() if name != "text"}


@pytest.mark.parametrize(("args", "expected"), URC_FORMS, ids=[args for args, _ in URC_FORMS])
def test_urc_forms(args, expected):
    found = Registration.from_urc(args)
    assert _fields(found) == _fields(expected)
    assert found.text == f"+CEREG: {args}"


@pytest.mark.parametrize("n", range(6))
@pytest.mark.parametrize(("args", "expected"), URC_FORMS, ids=[args for args, _ in URC_FORMS])
def test_read_forms_have_n_first(n, args, expected):
    found = Registration.from_read(f"{n},{args}")
    assert _fields(found) == _fields(expected)
    assert found.text == f"+CEREG: {n},{args}"


@pytest.mark.parametrize(
    ("status", "registered", "final"),
    [
        (0, False, False),
        (1, True, True),
        (2, False, False),
        (3, False, True),
        (4, False, False),
        (5, True, True),
        (90, False, True),
        (8, False, False),
    ],
)
def test_what_a_status_means_for_waiting(status, registered, final):
    found = Registration.from_urc(str(status))
    assert (found.registered, found.final) == (registered, final)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ("2", "searching"),
        ("90", "UICC failure"),
        ("8", "status 8"),
        ('3,"002F","0012BEEF",7', "registration denied"),
        (
            '3,"002F","0012BEEF",7,0,13',
            "registration denied, EMM cause 13: roaming not allowed in this tracking area",
        ),
        ('3,"002F","0012BEEF",7,,11', "registration denied, EMM cause 11: PLMN not allowed"),
        ('3,"002F","0012BEEF",7,0,250', "registration denied, EMM cause 250: not in 3GPP TS 24.301"),
        ('3,"002F","0012BEEF",7,1,13', "registration denied, cause 13 of type 1"),
    ],
)
def test_meaning(args, words):
    assert Registration.from_urc(args).meaning == words


@pytest.mark.parametrize("args", ["", ",", "x", '"1"x', '1,"0901', "1,a,b,c", "1,,,,,,,,", "1,,,,,,,,9", "-"])
def test_other_arguments_are_refused(args):
    with pytest.raises(AtFormatError, match=r"\+CEREG: "):
        Registration.from_urc(args)


@pytest.mark.parametrize("args", ["", "4", "6,1", "x,1", '2,"0901","02024720",7', "5,"])
def test_a_read_form_without_n_is_refused(args):
    with pytest.raises(AtFormatError, match=r"\+CEREG: "):
        Registration.from_read(args)


@given(st.text('0123456789,"ABF', max_size=40))
def test_junk_is_parsed_or_refused_and_nothing_else(args):
    for parse in (Registration.from_urc, Registration.from_read):
        with contextlib.suppress(AtFormatError):
            assert parse(args).text == f"+CEREG: {args}"


def test_recorded_attach():
    reads = {"+CEREG: 5,4\r\nOK\r\n", '+CEREG: 5,2,"0901","02024720",7\r\nOK\r\n'}
    assert reads < set(_TRACE)
    statuses = []
    for text in _TRACE:
        args = text.splitlines()[0].removeprefix("+CEREG: ")
        parse = Registration.from_read if text in reads else Registration.from_urc
        statuses.append(parse(args).status)
    assert statuses == [4, 2, 2, 5]
