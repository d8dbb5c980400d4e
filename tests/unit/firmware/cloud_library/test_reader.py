"""Log lines: torn ones are read as one; a quick look at many finds what a close look finds; text that is no log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.firmware.cloud_library.evidence import Evidence, LogClass
from harness.firmware.cloud_library.numbers import Generation
from harness.firmware.cloud_library.reader import LineReader, LogReading

KICK = "[00:01:02.345,678] <err> nrf_cloud_transport: MQTT input error: -128\r\n"
READY = "[00:00:08.033,000] <inf> app: Connection to nRF Cloud ready\r\n"
NOISE = "[00:00:09.000,000] <inf> app: temperature 21\r\n"
URC = '+CEREG: 1,"0001"\r\n'


def read(text: str, generation: Generation | None = None) -> list:
    reader = LineReader(generation)
    return [each for line in text.split("\r\n") for each in reader.read(line)]


def classes(text: str) -> list[LogClass]:
    return [each.evidence.what for each in read(text) if each.evidence is not None]


@given(
    st.lists(
        st.lists(
            st.sampled_from(
                [KICK, READY, NOISE, URC, "\x1b[1;31m" + KICK, KICK[:50] + URC, KICK[50:], NOISE[:30], "[1]", "a b\r\n"]
            ),
            max_size=4,
        ),
        max_size=6,
    )
)
def test_a_quick_look_at_many_lines_misses_nothing(batches):
    close, quick = LineReader(), LineReader()
    for batch in batches:
        lines = "".join(batch).split("\r\n")
        found = [each for line in lines for each in close.read(line)]
        if quick.silent(lines):
            assert found == []
        else:
            assert [each for line in lines for each in quick.read(line)] == found


def test_a_quick_look_suffices_for_lines_that_say_nothing():
    assert LineReader().silent([NOISE, "\x1b[0m" + NOISE, "temperature 21"])
    assert not LineReader().silent([NOISE, KICK])
    assert not LineReader().silent([NOISE.strip() + NOISE])


@pytest.mark.parametrize("tear", [URC, "[00:01:02.345,700] <inf> app: hello\r\n", "uart:~$ \r\n"])
@given(at=st.integers(1, len(KICK) - 3))
def test_a_torn_line_is_read_as_one(tear, at):
    data = KICK[:at] + tear + KICK[at:] + NOISE
    assert classes(data) == [LogClass.KICKED]


def test_a_torn_line_says_that_it_was():
    found = [each for each in read(KICK[:50] + URC + KICK[50:]) if each.evidence]
    assert [each.torn for each in found] == [True]
    assert found[0].uptime == 62.345678


def test_lines_that_run_together_are_read_one_by_one():
    text = "CLOUD_EVT_READY" + KICK.strip() + "+CEREG: 2"
    assert read(text) == [
        LogReading("CLOUD_EVT_READY", Evidence(LogClass.CONNECTED, 0, "CLOUD_EVT_READY")),
        LogReading(
            KICK.strip(),
            Evidence(LogClass.KICKED, -128, KICK.strip()),
            uptime=62.345678,
            module="nrf_cloud_transport",
            level="err",
        ),
        LogReading("+CEREG: 2", Evidence(LogClass.LINK_LOST, 2, "+CEREG: 2")),
    ]


@pytest.mark.parametrize(("between", "found"), [(4, [LogClass.KICKED]), (5, [])])
def test_a_tail_may_come_a_few_lines_later(between, found):
    head = "[00:00:01.000,000] <err> a: MQTT input"
    assert classes(head + "+CEREG: 1\r\n" + NOISE * between + " error: -128\r\n") == found


def test_heads_without_a_tail_join_nothing_that_comes_much_later():
    data = "[00:00:01.000,000] <err> a: MQTT input" + "+CEREG: 1\r\n" + NOISE * 9 + " error: -128\r\n"
    assert classes(data) == []


@given(st.text(max_size=4000))
def test_noise_is_no_evidence(noise):
    assert LogClass.KICKED in classes(noise.replace("#", "") + "\r\n" + KICK)


def test_restarts_and_lost_messages_are_told():
    found = read("*** Booting nRF Connect SDK v1.9.1 ***\r\n" + NOISE + "--- 4 messages dropped ---\r\n")
    assert found == [
        LogReading("*** Booting nRF Connect SDK v1.9.1 ***", boot=True),
        LogReading("--- 4 messages dropped ---", dropped=4),
    ]


def test_the_banner_decides_whose_numbers_are_read():
    event = "nrf_cloud_event: 8, status: 1\r\n"
    assert classes(event) == []
    assert classes("*** Booting nRF Connect SDK v1.9.1 ***\r\n" + event) == [LogClass.KICKED]
    assert read(event, Generation.NCS_1)[0].evidence.what is LogClass.KICKED


HEAD = "[00:00:01.000,000] <err> a: MQTT input"


def test_a_head_is_used_once_and_a_tail_that_says_something_itself_is_read_once():
    reader = LineReader()
    assert reader.read(HEAD + "+CSCON: 1") == []
    (found,) = reader.read(" error: -128")
    assert found.text == HEAD + " error: -128"
    assert found.torn
    assert reader.read(" error: -128") == []
    assert reader.silent(["quiet"]), "no head waits any more"


@pytest.mark.parametrize("tail", ["MQTT input error: -128", "--- 4 messages dropped ---"])
def test_a_tail_that_says_it_all_by_itself_says_it_once(tail):
    """A head without a meaning and a tail with one were two ends of the connection."""
    reader = LineReader()
    reader.read("[00:00:01.000,000] <err> a: +CSCON: 1")
    assert [each.text for each in reader.read(tail)] == [tail]


def test_a_tail_that_says_something_else_with_its_head_says_both():
    reader = LineReader()
    reader.read("x MQTT input error: -1+CSCON: 1")
    assert [(each.evidence.what, each.torn) for each in reader.read("28 CLOUD_EVT_READY")] == [
        (LogClass.CONNECTED, False),
        (LogClass.KICKED, True),
    ]


def test_a_head_that_says_it_all_by_itself_is_read_by_itself():
    reader = LineReader()
    whole = KICK.strip()
    (first,) = reader.read(whole + "+CSCON: 1")
    assert first.text == whole
    (second,) = reader.read("tail")
    assert (second.text, first.torn, second.torn) == (whole + "tail", False, True)


def test_nothing_is_torn_at_its_very_beginning_but_behind_its_first_character():
    reader = LineReader()
    reader.read("+CSCON: 1")
    assert reader.silent(["quiet"])
    reader.read("M+CSCON: 1")
    assert not reader.silent(["quiet"])
    (found,) = reader.read("QTT input error: -128")
    assert found.text == "MQTT input error: -128"


def test_lines_without_a_key_are_not_looked_at(monkeypatch):
    reader = LineReader()
    monkeypatch.setattr(reader, "_told", lambda text: pytest.fail(f"{text} was looked at"))
    assert reader.read("temperature 21") == []
    assert reader.read("") == []


def test_a_forgotten_head_joins_nothing():
    reader = LineReader()
    reader.read(HEAD + "+CSCON: 1")
    for _ in range(5):
        assert reader.read("+CSCON: 0") == []
    assert reader._head == ""
    assert reader.read(" error: -128") == []
