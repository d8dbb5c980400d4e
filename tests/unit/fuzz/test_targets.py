"""Each fuzz target on its corpus, on what becomes of it by small changes, on any bytes, and on what could take long.

Nothing but the documented errors comes out; a hang ends at pytest's own time-out.
"""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.__main__ import changed, main
from fuzz.registry import CORPUS, NAMES, seeds, target

ALL = pytest.mark.parametrize("name", NAMES)
LONG = 6_000


def test_each_target_has_a_corpus():
    assert sorted(path.name for path in CORPUS.iterdir()) == sorted(NAMES)
    assert all(len(seeds(name)) >= 4 for name in NAMES)


@ALL
def test_the_corpus(name):
    for data in seeds(name):
        target(name)(data)


@ALL
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_becomes_of_the_corpus(name, data):
    seed, number = data.draw(st.sampled_from(seeds(name))), data.draw(st.integers(0, 2**32))
    target(name)(changed(seed, random.Random(number)))  # noqa: S311  (bytes to try, no secret)


@ALL
@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(name, data):
    target(name)(data)


@ALL
def test_what_could_take_long(name):
    first, last = seeds(name)[0], seeds(name)[-1]
    for piece in (b"[", b"{", b'{"a":', b"- ", b"&a [*a,", b'"', b"\xff", b"\x10", b"\r\n", b"#", b"9", b"- 9e9\n"):
        many = piece * (LONG // len(piece))
        for data in (first[:1] + many, last[:20] + many, first + b"\n" + many + b"\n"):
            target(name)(data)


def test_a_finding_is_shown_by_its_input(tmp_path):
    path = tmp_path / "input"
    path.write_bytes(seeds("tokens")[0])
    assert main(["tokens", "--input", str(path)]) == 0


def test_an_unknown_target(capsys):
    with pytest.raises(SystemExit):
        main(["nothing"])
    assert "no target 'nothing'; targets: at_dialogue, " in capsys.readouterr().err
