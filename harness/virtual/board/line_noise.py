"""A UART line that spoils single bytes at chosen places on their way to the host. No I/O."""

from enum import StrEnum


class Disturbance(StrEnum):
    """What happens to a byte."""

    GARBLE = "garble"  # all its bits are inverted
    DOUBLE = "double"  # it arrives twice
    DROP = "drop"  # it does not arrive


class LineNoise:
    """Counts the bytes that pass."""

    def __init__(self) -> None:
        self._passed = 0
        self._expected: dict[int, Disturbance] = {}

    def expect(self, place: int, how: Disturbance) -> None:
        """Spoil byte ``place`` of those that come from now on (0: the next)."""
        self._expected[self._passed + place] = how

    def apply(self, data: bytes) -> bytes:
        """Return what arrives of ``data``."""
        begin, end = self._passed, self._passed + len(data)
        self._passed = end
        if not self._expected:
            return data
        arrived = bytearray(data)
        # From the last to the first, so that the places before keep their numbers.
        for place in sorted((place for place in self._expected if begin <= place < end), reverse=True):
            index = place - begin
            arrived[index : index + 1] = _spoilt(data[index], self._expected.pop(place))
        return bytes(arrived)


def _spoilt(byte: int, how: Disturbance) -> bytes:
    match how:
        case Disturbance.GARBLE:
            return bytes([byte ^ 0xFF])
        case Disturbance.DOUBLE:
            return bytes([byte, byte])
        case Disturbance.DROP:
            return b""
