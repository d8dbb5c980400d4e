"""What a refused login of the board is compared with: a CONNECT of MQTT 5, its end held back."""

import dataclasses
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.firmware import Login
from harness.run.control_connect import exchange, mqtt5_connect
from harness.trial.facts import Stage
from harness.virtual.mqtt import FROM_CLIENT, Connect, Decoder, UnsupportedProtocol

LOGIN = Login("nrf-350457790000001", "mqtt.nrfcloud.com", 8883, 16842753)
HELD, PATIENCE = 0.02, 5.0
SOON = 0.02


def test_it_is_the_connect_of_mqtt_5():
    """By hand, from MQTT 5.0 §3.1."""
    begin = bytes.fromhex("1020 0004 4d515454 05 02 04b0 00 0013")
    assert mqtt5_connect(LOGIN) == begin + b"nrf-350457790000001"
    longer = mqtt5_connect(dataclasses.replace(LOGIN, client_id="x" * 120))
    assert longer == bytes.fromhex("108501 0004 4d515454 05 02 04b0 00 0078") + b"x" * 120


@given(st.text("abc-0", min_size=1, max_size=300), st.integers(0, 1200), st.booleans())
def test_it_is_the_logins_connect_but_for_its_version_and_that_has_properties(client_id, keepalive, clean):
    login = dataclasses.replace(LOGIN, client_id=client_id, keepalive=keepalive, clean_session=clean)
    whole, other = Connect(client_id, clean, keepalive).encode(), mqtt5_connect(login)
    at = other.index(b"MQTT\x05")
    assert b"MQTT\x04" + other[at + 5 : at + 8] + other[at + 9 :] == whole[whole.index(b"MQTT") :]


def test_a_broker_of_mqtt_3_reads_all_of_it_and_refuses_the_version():
    decoder = Decoder(FROM_CLIENT)
    decoder.feed(mqtt5_connect(LOGIN)[:-2])
    assert decoder.next_packet() is None
    decoder.feed(mqtt5_connect(LOGIN)[-2:])
    with pytest.raises(UnsupportedProtocol, match="level 5"):
        decoder.next_packet()


def answered(answer, *, early=False, patience=PATIENCE):
    """Play a broker that answers the whole CONNECT, or its first byte, and hangs up; with None it says nothing."""
    connect = mqtt5_connect(LOGIN)
    ours, far = socket.socketpair()

    def play():
        wanted, got = (1 if early else len(connect)), b""
        while len(got) < wanted:
            got += far.recv(wanted - len(got))
        if answer is not None:
            far.sendall(answer)
            far.close()

    broker = threading.Thread(target=play)
    broker.start()
    with ours:
        found = exchange(ours, connect, PATIENCE if early else HELD, patience)
    broker.join()
    far.close()
    return found


@pytest.mark.parametrize(
    ("answer", "code"),
    [("20020001", 1), ("2003008400", 132), ("2003008700", 135), ("2003000000", 0), ("20020003", 3)],
    ids=["MQTT 3.1.1", "of MQTT 5: version", "not authorised", "let in", "unavailable"],
)
def test_any_connack_is_an_answer(answer, code):
    assert answered(bytes.fromhex(answer)) == (Stage.ACCEPTED, f"CONNACK {code}")


@pytest.mark.parametrize(
    ("answer", "stage", "said"),
    [
        (b"", Stage.NO_CONNACK, ""),
        (b"HTTP/1.1 400 Bad Request", Stage.NO_CONNACK, "answered by 485454502f312e31"),
        (b"\x20", Stage.ACCEPTED, "CONNACK"),
    ],
)
def test_an_end_or_another_answer_is_none(answer, stage, said):
    assert answered(answer) == (stage, said)


@pytest.mark.parametrize(("answer", "said"), [(b"\x20\x02\x00\x01", "answered before its end"), (b"", "")])
def test_what_comes_before_the_end_is_sooner_than_what_it_is_compared_with(answer, said):
    assert answered(answer, early=True) == (Stage.NO_CONNACK, said)


def test_silence_is_silence():
    assert answered(None, patience=SOON) == (Stage.SILENT, "within 0.02 s")
