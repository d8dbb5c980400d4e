"""What an nRF91 modem can do, through its AT port. Facts: nRF9160 and nRF91x1 AT Commands references."""

import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from harness.at import LOST_BYTES, Answer, AtFormatError, AtPort, ask
from harness.errors import Misuse, NoAnswer, NotRegistered
from harness.modem.attestation import AttestationToken, attestation_command, parse_attestation
from harness.modem.credential_store import CredentialStore
from harness.modem.identity import Identity, read_device_uuid, read_firmware, read_identity, read_imei
from harness.modem.jwt import ModemJwt, jwt_command, parse_jwt
from harness.modem.keygen import KeygenResult, parse_keygen
from harness.modem.notifications import listen_to_network
from harness.modem.pin import enter_pin
from harness.modem.registration import DENIED, UICC_FAILURE, Registration
from harness.modem.restoration import restoring
from harness.modem.settings import Keep, WantedSettings, put_back, write_settings

_NORMAL = 1
_FLIGHT = 4
_INACTIVE = frozenset({0, _FLIGHT})  # by the reference's wording 44, 31 and 41 may do too
_CFUN_TIMEOUT = 60.0
_ATTRIBUTES = re.compile(r"[\x20\x21\x23-\x7e]+")
_KEY_USAGE = re.compile(r"[01]{1,9}")
_COMMON_NAME = re.compile(r"(?:^|,)\s*CN\s*=\s*([^,]*)")


class Modem:
    """The modem at ``port``.

    ``sec_tags``: the only ones in which it may write, delete or make keys (Misuse for others).
    ``at_shell``: its commands go through a shell, which turns every line end in them into CR LF.
    ``pin``: entered when the SIM asks for it.
    """

    def __init__(
        self, port: AtPort, *, sec_tags: Collection[int], at_shell: bool = False, pin: str | None = None
    ) -> None:
        self._port = port
        self._pin = pin
        self.credentials = CredentialStore(port, sec_tags=sec_tags, offline=self.offline, at_shell=at_shell)

    def prepare(self) -> None:
        """Ask for error numbers in place of plain ERROR, after each synchronisation: a reset forgets it."""
        self._port.command("AT+CMEE=1")

    def remembers(self) -> bool:
        """Return whether the modem still knows what :meth:`prepare` told it: then it has not restarted since."""
        return ask(self._port, "AT+CMEE?", lambda answer: answer.value("+CMEE")) == "1"

    def identity(self) -> Identity:
        """Return IMEI, device UUID, models and firmware."""
        return read_identity(self._port)

    def imei(self) -> str:
        """Return the IMEI, 15 digits. Raises AtError when none is programmed."""
        return read_imei(self._port)

    def firmware(self) -> str:
        """Return the modem firmware's version, such as ``mfw_nrf91x1_2.0.2``."""
        return read_firmware(self._port)

    def functional_mode(self) -> int:
        """Return the functional mode: 0 off, 1 normal, 4 flight mode, others as in the reference."""
        return ask(self._port, "AT+CFUN?", _functional_mode)

    def set_functional_mode(self, mode: int, timeout: float = _CFUN_TIMEOUT) -> None:
        """Change the functional mode, and wait at most ``timeout`` seconds for the modem's OK.

        To mode 1 as :meth:`switch_on`, with its errors.
        """
        if mode == _NORMAL:
            self.switch_on(timeout)
        else:
            self._port.command(f"AT+CFUN={mode}", timeout=timeout)

    def switch_on(self, timeout: float = _CFUN_TIMEOUT) -> bool:
        """Go to functional mode 1, and enter the PIN if the SIM asks for it; return whether it did.

        A SIM forgets its PIN in every mode in which it has no power. ``timeout``: seconds for the modem's OK.
        Raises NotRegistered: the SIM is blocked, or might be by one more wrong PIN.
        """
        command = f"AT+CFUN={_NORMAL}"
        if self._pin is None:
            self._port.command(command, timeout=timeout)
            return False
        started = self._port.listen("%XSIM")
        self._port.command("AT%XSIM=1")
        self._port.command(command, timeout=timeout)
        return enter_pin(self._port, self._pin, started)

    @contextmanager
    def offline(self) -> Iterator[None]:
        """Keep the modem inactive for the block, as credential writes need; then return to the former mode."""
        former = self.functional_mode()
        if former in _INACTIVE:
            yield
            return
        with restoring(f"returning to AT+CFUN={former}", lambda: self.set_functional_mode(former)):
            self.set_functional_mode(_FLIGHT)
            yield

    @contextmanager
    def mode_kept(self) -> Iterator[None]:
        """Return to the present functional mode after the block, though the board may change it by itself meanwhile."""
        former = self.functional_mode()

        def restore() -> None:
            if self.functional_mode() != former:
                self.set_functional_mode(former)

        with restoring(f"returning to AT+CFUN={former}", restore):
            yield

    def write_settings(self, wanted: WantedSettings, note: Callable[[str], None], keep: Keep) -> None:
        """Write the settings of ``wanted`` that differ. ``note``, ``keep``: see harness.modem.settings."""
        write_settings(self._port, wanted, self.offline, note, keep)

    def put_back(self, commands: Sequence[str]) -> None:
        """Put former settings back. Raises AtError."""
        put_back(self._port, commands, self.offline)

    def registration(self) -> Registration:
        """Return the present registration."""
        return ask(self._port, "AT+CEREG?", lambda answer: Registration.from_read(answer.value("+CEREG")))

    def register(self, timeout: float = 120.0) -> Registration:
        """Switch the modem on and wait until it is registered, at most ``timeout`` seconds.

        Raises NotRegistered: at once when the network denies it or the SIM does not work, else at the deadline.
        """
        deadline = time.monotonic() + timeout
        notified = self._port.listen("+CEREG")
        listen_to_network(self._port)
        unlocked = self.switch_on()
        last = self.registration()  # a modem that is registered already says nothing by itself
        while not last.final or (unlocked and last.status == UICC_FAILURE):  # that was before the PIN
            try:
                urc = notified.next(max(0.0, deadline - time.monotonic()), what="+CEREG: 1 or 5")
            except NoAnswer as silence:
                raise NotRegistered(
                    f"{self._port.name}: not registered within {timeout:g} s, last {last.text} ({last.meaning}): "
                    f"check antenna, SIM and coverage; {silence}"
                ) from silence
            last = Registration.from_urc(urc.args)
        if last.status == DENIED:
            raise NotRegistered(
                f"{self._port.name}: {last.text} ({last.meaning}): check the SIM's subscription "
                "and its roaming networks"
            )
        if last.status == UICC_FAILURE:
            raise NotRegistered(
                f"{self._port.name}: {last.text} ({last.meaning}): check that a SIM is inserted and active, "
                "and pin_env if it has a PIN"
            )
        return last

    def generate_key(self, sec_tag: int, *, subject: str | None = None, key_usage: str | None = None) -> KeygenResult:
        """Make a P-256 key on the device, at ``sec_tag`` type 2, and return its CSR, checked.

        ``subject``: X.500 attributes, ``CN=mydevice,O=Lab``; without it the CN is the device UUID. ``key_usage``: up to
        nine ``0`` and ``1`` in the order of RFC 5280 §4.2.1.3. Needs an inactive modem (AtError 518) and no key there
        (AtError 519). Raises KeygenMismatch when the answer is not what was asked for.
        """
        self.credentials.check_sec_tag(sec_tag)
        if subject is not None and not _ATTRIBUTES.fullmatch(subject):
            raise Misuse(f'expected printable ASCII without " as subject, such as CN=mydevice, got {subject!r}')
        if key_usage is not None and not _KEY_USAGE.fullmatch(key_usage):
            raise Misuse(f"expected one to nine digits 0 and 1 as key_usage, such as 101010000, got {key_usage!r}")
        command = f"AT%KEYGEN={sec_tag},2,0"
        if subject is not None:
            command += f',"{subject}"'
        if key_usage is not None:
            # UNCONFIRMED: may the middle parameter be left out here, as elsewhere?
            command += f',"{key_usage}"' if subject is not None else f',,"{key_usage}"'
        device_uuid = read_device_uuid(self._port)
        answer = self._port.command(command)
        common_name = device_uuid if subject is None else _common_name(subject)
        return parse_keygen(answer.value("%KEYGEN"), sec_tag=sec_tag, device_uuid=device_uuid, common_name=common_name)

    def jwt(
        self,
        *,
        sec_tag: int | None = None,
        key_type: int = 2,
        expires_in: int | None = 600,
        subject: str | None = "",
        audience: str | None = "",
    ) -> ModemJwt:
        """Return a token signed by the key at ``sec_tag``, or by the device identity key without one.

        ``key_type``: 2 client key, 8 endorsement key (nRF9160). ``expires_in``: seconds; 0 for a token without an end,
        otherwise the modem must know the time. ``subject``: empty for the device UUID. ``audience``: the claim aud.
        None leaves a parameter out. The signature is not checked, see :meth:`ModemJwt.verify`. Raises AtError (513: no
        such key), JwtMismatch.
        """
        command = jwt_command(
            sec_tag=sec_tag, key_type=key_type, expires_in=expires_in, subject=subject, audience=audience
        )

        def read(answer: Answer) -> ModemJwt:
            return parse_jwt(answer.value("%JWT"), expires_in=expires_in, subject=subject, audience=audience)

        return ask(self._port, command, read)

    def attestation_token(self, challenge: bytes | None = None) -> AttestationToken:
        """Return the modem's signed statement of who it is, with ``challenge`` (16 bytes) or a random nonce in it.

        The signature is not checked, see :meth:`AttestationToken.signed_by`. Raises AtError, AttestationMismatch.
        """
        command = attestation_command(challenge)
        device_uuid = read_device_uuid(self._port)

        def read(answer: Answer) -> AttestationToken:
            return parse_attestation(answer.value("%ATTESTTOKEN"), device_uuid=device_uuid, challenge=challenge)

        return ask(self._port, command, read)


def _functional_mode(answer: Answer) -> int:
    mode = answer.value("+CFUN")
    if not mode.isdecimal():
        raise AtFormatError(f"AT+CFUN? answered '+CFUN: {mode}', which is not a functional mode: {LOST_BYTES}")
    return int(mode)


def _common_name(subject: str) -> str | None:
    found = _COMMON_NAME.search(subject)
    return found[1].strip() if found else None
