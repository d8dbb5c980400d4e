"""The MQTT 3.1.1 broker of the local cloud: sessions, subscriptions, retained messages, and the listening socket.

It behaves like AWS IoT Core's message broker (Developer Guide, "MQTT"); :class:`CloudSettings` holds what is variable.
Everything runs in one event loop, without a task per connection.
"""

import asyncio
from collections.abc import Callable, Mapping

from harness.settings import CloseStyle, CloudSettings
from harness.virtual.cloud.broker.connection import Connection
from harness.virtual.cloud.broker.interfaces import Directory, Journal, PresenceBook, Services
from harness.virtual.cloud.broker.interference import Interference
from harness.virtual.cloud.broker.session import Delivery, Session
from harness.virtual.cloud.broker.subscriptions import Subscriptions
from harness.virtual.cloud.tls.listener import TlsListener
from harness.virtual.mqtt import Connect, Publish, Will


class Broker:
    """A broker. ``directory`` says who clients are, ``services`` get what is published, ``journal`` gets the reasons.

    ``profile``: may be replaced while the broker runs. ``presence``: called when things connect and disconnect.
    """

    def __init__(
        self,
        directory: Directory,
        services: Services,
        journal: Journal,
        profile: CloudSettings | None = None,
        presence: PresenceBook | None = None,
    ) -> None:
        self.directory = directory
        self.journal = journal
        self.profile = profile or CloudSettings()
        self.subscriptions = Subscriptions(hash_matches_parent=self.profile.hash_matches_parent)
        self._services = services
        self._presence = presence
        self.interference = Interference(journal, _later, _clock, self.disconnect)
        self._sessions: dict[str, Session] = {}
        self._connections: dict[str, Connection] = {}
        self._expiries: dict[str, asyncio.TimerHandle] = {}
        self._retained: dict[str, Delivery] = {}
        self._listener = TlsListener(directory, journal, lambda: self.profile, lambda: Connection(self))

    # for the rest of the local cloud

    @property
    def sessions(self) -> Mapping[str, Session]:
        """Sessions by client id, of connected clients and of absent ones with a persistent session."""
        return self._sessions

    def connected(self, client_id: str) -> bool:
        """Tell whether this client has a connection now."""
        return client_id in self._connections

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port (``port`` 0: the system chooses)."""
        return await self._listener.start(host, port)

    async def stop(self) -> None:
        """Stop listening and end every connection."""
        self._listener.close()
        for connection in list(self._connections.values()):
            connection.close("SERVER_INITIATED_DISCONNECT", "the broker stops")
        for handle in self._expiries.values():
            handle.cancel()
        self._expiries.clear()
        await self._listener.stop()

    def publish(self, topic: str, payload: bytes, qos: int = 1) -> int:
        """Publish as the service itself; return how many subscribers got the message or have it queued.

        ``topic``, ``payload``: of the message. ``qos``: the highest QoS with which a subscriber gets it.
        """
        return self._fan_out(None, Delivery(topic, payload, qos), retain=False)

    def send_to(self, client_id: str, topic: str, payload: bytes, qos: int = 1) -> bool:
        """Send to one client, subscribed or not; False if it did not get the message. AWS IoT answers job requests so.

        ``client_id``: the client. ``topic``, ``payload``, ``qos``: of the message.
        """
        session = self._sessions.get(client_id)
        return session is not None and self._deliver(session, Delivery(topic, payload, qos))

    def disconnect(
        self, client_id: str, reason: str = "SERVER_INITIATED_DISCONNECT", *, style: CloseStyle = "notify"
    ) -> bool:
        """End a client's connection; False if it has none.

        ``client_id``: the client. ``reason``: in the words of AWS IoT's lifecycle events. ``style``: see CloudSettings.
        """
        connection = self._connections.get(client_id)
        if connection is None:
            return False
        connection.close(reason, style=style)
        return True

    def refuse_handshakes(self, count: int, alert: int | None) -> None:
        """Refuse the next ``count`` TLS handshakes. ``alert``: its number; None: the connection ends without one."""
        self._listener.refuse(count, alert)

    # for connections

    def refuses_next(self) -> bool:
        return self.interference.refuses_next(self.profile)

    def throttles_connect(self, client_id: str) -> bool:
        return self.interference.throttles_connect(client_id, self.profile.limits.connect_gap)

    def attach(self, connection: Connection, connect: Connect) -> tuple[Session, bool]:
        client_id = connect.client_id
        if older := self._connections.get(client_id):
            older.close("DUPLICATE_CLIENTID", "the same client id connected again")
        if expiry := self._expiries.pop(client_id, None):
            expiry.cancel()
        session = self._sessions.get(client_id)
        if session is not None and connect.clean_session:
            self._forget(session)
            session = None
        present = session is not None
        if session is None:
            session = Session(client_id, self.profile.limits, persistent=not connect.clean_session)
            self._sessions[client_id] = session
        self._connections[client_id] = connection
        self.interference.connected(client_id)
        return session, present

    def arrived(self, thing: str | None) -> None:
        if thing is not None and self._presence is not None:
            self._presence.connected(thing, self.profile)

    def left(self, thing: str | None, reason: str) -> None:
        if thing is not None and self._presence is not None:
            self._presence.disconnected(thing, reason, self.profile)

    def detach(self, session: Session) -> None:
        del self._connections[session.client_id]
        if not session.persistent:
            self._forget(session)
            return
        loop = asyncio.get_running_loop()
        expiry = loop.call_later(self.profile.limits.session_expiry, self._expire, session)
        self._expiries[session.client_id] = expiry

    def subscribe(self, session: Session, text: str, qos: int) -> list[Delivery]:
        """Subscribe ``session`` to the filter ``text`` with ``qos``; return the retained messages for it."""
        session.subscriptions[text] = qos
        self.subscriptions.add(text, session.client_id, qos)
        self._services.on_subscribe(session.client_id, text, qos)
        return [
            Delivery(message.topic, message.payload, min(message.qos, qos), retain=True)
            for message in self._retained_for(text)
        ]

    def unsubscribe(self, session: Session, text: str) -> None:
        session.subscriptions.pop(text, None)
        self.subscriptions.remove(text, session.client_id)

    def accept(self, client_id: str, message: Publish | Will) -> None:
        # AWS IoT Core Developer Guide, shadows and last wills: the services ignore a will on a reserved topic.
        if not (isinstance(message, Will) and message.topic.startswith("$")):
            self._services.on_publish(client_id, message.topic, message.payload, message.qos, message.retain)
        if message.retain:
            self._retain(message)
        self._fan_out(client_id, Delivery(message.topic, message.payload, message.qos), retain=message.retain)

    # inside

    def _fan_out(self, publisher: str | None, message: Delivery, *, retain: bool) -> int:
        deliveries = 0
        for client_id, qos in self.subscriptions.match(message.topic).items():
            granted = Delivery(message.topic, message.payload, min(qos, message.qos))
            deliveries += self._deliver(self._sessions[client_id], granted)
        self.journal.write(
            "publish",
            client_id=publisher,
            topic=message.topic,
            qos=message.qos,
            retain=retain,
            bytes=len(message.payload),
            deliveries=deliveries,
        )
        return deliveries

    def _deliver(self, session: Session, message: Delivery) -> bool:
        if self.interference.loses(session.client_id, message.topic):
            return False
        if connection := self._connections.get(session.client_id):
            return connection.deliver(message)
        return message.qos > 0 and session.enqueue(message)

    def _retain(self, message: Publish | Will) -> None:
        if message.payload:
            self._retained[message.topic] = Delivery(message.topic, message.payload, message.qos)
        else:
            self._retained.pop(message.topic, None)

    def _retained_for(self, text: str) -> list[Delivery]:
        if not self.profile.retained_by_wildcard:
            return [self._retained[text]] if text in self._retained else []
        one = Subscriptions(hash_matches_parent=self.profile.hash_matches_parent)
        one.add(text, "", 0)
        return [message for message in self._retained.values() if one.match(message.topic)]

    def _expire(self, session: Session) -> None:
        del self._expiries[session.client_id]
        self._forget(session)
        self.journal.write("session_expired", client_id=session.client_id, messages=session.pending)

    def _forget(self, session: Session) -> None:
        for text in session.subscriptions:
            self.subscriptions.remove(text, session.client_id)
        del self._sessions[session.client_id]


def _later(seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(seconds, call)


def _clock() -> float:
    return asyncio.get_running_loop().time()
