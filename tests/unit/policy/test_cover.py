"""Set cover against trying everything."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.policy.proof.cover import smallest_cover

masks = st.lists(st.integers(0, 2**8 - 1), max_size=9)


def union(sets):
    result = 0
    for mask in sets:
        result |= mask
    return result


def brute_force(sets) -> int:
    wanted = union(sets)
    return next(n for n in range(len(sets) + 1) if any(union(some) == wanted for some in combinations(sets, n)))


@settings(max_examples=500, deadline=None)
@given(masks)
def test_smallest(sets):
    cover = smallest_cover(sets)
    assert union(sets[n] for n in cover.chosen) == union(sets)
    assert len(cover.chosen) == brute_force(sets) == cover.at_least
    assert cover.exact
    assert len(cover.apart) <= len(cover.chosen)
    assert all(not (m >> a & 1 and m >> b & 1) for a, b in combinations(cover.apart, 2) for m in sets)


def test_of_equal_sets_the_first():
    assert smallest_cover([0b01, 0b11, 0b11]).chosen == (1,)
    assert smallest_cover([]).chosen == ()


def test_search_is_needed():
    # Every pair of elements shares a set, so no two are apart, and greedy reduction has nothing to bite on.
    pairs = [1 << a | 1 << b for a, b in combinations(range(5), 2)]
    cover = smallest_cover(pairs)
    assert (len(cover.chosen), len(cover.apart), cover.at_least) == (3, 1, 3)


def test_cut_off_search_says_what_it_knows():
    pairs = [1 << a | 1 << b for a, b in combinations(range(7), 2)]
    cover = smallest_cover(pairs, max_nodes=1)
    assert union(pairs[n] for n in cover.chosen) == 2**7 - 1
    assert (cover.at_least, cover.exact) == (1, False)


@pytest.mark.parametrize("count", [1, 60, 200])
def test_many_essential_sets(count):
    cover = smallest_cover([1 << n | 1 << count for n in range(count)])
    assert len(cover.chosen) == len(cover.apart) == count
