"""Judges what a board's answers mean for a night. Pure, so tests need answers only.

Facts: nRF9160 and nRF91x1 AT Commands references; 3GPP TS 27.007. The thresholds of coverage are UNCONFIRMED, so they
only warn.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from harness.at import AtFormatError
from harness.lab.config import BoardConfig
from harness.lab.doctor.check import CheckResult, Status
from harness.lab.doctor.known_firmware import known_trouble
from harness.lab.doctor.questions import Answers
from harness.modem.registration import DENIED, UICC_FAILURE, Registration
from harness.modem.signal import signal_in

_WEAK: Final = -115  # dBm
_CLOCK_LEEWAY: Final = timedelta(seconds=300)
_RESERVED: Final = 2**31
_SWITCH_ON: Final = "in flight mode or off: not asked"


def judge(
    board: BoardConfig, answers: Answers, *, now: datetime, written: Mapping[int, set[int]]
) -> Iterator[CheckResult]:
    """Yield the results ``board.*``. ``written``: kinds that the harness wrote to this board, by sec_tag.

    ``board``: its entry. ``answers``: to the doctor's questions. ``now``: the computer's clock.
    """
    yield _application(board, answers)
    modem, hardware = answers.text("AT+CGMR"), answers.value("AT%HWVERSION", "%HWVERSION")
    if modem is None:
        yield _result(board, "modem-firmware", Status.SKIPPED, "the modem does not report its firmware")
    elif trouble := known_trouble(modem, hardware or ""):
        yield _result(board, "modem-firmware", Status.WARN, f"{modem}: {trouble}", _flash(board))
    else:
        yield _result(board, "modem-firmware", Status.OK, modem)
    if answers.value("AT+CGSN=1", "+CGSN") is None:
        cure = f"nrf91-harness attest {board.name}"
        yield _result(
            board, "imei", Status.FAIL, "the modem has no IMEI, so it cannot attach; the factory programs it", cure
        )
    yield from _sim(board, answers)
    yield from _network(board, answers)
    yield from _settings(board, answers)
    yield _clock(board, answers, now)
    yield _store(board, answers, written)


def _result(board: BoardConfig, id_: str, status: Status, text: str, remedy: str = "") -> CheckResult:
    return CheckResult(f"board.{id_}", board.name, status, text, remedy)


def _flash(board: BoardConfig) -> str:
    serial = (board.serial or "").lstrip("0") or "SERIAL"
    return f"nrfutil device program --firmware mfw_NEWER.zip --serial-number {serial}"


def _at(answers: Answers, command: str) -> str:
    """Return a shell command that sends one AT command to the board."""
    if "://" in answers.port:
        return f"pyserial-miniterm {answers.port}  # and type {command}"
    return f"printf '{command}\\r' > {answers.port}"


def _application(board: BoardConfig, answers: Answers) -> CheckResult:
    if answers.firmware is None:
        text = f"the board does not answer like {board.firmware}: flash it, or correct firmware: in the boards file"
        return _result(board, "firmware", Status.FAIL, text, "nrf91-harness boards list --probe")
    return _result(board, "firmware", Status.OK, answers.firmware)


def _sim(board: BoardConfig, answers: Answers) -> Iterator[CheckResult]:
    if not answers.sim_asked:
        yield _result(board, "sim", Status.SKIPPED, _SWITCH_ON)
        return
    pin, sim = answers.value("AT+CPIN?", "+CPIN"), answers.value("AT%XSIM?", "%XSIM")
    iccid, imsi = answers.value("AT%XICCID", "%XICCID"), answers.text("AT+CIMI")
    if pin and "PUK" in pin:
        text = "the SIM is blocked and asks for its PUK: do not try PINs, ask its owner"
        yield _result(board, "sim", Status.FAIL, text, _at(answers, 'AT+CPINR="SIM PUK"'))
    elif pin == "SIM PIN" and board.pin_env is not None:
        yield _result(board, "sim", Status.OK, f"the SIM waits for its PIN, which the run enters ({board.pin_env})")
    elif pin and pin != "READY":
        text = f"the SIM waits for {pin}: give pin_env in the boards file, or switch its PIN off in a telephone"
        yield _result(board, "sim", Status.FAIL, text, _at(answers, 'AT+CPINR="SIM PIN"'))
    elif pin == "READY" or (sim or "").startswith("1"):
        yield _result(board, "sim", Status.OK, f"SIM {_short(iccid)}, IMSI {_short(imsi)}")
    elif (sim or "").startswith("0"):
        yield _result(
            board, "sim", Status.FAIL, "no working SIM: insert one, or clean its contacts", _at(answers, "AT%XSIM?")
        )
    else:
        yield _result(board, "sim", Status.SKIPPED, "the modem does not report the SIM")


def _short(number: str | None) -> str:
    """Return the last digits of a number that belongs to a person; a report shows no more."""
    digits = (number or "").rstrip("F")
    return f"…{digits[-4:]}" if len(digits) > 4 else "not told"


def _network(board: BoardConfig, answers: Answers) -> Iterator[CheckResult]:
    value = answers.value("AT+CEREG?", "+CEREG")
    if answers.mode not in (1, 2, 21) or value is None:
        yield _result(board, "coverage", Status.SKIPPED, _SWITCH_ON if value else "the modem does not report it")
        return
    try:
        registration = Registration.from_read(value)
    except AtFormatError as error:
        yield _result(board, "coverage", Status.SKIPPED, str(error))
        return
    if registration.status in (DENIED, UICC_FAILURE):
        text = f"not registered: {registration.meaning}"
        yield _result(board, "coverage", Status.FAIL, text, f"nrf91-harness provision {board.name}")
        return
    power = _rsrp(answers)
    heard = "" if power is None else f", {power} dBm"
    if not registration.registered:
        text = f"not registered: {registration.meaning}{heard}: check antenna and coverage"
        yield _result(board, "coverage", Status.WARN, text, _at(answers, "AT%XMONITOR"))
    elif power is not None and power < _WEAK:
        text = f"weak: {power} dBm: move the antenna"
        yield _result(board, "coverage", Status.WARN, text, _at(answers, "AT+CESQ"))
    else:
        yield _result(board, "coverage", Status.OK, f"{registration.meaning}{heard}")
    yield _apn(board, answers, registered=registration.registered)


def _rsrp(answers: Answers) -> float | None:
    return signal_in(f"+CESQ: {answers.value('AT+CESQ', '+CESQ') or ''}").get("rsrp")


def _apn(board: BoardConfig, answers: Answers, *, registered: bool) -> CheckResult:
    context = answers.value("AT+CGDCONT?", "+CGDCONT")
    fields = next(csv.reader([context]), []) if context else []
    apn = fields[2] if len(fields) > 2 else ""
    address = answers.value("AT+CGPADDR", "+CGPADDR") or (fields[3] if len(fields) > 3 else "")
    if registered and not address:
        text = f"registered without an address (APN {apn or 'of the network'}): the APN is wrong, or not subscribed to"
        return _result(board, "apn", Status.FAIL, text, _at(answers, "AT+CGDCONT?"))
    return _result(board, "apn", Status.OK, f"APN {apn or 'as the network chooses'}")


def _settings(board: BoardConfig, answers: Answers) -> Iterator[CheckResult]:
    yield _system_mode(board, answers)
    lock = answers.value("AT%XBANDLOCK?", "%XBANDLOCK")
    if lock is None:
        yield _result(board, "bands", Status.SKIPPED, "the modem does not report a band lock")
    elif board.bands is not None:
        yield _result(board, "bands", Status.OK, "the run locks them as the boards file says")
    elif "1" in re.sub(r"^\d,", "", lock):
        cure = _at(answers, "AT%XBANDLOCK=0")
        yield _result(board, "bands", Status.WARN, f"bands are locked ({lock})", cure)
    else:
        yield _result(board, "bands", Status.OK, "no band is locked")
    psm = answers.value("AT+CPSMS?", "+CPSMS")
    yield _sleep(board, answers, "PSM", None if psm is None else psm.startswith("1"), "AT+CPSMS=0")
    edrx = answers.said.get("AT+CEDRXS?")
    yield _sleep(board, answers, "eDRX", None if edrx is None else any('"' in line for line in edrx), "AT+CEDRXS=3")


def _system_mode(board: BoardConfig, answers: Answers) -> CheckResult:
    fields = (answers.value("AT%XSYSTEMMODE?", "%XSYSTEMMODE") or "").split(",")
    if len(fields) < 3:
        return _result(board, "system-mode", Status.SKIPPED, "the modem does not report its system mode")
    modes = [name for name, field in zip(("LTE-M", "NB-IoT"), fields, strict=False) if field.strip() == "1"]
    if not modes:
        cure = _at(answers, "AT+CFUN=4\\rAT%XSYSTEMMODE=1,1,0,0")
        return _result(board, "system-mode", Status.FAIL, "neither LTE-M nor NB-IoT is switched on: no network", cure)
    return _result(board, "system-mode", Status.OK, " and ".join(modes))


def _sleep(board: BoardConfig, answers: Answers, name: str, asked: bool | None, command: str) -> CheckResult:
    id_ = name.lower()
    if asked is None:
        return _result(board, id_, Status.SKIPPED, f"the modem does not report {name}")
    if asked and getattr(board, id_) == "off":
        return _result(board, id_, Status.OK, f"{name} is requested, and the run switches it off")
    if asked:
        text = f"{name} is requested: messages to the board may wait until it wakes up"
        return _result(board, id_, Status.WARN, text, _at(answers, command))
    return _result(board, id_, Status.OK, f"{name} is not asked for")


def _clock(board: BoardConfig, answers: Answers, now: datetime) -> CheckResult:
    """Judge ``+CCLK: "yy/MM/dd,hh:mm:ss±zz"``, zz in quarters of an hour; ERROR before the network gave the time."""
    value = answers.value("AT+CCLK?", "+CCLK")
    found = re.fullmatch(r'"(\d\d)/(\d\d)/(\d\d),(\d\d):(\d\d):(\d\d)([+-]\d\d)?"', value or "")
    if not found:
        return _result(board, "clock", Status.SKIPPED, "the modem does not know the time before it was registered")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    try:
        local = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return _result(board, "clock", Status.SKIPPED, f"the modem reports {value}, which is not a time")
    told = local - timedelta(minutes=15 * int(found[7] or 0))
    if abs(told - now) > _CLOCK_LEEWAY:
        text = f"the modem's clock is {abs(told - now).total_seconds():.0f} s off: the cloud will refuse its tokens"
        return _result(board, "clock", Status.WARN, text, _at(answers, "AT+CCLK?"))
    return _result(board, "clock", Status.OK, "the modem's clock is right")


def _store(board: BoardConfig, answers: Answers, written: Mapping[int, set[int]]) -> CheckResult:
    lines = answers.said.get("AT%CMNG=1")
    if lines is None:
        return _result(board, "store", Status.SKIPPED, "the modem does not list its credential store")
    held = [match for line in lines if (match := re.match(r"%CMNG: (\d+),(\d+)", line))]
    own = [(int(match[1]), int(match[2])) for match in held if int(match[1]) < _RESERVED]
    foreign = [(tag, kind) for tag, kind in own if tag in board.all_sec_tags and kind not in written.get(tag, set())]
    if foreign and not board.adopt:
        tags = ", ".join(str(tag) for tag in dict.fromkeys(tag for tag, _ in foreign))
        text = f"sec_tag {tags} holds credentials that this lab did not write: add adopt: true, or another sec_tag"
        cure = f"nrf91-harness credentials delete {board.name} --foreign --sec-tag {foreign[0][0]}"
        return _result(board, "store", Status.FAIL, text, cure)
    return _result(board, "store", Status.OK, f"{len(own)} items, of which {len(foreign)} were not written by this lab")
