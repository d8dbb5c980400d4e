"""The account's REST API in general: objects that may be missing, lists in pages, operations that take a while."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import requests

from harness.cloud.endpoints import CloudEndpoints
from harness.cloud.refusals import RestError, StillPending
from harness.cloud.rest import Note, RestClient
from harness.errors import Misuse

_MOST_PAGES = 100
_T = TypeVar("_T")


class AccountRest(RestClient):
    """Calls with the account's API key. ``poll``: seconds between two looks at an operation."""

    def __init__(self, endpoints: CloudEndpoints, api_key: str, *, note: Note, pause: float, poll: float) -> None:
        super().__init__(endpoints, api_key, note=note, pause=pause)
        self._cloud = endpoints.name
        self._poll = poll

    def find(self, path: str) -> dict[str, Any] | None:
        """Return an object, or None if there is none."""
        try:
            return read_object(self.call("GET", path))
        except RestError as error:
            if error.status == 404:
                return None
            raise

    def items(self, path: str, query: Mapping[str, str], what: str) -> list[dict[str, Any]]:
        """Return all items of a list, from all its pages; ``what`` they are, for messages.

        ``path``: of the list. ``query``: parameters of each call.
        """
        query = {"pageLimit": "100", **query}
        items: list[dict[str, Any]] = []
        for _ in range(_MOST_PAGES):
            page = read_object(self.call("GET", path, query=query), "items")
            items += page["items"]
            token = page.get("pageNextToken")
            if not token:
                return items
            query["pageNextToken"] = token
        raise Misuse(f"{path} has more than {_MOST_PAGES} pages of {what}")

    def delete(self, path: str) -> bool:
        """Delete an object; False if it was gone already."""
        try:
            self.call("DELETE", path)
        except RestError as error:
            if error.status == 404:
                return False
            raise
        return True

    def wait_for(self, look: Callable[[], _T | None], what: str, timeout: float) -> _T:
        """Return what ``look`` returns as soon as it is not None. Raises StillPending.

        ``what``: it is waited for, for messages. ``timeout``: seconds.
        """
        deadline = time.monotonic() + timeout
        while (found := look()) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise StillPending(
                    f"cloud {self._cloud!r}: waited {timeout:g} s for {what};"
                    " see the cloud's status page, or wait longer"
                )
            self.wait(min(self._poll, left))
        return found


def path_of(*parts: str) -> str:
    """Return the path of an object. Each part is quoted, so a slash in it makes no new part."""
    return "".join("/" + quote(part, safe=":") for part in parts)


def read_object(response: requests.Response, *required: str) -> dict[str, Any]:
    """Return the JSON object of an answer. Raises RestError if there is none, or a ``required`` member is missing."""
    method, url = response.request.method or "", response.url.partition("?")[0]
    try:
        value = response.json()
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise RestError(method, url, response.status_code, None, "the answer is not a JSON object", attempts=1)
    missing = [name for name in required if name not in value]
    if missing:
        raise RestError(method, url, response.status_code, None, f"the answer has no {', '.join(missing)}", attempts=1)
    return value
