"""Messages without what varies."""

from harness.report.normal_form import named, normal


def test_a_name_is_replaced_where_it_stands_as_a_word():
    assert named("a: assert False on a/b", {"{board}": "a"}) == "{board}: assert False on {board}/b"


def test_the_longest_name_goes_first():
    names = {"{board}": "dk", "{device}": "dk-1"}
    assert named("dk-1 is on dk", names) == "{device} is on {board}"


def test_what_varies_is_a_placeholder():
    assert normal("dk-1: no answer within 3.5 s from /dev/ttyACM0", {"{board}": "dk-1"}) == (
        "{board}: no answer within {time} from {path}"
    )
