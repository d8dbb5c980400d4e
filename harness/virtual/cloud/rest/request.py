"""Reads what a REST request asks for, and gives lists and refusals nRF Cloud's form.

Facts: nRF Cloud REST API - error body ``{"code": <5 digits>, "message": <text>}``, lists as ``{"items": [...], "total",
"pageNextToken"}``. UNCONFIRMED, chosen here: unknown query parameters and body members are refused like wrong ones, so
that a misspelt filter is noticed; pages hold 10 items unless asked otherwise.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any, TypeVar

from aiohttp import web

from harness.virtual.cloud.formats import cut_page, parse_iso
from harness.virtual.cloud.registry.team import RestRefused
from harness.virtual.cloud.services.json_tree import depth

PAGING = ("pageLimit", "pageNextToken", "pageSort")
_DEFAULT_PAGE = 10
_LONGEST_PAGE = 100
_DEEPEST = 100
_INTEGER = re.compile(r"-?[0-9]{1,15}")
_Item = TypeVar("_Item")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def invalid(message: str) -> RestRefused:
    """Return the refusal of a request that breaks a documented rule."""
    return RestRefused(422, 42200, message)


def read_query(
    request: web.Request, *, allowed: Collection[str], repeatable: Collection[str] = ()
) -> dict[str, list[str]]:
    """Return the query parameters. Raises :class:`RestRefused` 422 for an unknown one, or one that is given too often.

    ``request``: with the parameters. ``allowed``: names that may come once. ``repeatable``: names that may come often.
    """
    query: dict[str, list[str]] = {}
    for name, value in request.query.items():
        if name not in allowed and name not in repeatable:
            raise invalid(f"query parameter {name} is unknown, or not available in the local cloud")
        query.setdefault(name, []).append(value)
    for name, values in query.items():
        if len(values) > 1 and name not in repeatable:
            raise invalid(f"query parameter {name} may be given once only")
    return query


def read_flag(query: dict[str, list[str]], name: str, *, default: bool) -> bool:
    """Return a boolean query parameter.

    ``query``: the parameters. ``name``: of this one. ``default``: the value if it is not given.
    """
    text = query.get(name, [str(default).lower()])[0]
    if text not in ("true", "false"):
        raise invalid(f"query parameter {name} must be true or false")
    return text == "true"


def read_moment(query: dict[str, list[str]], *names: str) -> datetime | None:
    """Return the ISO 8601 time in whichever of these query parameters is given; they all mean the same."""
    present = [name for name in names if name in query]
    if not present:
        return None
    if len(present) > 1:
        raise invalid(f"{' and '.join(present)} mean the same; give one of them")
    try:
        return parse_iso(query[present[0]][0])
    except (ValueError, OverflowError) as error:
        raise invalid(f"{present[0]} must be an ISO 8601 time") from error


def read_integer(query: dict[str, list[str]], name: str, default: int | None = None) -> int:
    """Return a query parameter that is an integer.

    ``query``: the parameters. ``name``: of this one. ``default``: the value if it is not given; None: it is required.
    """
    if name not in query and default is not None:
        return default
    text = query.get(name, [""])[0]
    if not _INTEGER.fullmatch(text):
        raise invalid(f"query parameter {name} must be an integer")
    return int(text)


async def read_json(request: web.Request) -> Any:
    """Return the JSON in the body."""
    try:
        text = (await request.read()).decode()
        body = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(body, ensure_ascii=False).encode()  # fails for lone surrogates, which are not text (RFC 8259 §8.2)
        nested = depth(body)
    except (ValueError, RecursionError) as error:
        raise invalid("the body is not JSON") from error
    if nested > _DEEPEST:
        raise invalid(f"the body is nested deeper than {_DEEPEST} levels")
    return body


async def read_object(request: web.Request, *, allowed: Collection[str]) -> dict[str, Any]:
    """Return the JSON object in the body, which may have only members of ``allowed``."""
    body = await read_json(request)
    if not isinstance(body, dict):
        raise invalid("the body must be a JSON object")
    unknown = body.keys() - set(allowed)
    if unknown:
        raise invalid(f"unknown member {min(unknown)}")
    return body


async def read_ownership_code(request: web.Request) -> str:
    """Return the ownership code that is the body, as plain text or as a JSON string."""
    code = (await request.read()).decode(errors="replace").strip().strip('"')
    if not code:
        raise invalid("the body must be the device's ownership code")
    return code


def read_strings(body: dict[str, Any], name: str) -> list[str]:
    """Return a member that is an optional list of strings."""
    value = body.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid(f"{name} must be a list of strings")
    return value


def answer_page(
    query: dict[str, list[str]],
    items: Iterable[_Item],
    *,
    number: Callable[[_Item], int],
    show: Callable[[_Item], Any],
) -> web.Response:
    """Return the page of ``items`` that the paging parameters ask for; without ``pageSort`` the newest come first.

    ``query``: the parameters. ``number``: returns an item's number, which gives the order. ``show``: makes an item's
    JSON.
    """
    limit = query.get("pageLimit", [str(_DEFAULT_PAGE)])[0]
    if not limit.isascii() or not limit.isdecimal() or not 1 <= int(limit[:4]) <= _LONGEST_PAGE:
        raise invalid(f"pageLimit must be a number from 1 to {_LONGEST_PAGE}")
    order = query.get("pageSort", ["desc"])[0]
    if order not in ("asc", "desc"):
        raise invalid("pageSort must be asc or desc")
    token = query.get("pageNextToken", [None])[0]
    try:
        page, next_token = cut_page(items, number=number, descending=order == "desc", limit=int(limit), token=token)
    except ValueError as error:
        raise invalid(f"pageNextToken: {error}") from error
    answer: dict[str, Any] = {"items": [show(item) for item in page], "total": len(page)}
    if next_token:
        answer["pageNextToken"] = next_token
    return web.json_response(answer)


def accepted() -> web.Response:
    """Return 202 without a body."""
    return web.Response(status=202)
