"""What a run changes of a modem's settings, and what of it comes back, also after a run that was killed."""

from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import LabError
from harness.run.former_settings import FormerSettings
from harness.run.modem_setup import ModemSetup

IMEI = "350000000000001"


class Modem:
    """``changes``: setting to the commands that put it back; one of None is refused, "killed" ends the run."""

    def __init__(self, **changes):
        self.changes = changes
        self.sent = []

    def write_settings(self, wanted, note, keep):
        for key, back in self.changes.items():
            keep(key, back or ["AT+FORMER"])
            if back is None:
                raise LabError(f"{key} is refused")
            if back == ["killed"]:
                raise KeyboardInterrupt

    def put_back(self, commands):
        self.sent += commands


def board(modem) -> Any:
    return SimpleNamespace(modem=modem, identity=SimpleNamespace(imei=IMEI))


def setup(kept, put_back=True):
    config: Any = SimpleNamespace(put_back=put_back, wanted_settings=None)
    return ModemSetup(config, kept)


def apply(made, modem):
    made.apply(board(modem), lambda _text: None)


@pytest.fixture
def kept(tmp_path):
    return FormerSettings(tmp_path / "settings")


def test_what_a_killed_run_kept_and_what_is_changed_now_come_back_together(kept):
    apply(setup(kept), Modem(apn=["AT+APN=first"]))  # and then it is killed
    made, modem = setup(kept), Modem(apn=["AT+APN=second"], bands=["AT+BANDS=first"])
    apply(made, modem)
    made.undo(board(modem))
    assert modem.sent == ["AT+BANDS=first", "AT+APN=first"]
    assert kept.kept(IMEI) == {}
    made.undo(board(modem))
    assert len(modem.sent) == 2


def test_a_setting_is_kept_before_it_is_written(kept):
    with pytest.raises(KeyboardInterrupt):
        apply(setup(kept), Modem(apn=["killed"]))
    assert kept.kept(IMEI) == {"apn": ("killed",)}


@pytest.mark.parametrize("on_disk", [True, False])
def test_what_was_written_before_one_is_refused_is_put_back(kept, on_disk):
    modem = Modem(apn=["AT+APN=first"], bands=None)
    with pytest.raises(LabError, match="bands is refused"):
        apply(setup(kept if on_disk else None), modem)
    assert modem.sent == ["AT+FORMER", "AT+APN=first"]
    assert kept.kept(IMEI) == {}


def test_without_put_back_nothing_is_kept_or_sent(kept):
    made, modem = setup(kept, put_back=False), Modem(apn=["AT+APN=first"])
    apply(made, modem)
    made.undo(board(modem))
    assert modem.sent == []
    assert kept.kept(IMEI) == {}


@pytest.mark.parametrize("text", ["{", "[]", '["AT"]', '{"apn": 5}'])
def test_a_note_that_cannot_be_read_keeps_nothing(kept, tmp_path, text):
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / f"{IMEI}.json").write_text(text)
    assert kept.kept(IMEI) == {}


def test_a_folder_that_cannot_be_written_is_one_line_and_nothing_stays_changed(kept, tmp_path):
    (tmp_path / "settings").write_text("")
    modem = Modem(apn=["AT+APN=first"])
    with pytest.raises(LabError, match="--lab-ca"):
        apply(setup(kept), modem)
    assert modem.sent == ["AT+APN=first"]
