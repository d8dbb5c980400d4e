"""A CONNECT without its end: all but its last bytes, as the codec of the stand-ins writes it."""

import dataclasses

import pytest

from harness.firmware import Login
from harness.run.torn_connect import torn
from harness.virtual.mqtt import FROM_CLIENT, Connect, Decoder

LOGIN = Login("nrf-350457790000001", "mqtt.nrfcloud.com", 8883, 16842753)


@pytest.mark.parametrize("client_id", ["nrf-350457790000001", "x" * 120])
def test_it_is_the_beginning_of_the_logins_connect(client_id):
    login = dataclasses.replace(LOGIN, client_id=client_id)
    whole = Connect(client_id, keepalive=login.keepalive).encode()
    assert whole.startswith(torn(login))
    assert len(whole) - len(torn(login)) == 2


def test_no_broker_can_read_it():
    decoder = Decoder(FROM_CLIENT)
    decoder.feed(torn(LOGIN))
    assert decoder.next_packet() is None
