"""The keeper of the state: what changed is written once, and each part gets its own back."""

import pytest

from harness.virtual.cloud.registry.state_file import StateFile
from harness.virtual.cloud.registry.state_keeper import StateKeeper
from harness.virtual.unusable import UnusableState


@pytest.fixture
def file(tmp_path):
    file = StateFile(tmp_path / "cloud.state")
    yield file
    file.close()


class Notes:
    """A part that knows a text for some names."""

    def __init__(self, **known):
        self.known = known

    def snapshot(self, name):
        return self.known.get(name)

    def restore(self, name, content):
        self.known[name] = content


def test_the_keeper_writes_what_changed_and_once(file):
    calls, notes = [], Notes()
    keeper = StateKeeper(file, calls.append)
    keeper.restore(notes=notes)
    notes.known = {"a": "one", "b": "two"}
    keeper.changed("a")
    keeper.changed("a")
    assert (len(calls), file.entries()) == (1, {})
    calls.pop()()
    assert file.entries() == {"a": {"notes": "one"}}
    del notes.known["a"]
    keeper.changed("a")
    keeper.changed("b")
    keeper.save()
    assert file.entries() == {"b": {"notes": "two"}}
    assert len(calls) == 1


def test_the_keeper_gives_back_to_each_part_its_own(file):
    file.write({"a": {"one": 1}, "b": {"one": 2, "two": 3}})
    one, two = Notes(), Notes()
    StateKeeper(file, lambda call: None).restore(one=one, two=two)
    assert (one.known, two.known) == ({"a": 1, "b": 2}, {"b": 3})


@pytest.mark.parametrize("entry", [{"strangers": 1}, [1], "text"])
def test_an_entry_that_no_part_understands(file, entry):
    file.write({"a": entry})
    with pytest.raises(UnusableState, match=r"cloud\.state: the entry of a cannot be read"):
        StateKeeper(file, lambda call: None).restore(one=Notes())


def test_after_closing_nothing_is_written_any_more(file):
    calls, notes = [], Notes(a="one")
    keeper = StateKeeper(file, calls.append)
    keeper.restore(notes=notes)
    keeper.changed("a")
    keeper.close()
    keeper.changed("b")
    for call in calls:
        call()
    again = StateFile(file.path)
    assert again.entries() == {"a": {"notes": "one"}}
    again.close()
