"""The general commands of Serial Modem: version, reset, sleep, echo, baud rate, data mode control.

Source: Serial Modem documentation, generic AT commands. ``#XSLMVER`` belongs to its predecessor and is unknown here.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from harness.virtual.board.commands import Args, Commands, Forms, Refused, Reply, Wait
from harness.virtual.board.modem import BoardIdentity
from harness.virtual.board.personality import Personality

BAUD_RATES = (115200, 230400, 460800, 921600, 1000000)
MODEM_RESET = 0.8


class ApplicationHost(Protocol):
    """What these commands need of the board around them."""

    data_idle_ms: int
    baud: int

    @property
    def shortest_data_idle_ms(self) -> int: ...
    def set_echo(self, on: bool) -> None: ...
    def set_baud(self, baud: int) -> None: ...
    def reset(self) -> None: ...
    def shut_down(self) -> None: ...
    def reset_modem(self) -> None: ...


class ApplicationCommands:
    """The commands that are not MQTT. ``names``: every command of the application, for #XCLAC.

    ``device``: the board around them. ``personality``: its kind. ``identity``: its numbers.
    """

    def __init__(
        self,
        device: ApplicationHost,
        personality: Personality,
        identity: BoardIdentity,
        names: Callable[[], Iterable[str]],
    ) -> None:
        self._device = device
        self._personality = personality
        self._identity = identity
        self._names = names

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        device, kind = self._device, self._personality
        return {
            "E0": Forms(run=lambda: device.set_echo(False)),
            "E1": Forms(run=lambda: device.set_echo(True)),
            "+IPR": Forms(
                set=self._set_baud,
                read=lambda: f"+IPR: {device.baud}",
                test=f"+IPR: (),({','.join(map(str, BAUD_RATES))})",
            ),
            "#XSMVER": Forms(run=lambda: f'#XSMVER: "{kind.application}","{kind.sdk}"'),
            "#XUUID": Forms(run=self._uuid),
            "#XRESET": Forms(run=device.reset),
            "#XSHUTDOWN": Forms(run=device.shut_down),
            # Both modes end the UART until DTR is asserted, which a pty cannot do: only a power cycle wakes the board.
            "#XSLEEP": Forms(set=self._sleep, test="#XSLEEP: (1,2)"),
            "#XMODEMRESET": Forms(run=lambda: Wait(MODEM_RESET, self._modem_was_reset)),
            "#XCLAC": Forms(run=self._list),
            "#XDATACTRL": Forms(
                set=self._set_data_idle,
                read=lambda: f"#XDATACTRL: {device.data_idle_ms},{device.shortest_data_idle_ms}",
                test="#XDATACTRL=<time_limit>",
            ),
        }

    def _uuid(self) -> Reply:
        if "%JWT" in self._personality.unsupported:  # it is read out of a token
            raise Refused
        return f"#XUUID: {self._identity.device_uuid}"

    def _set_baud(self, args: Args) -> Reply:
        self._device.set_baud(args.at_most(1).choice(0, BAUD_RATES))
        return None

    def _sleep(self, args: Args) -> Reply:
        args.choice(0, (1, 2))
        self._device.shut_down()
        return None

    def _modem_was_reset(self) -> Reply:
        self._device.reset_modem()
        return "#XMODEMRESET: 0"

    def _list(self) -> Reply:
        return "\r\n".join(f"AT{name}" for name in sorted(self._names()) if name.startswith("#"))

    def _set_data_idle(self, args: Args) -> Reply:
        limit = args.number(0)
        if not self._device.shortest_data_idle_ms <= limit <= 0xFFFF:
            raise Refused
        self._device.data_idle_ms = limit
        return None
