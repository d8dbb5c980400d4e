"""A log in chunks: the same whatever the chunks are; torn lines; what is no text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.firmware.cloud_library.evidence import LogClass
from harness.firmware.cloud_library.numbers import Generation
from harness.firmware.cloud_library.reader import LINE_LIMIT, LogReader

KICK = b"[00:01:02.345,678] <err> nrf_cloud_transport: MQTT input error: -128\r\n"
READY = b"[00:00:08.033,000] <inf> app: Connection to nRF Cloud ready\r\n"
NOISE = b"[00:00:09.000,000] <inf> app: temperature 21\r\n"


def read(data: bytes, size: int = 10**9) -> list:
    reader = LogReader()
    found = [each for at in range(0, len(data), size) for each in reader.feed(data[at : at + size])]
    return found + reader.finish()


def classes(data: bytes, size: int = 10**9) -> list[LogClass]:
    return [each.evidence.what for each in read(data, size) if each.evidence is not None]


@given(
    st.lists(st.sampled_from([KICK, READY, NOISE, b"\r\n", b"\x1b[1;31m" + KICK, b"uart:~$ " + READY]), max_size=12),
    st.integers(1, 200),
)
def test_chunks_make_no_difference(lines, size):
    data = b"".join(lines)
    assert classes(data, size) == classes(data)
    assert len(classes(data)) == sum(any(word in line for word in (b"error", b"ready")) for line in lines)


@pytest.mark.parametrize("tear", [b'+CEREG: 1,"0001"\r\n', b"[00:01:02.345,700] <inf> app: hello\r\n", b"uart:~$ \r\n"])
@given(at=st.integers(1, len(KICK) - 3))
def test_a_torn_line_is_read_as_one(tear, at):
    data = KICK[:at] + tear + KICK[at:] + NOISE
    assert LogClass.KICKED in classes(data)
    assert set(classes(data)) == {LogClass.KICKED}


def test_a_torn_line_says_that_it_was():
    tear = b'+CEREG: 1,"0001"\r\n'
    found = [each for each in read(KICK[:50] + tear + KICK[50:]) if each.evidence]
    assert [each.torn for each in found] == [True]
    assert found[0].uptime == 62.345678


def test_heads_without_a_tail_join_nothing_that_comes_much_later():
    data = b"[00:00:01.000,000] <err> a: MQTT input" + b"+CEREG: 1\r\n" + NOISE * 9 + b" error: -128\r\n"
    assert classes(data) == []


def test_a_megabyte_without_an_end_costs_no_memory_and_hides_nothing_behind_it():
    reader = LogReader()
    for _ in range(1024):
        assert reader.feed(b"x" * 1024) == []
        assert len(reader._rest) <= LINE_LIMIT + 1024
    assert [each.evidence.what for each in reader.feed(b"\r\n" + KICK)] == [LogClass.KICKED]


@given(st.binary(max_size=4000))
def test_binary_is_no_evidence(noise):
    assert LogClass.KICKED in classes(noise.replace(b"#", b"") + b"\r\n" + KICK)
    read(noise, 7)


def test_restarts_and_lost_messages_are_told():
    found = read(b"*** Booting nRF Connect SDK v1.9.1 ***\r\n" + NOISE + b"--- 4 messages dropped ---\r\n")
    assert [(each.boot, each.dropped) for each in found] == [(True, 0), (False, 4)]


def test_the_banner_decides_whose_numbers_are_read():
    event = b"nrf_cloud_event: 8, status: 1\r\n"
    assert classes(event) == []
    assert classes(b"*** Booting nRF Connect SDK v1.9.1 ***\r\n" + event) == [LogClass.KICKED]
    assert LogReader(Generation.NCS_1).feed(event)[0].evidence.what is LogClass.KICKED
