"""The account's REST API in general: objects that may be missing, lists in pages, operations that take time."""

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
_KINDS: dict[type, str] = {list: "a list", dict: "an object", str: "a text"}
_T = TypeVar("_T")


class AccountRest(RestClient):
    """Calls with the account's API key. ``poll``: seconds from one look at an operation to the next.

    ``endpoints``, ``api_key``, ``note``, ``pause``: see RestClient.
    """

    def __init__(self, endpoints: CloudEndpoints, api_key: str, *, note: Note, pause: float, poll: float) -> None:
        super().__init__(endpoints, api_key, note=note, pause=pause)
        self._cloud = endpoints.name
        self._poll = poll

    def find(self, path: str) -> dict[str, Any] | None:
        """Return the object at ``path``, or None if there is none."""
        try:
            return read_object(self.call("GET", path))
        except RestError as error:
            if error.status == 404:
                return None
            raise

    def items(self, path: str, query: Mapping[str, str], what: str) -> list[dict[str, Any]]:
        """Return all items of a list, from all its pages.

        ``path``: of the list. ``query``: parameters of each call. ``what``: the items are called this in messages.
        """
        query = {"pageLimit": "100", **query}
        items: list[dict[str, Any]] = []
        for _ in range(_MOST_PAGES):
            answer = self.call("GET", path, query=query)
            page = read_object(answer, items=list)
            if not all(isinstance(item, dict) for item in page["items"]):
                raise _odd(answer, "the answer's items are not all objects")
            items += page["items"]
            token = page.get("pageNextToken")
            if not token:
                return items
            if not isinstance(token, str):
                raise _odd(answer, "the answer's pageNextToken is not a text")
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

        ``what``: names what is waited for in messages. ``timeout``: seconds.
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
    """Return the path of an object. Each part is quoted, so a slash in a part does not split it."""
    return "".join("/" + quote(part, safe=":") for part in parts)


def read_object(response: requests.Response, *required: str, **kinds: type) -> dict[str, Any]:
    """Return the JSON object of ``response``. Raises RestError if it is another value, or a member is missing or wrong.

    ``required``: members that it must have. ``kinds``: members that it must have, with their types.
    """
    try:
        value = response.json()
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _odd(response, "the answer is not a JSON object")
    missing = [name for name in (*required, *kinds) if name not in value]
    if missing:
        raise _odd(response, f"the answer has no {', '.join(missing)}")
    for name, kind in kinds.items():
        if not isinstance(value[name], kind):
            raise _odd(response, f"the answer's {name} is not {_KINDS.get(kind, kind.__name__)}")
    return value


def _odd(response: requests.Response, text: str) -> RestError:
    method, url = response.request.method or "", response.url.partition("?")[0]
    return RestError(method, url, response.status_code, None, text, attempts=1)
