"""A firmware that nobody here has heard of is diagnosed like Serial Modem, as soon as its words can be read."""

import re

import pytest

from harness.firmware import WORDS
from harness.modem import MODEM_WORDS
from harness.timeline import Kind
from harness.trial import diagnosis, verdict_record, watches
from harness.trial.verdict_record import record_of
from harness.trial.watches import own_switch
from harness.words import Ask, Asked, Dictionary, Told, Words
from tests.unit.trial.diagnosis.made import Line

# Its MQTT client is told "mq <verb> <topic or number>", and what it prints is its own too.
_VERBS = {
    "set": Ask.CONFIGURE,
    "up": Ask.CONNECT,
    "down": Ask.DISCONNECT,
    "say": Ask.PUBLISH,
    "whisper": Ask.PUBLISH,
    "hear": Ask.SUBSCRIBE,
    "ignore": Ask.UNSUBSCRIBE,
    "state": Ask.QUESTION,
    "reboot": Ask.STOP,
}
_QOS = {"say": 1, "whisper": 0}


def _asked(command):
    found = re.match(r"mq (\w+) ?(.*)", command)
    if found is None:
        return None
    what, rest = _VERBS[found[1]], found[2]
    if what is Ask.CONFIGURE:
        return Asked(what, keep_alive=int(rest))
    packet = what in (Ask.PUBLISH, Ask.SUBSCRIBE, Ask.UNSUBSCRIBE)
    return Asked(what, rest if packet else None, _QOS.get(found[1]))


MADE_UP = Words(_asked, {"mq: hello": Told.FAULT, "mq: idle": Told.NOT_CONNECTED}.get)
ALL = Dictionary(MODEM_WORDS, MADE_UP)
_SAME = (
    (r'AT#XMQTTCFG="[^"]*",(\d+),1', r"mq set \1"),
    (r"AT#XMQTTCON=1.*", "mq up"),
    (r"AT#XMQTTCON=0", "mq down"),
    (r"AT#XMQTTCON\?", "mq state"),
    (r'AT#XMQTTPUB="([^"]*)","x",1,0', r"mq say \1"),
    (r'AT#XMQTTPUB="([^"]*)","x",0,0', r"mq whisper \1"),
    (r'AT#XMQTTSUB="([^"]*)",1', r"mq hear \1"),
    (r'AT#XMQTTUNSUB="([^"]*)"', r"mq ignore \1"),
    ("AT#XRESET", "mq reboot"),
    ("Ready", "mq: hello"),
    ("#XMQTTCON: 0", "mq: idle"),
)
_UNSAID = r"(?:AT)?#XMQTT(?!EVT)|AT#XRESET|Ready"


def translated(text):
    """Return how the made-up firmware says a text of Serial Modem; what it has none for stays as it is."""
    for pattern, other in _SAME:
        if re.fullmatch(pattern, text):
            return re.sub(pattern, other, text)
    assert not re.match(_UNSAID, text), "it has to be translated, too"
    return text


def told_by_the_other(line):
    def other(event):
        data = dict(event.data)
        if "command" in data:
            data["command"] = translated(data["command"])
        return event._replace(text=translated(event.text), data=data)

    return [other(event) for event in line.events]


def asking(line, command, after=0.1, *, ok=True):
    """A command with its result."""
    return line.tx(command, after).add("result", "OK" if ok else "ERROR", 0.01, ok=ok, command=command)


def up():
    line = asking(Line(), 'AT#XMQTTCFG="nrf-1",60,1')
    return asking(line, 'AT#XMQTTCON=1,"","","h",8883,42').mqtt("accepted")


def publishing(topic="t", line=None, qos=1):
    return asking(line or up(), f'AT#XMQTTPUB="{topic}","x",{qos},0')


STORIES = {
    "owed PUBACK": lambda: publishing(),
    "owed SUBACK": lambda: asking(up(), 'AT#XMQTTSUB="t",1'),
    "owed UNSUBACK": lambda: asking(up(), 'AT#XMQTTUNSUB="t"'),
    "owed CONNACK": lambda: asking(Line(), 'AT#XMQTTCON=1,"","","h",8883,42'),
    "double PUBACK": lambda: publishing().mqtt("puback").mqtt("puback"),
    "QoS 0 owes nothing": lambda: publishing(qos=0),
    "own disconnect": lambda: asking(up(), "AT#XMQTTCON=0").mqtt("closed", result=-128),
    "own reset": lambda: asking(up(), "AT#XRESET").mqtt("closed", result=-128),
    "offline": lambda: asking(up(), "AT+CFUN=4").mqtt("closed", result=-128),
    "keep-alive": lambda: up().mqtt("closed", 90.0, result=-128),
    "no session": lambda: asking(Line(), 'AT#XMQTTCON=1,"","","h",8883,42', ok=False),
    "wildcard": lambda: publishing("a/#").mqtt("closed", result=-128),
    "bad filter": lambda: asking(up(), 'AT#XMQTTSUB="a#",1').mqtt("closed", result=-128),
    "two in flight": lambda: publishing("b", publishing("a")).mqtt("closed", result=-128),
    "a chaser in flight": lambda: asking(publishing("a"), 'AT#XMQTTUNSUB="t"').mqtt("closed", result=-128),
    "fault": lambda: up().log("Ready"),
    "fault that was asked for": lambda: asking(up(), "AT#XRESET").log("Ready"),
    "lost end": lambda: up().tx("AT#XMQTTCON?").add("rx", "#XMQTTCON: 0", role="answer"),
    "lost answer": lambda: asking(up(), "AT#XMQTTCON?"),
    "refused by policy": lambda: publishing().mqtt("closed", result=-128),
    "refused by the board": lambda: asking(publishing("a"), 'AT#XMQTTPUB="b","x",1,0', ok=False).mqtt(
        "closed", result=-128
    ),
}
SILENT = {"QoS 0 owes nothing", "fault that was asked for"}


def said(found):
    return [(one.cause, one.weight, one.refs) for one in found.findings], found.cause


@pytest.mark.parametrize("name", STORIES)
def test_it_is_diagnosed_like_serial_modem(name):
    line = STORIES[name]()
    ours = diagnosis.diagnose(line.events, line.events, words=WORDS)
    events = told_by_the_other(line)
    assert said(diagnosis.diagnose(events, events, words=ALL)) == said(ours)
    if name not in SILENT:
        assert ours.findings


@pytest.mark.parametrize("name", sorted(STORIES.keys() - SILENT - {"offline"}))
def test_it_would_not_be_without_its_words(name):
    """So the stories above do rest on them."""
    line = STORIES[name]()
    events = told_by_the_other(line)
    assert said(diagnosis.diagnose(events, events, words=ALL)) != said(
        diagnosis.diagnose(events, events, words=Dictionary(MODEM_WORDS))
    )


def test_its_packets_count_and_its_reset_is_the_harnesss_own(monkeypatch):
    monkeypatch.setattr(verdict_record, "WORDS", ALL)
    monkeypatch.setattr(watches, "WORDS", ALL)
    line = Line().mqtt("accepted").tx("mq say a").tx("mq hear b").tx("mq ignore b").tx("mq state")
    (hang_up,) = record_of(line.mqtt("closed", result=-128).events).hang_ups
    assert hang_up.packets == 2
    assert own_switch(line.events) is None
    reset = line.tx("mq reboot").events[-1]
    assert reset.kind is Kind.TX
    assert own_switch(line.events) is reset
