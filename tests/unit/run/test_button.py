"""Who presses a board's button: the stand-in, a program of the lab, or nobody."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import LabError
from harness.lab import BoardConfig
from harness.run.button import button_of

CLOUD_LIBRARY = {"kind": "cloud-library", "sample": "cloud_client"}


def config(where, **more) -> BoardConfig:
    return BoardConfig.model_validate({"name": "b", **where, "firmware": {**CLOUD_LIBRARY, **more}})


def test_a_virtual_boards_is_pressed_by_its_stand_in():
    told: list[Any] = []
    stand_in = SimpleNamespace(command=lambda *words, **keys: told.append((words, keys)))
    lab: Any = SimpleNamespace(stand_ins=SimpleNamespace(of=lambda _config: stand_in))
    press = button_of(lab, config({"virtual": {}}))
    assert press is not None
    press()
    assert told == [(("press-button",), {"board": "b"})]


def test_a_program_presses_a_real_one(tmp_path):
    mark = tmp_path / "pressed"
    program = (sys.executable, "-c", f"open({str(mark)!r}, 'w')")
    press = button_of(SimpleNamespace(), config({"port": "/dev/null"}, button=list(program)))  # type: ignore[arg-type]
    assert press is not None
    press()
    assert mark.exists()


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (["/no/such/program"], "cannot press the button: .*correct button: in the boards file"),
        ([sys.executable, "-c", "import sys; sys.exit('no relay')"], "ended with 1: no relay"),
        ([sys.executable, "-c", "raise SystemExit(3)"], "ended with 3: it says nothing"),
    ],
)
def test_a_program_that_fails_is_the_labs_trouble_in_one_line(program, said):
    press = button_of(SimpleNamespace(), config({"port": "/dev/null"}, button=program))  # type: ignore[arg-type]
    assert press is not None
    with pytest.raises(LabError, match=said) as caught:
        press()
    assert "\n" not in str(caught.value)


def test_nobody_presses_a_real_one_without_a_program():
    assert button_of(SimpleNamespace(), config({"port": "/dev/null"})) is None  # type: ignore[arg-type]
    assert button_of(SimpleNamespace(), BoardConfig(name="b", port="/dev/null")) is None  # type: ignore[arg-type]
