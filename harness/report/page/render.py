"""Templates, and the policy that lets a page load and send nothing: its own style and script by their hash."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.report.assessment import letters, plural, short_run
from harness.report.page.words import clock, short_test, span, visible

_TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """Return a page made from ``template``."""
    style, script = _text("style.css"), _text("page.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    # Both are the project's own files: the only texts that are not escaped.
    own = {"style": Markup(style), "script": Markup(script), "policy": policy}  # noqa: S704
    return _environment().get_template(template).render(**own, **values)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"span": span, "clock": clock, "short_run": short_run, "letters": letters, "percent": _percent}
    made.globals |= {"plural": plural, "short_test": short_test}
    return made


def _finalize(value: object) -> object:
    return value if isinstance(value, Markup) else visible(str(value))


def _percent(value: float) -> str:
    return f"{value:.2f}%"


@cache
def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
