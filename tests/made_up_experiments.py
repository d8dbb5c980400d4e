"""Trials of made-up nights that are experiments: arms on fresh connections, the action at a drawn place among shams."""

from __future__ import annotations

from typing import Any

from harness.timeline import Kind
from tests.made_up_nights import CONTROL, DEVICE, Script, Told

PLACES = (9, 1, 6, 4)
REGISTRATION = '+CEREG: 5,1,"0001","00010101",7,,,"11100000","11100000"'


def experiment(board: str, topic: str, statement: str, *, refused: bool) -> Told:
    """A publish that the documents allow: in four arms hung up on at it, or in one arm answered."""
    script = Script(board)
    action = f"publish on {topic} (QoS 1)"
    policy = f"Policy: iot:Publish on {topic}: allowed by {statement} (topic/prod/x/m/*)."
    control = f"a QoS 1 publish on {CONTROL}, seen by the observer,"
    sham = f"publish on $aws/things/{DEVICE}/shadow/update (QoS 1)"
    script.command("AT+CEREG?", REGISTRATION)
    told = {"rule": {"confidence": 0.0001, "hold": 0.2}, "subject": {"sham": sham, "differs": "topic"}}
    script.phase("attempt", "begin", action=action, sort="packet", policy=policy, experiment=told)
    arms: list[dict[str, Any]] = []
    refs: dict[str, list[int]] = {"hits": [], "registered": [], "reached nobody": [], "after": []}
    for number, place in enumerate(PLACES if refused else PLACES[:1], 1):
        _baseline(script, control, refs)
        delay = _arm(script, number, place, topic, refused=refused, refs=refs)
        meaning = "hit" if refused else "quiet"
        arms.append({"place": place, "meaning": meaning, "delay": delay, "stake": 0.98, "wealth": 11.88**number})
    _baseline(script, control, refs)
    script.phase("attempt", "end")
    return _told(script, action, policy, control, arms, refs, refused=refused)


def _baseline(script: Script, control: str, refs: dict[str, list[int]]) -> None:
    script.phase("plan", "begin", plan="baseline", connection="clean")
    script.phase("connect", "begin")
    script.command('AT#XMQTTCON=1,"","","mqtt.nrfcloud.com",8883,16842753', took=0.02)
    script.add(Kind.URC, "#XMQTTEVT: 0,0")
    script.add(Kind.MQTT, "accepted", after=0.0, kind="accepted", result=0)
    script.phase("connect", "end", opened=True, control=control)
    first = len(script.events)
    script.control("baseline", f"n{first:016x}")
    refs["after"] = [event.seq for event in script.events[first:] if event.kind in (Kind.CLOUD, Kind.MQTT)]
    script.phase("plan", "end")


def _arm(script: Script, number: int, place: int, topic: str, *, refused: bool, refs: dict[str, list[int]]) -> float:
    script.phase("plan", "begin", plan="arm", arm=number, place=place, draws=[place - 1])
    for step in range(place - 1):
        script.phase("sham", "begin", step=step)
        _publish(script, f"$aws/things/{DEVICE}/shadow/update")
        script.add(Kind.MQTT, "puback", kind="puback", result=0)
        script.phase("sham", "end", sent=True)
    script.phase("action", "begin", step=place - 1)
    refs["hits"].append(script.events[-1].seq)
    sent = script.t
    _publish(script, topic)
    if refused:
        script.add(Kind.URC, "#XMQTTEVT: 1,-128", after=0.0021)
        closed = script.add(Kind.MQTT, "hung up: ENOTCONN (128)", after=0.0, kind="closed", result=-128)
        refs["hits"].append(closed.seq)
    else:
        script.add(Kind.MQTT, "puback", kind="puback", result=0)
    delay = script.t - sent
    script.phase("action", "end", sent=True)
    if refused:
        script.phase("questions", "begin")
        script.command("AT+CEREG?", REGISTRATION)
        script.phase("questions", "end", registered=True, registration=REGISTRATION)
        refs["registered"].append(script.events[-1].seq)
        script.phase("delivery", "begin")
        script.phase("delivery", "end", reached=False)
        refs["reached nobody"].append(script.events[-1].seq)
    script.phase("plan", "end")
    return delay


def _publish(script: Script, topic: str) -> None:
    script.command(f'AT#XMQTTPUB="{topic}","",1,0', took=0.001)


def _told(
    script: Script,
    action: str,
    policy: str,
    control: str,
    arms: list[dict[str, Any]],
    refs: dict[str, list[int]],
    *,
    refused: bool,
) -> Told:
    got = "policy disconnect" if refused else "tolerated"
    places = ", ".join(str(arm["place"]) for arm in arms)
    said: list[tuple[str, str, list[int], str]] = [("policy", policy, [], "documents")]
    if refused:
        said += [
            ("refused", f"{action} was refused: policy disconnect.", refs["hits"][1::2], "events"),
            ("hits", "On 4 of 4 fresh connections the other side hung up exactly at it.", refs["hits"], "events"),
            ("places", f"Its place among up to 12 was drawn at random each time ({places}).", [], "events"),
            ("chance", "Chance of a coincidence below 1 in 17,930.", [], "events"),
            ("registered", "The modem stayed registered and nothing restarted.", refs["registered"], "events"),
            ("reached nobody", "The message reached nobody.", refs["reached nobody"], "absence"),
            (
                "after",
                f"The same credentials connected again, and {control} worked.",
                refs["after"],
                "events",
            ),
        ]
    else:
        said.append(("stayed", "It was answered, and the connection stayed.", refs["hits"], "events"))
    tally = {"arms": arms, "hits": len(arms) * refused, "stays": len(arms) * (not refused), "lost": 0}
    tally |= {"shams_answered": sum(arm["place"] - 1 for arm in arms), "connections": len(arms) + 1}
    script.add(
        Kind.FACTS,
        f"verdict: {got}",
        source="trial",
        trial=1,
        attempt=1,
        judge=3,
        facts={"action": action, "policy": policy, "control": control},
        outcome=got,
        one_in=17_930 if refused else 0,
        suspect=None,
        tally=tally,
        sentences=[{"code": code, "text": text, "refs": numbers, "how": how} for code, text, numbers, how in said],
    )
    script.add(Kind.EXPECT, f"expected tolerated, got {got}", source="trial", wanted=["tolerated"], got=got)
    evidence = " ".join(text for _, text, _, _ in said)
    if not refused:
        return Told(verdict=got, evidence=f"{action}: {got}. {evidence}", events=script.events)
    return Told(
        result="failed",
        message=f"expected tolerated, got {got}: {action}. {evidence}",
        raised="WrongVerdict",
        branch="Refusal",
        party="cloud",
        decisive={"action": action, "policy": policy, "wanted": ["tolerated"], "got": got},
        verdict=got,
        evidence=f"{action}: {got}. {evidence}",
        events=script.events,
    )
