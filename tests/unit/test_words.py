"""What commands and lines mean in general words, whoever reads them."""

import pytest

from harness.words import Ask, Asked, Dictionary, Told, Words

HELLO, OTHER = Asked(Ask.CONNECT), Asked(Ask.OTHER)


def reader(text, meaning):
    return lambda said: meaning if said == text else None


def test_the_first_that_knows_a_command_says_what_it_asks():
    words = Dictionary(
        Words(reader("HELLO", None)), Words(reader("HELLO", HELLO)), Words(reader("HELLO", Asked(Ask.STOP)))
    )
    assert words.asked("HELLO") == HELLO
    assert words.asked("HELLO?") == OTHER
    assert Dictionary().asked("HELLO") == OTHER


def test_the_first_that_knows_a_line_says_what_it_tells():
    mute = Words(reader("", None))
    fault, other = (Words(mute.asked, reader("BOOM", told)) for told in (Told.FAULT, Told.NOT_CONNECTED))
    deaf = Words(mute.asked, reader("BOOM", None))
    assert Dictionary(mute, deaf, fault, other).told("BOOM") is Told.FAULT
    assert Dictionary(mute, deaf, other, fault).told("BOOM") is Told.NOT_CONNECTED
    assert Dictionary(mute, fault).told("BOOM!") is None
    assert Dictionary(mute).told("BOOM") is None


def test_words_that_firmwares_share_are_asked_once_and_a_text_that_was_read_not_again():
    read = []
    shared = Words(lambda text: read.append(text))
    words = Dictionary(shared, shared)
    assert [words.asked("AT"), words.asked("AT"), words.asked("ATI")] == [OTHER] * 3
    assert read == ["AT", "ATI"]


@pytest.mark.parametrize(
    ("asked", "wants"),
    [
        (Asked(Ask.PUBLISH, "t", 1), True),
        (Asked(Ask.PUBLISH, "t"), True),
        (Asked(Ask.PUBLISH, "t", 0), False),
        (Asked(Ask.SUBSCRIBE), True),
        (Asked(Ask.UNSUBSCRIBE), True),
        (Asked(Ask.CONNECT), False),
        (Asked(Ask.DISCONNECT), False),
        (OTHER, False),
    ],
)
def test_packets_that_mqtt_acknowledges(asked, wants):
    assert asked.wants_answer is wants
