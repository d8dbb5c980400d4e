"""Lines of a Zephyr log: prefixes, colours, prompts, time stamps."""

from __future__ import annotations

import pytest

from harness.firmware.cloud_library.log_line import LogLine, dropped, parse_line, plain_text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "[00:00:12.345,678] <err> nrf_cloud_transport: MQTT input error: -128",
            LogLine("MQTT input error: -128", "err", "nrf_cloud_transport", "", 12.345678),
        ),
        ("[101:01:01.000,001] <inf> app: up", LogLine("up", "inf", "app", "", 363661.000001)),
        (
            "[00:00:01.000,000] <dbg> nrf_cloud: nrf_cloud_run: x",
            LogLine("x", "dbg", "nrf_cloud", "nrf_cloud_run", 1.0),
        ),
        ("[00:00:01.000,000] <dbg> nrf_cloud.nrf_cloud_run: x", LogLine("x", "dbg", "nrf_cloud", "nrf_cloud_run", 1.0)),
        ("[00:00:01.000,000] <inf> app: state: 3", LogLine("state: 3", "inf", "app", "", 1.0)),
        ("[00012345] <wrn> app: x", LogLine("x", "wrn", "app")),
        ("[    7.000250] <wrn> app: x", LogLine("x", "wrn", "app", "", 7.00025)),
        ("<wrn> app: x", LogLine("x", "wrn", "app")),
        ("[00:00:01.000,000] [main] <inf> app: x", LogLine("x", "inf", "app", "", 1.0)),
        ("CLOUD_EVT_READY", LogLine("CLOUD_EVT_READY")),
        ("\x1b[1;31m[00:00:01.000,000] <err> app: x\x1b[0m\r\n", LogLine("x", "err", "app", "", 1.0)),
        ("\x1b[8D\x1b[Juart:~$ [00:00:01.000,000] <inf> app: x", LogLine("x", "inf", "app", "", 1.0)),
        ("", LogLine("")),
    ],
)
def test_every_form_of_a_line_is_read(text, line):
    assert parse_line(text) == line


def test_only_a_prompt_before_a_line_is_taken_away():
    assert plain_text("mosh:~$ cloud connect") == "cloud connect"
    assert plain_text("costs 3:~$ 5") == "costs 3:~$ 5"


def test_only_line_ends_and_zeros_around_a_line_are_taken_away():
    assert plain_text("\0X 1 X\r\n\0") == "X 1 X"


@pytest.mark.parametrize(
    ("text", "count"), [("--- 17 messages dropped ---", 17), ("---1 message dropped---", 1), ("dropped 3", 0), ("", 0)]
)
def test_the_note_of_dropped_messages_is_counted(text, count):
    assert dropped(text) == count
