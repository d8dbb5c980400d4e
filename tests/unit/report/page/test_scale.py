from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from harness.report.page.scale import BEFORE, LONGEST, WIDE, Scale

TIMES = st.lists(st.floats(0, 1e4, allow_nan=False), min_size=2, max_size=60, unique=True).map(sorted)


@given(TIMES, st.data())
def test_time_goes_on_to_the_right_and_fills_the_axis(times, data):
    begin = data.draw(st.sampled_from(times))
    places = [Scale(times, begin).place(time) for time in times]
    assert places == sorted(places)
    assert places[0] == 0
    assert abs(places[-1] - WIDE) < 1e-6


@given(TIMES, st.floats(0, WIDE))
def test_a_place_is_a_time_and_back(times, place):
    scale = Scale(times, times[0])
    assert abs(scale.place(scale.time(place)) - place) < 1e-3


@given(TIMES)
def test_set_up_takes_a_sixth_at_most(times):
    begin = times[-1 - len(times) // 2]
    if begin < times[-1]:
        assert Scale(times, begin).place(begin) <= WIDE * BEFORE + 1e-6


def test_a_long_wait_is_cut_and_says_so():
    scale = Scale([0.0, 1.0, 2.0, 100.0, 101.0, 102.0], 0.0)
    (cut,) = scale.cuts
    assert cut.seconds == 98
    # Cut to 13 % of what there was, it is still the longest part of the drawing, but not all of it.
    assert cut.right - cut.left < 98 / 102 * WIDE
    assert LONGEST < 0.5


def test_two_events_at_once_and_one_alone():
    assert Scale([3.0], 0.0).place(3.0) == 0
    assert Scale([3.0, 3.0], 3.0).place(5.0) == 0
    assert Scale([], 0.0).time(50) == 0


def test_between_its_points_the_scale_is_even():
    times = [0.0, 0.1, 0.11, 0.12, 0.15, 9.0, 9.01, 9.05]
    scale = Scale(times, 0.1)
    points = scale.points()
    assert points[0] == (0.0, 0.0)
    assert points[-1][1] == 9.05
    assert len(points) < len(times)
    for time in times:
        place = scale.place(time)
        (p, t), (q, u) = next((one, other) for one, other in pairwise(points) if one[0] <= place <= other[0] + 1e-9)
        assert abs(t + (place - p) / (q - p) * (u - t) - time) < 1e-6
