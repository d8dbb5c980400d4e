"""A verdict drawn as an experiment: arms with places, hits and survivals; logins by a coin; the bound."""

from harness.report.page.comparison import Trial, compare
from harness.report.page.experiment import draw_experiment
from harness.report.page.tally import tally_words
from harness.timeline import Event, Kind
from tests.made_up_nights import Script


def arm(script, number, place, *, closes_at=0, answered=True):
    """One arm; ``closes_at``: the place at which the other side hangs up, 0: at none."""
    script.phase("plan", "begin", plan="arm", arm=number, place=place)
    for step in range(1, place + 1):
        name = "action" if step == place else "sham"
        script.phase(name, "begin", step=step - 1)
        if step == closes_at:
            script.add(Kind.MQTT, "hung up: ENOTCONN (128)", kind="closed", result=-128)
        elif step < place or answered:
            script.add(Kind.MQTT, "puback", kind="puback", result=0)
        script.phase(name, "end", sent=True)
        if step == closes_at:
            break
    script.phase("plan", "end")


def script(**experiment):
    made = Script("dk")
    told = {"rule": {"confidence": 0.0001}, "subject": {"sham": "publish on prod/T1/own", "differs": "topic"}}
    made.phase("attempt", "begin", experiment=told | experiment)
    return made


def facts(made, arms=(), **tally):
    told = {"arms": list(arms), "hits": 0, "stays": 0, "lost": 0, "connections": len(arms)} | tally
    outer = {name: told.pop(name) for name in ("one_in", "suspect", "outcome") if name in told}
    return made.add(Kind.FACTS, "verdict", tally=told, **outer)


HITS = [
    {"place": 3, "meaning": "hit", "delay": 0.0015, "stake": 0.9, "wealth": 10.0},
    {"place": 1, "meaning": "lost", "delay": 0.0, "stake": 0.9, "wealth": 1.0},
    {"place": 5, "meaning": "hit", "delay": 0.002, "stake": 0.9, "wealth": 12_000.0},
]


def test_arms_show_the_place_of_the_action_and_what_came_of_it():
    made = script()
    arm(made, 1, 3, closes_at=3)
    arm(made, 2, 3, closes_at=1)
    arm(made, 3, 5, closes_at=5)
    found = facts(made, HITS, hits=2, lost=1, one_in=10_800, outcome="policy disconnect")
    drawn = draw_experiment(made.events, found, {"{tenant}": "T1"})
    assert [(row.number, row.meaning, row.wealth) for row in drawn.arms] == [
        (1, "hit", "10"),
        (2, "lost", "1"),
        (3, "hit", "12,000"),
    ]
    assert [(place.what, place.state) for place in drawn.arms[0].places] == [
        ("sham", "answered"),
        ("sham", "answered"),
        ("action", "closed"),
    ]
    assert drawn.arms[0].words == "hung up exactly at it, 1.50 ms after it was sent"
    assert drawn.arms[0].places[2].title == "place 3: the action, hung up on here"
    closed = [event.seq for event in made.events if event.data.get("kind") == "closed"]
    assert [row.seq for row in drawn.arms] == closed
    assert drawn.columns == 5
    assert (drawn.sham, drawn.differs) == ("publish on prod/{tenant}/own", "topic")
    assert (drawn.claim, drawn.bound) == ("chance of a coincidence below 1 in 10,800", "1 in 10,000")
    first, _, last = (row.share for row in drawn.arms)
    assert 0 < first < drawn.wanted < last == 100


def test_what_was_never_sent_is_not_drawn_as_sent():
    made = script()
    arm(made, 1, 4, closes_at=2)
    drawn = draw_experiment(made.events, facts(made, [{"place": 4, "meaning": "lost", "wealth": 0.1}]), {})
    assert [place.state for place in drawn.arms[0].places] == ["answered", "closed", "never", "never"]
    assert drawn.arms[0].share == 0


def test_an_action_that_was_answered_survived():
    made = script()
    arm(made, 1, 2)
    found = facts(made, [{"place": 2, "meaning": "quiet", "wealth": 0.1}], stays=1, outcome="tolerated")
    drawn = draw_experiment(made.events, found, {})
    assert (drawn.arms[0].words, drawn.claim) == ("answered, and it stayed", "tolerated")
    assert drawn.arms[0].places[1].state == "answered"


def test_logins_by_a_coin():
    made = script()
    for right, saw in ((False, "closed"), (True, "answered"), (False, "refused"), (False, "later")):
        name = "right" if right else "action"
        made.phase("plan", "begin", plan="attempt")
        made.phase(name, "begin", step=0)
        made.phase(name, "end", saw=saw, said=f"said {saw}")
        made.phase("plan", "end")
    found = facts(made, attempts=4, wrong_refused=2, right_refused=0, one_in=11_494)
    drawn = draw_experiment(made.events, found, {})
    assert [(login.right, login.refused) for login in drawn.logins] == [
        (False, True),
        (True, False),
        (False, True),
        (False, False),
    ]
    assert drawn.arms == []
    assert 0 < drawn.logins[0].left < drawn.logins[3].left < 100


def test_what_is_no_experiment_is_not_drawn_as_one():
    made = script()
    old = made.add(Kind.FACTS, "verdict", outcome="tolerated")
    assert draw_experiment(made.events, old, {}) is None
    assert draw_experiment(made.events, None, {}) is None
    broken = Event(1, 0.0, Kind.FACTS, "trial", "verdict", {"tally": "no tally"})
    assert draw_experiment(made.events, broken, {}) is None


def test_nothing_proved_names_the_suspect():
    made = script()
    found = facts(made, HITS, suspect="packet limit", one_in=0)
    assert draw_experiment(made.events, found, {}).claim == "nothing is proved; suspected: packet limit"


def test_two_runs_of_an_experiment_differ_in_what_came_of_it_and_not_in_drawn_places():
    green = {"tally": {"arms": [{}], "stays": 1, "hits": 0}}
    red = {"tally": {"arms": [{}] * 4, "stays": 0, "hits": 4}, "one_in": 17_987}
    event = Event(1, 0.0, Kind.TX, "dk", "AT", {})
    before, now = (Trial([event], 0.0, {}, tally=tally_words(data)) for data in (green, red))
    rows = compare("n1", before, now, {}, {}, {}).rows
    assert [(row.name, row.green, row.now) for row in rows] == [
        ("hung up exactly at the action", "0 of 1 arms", "4 of 4 arms"),
        ("answered, and stayed", "1 of 1 arms", "0 of 4 arms"),
        ("proved", "—", "coincidence below 1 in 17,987"),
    ]
