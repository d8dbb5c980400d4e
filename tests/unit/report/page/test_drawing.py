"""Lanes, marks, pins and states on the axis; a failed test beside its green run."""

from harness.report.page.comparison import Trial, compare
from harness.report.page.drawing import PHASES, command_name, draw
from harness.report.page.evidence import pins, sentences
from harness.timeline import Kind
from tests.made_up_nights import DEVICE, OWN, TENANT, publish, token

NAMES = {"{device}": DEVICE, "{tenant}": TENANT}


def drawn(told, absent=0):
    facts = next((event for event in told.events if event.kind is Kind.FACTS), None)
    evidence = sentences(facts, told.events, told.message)
    return evidence, draw(told.events, told.events[0].t, pins(evidence), absent)


def test_a_refused_publish():
    told = publish("dk", OWN, "associated statement 2", refused=True)
    evidence, drawing = drawn(told, absent=5)
    assert drawing.lanes == [
        *("Harness", "UART to board", "UART from board", "URC", "MQTT", "Cloud, observer", "Radio")
    ]
    assert [band.name for band in drawing.bands][:4] == ["set-up", "connect", "allowed before", "action"]
    closed = next(event for event in told.events if event.data.get("kind") == "closed")
    (pin,) = [pin for pin in drawing.pins if pin.numbers == "3"]
    assert (pin.seq, pin.row) == (closed.seq, drawing.lanes.index("MQTT"))
    assert {number for pin in drawing.pins for number in pin.numbers.split(",")} == {"2", "3", "4", "5", "6"}
    (never,) = [mark for mark in drawing.marks if mark.shape == "absence"]
    assert never.label == "(5) never seen"
    connected = [mark for mark in drawing.marks if mark.shape == "state" and mark.title == "connected"]
    assert [round(mark.left + mark.width, 3) for mark in connected] == [round(pin.left, 3), 98.0]
    assert len(evidence) == 6


def test_every_mark_is_on_the_drawing():
    for told in (publish("dk", OWN, "x statement 1", refused=False, wait=3.0), token("dk", refused=True)):
        _, drawing = drawn(told)
        for mark in drawing.marks:
            assert 0 <= mark.left <= mark.left + mark.width <= 100
            assert 0 <= mark.row < len(drawing.lanes)


def test_a_long_wait_is_cut():
    _, drawing = drawn(publish("dk", OWN, "x statement 1", refused=False, wait=3.0))
    assert [round(cut.seconds) for cut in drawing.cuts] == [3]


def test_what_went_wrong_without_a_trial_is_pinned():
    told = token("dk", refused=True)
    ((one,), drawing) = drawn(told)
    assert one.refs == (told.events[-1].seq,)
    assert [pin.numbers for pin in drawing.pins] == ["1"]


def test_a_command_without_an_answer_goes_on_to_the_end():
    told = token("dk", refused=True)
    _, drawing = drawn(type(told)(events=told.events[:-1]))
    bars = [mark for mark in drawing.marks if mark.shape == "bar"]
    assert (bars[-1].label, bars[-1].left + bars[-1].width) == ("JWT: no answer", 98.0)


def test_little_is_not_drawn():
    assert draw(token("dk", refused=False).events[:4], 0.0, {}) is None


def test_names_of_commands():
    texts = ("AT+CEREG?", 'AT#XMQTTPUB="a","",1,0', "AT%JWT=0,600", "AT", '{"a":1}')
    assert [command_name(text) for text in texts] == ["CEREG?", "MQTTPUB", "JWT", "2 B", "7 B"]


def trial(told, control="a QoS 1 publish on x, seen by the observer,"):
    return Trial(told.events, told.events[0].t, NAMES, told.verdict, control)


def test_a_failed_test_beside_its_green_run():
    green = trial(publish("dk", OWN, "x statement 1", refused=False))
    now = trial(publish("dk", OWN, "x statement 1", refused=True), "a QoS 1 publish on y, seen by the observer,")
    found = compare("r", green, now, PHASES, {"firmware": "1.0", "model": "a"}, {"firmware": "1.1", "model": "a"})
    rows = {row.name: (row.green.partition(" ")[2], row.now.partition(" ")[2]) for row in found.rows}
    assert rows["URCs and MQTT"][1].startswith("ms #XMQTTEVT: 1,-128")
    assert found.rows[-1].name == "allowed action around it"
    assert found.differing == [("firmware", "1.0", "1.1")]
    assert ("connect again", "—") in [phase[:2] for phase in found.phases]


def test_the_same_test_twice_differs_nowhere():
    one, other = (trial(publish("dk", OWN, "x statement 1", refused=True)) for _ in range(2))
    found = compare("r", one, other, PHASES, {}, {})
    assert all(row.green == row.now == "" for row in found.rows)
    assert all(row.same for row in found.rows)


def test_the_bands_of_an_experiment_are_its_plans_and_actions():
    from tests.made_up_experiments import experiment

    events = experiment("dk", OWN, "statement 2", refused=True).events
    drawing = draw(events, events[0].t, {})
    names = [band.name for band in drawing.bands if band.tone != "act"]
    assert names == [
        "set-up",
        *(name for arm in range(1, 5) for name in ("allowed before", f"arm {arm}")),
        "allowed before",
    ]
    assert len([band for band in drawing.bands if band.tone == "act"]) == 4
    assert drawing.plans
