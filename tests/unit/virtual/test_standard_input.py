"""Lines of standard input: nothing lost, nothing read too early, no line too long for the memory."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual import standard_input
from harness.virtual.standard_input import InputReader


def lines_of(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("input") / "data"
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    reader = InputReader(fd)
    try:
        return list(iter(reader.read, None))
    finally:
        os.close(fd)


@given(st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b""))), st.booleans())
def test_every_line_comes_once(tmp_path_factory, lines, ended):
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    wanted = lines if ended or (lines and lines[-1]) else lines[:-1]
    assert lines_of(data, tmp_path_factory) == wanted


@pytest.mark.parametrize("end", [b"\n", b"\nnext\n"])
def test_of_a_line_that_is_too_long_the_beginning_comes_and_then_the_next_one(monkeypatch, tmp_path_factory, end):
    monkeypatch.setattr(standard_input, "LONGEST", 10)
    monkeypatch.setattr(standard_input, "_CHUNK", 4)
    found = lines_of(b"first\n" + b"x" * 99 + end, tmp_path_factory)
    assert found == [b"first", b"x" * 11, *([b"next"] if b"next" in end else [])]


def test_a_line_is_not_held_back_until_more_comes():
    read, write = os.pipe()
    try:
        os.write(write, b'{"settings": 1}\n{"comm')
        reader = InputReader(read)
        assert reader.read() == b'{"settings": 1}'
        os.write(write, b'and": 2}\n')
        assert reader.read() == b'{"command": 2}'
        os.close(write)
        assert reader.read() is None
    finally:
        os.close(read)


def test_a_closed_input_has_ended():
    read, write = os.pipe()
    os.close(read)
    os.close(write)
    assert InputReader(read).read() is None
