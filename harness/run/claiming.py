"""Claiming a board, and having it make its key and store its credentials as the provisioning service tells it.

nRF Cloud documentation, "nRF Cloud Identity and Provisioning Service"; nRF Cloud Utils, claim_and_provision_device.
Commands for a claimed board wait in the service until its client fetches them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from harness.cloud import HARNESS_TAG, RestError
from harness.credentials import ProvisionRequest
from harness.errors import HarnessError, Misuse, Party, Refusal
from harness.firmware import Capability, fetch_commands
from harness.modem import CredentialKind, KeygenResult, parse_keygen
from harness.run.cloud import Cloud
from harness.run.open_board import OpenBoard
from harness.run.repetition import Rounds

_RUN_LOCAL: Final = 20.0  # seconds that one run of the client may take
_RUN_PUBLIC: Final = 180.0  # attaching, and a connection for each answer
# A client that was busy does not hear that it is to look now, so it is told again.
_ROUNDS_LOCAL: Final = Rounds(most=5, gap=0.1, deadline=60.0)
_ROUNDS_PUBLIC: Final = Rounds(most=4, gap=5.0, deadline=600.0)
_KEY_USAGE: Final = "101010000"  # as nRF Cloud Utils asks for it


class NotCarriedOut(Refusal):
    """The board's client did not carry out its provisioning commands within the attempts and the time for it."""

    party = Party.UNCLEAR  # the client, the network or the service: the last state and the client's words are said


class CommandFailed(Refusal):
    """The board fetched a provisioning command and could not carry it out."""

    party = Party.MODEM


class Claiming:
    """The claim of one board, by which it gets its credentials: :attr:`KeyOrigin.CLAIM`.

    ``board``: the open one. ``cloud``: whose team claims it. ``request``: what it shall have. Attribute ``rounds``: how
    often its provisioning client was told to look for commands.
    """

    def __init__(self, board: OpenBoard, cloud: Cloud, request: ProvisionRequest) -> None:
        """Raises Misuse when the board cannot be claimed."""
        if lacking := board.firmware.lacks(Capability.PROVISIONING):
            raise Misuse(
                f"{request.device_id}: cannot be claimed: {lacking}; it needs a shell with that, or another key origin"
            )
        uuid = board.identity.device_uuid
        if uuid is None:
            raise Misuse(
                f"{request.device_id}: the modem has no device UUID, so it cannot be claimed; choose another key origin"
            )
        self._uuid = uuid
        self._board = board
        self._cloud = cloud
        self._request = request
        public = cloud.endpoints.public
        self._rounds, self._patience = (_ROUNDS_PUBLIC, _RUN_PUBLIC) if public else (_ROUNDS_LOCAL, _RUN_LOCAL)
        self.rounds = 0

    def make_key(self, sec_tag: int) -> KeygenResult:
        """Claim the board, and have it make a key there. Raises CommandFailed, RestError, KeygenMismatch, LabError."""
        name = self._request.device_id
        wanted = {"attributes": f"CN={name}", "keyUsage": _KEY_USAGE, "secTag": sec_tag}
        with self._given_up_on_failure():
            refused = self._claim()
            try:
                answers = self._carry_out({"certificateSigningRequest": wanted})
            except RestError as error:
                raise (refused or error) from error
            said = answers["certificateSigningRequest"]
            text = str(said.get("csr") or said.get("message") or "")
            return parse_keygen(text, sec_tag=sec_tag, device_uuid=self._uuid, common_name=name)

    def write(self, sec_tag: int, contents: Mapping[int, str]) -> None:
        """Have the board store root CA and certificate. Raises CommandFailed, RestError, LabError."""
        kinds = {"serverCertificate": CredentialKind.ROOT_CA, "clientCertificate": CredentialKind.CLIENT_CERT}
        with self._given_up_on_failure():
            self._carry_out(
                {name: {"content": contents[kind], "secTag": sec_tag} for name, kind in kinds.items()},
            )

    def _claim(self) -> RestError | None:
        progress = self._request.progress
        progress("claiming the board with its attestation token")
        token = self._board.modem.attestation_token()
        refused = self._cloud.api.claims.claim(token.token, self._uuid)
        if refused is not None:
            progress(f"not claimed ({refused.status}): it may be in the team already")
        return refused

    def _carry_out(self, commands: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
        """Queue commands, one of a kind, and return what the board answered to each, by kind."""
        claims = self._cloud.api.claims
        queued = {kind: claims.queue(self._uuid, HARNESS_TAG, {kind: details}) for kind, details in commands.items()}
        answers: dict[str, Mapping[str, Any]] = {}

        def fetch(number: int) -> str | None:
            self._request.progress(f"the board's client looks for commands, time {number}")
            said = fetch_commands(self._board.port, timeout=self._patience)
            for kind in [kind for kind in queued if kind not in answers]:
                state = claims.state(self._uuid, queued[kind])
                if state.fault is not None:
                    raise CommandFailed(
                        f"{self._board.port.name}: the board could not carry out {kind}: {state.fault}; see what its"
                        " sec_tag holds, and the modem's error codes"
                    )
                if not state.final:
                    return f"{kind} is {state.status}, the client said {said!r}"
                answers[kind] = state.response.get(kind, {})
            return None

        self._board.modem.register()
        what = f"{self._board.port.name}: its provisioning commands are not done"
        advice = "see what its client logs, and its commands in the provisioning service"
        self.rounds += self._rounds.until(fetch, what, NotCarriedOut, advice=advice)
        return answers

    @contextmanager
    def _given_up_on_failure(self) -> Iterator[None]:
        """Give the board up after a failure: commands that still wait would change it at its next boot.

        A claim of somebody else's stays, and so does one of which nobody can say whose it is: a note says so.
        """
        try:
            yield
        except BaseException as first:
            try:
                self._cloud.api.claims.unclaim(self._uuid)
            except HarnessError as second:
                first.add_note(f"the claim was not given up: {second}")
            raise
