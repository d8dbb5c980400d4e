"""Assistance data as the nRF Connect SDK takes it apart: version, then elements of type, count and structures."""

import struct

import pytest

from harness.virtual.cloud.services.assistance import agnss, pgps

# Bytes of each structure, from the SDK's schema of A-GNSS data (packed); the clock is one without satellites, padded.
SIZES = {1: 14, 2: 62, 3: 31, 4: 8, 5: 8, 6: 4, 7: 16, 8: 15, 9: 4, 11: 31, 12: 62, 13: 4}


def take_apart(data):
    """Return the structures by type."""
    found, position = {}, 0
    while position < len(data):
        kind, count = struct.unpack_from("<BH", data, position)
        position += 3
        found[kind] = [data[position + n * SIZES[kind] : position + (n + 1) * SIZES[kind]] for n in range(count)]
        position += count * SIZES[kind]
    assert position == len(data)
    return found


def test_everything():
    data = agnss(range(1, 18), 63.421, 10.437)
    assert data[0] == 1
    elements = take_apart(data[1:])
    assert elements.keys() == SIZES.keys()
    assert [one[0] for one in elements[2]] == [1, 2]  # satellites are numbered from 1


@pytest.mark.parametrize(("latitude", "longitude"), [(63.421, 10.437), (-33.9, -70.6), (0, 0)])
def test_the_place_is_in_the_units_of_3gpp(latitude, longitude):
    (place,) = take_apart(agnss({8}, latitude, longitude)[1:])[8]
    north, east = struct.unpack_from("<ii", place)
    assert north * 90 / 2**23 == pytest.approx(latitude, abs=2e-5)
    assert east * 360 / 2**24 == pytest.approx(longitude, abs=4e-5)


def test_nothing():
    assert agnss({10, 14}, 0, 0) == b"\x01"


def test_predictions():
    data = pgps(3, 240, 16000, 80000)
    version, kind, items, count, size, minutes, day, seconds = struct.unpack_from("<BBHHHHhi", data)
    assert (version, kind, items, count, minutes, day, seconds) == (1, 10, 1, 3, 240, 16000, 80000)
    rest = data[16:]
    assert len(rest) == count * size
    times = []
    for index in range(count):
        elements = take_apart(rest[index * size : (index + 1) * size])
        assert [orbit[0] for orbit in elements[2]] == list(range(1, 33))
        times.append(struct.unpack_from("<HI", elements[7][0]))
    assert times == [(16000, 80000), (16001, 8000), (16001, 22400)]
