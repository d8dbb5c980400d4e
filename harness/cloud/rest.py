"""HTTPS calls to nRF Cloud: authorisation, time-outs, and a limited number of repeats, each of them noted.

A call is repeated after 429, 5xx and a broken connection, after a pause as Retry-After asks. A POST that the cloud may
have carried out is not sent twice, unless the caller says that a repeat is harmless: it might make a second device or
send a second message. A call that timed out is not repeated, because its time is used up.
"""

import math
import ssl
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol

import requests
from requests.adapters import BaseAdapter
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from harness.cloud.endpoints import CloudEndpoints
from harness.cloud.refusals import CloudBusy, RestError, decode_error
from harness.errors import CloudUnreachable, Misuse
from harness.redact import SECRETS

TIMEOUT: Final = 10.0  # seconds to connect, and for each wait for data
ATTEMPTS: Final = 4
LONGEST_PAUSE: Final = 30.0  # seconds; a longer pause would cost too much of the night
_SHORTEST_KEY: Final = 8


class Note(Protocol):
    """Writes what happened to the current timeline."""

    def __call__(self, text: str, **data: Any) -> None: ...


class _Bearer(requests.auth.AuthBase):
    """Sets the Authorization header. One set by hand would be replaced if the host had an entry in ``.netrc``."""

    def __init__(self, api_key: str | None) -> None:
        self._api_key = api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._api_key is not None:
            request.headers["Authorization"] = f"Bearer {self._api_key}"
        return request


class RestClient:
    """One session with one cloud. ``pause``: seconds before the first repeat, doubled before each further one.

    ``endpoints``: where the cloud is. ``api_key`` None: for devices, which give a token with each call. ``note``:
    writes down each repeat. ``adapter``: carries the calls; None: this computer's network does.
    """

    def __init__(
        self,
        endpoints: CloudEndpoints,
        api_key: str | None,
        *,
        note: Note,
        pause: float,
        adapter: BaseAdapter | None = None,
    ) -> None:
        if api_key is not None:
            if len(api_key) < _SHORTEST_KEY or not api_key.isascii() or any(c.isspace() for c in api_key):
                raise Misuse(
                    f"the API key of cloud {endpoints.name!r} is not a key; copy it from the account's user settings"
                )
            SECRETS.add(api_key)
        self._endpoints = endpoints
        self._note = note
        self._pause = pause
        self._auth = _Bearer(api_key)
        self._closed = threading.Event()
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "nrf91-harness"
        # A proxy from the environment is right for the public cloud and wrong for one on this computer.
        self._session.trust_env = endpoints.public
        if adapter is not None:
            self._session.mount("https://", adapter)

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        body: str | None = None,
        content_type: str | None = None,
        repeatable: bool | None = None,
        token: str | None = None,
    ) -> requests.Response:
        """Send a call and return its answer, whose status is 2xx.

        ``method``, ``path``, ``query``: of the call. ``json`` or ``body``: what is sent, ``body`` with its
        ``content_type``. ``repeatable``: a second execution does no harm; None: that is so for every method but POST.
        ``token``: a device's JWT in place of the API key.

        Raises RestError for another status (CloudBusy for 429 and 5xx), CloudUnreachable for no answer.
        """
        return self._send(
            method,
            self._endpoints.rest + path,
            path,
            self._auth if token is None else _Bearer(token),
            method != "POST" if repeatable is None else repeatable,
            params=query,
            json=json,
            data=None if body is None else body.encode(),
            headers=None if content_type is None else {"Content-Type": content_type},
        )

    def fetch(self, url: str) -> bytes:
        """Return the content of an absolute URL that the cloud gave. The API key is not sent there."""
        return self._send("GET", url, url.partition("?")[0], _Bearer(None), True).content

    def wait(self, seconds: float) -> None:
        """Pause between two polls. Ends early if the client is closed."""
        self._closed.wait(seconds)

    def close(self) -> None:
        """End the session and every pause."""
        self._closed.set()
        self._session.close()

    def _send(
        self, method: str, url: str, shown: str, auth: _Bearer, repeatable: bool, **arguments: Any
    ) -> requests.Response:
        verify = True if self._endpoints.rest_ca is None else str(self._endpoints.rest_ca)
        for attempt in range(1, ATTEMPTS + 1):
            started = time.monotonic()
            try:
                response = self._session.request(
                    method, url, auth=auth, verify=verify, timeout=TIMEOUT, allow_redirects=False, **arguments
                )
            except requests.RequestException as error:
                cause, transient = _explain(error, repeatable)
                dead = self._endpoints.dead()
                if dead is not None or not transient or attempt == ATTEMPTS:
                    raise self._unreachable(method, url, cause, dead, attempt) from error
                self._repeat(method, shown, cause, attempt, self._backoff(attempt))
                continue
            except OSError as error:  # requests' own, for a CA file that is gone: the local cloud's folder was removed
                raise self._unreachable(method, url, str(error), self._endpoints.dead(), attempt) from error
            seconds = round(time.monotonic() - started, 4)
            status = response.status_code
            self._note(
                f"{method} {shown} -> {status}",
                method=method,
                path=shown,
                status=status,
                seconds=seconds,
                attempt=attempt,
            )
            if 200 <= status < 300:
                return response
            # 429 and 503 mean that the request was not carried out; after any other 5xx nobody knows.
            again = status in (429, 503) or (status >= 500 and repeatable)
            if not again or attempt == ATTEMPTS:
                refused = CloudBusy if CloudBusy.is_it(status) else RestError
                raise refused(method, shown, status, *decode_error(response.content), attempts=attempt)
            pause = retry_after(response.headers.get("Retry-After"))
            self._repeat(method, shown, str(status), attempt, self._backoff(attempt) if pause is None else pause)
        raise AssertionError("the last attempt returns or raises")

    def _backoff(self, attempt: int) -> float:
        return min(self._pause * 2.0 ** (attempt - 1), LONGEST_PAUSE)

    def _repeat(self, method: str, shown: str, cause: str, attempt: int, pause: float) -> None:
        self._note(
            f"{method} {shown}: {cause}; try {attempt + 1} of {ATTEMPTS} in {pause:g} s",
            method=method,
            path=shown,
            cause=cause,
            attempt=attempt,
        )
        self.wait(pause)

    def _unreachable(self, method: str, url: str, cause: str, dead: str | None, attempt: int) -> CloudUnreachable:
        tries = "" if attempt == 1 else f" at try {attempt}"
        what = f"{method} {url.partition('?')[0]} failed{tries}: {cause}"
        if dead is not None:
            return CloudUnreachable(f"{dead}; {what}; see the end of its error output and run again")
        return CloudUnreachable(
            f"{what}; check this computer's network and the address of cloud {self._endpoints.name!r}"
        )


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for, LONGEST_PAUSE at most; None if it asks for none."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return None if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_PAUSE)


def _explain(error: requests.RequestException, repeatable: bool) -> tuple[str, bool]:
    """Return the cause in a few words, and whether a repeat is safe and may help."""
    chain = _chain(error)
    root = chain[-1]
    if isinstance(error, requests.exceptions.SSLError):
        reason = root.verify_message if isinstance(root, ssl.SSLCertVerificationError) else str(root)
        return f"TLS: {reason}", False
    if isinstance(error, requests.Timeout):
        doing = "connection" if isinstance(error, requests.ConnectTimeout) else "answer"
        return f"no {doing} within {TIMEOUT:g} s", False
    never_sent = any(isinstance(link, NewConnectionError | ConnectTimeoutError) for link in chain)
    cause = root.strerror if isinstance(root, OSError) and root.strerror else str(root) or type(root).__name__
    if isinstance(error, requests.exceptions.ChunkedEncodingError):  # the connection ended in the middle of the answer
        return cause, repeatable
    return cause, isinstance(error, requests.ConnectionError) and (repeatable or never_sent)


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(inner)
    return chain
