"""``faults:`` in boards.yaml: what is read, and the sentence for each mistake."""

import pytest

from harness.faults import Deed, Direction, Fault
from harness.lab import load_boards_file
from harness.lab.boards_file import BoardsFileError
from harness.lab.fault_config import ToldFault

BOARD = "boards:\n  - name: a\n    virtual: {{}}\n    faults:\n      {}\n"
CLOUD = "clouds:\n  x:\n    kind: local\n    faults:\n      {}\nboards:\n  - {{name: a, virtual: {{}}, cloud: x}}\n"


def load(tmp_path, text):
    path = tmp_path / "boards.yaml"
    path.write_text(text)
    return load_boards_file(path)


def test_faults_of_a_board(tmp_path):
    (board,) = load(tmp_path, BOARD.format("{line: [{deed: garble, direction: in, byte: 5}], seed: 3}")).boards
    assert board.faults.on_line == [Fault(Deed.GARBLE, Direction.IN, byte=5)]
    assert (board.faults.seed, board.faults.told) == (3, [])


def test_faults_of_a_cloud(tmp_path):
    entry = '{command: duplicate-client, client_id: "{device}", phase: action, times: 2}'
    file = load(tmp_path, CLOUD.format(f"{{device: [{{deed: rst, mean_age: 1.5}}], commands: [{entry}]}}"))
    cloud = file.clouds["x"]
    assert cloud.faults.on_device == [Fault(Deed.RST, mean_age=1.5)]
    assert cloud.faults.on_observer == []
    assert cloud.faults.told == [ToldFault("duplicate-client", {"client_id": "{device}"}, "action", 2)]


def test_a_port_is_unplugged_whatever_the_direction(tmp_path):
    (board,) = load(tmp_path, BOARD.format("line: [{deed: fin, age: 5}]")).boards
    assert board.faults.on_line == [Fault(Deed.FIN, age=5.0)]


def test_nothing_is_the_default(tmp_path):
    (board,) = load(tmp_path, "boards: [{name: a, virtual: {}}]").boards
    assert (board.faults.on_line, board.faults.told) == ([], [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            BOARD.format("line: [{deed: garbel, age: 1}]"),
            "5:21: 'deed' cannot be 'garbel'; nearest known value is 'garble'",
        ),
        (BOARD.format("line: [{deed: rst, aeg: 1}]"), "unknown key 'aeg'; nearest known key is 'age'; correct it"),
        (
            BOARD.format("line: [{deed: rst}]"),
            "must be a fault that can strike (a fault strikes at one moment: give one",
        ),
        (BOARD.format("line: [{deed: rst, age: 1, byte: 2}]"), "(byte, age given)"),
        (
            BOARD.format("line: [{deed: rst, age: 1}]"),
            "5:14: 'line' must be a fault that a port can have, not rst: use fin, which unplugs the port",
        ),
        (BOARD.format("line: [{deed: fin-far, age: 1}]"), "can have, not fin-far: use fin, which unplugs the port"),
        (BOARD.format("line: [{deed: drop, byte: 7}]"), "must have its direction: in (from the board) or out (to"),
        (BOARD.format("line: [{deed: fin, packet: 7}]"), "must have its direction"),
        (BOARD.format("line: [{deed: garble, direction: in, byte: 7, seconds: 1}]"), "(garble takes no seconds: leave"),
        (BOARD.format("line: [{deed: fin, age: 1, connection: 2}]"), "a port has one connection, not 2"),
        (CLOUD.format("device: [{deed: rst, age: 1, seconds: 2}]"), "(rst takes no seconds: leave them out; delay and"),
        (BOARD.format("lines: []"), "5:7: unknown key 'lines'; nearest known key is 'line'; correct it"),
        (BOARD.format("device: []"), "unknown key 'device'"),
        (BOARD.format("commands: [{command: restart-broker}]"), "(restart-broker is not a command to a board)"),
        (BOARD.format("commands: [{command: reset-bord}]"), "nearest known command is 'reset-board'"),
        (
            BOARD.format("commands: [{command: reset-board, phase: 3}]"),
            "must have a phase of a trial, not 3: attempt, ",
        ),
        (BOARD.format("commands: [{command: reset-board, phase: acton}]"), "must have a phase of a trial, not 'acton'"),
        (BOARD.format("commands: [{command: reset-board, times: 3}]"), "must have a phase if it has times"),
        (BOARD.format("commands: [{command: reset-board, board: b}]"), "must not name a board"),
        (BOARD.format("line: [{deed: drop, phase: nophase}]"), "must have a phase of a trial, not 'nophase'"),
        (BOARD.format("commands: [{command: reset-board, phase: reconnect}]"), "a phase of a trial, not 'reconnect'"),
        (BOARD.format("commands: [{command: reset-board, times: 0}]"), "must have times that are a number from 1"),
        (
            CLOUD.format('commands: [{command: stop-duplicate, client_id: "{device}"}]'),
            "must have a phase: {device}",
        ),
        (
            CLOUD.format("commands: [{command: change-broker, settings: {close_dely: 1}}]"),
            "5:18: 'commands' must be a command to a cloud (change-broker: unknown key 'close_dely';"
            " nearest known key is 'close_delay'); correct it",
        ),
        (
            CLOUD.format("commands: [{command: change-broker, settings: {close_delay: .inf}}]"),
            "(change-broker: close_delay cannot be inf: it must be a finite number); correct it",
        ),
        (BOARD.format("line: [{deed: fin, age: .inf}]"), "(age of a fault must be finite, got inf)"),
        (
            CLOUD.format("device: [{deed: stall, age: 1, seconds: .nan}]"),
            "(seconds of a fault must be finite, got nan)",
        ),
        (
            BOARD.format("line: [{deed: garble, direction: in, byte: 500, times: 4}]"),
            "must have no times above 1: byte 500 of a port comes once; correct it",
        ),
        (
            "boards:\n  - name: a\n    port: /dev/ttyACM0\n    cloud: nrfcloud\n"
            "    faults: {commands: [{command: reset-board}]}\n",
            "5:14: commands need a virtual board; a port has no stand-in; take 'commands' out, or write virtual: {}",
        ),
        (
            "boards:\n  - name: a\n    virtual: {model: mute}\n"
            "    faults: {commands: [{command: lose-registration, phase: action}]}\n",
            "4:54: a board that is mute has no trials, so no phase ever comes; take 'phase' or the entry out",
        ),
        (
            "boards:\n  - name: a\n    virtual: {}\n    firmware: at-client\n"
            "    faults: {line: [{deed: fin, phase: action}]}\n",
            "a board that is at-client has no trials, so no phase ever comes",
        ),
        (CLOUD.format("commands: [{command: drop-pdn, board: a}]"), "(drop-pdn is not a command to a cloud)"),
    ],
)
def test_mistakes_are_one_sentence_with_their_place(tmp_path, text, said):
    with pytest.raises(BoardsFileError) as caught:
        load(tmp_path, text)
    (line,) = caught.value.lines
    assert said in line
