"""Tools that switch power. Their success proves nothing: some exit with 0 although no hub is attached.

Sources: uhubctl's README (exit codes, -r against Linux switching on again); Yepkit's ykushcmd manual.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final, Literal, Protocol

import requests

from harness.lab.places.places import Places
from harness.lab.power_config import CommandPower, HttpPower, LabgridPower, PowerConfig, UhubctlPower, YepkitPower
from harness.lab.process_group import kill_group
from harness.redact import SECRETS

Action = Literal["on", "off", "cycle"]
_SBIN: Final = "/usr/sbin:/sbin"  # where Debian has uhubctl, and where it does not let users look
_SHOWN: Final = 200  # characters of a tool's output in a message


class Switch(Protocol):
    """A tool that switches a board's power."""

    @property
    def cycles(self) -> bool:
        """Whether it has the action "cycle" for off and on."""

    @property
    def missing(self) -> str | None:
        """Why the tool cannot even start, which is known before it is used; None: it can, as far as one can see."""

    def act(self, action: Action, environment: Mapping[str, str]) -> str | None:
        """Carry out an action; return the tool's complaint, or None, which proves nothing."""


def switch_of(config: PowerConfig, *, place: str | None = None, places: Places | None = None) -> Switch:
    """Return the switch that a boards file describes.

    ``config``: the switch's entry. ``place``, ``places``: where the board is, for kind labgrid, which a boards file
    takes for boards at places only.
    """
    match config:
        case LabgridPower():
            if place is None or places is None:
                raise ValueError("power of kind labgrid without a place")
            return PlaceSwitch(place, places, config)
        case CommandPower():
            words = {"on": config.on, "off": config.off, **({} if config.cycle is None else {"cycle": config.cycle})}
            return Program(words, config.timeout)
        case UhubctlPower():
            base = ("uhubctl", "-l", config.location, "-p", str(config.port), "-r", "100", "-a")
            return Program({"on": (*base, "on"), "off": (*base, "off")}, config.timeout)
        case YepkitPower():
            return Program(_ykush(config), config.timeout)
        case HttpPower():
            return HttpRelay(config)


def _ykush(config: YepkitPower) -> dict[str, tuple[str, ...]]:
    model = () if config.model == "ykush" else (config.model,)
    serial = () if config.serial is None else ("-s", config.serial)
    port = () if config.model == "ykushxs" else (str(config.port),)
    return {"on": ("ykushcmd", *model, *serial, "-u", *port), "off": ("ykushcmd", *model, *serial, "-d", *port)}


class PlaceSwitch:
    """labgrid's power driver, for the ``place`` of ``places`` that this run holds, as ``config`` (``power:``) says.

    ``delay``: seconds without power.
    """

    cycles = False
    missing = None

    def __init__(self, place: str, places: Places, config: LabgridPower) -> None:
        self._place = place
        self._places = places
        self._config = config

    def act(self, action: Action, environment: Mapping[str, str]) -> str | None:
        """See Switch."""
        return self._places.power(self._place, action, delay=self._config.delay, timeout=self._config.timeout)


class Program:
    """A program for each action. It is killed, with the processes it started, if it takes too long."""

    def __init__(self, words: Mapping[str, Sequence[str]], timeout: float) -> None:
        self._words = words
        self._timeout = timeout

    @property
    def cycles(self) -> bool:
        """Whether there is a program for "cycle"."""
        return "cycle" in self._words

    @property
    def missing(self) -> str | None:
        """See Switch."""
        programs = dict.fromkeys(words[0] for words in self._words.values())
        found = next((one for one in programs if shutil.which(one, path=_search_path()) is None), None)
        return None if found is None else _cannot_run(found, "no such program, or no right to run it")

    def act(self, action: Action, environment: Mapping[str, str]) -> str | None:
        """Run the program; return why it failed, or None."""
        words = list(self._words[action])
        surroundings = {**os.environ, **environment, "NRF91_ACTION": action, "PATH": _search_path()}
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=surroundings,
                start_new_session=True,
            )
        except OSError as error:
            return _cannot_run(words[0], str(error.strerror))
        try:
            said, _ = process.communicate(timeout=self._timeout)
        except subprocess.TimeoutExpired:
            return f"{words[0]} did not end within {self._timeout:g} s, and {kill_group(process)}"
        except BaseException:
            kill_group(process)
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
        if process.returncode == 0:
            return None
        how = f"exit code {process.returncode}" if process.returncode > 0 else f"signal {-process.returncode}"
        return f"{words[0]} ended with {how}: {_shown(said.decode('utf-8', 'replace'))}"


class HttpRelay:
    """A relay that is switched by HTTP."""

    cycles: Final = False
    missing: Final = None

    def __init__(self, config: HttpPower) -> None:
        self._config = config

    def act(self, action: Action, environment: Mapping[str, str]) -> str | None:
        """Call the relay; return why that failed, or None."""
        config = self._config
        url, body = (config.on, config.on_body) if action == "on" else (config.off, config.off_body)
        kind = "application/json" if (body or "").startswith("{") else "application/x-www-form-urlencoded"
        headers = {} if body is None else {"Content-Type": kind}
        data = None if body is None else body.encode()
        try:
            answer = requests.request(config.method, url, data=data, headers=headers, timeout=config.timeout)
        except requests.RequestException as error:
            return f"the relay at {_address(url)} cannot be reached: {type(error).__name__}"
        if answer.ok:
            return None
        return f"the relay at {_address(url)} answered {answer.status_code}: {_shown(answer.text)}"


def _search_path() -> str:
    return f"{os.environ.get('PATH', '')}:{_SBIN}"


def _cannot_run(program: str, why: str) -> str:
    return f"cannot run {program!r}: {why}; install it, or correct power: in the boards file"


def _address(url: str) -> str:
    """Return a URL without the parts that may hold a password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return SECRETS.scrub(line if len(line) <= _SHOWN else line[:_SHOWN] + "…") or "it said nothing"
