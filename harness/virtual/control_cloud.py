"""Carries out the commands to a running local cloud. Imported where there is one: the cloud is slow to import."""

import asyncio
from typing import Any

from pydantic import ValidationError

from harness.settings import BrokerBehaviour
from harness.settings.cloud_faults import (
    ChangeBroker,
    ClearRest,
    CloseConnection,
    CloudCommand,
    DeafenClient,
    DisturbRest,
    DuplicateClient,
    HearClient,
    RefuseHandshakes,
    RestartBroker,
    StartBroker,
    StopBroker,
    StopDuplicate,
    TrustIdentity,
)
from harness.settings.sentences import sentences
from harness.virtual.cloud.local_cloud import LocalCloud
from harness.virtual.cloud.provisioning.attestation import parse_identity
from harness.virtual.unusable import CannotDo


class CloudControl:
    """The commands to ``cloud``."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._stopped = False
        self._starting: asyncio.Task[None] | None = None

    async def perform(self, command: CloudCommand) -> dict[str, Any]:
        """Carry out a command and return what its answer says besides ``ok``. Raises CannotDo or OSError."""
        match command:
            case StopBroker() | StartBroker() | RestartBroker():
                return await self._switch(command)
            case ChangeBroker():
                return {"settings": self._change(command.settings)}
            case RefuseHandshakes():
                alert = command.alert if command.how == "alert" else None
                self._cloud.broker.refuse_handshakes(command.count, alert)
            case DisturbRest():
                self._cloud.rest_disturbances.expect(command)
            case ClearRest():
                self._cloud.rest_disturbances.expect(None)
            case TrustIdentity():
                self._trust(command.identity)
            case _:
                self._to_client(command)
        return {}

    def _to_client(
        self, command: CloseConnection | DuplicateClient | StopDuplicate | DeafenClient | HearClient
    ) -> None:
        broker, interference = self._cloud.broker, self._cloud.broker.interference
        clients = self._cloud.clients(command.client_id)
        match command:
            case CloseConnection(style=style):
                if not [client for client in clients if broker.disconnect(client, style=style)]:
                    raise CannotDo(f"client {command.client_id!r} has no connection")
            case DuplicateClient(backoff=backoff, times=times):
                for client in clients:
                    interference.add_rival(client, backoff, times)
            case StopDuplicate():
                if not [client for client in clients if interference.remove_rival(client)]:
                    raise CannotDo(f"client {command.client_id!r} has no duplicate")
            case DeafenClient(chance=chance, seconds=seconds, seed=seed):
                if not clients:
                    raise CannotDo("no observer is connected")
                for client in clients:
                    interference.deafen(client, chance, seconds, seed)
            case HearClient():
                if not [client for client in clients if interference.hear(client)]:
                    raise CannotDo(f"client {command.client_id!r} is not deaf")

    async def _switch(self, command: StopBroker | StartBroker | RestartBroker) -> dict[str, Any]:
        start = isinstance(command, StartBroker)
        if start != self._stopped:
            raise CannotDo(f"the broker {'runs' if start else 'is stopped'} already")
        if start:
            await self._start(0.0)
        else:
            self._stopped = True
            await self._cloud.broker.stop()
        if isinstance(command, RestartBroker):
            self._starting = asyncio.create_task(self._start(command.seconds))
            if not command.seconds:
                await self._starting
        return {"mqtt": list(self._cloud.mqtt_address)}

    async def _start(self, seconds: float) -> None:
        if seconds:
            await asyncio.sleep(seconds)  # the absence is what is simulated
        if self._stopped:  # else somebody else has started it meanwhile
            await self._cloud.broker.start(*self._cloud.mqtt_address)
            self._stopped = False

    def _change(self, changes: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._cloud.change_broker(changes)
        except ValidationError as error:
            raise CannotDo("; ".join(sentences(error, BrokerBehaviour))) from None

    def _trust(self, identity: str) -> None:
        try:
            self._cloud.identities.trust(*parse_identity(identity))
        except ValueError:
            raise CannotDo("'identity' is not a UUID with a point on P-256") from None
