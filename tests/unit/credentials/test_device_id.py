import pytest

from harness.credentials import check_device_id
from harness.errors import Misuse


@pytest.mark.parametrize("device_id", ["0", "nrf-352656100000000", "A:b_C-9", "x" * 64])
def test_good(device_id):
    check_device_id(device_id)


@pytest.mark.parametrize("device_id", ["", " ", "a.b", "a/b", "a\n", "ä", "٣", "x" * 65])
def test_bad(device_id):
    with pytest.raises(Misuse, match="1 to 64 of a-z") as caught:
        check_device_id(device_id)
    assert "\n" not in str(caught.value)
