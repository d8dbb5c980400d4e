"""What the commands and lines of each firmware mean, as its own room reads them."""

import pytest

from harness.firmware import FIRMWARES, WORDS, Capability
from harness.firmware.raw_sockets.words import PACKETS
from harness.firmware.serial_modem.words import SERIAL_MODEM_WORDS
from harness.modem import MODEM_WORDS
from harness.words import Ask, Asked, Told
from tests.unit.firmware.test_serial_modem import LOGIN, ScriptedPort, device

SERIAL_MODEM = {
    'AT#XMQTTCFG="dev-1",1200,1': Asked(Ask.CONFIGURE, keep_alive=1200),
    'AT#XMQTTCFG="",0': Asked(Ask.CONFIGURE, keep_alive=0),
    "AT#XMQTTCFG=": Asked(Ask.CONFIGURE),
    'AT#XMQTTCON=1,"","","h",8883,42': Asked(Ask.CONNECT),
    "AT#XMQTTCON=0": Asked(Ask.DISCONNECT),
    "AT#XMQTTCON?": Asked(Ask.QUESTION),
    "AT#XMQTTCON?1": None,
    "AT#XMQTTCON=?": None,
    'AT#XMQTTPUB="a/b","x",1,0': Asked(Ask.PUBLISH, "a/b", 1),
    'AT#XMQTTPUB="a/b","",2,1': Asked(Ask.PUBLISH, "a/b", 2),
    'AT#XMQTTPUB="a/b","x",0,1': Asked(Ask.PUBLISH, "a/b", 0),
    'AT#XMQTTPUB="a/b","x",1': Asked(Ask.PUBLISH, "a/b", 1),
    'AT#XMQTTPUB="a,1","x"': Asked(Ask.PUBLISH, "a,1"),
    'AT#XMQTTPUB=""': Asked(Ask.PUBLISH, ""),
    "AT#XMQTTPUB=a": Asked(Ask.PUBLISH),
    'AT#XMQTTSUB="a/#",0': Asked(Ask.SUBSCRIBE, "a/#"),
    'AT#XMQTTUNSUB="a/#"': Asked(Ask.UNSUBSCRIBE, "a/#"),
    "AT#XRESET": Asked(Ask.STOP),
    "AT#XMODEMRESET": Asked(Ask.STOP),
    "AT#XSHUTDOWN": Asked(Ask.STOP),
    "AT#XSLEEP=1": Asked(Ask.STOP),
    "AT#XSMVER": None,
    "AT": None,
}
MODEM = {
    "AT+CFUN=0": Asked(Ask.OFFLINE),
    "AT+CFUN=4": Asked(Ask.OFFLINE),
    "AT+CFUN=4,1": Asked(Ask.OFFLINE),
    "AT+CFUN=1": Asked(Ask.MODE),
    "AT+CFUN=41": Asked(Ask.MODE),
    "AT+CFUN=?": None,
    "AT+CFUN?": Asked(Ask.QUESTION),
    "AT+CEREG?": Asked(Ask.QUESTION),
    "AT+CEREG=5": None,
    "AT+CEREG?1": None,
}
SOCKETS = {
    "MQTT CONNECT as dev-1 (keep-alive 1200 s)": Asked(Ask.CONNECT),
    "MQTT CONNECT": Asked(Ask.CONNECT),
    "MQTT DISCONNECT": Asked(Ask.DISCONNECT),
    "MQTT PUBLISH a/b (QoS 1, id 3)": Asked(Ask.PUBLISH, "a/b", 1),
    "MQTT PUBLISH a (QoS 1) (QoS 0, retain, id 3)": Asked(Ask.PUBLISH, "a (QoS 1)", 0),
    "MQTT PUBLISH a": Asked(Ask.PUBLISH),
    "MQTT PUBLISHED": None,
    "MQTT SUBSCRIBE a/# (id 4)": Asked(Ask.SUBSCRIBE, "a/#"),
    "MQTT UNSUBSCRIBE a/# (id 5)": Asked(Ask.UNSUBSCRIBE, "a/#"),
    "an MQTT CONNECT": None,
}
ALL = [
    (room, *case)
    for room, cases in ((SERIAL_MODEM_WORDS, SERIAL_MODEM), (MODEM_WORDS, MODEM), (PACKETS, SOCKETS))
    for case in cases.items()
]


@pytest.mark.parametrize(("room", "text", "meaning"), ALL, ids=[text for _, text, _ in ALL])
def test_a_command(room, text, meaning):
    assert room.asked(text) == meaning
    assert WORDS.asked(text) == (meaning or Asked(Ask.OTHER))
    if meaning and meaning.topic is None:
        assert room.asked(text.lower()) == meaning


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Ready", Told.FAULT),
        ("Ready to go", None),
        ("INIT ERROR", Told.FAULT),
        ("#XMODEM: FAULT,0x1,0x2", Told.FAULT),
        ("#XMODEM: SHUTDOWN,0", Told.FAULT),
        ("#XMODEM: INIT,0", Told.FAULT),
        ("#XMODEM: 1", None),
        ("#XMQTTCON: 0", Told.NOT_CONNECTED),
        ('#XMQTTCON: 1,"dev-1","h",8883,42', None),
        ("#XMQTTCON: 01", None),
        ("OK", None),
    ],
)
def test_a_line(line, told):
    assert WORDS.told(line) is told


def test_every_firmware_with_mqtt_says_what_its_commands_mean():
    assert [name for name, kind in FIRMWARES.items() if Capability.MQTT in kind.capabilities and not kind.words] == []


def test_what_serial_modem_is_told_can_be_read():
    port = ScriptedPort()
    modem = device(port)
    modem.connect(LOGIN)
    modem.publish("a/b", b"x", qos=0)
    modem.publish("a/b", b"\n")
    modem.subscribe("a/#")
    modem.unsubscribe("a/#")
    assert [WORDS.asked(command) for command in port.sent] == [
        Asked(Ask.CONFIGURE, keep_alive=LOGIN.keepalive),
        Asked(Ask.CONNECT),
        Asked(Ask.PUBLISH, "a/b", 0),
        Asked(Ask.PUBLISH, "a/b", 1),
        Asked(Ask.SUBSCRIBE, "a/#"),
        Asked(Ask.UNSUBSCRIBE, "a/#"),
    ]
