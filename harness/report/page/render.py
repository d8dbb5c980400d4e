"""Fills templates. A page may load and send nothing: its policy allows its own style and script only, by hash."""

import base64
import hashlib
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
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
    # Style and script are the project's own files, and the only texts that are not escaped.
    own = {"style": Markup(style), "script": Markup(script), "policy": policy}  # noqa: S704
    return _environment().get_template(template).render(**own, **values)


class _CompiledTemplates(FileSystemBytecodeCache):
    """Keeps compiled templates, as Python keeps compiled modules: for a small run compiling takes most of the time."""

    def __init__(self) -> None:
        super().__init__(str(_TEMPLATES / "__pycache__"))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write a compiled template, if the folder can be written."""
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                Path(self.directory).mkdir(exist_ok=True)
                super().dump_bytecode(bucket)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        bytecode_cache=_CompiledTemplates(),
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
