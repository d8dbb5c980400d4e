"""The pages for readers are true where a program can check it: paths, links, modules, commands, make targets exist."""

import re
from pathlib import Path

import pytest

from harness.cli.arguments import parse
from harness.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])

_PATH = re.compile(r"(?<![\w./-])((?:harness|tests|docs|benchmarks|fuzz|ci|scripts|\.ci)/[\w./-]*\w)")
_MODULE = re.compile(r"(?<![\w/.-])(harness(?:\.\w+)+)")
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
_COMMAND = re.compile(r"nrf91-harness ([a-z][^`|#\n]*)")
_OPTION = re.compile(r"(?<!\S)\[?(--[a-z-]+)")
_TARGET = re.compile(r"(?:`|^)make ([a-z][a-z-]*)", re.MULTILINE)
_MADE_UP = re.compile(r"[A-Z]{4,}|/test_x\.py$")
"""A path that the reader chooses (``harness/firmware/NAME/``), or one in an example's output."""
ELSEWHERE = "your-own-tests.md"
"""Its paths below tests/ are those of the reader's own repository."""

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def _named(page: Path, pattern: re.Pattern[str]) -> list[str]:
    return sorted(set(pattern.findall(page.read_text())))


@pages
def test_every_path_exists(page):
    named = [path for path in _named(page, _PATH) if not _MADE_UP.search(path)]
    if page.name == ELSEWHERE:
        named = [path for path in named if not path.startswith("tests/")]
    assert not [path for path in named if not (ROOT / path).exists()]


@pages
def test_every_link_leads_somewhere(page):
    links = [link for link in _named(page, _LINK) if "://" not in link]
    assert not [link for link in links if not (page.parent / link).exists()]


@pages
def test_every_module_exists_or_its_room_has_the_name(page):
    assert not [name for name in _named(page, _MODULE) if "mutmut" not in name and not _exists(name)]


def _exists(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    if path.is_dir() or path.with_suffix(".py").exists():
        return True
    room = path.parent / "__init__.py" if path.parent.is_dir() else path.parent.with_suffix(".py")
    return room.exists() and re.search(rf"\b{path.name}\b", room.read_text()) is not None


@pages
def test_every_command_and_its_options_exist(page, capsys):
    for written in _COMMAND.findall(page.read_text()):
        words = written.split()
        command = next((known for known in COMMANDS if words[: len(known.split())] == known.split()), None)
        if command is None:
            # A group of commands alone: "nrf91-harness policy".
            assert len(words) == 1, f"no such command: {written}"
            assert any(known.startswith(f"{words[0]} ") for known in COMMANDS), f"no such command: {written}"
            continue
        with pytest.raises(SystemExit):
            parse([*command.split(), "--help"])
        known = re.findall(r"--[a-z-]+", capsys.readouterr().out)
        assert set(_OPTION.findall(written)) <= set(known), written


@pages
def test_every_make_target_exists(page):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(_named(page, _TARGET)) <= set(targets)
