"""Writes reports folders of nights that never were, with files as real runs leave them: journal and timelines.

``python -m tests.made_up_nights DIR`` writes fourteen nights of four boards: one right lost in the last night, a modem
that refuses tokens since the eleventh, a right that is lost every third night, and a board whose process died twice.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.report import RunFolder
from harness.timeline import Event, Kind
from harness.timeline.lines import event_line, header_line
from harness.trial import How, Sentence

FIRST = datetime(2026, 11, 14, 2, 0, tzinfo=UTC)
BOARDS = ("dk-9151", "dk-9161", "thingy-9160", "rack-3")
DEVICE, TENANT = "56495254-3030-401f-8062-078ffa755bc5", "ce5477fd-53f4-4be7-8552-b424d1f44aa0"
OWN = f"prod/{TENANT}/m/d/{DEVICE}/d2c"
CONTROL = f"prod/{TENANT}/{DEVICE}/jobs/harness"
CONTROL_WORDS = f"a QoS 1 publish on {CONTROL}, seen by the observer,"
VERSION = 2  # of the judge: these nights were before verdicts became experiments


@dataclass
class Told:
    """What a test did. ``message``, ``raised``, ``branch``, ``party``: of its error; ``events`` in order."""

    result: str = "passed"
    message: str = ""
    raised: str = ""
    branch: str = ""
    party: str = ""
    phase: str = "call"
    decisive: Mapping[str, Any] = field(default_factory=dict)
    verdict: str = ""
    evidence: str = ""
    events: list[Event] = field(default_factory=list)
    out: str = ""
    attempts: int = 1


class Script:
    """Events of one test, one after the other. ``seq``: of the first; ``t``: monotonic seconds."""

    def __init__(self, board: str, seq: int = 0, t: float = 1000.0) -> None:
        self.board, self.seq, self.t = board, seq, t
        self.events: list[Event] = []

    def add(self, kind: Kind, text: str, /, *, after: float = 0.0005, source: str = "", **data: Any) -> Event:
        self.t = round(self.t + after, 6)
        event = Event(self.seq, self.t, kind, source or self.board, text, data)
        self.seq += 1
        self.events.append(event)
        return event

    def phase(self, name: str, on: str, **data: Any) -> None:
        number = {"trial": 1, "attempt": 1}
        self.add(
            Kind.PHASE, name if on == "begin" else f"{name} ends", source="trial", **number, name=name, on=on, **data
        )

    def command(self, text: str, *answers: str, result: str = "OK", took: float = 0.002) -> None:
        self.add(Kind.TX, text)
        for answer in answers:
            self.add(Kind.RX, answer, after=took / 2, role="answer")
        self.add(Kind.RESULT, result, after=took, command=text[:60], seconds=took, ok=result not in ("ERROR",))

    def control(self, phase: str, nonce: str, ok: bool = True) -> None:
        self.phase(phase, "begin", nonce=nonce)
        if ok:
            self.command(f'AT#XMQTTPUB="{CONTROL}","",1,0')
            payload = f'{{"appId":"HARNESS","data":"{nonce}"}}'
            self.add(Kind.TX, payload, payload=payload)
            self.add(
                Kind.CLOUD,
                f"{CONTROL}: {payload}",
                source="observer",
                topic=CONTROL,
                qos=1,
                retain=False,
                payload=payload,
            )
            self.add(Kind.RESULT, "#XDATAMODE: 0", command="AT#XMQTTPUB", seconds=0.001, ok=True)
            self.add(Kind.URC, "#XMQTTEVT: 3,0")
            self.add(Kind.MQTT, "puback", after=0.0, kind="puback", result=0)
        else:
            self.command(f'AT#XMQTTPUB="{CONTROL}","",1,0', result="ERROR")
        detail = "" if ok else "the board refused to send it"
        self.phase(phase, "end", acked=ok, seen=ok, seconds=0.012 if ok else 0.0, detail=detail)


def publish(board: str, topic: str, statement: str, *, refused: bool, wait: float = 0.0) -> Told:
    """A trial of an allowed publish on ``topic``; ``refused``: the cloud hangs up on it."""
    script, nonce = Script(board), "n274a62f7b960c2e5"
    action = f"publish on {topic} (QoS 1)"
    policy = f"Policy: iot:Publish on {topic}: allowed by {statement} (topic/prod/{TENANT}/m/*)."
    script.command("AT+CEREG?", '+CEREG: 5,1,"0001","00010101",7,,,"11100000","11100000"')
    script.phase("attempt", "begin", action=action, sort="packet", policy=policy, difference="")
    script.phase("connect", "begin")
    script.phase("connect", "end", control=CONTROL_WORDS)
    script.control("baseline", "n0efa594ffdaaf4f2")
    script.phase("action", "begin", nonce=nonce)
    script.command(f'AT#XMQTTPUB="{topic}","",1,0')
    payload = f'{{"appId":"HARNESS","data":"{nonce}"}}'
    script.add(Kind.TX, payload, payload=payload)
    script.add(Kind.RESULT, "#XDATAMODE: 0", command="AT#XMQTTPUB", seconds=0.005, ok=True)
    if refused:
        script.add(Kind.URC, "#XMQTTEVT: 1,-128", after=0.02)
        script.add(Kind.MQTT, "hung up: ENOTCONN (128)", after=0.0, kind="closed", result=-128, errno="ENOTCONN")
    else:
        script.add(
            Kind.CLOUD, f"{topic}: {payload}", source="observer", topic=topic, qos=1, retain=False, payload=payload
        )
        script.add(Kind.URC, "#XMQTTEVT: 3,0")
        script.add(Kind.MQTT, "puback", after=0.0, kind="puback", result=0)
    script.phase("action", "end", sent=True)
    script.t += wait
    script.control("fence", "nb6dd211a1a9f5267", ok=not refused)
    if not refused:
        script.phase("effect", "begin")
        script.phase("effect", "end", seen=True, detail="the message was seen where it belongs", message_sent=True)
    script.phase("questions", "begin")
    registration = '+CEREG: 5,1,"0001","00010101",7,,,"11100000","11100000"'
    script.command("AT+CEREG?", registration)
    script.phase("questions", "end", registered=True, registration=registration)
    if refused:
        script.phase("reconnect", "begin")
        script.command('AT#XMQTTCON=1,"","","mqtt.nrfcloud.com",8883,16842753', took=0.025)
        script.add(Kind.URC, "#XMQTTEVT: 0,0")
        script.add(Kind.MQTT, "accepted", after=0.0, kind="accepted", result=0)
        script.phase("reconnect", "end")
        script.control("after", "n53835fd85e2b4fe0")
        script.phase("delivery", "begin")
        script.phase("delivery", "end", reached=False)
    script.phase("attempt", "end")
    return _judged(script, action, policy, "tolerated")


def _sentences(script: Script, refused: bool) -> Iterator[Sentence]:
    """The evidence as a harness of judge 2 wrote it, which did not experiment yet."""
    yield Sentence(
        "baseline", f"Just before, on the same connection, {CONTROL_WORDS} worked (12 ms).", _of(script, "baseline")
    )
    if not refused:
        yield Sentence("fence", "The fence after it was acknowledged and seen too (12 ms).", _of(script, "fence"))
        yield Sentence("effect", "Effect: the message was seen where it belongs.", _of(script, "effect"))
        return
    closed = next(event.seq for event in script.events if event.data.get("kind") == "closed")
    text = "The board was hung up on, ENOTCONN (128), 29 ms after the action and before the fence was acknowledged."
    yield Sentence("hang-up", text, (closed,))
    text = "The modem stayed registered (+CEREG: 5,1) and nothing restarted."
    yield Sentence("registered", text, _of(script, "questions"))
    yield Sentence("reached nobody", "The message reached nobody.", _of(script, "delivery"), How.ABSENCE)
    text = "The same credentials connected again, and the allowed action worked again."
    yield Sentence("worked again", text, _of(script, "after"))


def _of(script: Script, phase: str) -> tuple[int, ...]:
    """The acknowledgement, the message at the observer, and the end of a phase."""
    inside = False
    found = []
    for event in script.events:
        if event.data.get("name") == phase:
            inside = event.data["on"] == "begin"
            if not inside:
                found.append(event.seq)
        elif inside and (event.kind is Kind.CLOUD or event.data.get("kind") == "puback"):
            found.append(event.seq)
    return tuple(found)


def _judged(script: Script, action: str, policy: str, wanted: str) -> Told:
    refused = any(event.data.get("kind") == "closed" for event in script.events)
    got = "policy disconnect" if refused else "tolerated"
    said = [Sentence("policy", policy, how=How.DOCUMENTS), *_sentences(script, refused)]
    told: dict[str, Any] = {
        "facts": {"action": action, "policy": policy, "sort": "packet", "control": CONTROL_WORDS},
        "outcome": got,
        "sentences": [one.as_data() for one in said],
    }
    script.add(Kind.FACTS, f"verdict: {got}", source="trial", trial=1, attempt=1, judge=VERSION, **told)
    evidence_text = " ".join(one.text for one in said)
    script.add(Kind.EXPECT, f"expected {wanted}, got {got}", source="trial", wanted=[wanted], got=got)
    evidence = f"{action}: {got}. {evidence_text}"
    if got == wanted:
        return Told(verdict=got, evidence=evidence, events=script.events)
    return Told(
        result="failed",
        message=f"{action}: expected {wanted}, got {got}. {evidence_text}",
        raised="WrongVerdict",
        branch="Refusal",
        party="cloud",
        decisive={"action": action, "policy": policy, "wanted": [wanted], "got": got},
        verdict=got,
        evidence=evidence,
        events=script.events,
    )


def token(board: str, *, refused: bool) -> Told:
    """A test that asks the modem for a JWT; ``refused``: the modem says no."""
    script = Script(board)
    for command in ("AT+CGSN", "AT%XSYSTEMMODE?", "AT+CFUN?"):
        script.command(command, "001010916721259")
    script.command("AT%JWT=0,600", result="+CME ERROR: 525" if refused else "OK")
    if not refused:
        return Told(verdict="verified", events=script.events)
    last = script.events[-1]
    script.events[-1] = last._replace(data={**last.data, "ok": False})
    message = f"{board}: AT%JWT=0,600: +CME ERROR: 525 (JWT creation failed)"
    return Told("error", message, "AtError", "Refusal", "modem/firmware", "setup", events=script.events)


def lost(board: str) -> Told:
    """A test in whose middle the board's process dies."""
    script = Script(board)
    for _ in range(4):
        script.command("AT+CEREG?", '+CEREG: 5,1,"0001","00010101",7')
    script.add(Kind.FAULT, f"virtual board '{board}' (pid 4711) died with signal 9", after=0.1)
    out = f"{board}: virtual board '{board}' (pid 4711) died with signal 9"
    return Told("error", out, "BoardLost", "LabError", "lab", out=out, events=script.events)


def gone(board: str, first: str) -> Told:
    """A test that is not run because its board is out."""
    return Told("skipped", f"{board} is out: see the error of {first}", phase="setup")


Tell = Callable[[int, str, int], Told]
"""What a test did: by night (from 1), board and the test's number."""


def the_fourteen(night: int, board: str, test: int) -> Told:
    """What the nights of this module's own tale are like."""
    if board == "rack-3" and night in (8, 14) and test >= 10:
        return lost(board) if test == 10 else gone(board, "test_x.py::test_10[rack-3]")
    if test < 8:
        return token(board, refused=board == "thingy-9160" and night >= 11)
    if test < 13:
        refused = board == "dk-9161" and night == 14
        if night >= 13:  # since then verdicts are experiments
            from tests.made_up_experiments import experiment  # which is made of this module's parts

            return experiment(board, OWN, "associated statement 2", refused=refused)
        return publish(board, OWN, "associated statement 2", refused=refused)
    if test < 15:
        refused = board == "dk-9151" and night % 3 == 0
        return publish(board, f"prod/{TENANT}/gateways/{DEVICE}/g2c", "gateway statement 2", refused=refused)
    return Told("skipped", "needs a second sec_tag", phase="setup") if test % 9 == 0 else Told(verdict="verified")


def write_night(
    reports: Path, night: int, tell: Tell, boards: Sequence[str] = BOARDS, tests: int = 40, ended: bool = True
) -> Path:
    """Write the folder of one night; return it. ``ended``: False for a run that was killed in its last test."""
    began = FIRST + timedelta(days=night - 1)
    run = f"{began.strftime('%Y%m%dT%H%M%SZ')}-{1000 + night}"
    folder = reports / run
    folder.mkdir(parents=True)
    (folder / "timeline").mkdir()
    (folder / "transcripts").mkdir()
    planned = {_id(board, test): board for board in boards for test in range(tests)}
    lines: list[dict[str, Any]] = [
        {
            "k": "run",
            "at": _stamp(began),
            "v": 1,
            "run": run,
            "boards_file": {"name": "boards.yaml", "path": "boards.yaml", "sha256": "0" * 64},
            "planned": dict.fromkeys(boards, tests),
            "ci": {},
            "tests": planned,
        }
    ]
    for board in boards:
        timeline = [header_line({"began": _stamp(began), "mono": 0.0, "run": run, "board": board, "cloud": "local"})]
        for test in range(tests):
            told = tell(night, board, test)
            lines += _phases(board, test, told, began + timedelta(seconds=test))
            timeline += _timeline(board, test, told, began, len(timeline))
        RunFolder(reports, run).timeline(board).write_text("\n".join(timeline) + "\n", "utf-8", "backslashreplace")
    if ended:
        lines.append(
            {"k": "end", "at": _stamp(began + timedelta(minutes=19)), "interrupted": "", "ended": {}, "not_run": 0}
        )
    else:
        lines.pop()
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (folder / "journal.jsonl").write_text(text, "utf-8", "backslashreplace")
    return folder


def _id(board: str, test: int) -> str:
    return f"tests/scenarios/test_x.py::test_{test}[{board}]"


def _stamp(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds")


def _phases(board: str, test: int, told: Told, when: datetime) -> Iterable[dict[str, Any]]:
    about = {"at": _stamp(when), "test": _id(board, test), "board": board}
    key = f"tests/scenarios/test_x.py::test_{test}"
    yield {"k": "begin", **about}
    properties = {
        "transcript": f"transcripts/test_{test}-{board}.log",
        "imei": "001010916721259",
        "model": "nRF9151-LACA",
        "modem_firmware": "mfw_nrf91x1_2.0.2",
        "firmware": "Serial Modem 1.0.0",
        "cloud": "local",
        "verdict": told.verdict or told.result,
        "evidence": told.evidence,
        "attempts": str(told.attempts),
    }
    line: dict[str, Any]
    for phase in ("setup", "call", "teardown"):
        bad = told.result != "passed" and told.phase == phase
        line = {
            "k": "phase",
            **about,
            "phase": phase,
            "result": told.result if bad else "passed",
            "seconds": 0.03,
            "key": key,
        }
        if bad:
            line |= {"message": told.message}
            named = {"raised": told.raised, "branch": told.branch, "party": told.party, "out": told.out}
            line |= {name: value for name, value in named.items() if value}
            line |= {"decisive": told.decisive} if told.decisive else {}
        if phase == "setup" or (phase == "call" and told.phase == "call"):
            line["properties"] = properties
        if told.phase != "setup" or phase != "call":  # without set-up there is no call
            yield line


def _timeline(board: str, test: int, told: Told, began: datetime, number: int) -> Iterable[str]:
    """Return the lines of a test whose first event has this number; the others follow it without a gap."""
    start = told.events[0].t - 0.001 if told.events else 1000.0
    key = f"tests/scenarios/test_x.py::test_{test}"
    names = {"{device}": DEVICE, "{tenant}": TENANT}
    data: dict[str, Any] = {"key": key, "names": names, "began": _stamp(began), "mono": start}
    yield event_line(Event(number, start, Kind.TEST, "pytest", _id(board, test), data), test + 1, start)
    for event in told.events:
        yield event_line(_moved(event, number + 1), test + 1, start)
    last = told.events[-1].t if told.events else start
    end = {
        "result": told.result,
        "error": told.raised,
        "branch": told.branch,
        "party": told.party,
        "place": "",
        "seconds": {},
    }
    yield event_line(
        Event(number + len(told.events) + 1, last + 0.001, Kind.END, "pytest", told.result, end), test + 1, start
    )


def _moved(event: Event, offset: int) -> Event:
    """Give an event its number in the file, and what refers to it."""
    data = dict(event.data)
    if event.kind is Kind.FACTS:
        data["sentences"] = [{**one, "refs": [ref + offset for ref in one["refs"]]} for one in data["sentences"]]
    return event._replace(seq=event.seq + offset, data=data)


if __name__ == "__main__":
    for number in range(1, 15):
        print(write_night(Path(sys.argv[1]), number, the_fourteen))
