"""``firmware: {kind: cloud-library, ...}`` in a boards file: what it gives; each mistake is one line at its place."""

from __future__ import annotations

import pytest

from harness.lab import load_boards_file
from harness.lab.boards_file import BoardsFileError
from harness.settings import FirmwareName, Sample


@pytest.fixture
def load(tmp_path):
    def load(firmware):
        path = tmp_path / "boards.yaml"
        path.write_text(f"boards:\n  - name: a\n    virtual: {{}}\n    firmware: {firmware}\n")
        return load_boards_file(path).boards[0]

    return load


def test_a_mapping_is_read_as_written(load):
    board = load(
        '{kind: cloud-library, sample: cloud_client, publish: "p {payload}", reconnect: r, button: [./press, a]}'
    )
    assert board.firmware is FirmwareName.CLOUD_LIBRARY
    said = board.cloud_library
    assert (said.sample, said.publish, said.reconnect) == (Sample.CLOUD_CLIENT, "p {payload}", ("r",))
    assert (said.button, said.through_shell) == (("./press", "a"), False)


@pytest.mark.parametrize(("firmware", "through"), [("", True), (", at_shell: false", False)])
def test_how_at_commands_go_is_the_samples_unless_it_is_said(load, firmware, through):
    board = load(f"{{kind: cloud-library, sample: asset_tracker_template{firmware}}}")
    assert board.cloud_library.through_shell is through


def test_auto_is_what_is_meant_where_nothing_is_said(load):
    assert load("auto").firmware is None


@pytest.mark.parametrize("said", ["", ", firmware: auto"])
def test_a_virtual_one_has_to_be_named_because_it_is_not_found_out(tmp_path, said):
    path = tmp_path / "boards.yaml"
    path.write_text(f"boards: [{{name: a, virtual: {{firmware: cloud-library}}{said}}}]\n")
    with pytest.raises(BoardsFileError) as caught:
        load_boards_file(path)
    (line,) = caught.value.lines
    assert line.startswith(f"{path}:1:40: firmware cloud-library cannot be detected, so every test would be skipped")
    assert "write firmware: {kind: cloud-library, sample: ...}" in line


@pytest.mark.parametrize(
    ("firmware", "line"),
    [
        ("{kind: cloud-library}", "4:15: key 'sample' is missing; add it"),
        (
            "{kind: cloud-library, sample: nrf_cloud_multiservice}",
            "4:35: 'sample' cannot be 'nrf_cloud_multiservice'; nearest known value is 'nrf_cloud_multi_service';"
            " correct it",
        ),
        ("{sample: cloud_client}", "4:15: key 'kind' is missing; add kind: cloud-library"),
        ("{kind: shell, sample: cloud_client}", "4:15: firmware 'shell' takes no keys; write firmware: shell"),
        ("{kind: auto, sample: cloud_client}", "4:15: firmware 'auto' takes no keys; write firmware: auto"),
        (
            "{kind: cloud-library, sample: cloud_client, pulbish: x}",
            "4:49: unknown key 'pulbish'; nearest known key is 'publish'; correct it",
        ),
        (
            "{kind: cloud-library, sample: cloud_client, publish: send}",
            "4:58: 'publish' cannot be 'send': it must have {payload} where the message goes, or no message is the one"
            " that a test looks for; correct it",
        ),
        (
            "{kind: cloud-library, sample: cloud_client, button: ./press}",
            "4:57: 'button' cannot be './press': it must be a list; write [./press]",
        ),
        (
            "{kind: cloud-library, sample: cloud_client, reconnect: []}",
            "4:60: 'reconnect' is an empty list; add an entry to it",
        ),
    ],
)
def test_a_mistake_is_one_line_at_its_place(load, firmware, line):
    with pytest.raises(BoardsFileError) as caught:
        load(firmware)
    (said,) = caught.value.lines
    # Columns of values inside the mapping depend on what stands before them, so only those of the mapping are exact.
    place, _, text = line.partition(": ")
    assert said.endswith(text)
    assert f":{place.partition(':')[0]}:" in said


def test_a_name_alone_says_that_a_sample_is_needed(load):
    with pytest.raises(
        BoardsFileError, match=r"needs its sample \(nrf_cloud_mqtt_device_message, .*\); write firmware: {"
    ):
        load("cloud-library")
