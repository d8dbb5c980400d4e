"""A hook of MkDocs: pages of the project that lie outside docs/ are pages of the site, files that pages name go along.

So nothing is written twice: the README, which is where everybody begins, is the site's first page too.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PAGES = {"README.md": "index.md", "CHANGELOG.md": "CHANGELOG.md", "CONTRIBUTING.md": "CONTRIBUTING.md"}
"""Pages outside docs/, and what they are called on the site."""
FILES = "files"
"""The site's folder for files that pages link to."""
_LINK = re.compile(r"(\]\()([^)\s#:]+)(#[^)]*)?(\))")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put pages that the navigation does not name under "More"."""
    names = named_pages(config.nav)
    rest = [path.name for path in sorted((ROOT / "docs").glob("*.md")) if path.name not in names]
    config.nav = [*(config.nav or []), *([{"More": rest}] if rest else [])]
    return config


def named_pages(part: Any) -> list[str]:
    """Return the pages of a part of the navigation."""
    if isinstance(part, str):
        return [part]
    inner = part.values() if isinstance(part, dict) else part or ()
    return [page for one in inner for page in named_pages(one)]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages, and every file of the project that some page links to."""
    named: set[Path] = set()
    for source, name in PAGES.items():
        files.append(File.generated(config, name, content=site_text((ROOT / source).read_text("utf-8"), ROOT)))
        named |= linked_files((ROOT / source).read_text("utf-8"), ROOT)
    for path in sorted((ROOT / "docs").glob("*.md")):
        named |= linked_files(path.read_text("utf-8"), path.parent)
    for path in sorted(named):
        files.append(File.generated(config, f"{FILES}/{path.relative_to(ROOT)}.txt", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links out of docs/ lead to the site's copies."""
    return markdown if page.file.src_uri in PAGES.values() else site_text(markdown, ROOT / "docs")


def site_text(text: str, folder: Path) -> str:
    """Return the Markdown ``text`` of a page in ``folder`` with links as they are on the site."""
    return _LINK.sub(lambda found: f"{found[1]}{site_link(found[2], folder)}{found[3] or ''}{found[4]}", text)


def site_link(link: str, folder: Path) -> str:
    """Return where a link of a page in ``folder`` leads on the site; one that leads nowhere stays as it is."""
    target = Path(os.path.normpath(folder / link))
    if not target.is_file() or not target.is_relative_to(ROOT):
        return link
    inside = PurePosixPath(target.relative_to(ROOT))
    if str(inside) in PAGES:
        return PAGES[str(inside)]
    return str(inside.relative_to("docs")) if inside.parts[0] == "docs" else f"{FILES}/{inside}.txt"


def linked_files(text: str, folder: Path) -> set[Path]:
    """Return the files of the project that a page in ``folder`` links to, without pages of the site."""
    targets = {Path(os.path.normpath(folder / found[2])) for found in _LINK.finditer(text)}
    return {target for target in targets if target.is_file() and site_link(str(target), ROOT).startswith(f"{FILES}/")}
