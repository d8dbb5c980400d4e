import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.board.commands import Arg, Command, Form, Refused, parse


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("AT", Command("", Form.RUN)),
        ("at+cfun?", Command("+CFUN", Form.READ)),
        ("AT+CFUN=?", Command("+CFUN", Form.TEST)),
        ("AT+CFUN=1", Command("+CFUN", Form.SET, "1")),
        ("AT%CMNG=", Command("%CMNG", Form.SET, "")),
        ("AT#XMQTTCON", Command("#XMQTTCON", Form.RUN)),
        ("ATE0", Command("E0", Form.RUN)),
        ("ate1", Command("E1", Form.RUN)),
        ('AT%CMNG=0,1,0,"a\r\nb"', Command("%CMNG", Form.SET, '0,1,0,"a\r\nb"')),
    ],
)
def test_lines_that_pass_the_grammar(line, command):
    assert parse(line) == command


@pytest.mark.parametrize(
    "line",
    ["ATI", "ATE2", "ATD123", "AT+", "AT+=1", "AT+CFUN?1", "AT+CFUN=?1", "AT+C FUN", "AT&F", "ATE0 ", "A", "AT+CFÜN?"],
)
def test_lines_that_do_not(line):
    assert parse(line) is None


def split(body):
    args = Command("X", Form.SET, body).args()
    return [args._items[index] for index in range(len(args))]


def test_parameters_quoted_empty_and_with_spaces():
    assert split('1, 0 ,,"a, b",""') == [
        Arg("1", False),
        Arg("0", False),
        Arg("", False),
        Arg("a, b", True),
        Arg("", True),
    ]
    assert split("1,") == [Arg("1", False), Arg("", False)]


@pytest.mark.parametrize("body", ['"a', 'a"b"', '"a"b', '"{"a":1}"', '"a""b"'])
def test_a_quote_in_the_wrong_place_is_refused(body):
    with pytest.raises(Refused):
        split(body)


@given(st.text(alphabet=st.characters(max_codepoint=255)))
def test_any_body_is_split_or_refused(body):
    try:
        items = split(body)
    except Refused:
        return
    assert all('"' not in item.text for item in items)


@given(st.lists(st.text(alphabet=st.characters(max_codepoint=255, exclude_characters='"')), min_size=1))
def test_quoted_parameters_come_back_unchanged(texts):
    assert split(",".join(f'"{text}"' for text in texts)) == [Arg(text, True) for text in texts]


def test_getters_refuse_the_wrong_kind():
    args = Command("X", Form.SET, '1,"text",,x,"9"').args()
    assert args.number(0) == 1
    assert args.string(1) == "text"
    assert args.number(2, 7) == 7
    assert args.string(9, "later") == "later"
    for wrong in (
        lambda: args.number(1),
        lambda: args.number(2),
        lambda: args.number(3),
        lambda: args.number(4),
        lambda: args.string(0),
        lambda: args.string(1, longest=3),
        lambda: args.choice(0, (0, 2)),
        lambda: args.at_most(4),
        lambda: args.exactly(4),
        lambda: args.text(2),
    ):
        with pytest.raises(Refused):
            wrong()
