"""Templates are compiled once, where that can be kept."""

import sys

import pytest
from jinja2 import FileSystemBytecodeCache

from harness.report.page import render


@pytest.fixture
def templates(tmp_path, monkeypatch):
    """A folder of one template, whose environment is made anew."""
    (tmp_path / "page.html").write_text("{{ word }}")
    (tmp_path / "style.css").write_text("")
    (tmp_path / "page.js").write_text("")
    monkeypatch.setattr(render, "_TEMPLATES", tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for cached in (render._environment, render._text):
        cached.cache_clear()
    yield tmp_path
    for cached in (render._environment, render._text):
        cached.cache_clear()


def test_a_template_is_kept_compiled_and_compiled_anew_when_it_changes(templates):
    assert render.render("page.html", word="<one>") == "&lt;one&gt;"
    (kept,) = (templates / "__pycache__").iterdir()
    compiled = kept.read_bytes()
    (templates / "page.html").write_text("new {{ word }}")
    render._environment.cache_clear()
    assert render.render("page.html", word="two") == "new two"
    assert kept.read_bytes() != compiled


def test_a_folder_that_takes_nothing_costs_only_time(templates, monkeypatch):
    def read_only(cache, bucket):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(FileSystemBytecodeCache, "dump_bytecode", read_only)
    assert render.render("page.html", word="one") == "one"


def test_nothing_is_kept_where_python_keeps_nothing(templates, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert render.render("page.html", word="one") == "one"
    assert not (templates / "__pycache__").exists()
