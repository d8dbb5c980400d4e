import pytest

from harness.errors import LabError
from harness.modem.restoration import restoring


def _fails(error):
    def restore():
        raise error

    return restore


def test_restores_after_the_block():
    steps = []
    with restoring("it", lambda: steps.append("restored")):
        steps.append("block")
    assert steps == ["block", "restored"]


def test_the_blocks_error_goes_on_and_carries_the_second_as_a_note():
    first = ValueError("first")
    with pytest.raises(ValueError, match="first") as caught, restoring("going back", _fails(LabError("second"))):
        raise first
    assert caught.value is first
    assert first.__notes__ == ["going back failed afterwards: second"]


def test_a_failure_to_restore_is_an_error_by_itself():
    with pytest.raises(LabError, match="second"), restoring("it", _fails(LabError("second"))):
        pass


def test_a_fault_of_the_restoring_code_is_not_hidden_in_a_note():
    with pytest.raises(TypeError, match="bug") as caught, restoring("it", _fails(TypeError("bug"))):
        raise ValueError("first")
    assert isinstance(caught.value.__context__, ValueError)
