"""The site of the pages: each is on it, links out of docs/ have copies, and one that leads nowhere ends its making."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))


@pytest.fixture
def site():
    pytest.importorskip("mkdocs", reason="make docs installs MkDocs")
    spec = importlib.util.spec_from_file_location("docs_site", ROOT / "scripts" / "docs_site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_of_the_navigation_exists_and_what_it_does_not_name_is_found_too(site):
    named = site.named_pages(CONFIG["nav"])
    assert len(named) == len(set(named))
    assert {name for name in named if not (ROOT / "docs" / name).exists()} == set(site.PAGES.values())
    config = site.MkDocsConfig()
    config.nav = ["index.md", {"A lab": ["cli.md"]}]
    assert set(site.named_pages(site.on_config(config).nav)) >= {path.name for path in (ROOT / "docs").glob("*.md")}
    assert CONFIG["strict"] is True


def test_links_lead_to_the_sites_own_pages_and_copies(site):
    links = {
        "docs/reports.md": "reports.md",
        "docs/pictures/report.png": "pictures/report.png",
        "CHANGELOG.md": "CHANGELOG.md",
        "boards.yaml": "files/boards.yaml.txt",
        "https://semver.org": "https://semver.org",
        "missing.md": "missing.md",
    }
    assert {link: site.site_link(link, ROOT) for link in links} == links
    assert site.site_link("../ci/Jenkinsfile", ROOT / "docs") == "files/ci/Jenkinsfile.txt"
    assert site.site_text("see [a](docs/cli.md#x) and ![b](docs/pictures/report.png)", ROOT) == (
        "see [a](cli.md#x) and ![b](pictures/report.png)"
    )


def test_the_site_is_made_and_a_broken_link_ends_it(site, tmp_path):
    def made(extra=""):
        config = CONFIG | {"site_dir": str(tmp_path / "site"), "docs_dir": str(tmp_path / "docs")}
        config["hooks"] = [str(ROOT / "scripts" / "docs_site.py")]
        config["nav"] = ["index.md", "one.md", "CHANGELOG.md", "CONTRIBUTING.md"]
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / "docs" / "one.md").write_text(f"# One\n{extra}\n")
        for path in (ROOT / "docs").iterdir():
            target = tmp_path / "docs" / path.name
            if not target.exists():
                target.symlink_to(path)
        (tmp_path / "mkdocs.yml").write_text(
            yaml.safe_dump(config | {"validation": {"nav": {"omitted_files": "ignore"}}})
        )
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(tmp_path / "mkdocs.yml")]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = made()
    assert done.returncode == 0, done.stdout + done.stderr
    first = (tmp_path / "site" / "index.html").read_text()
    assert "Two commands" in first
    assert "pictures/report.png" in first
    broken = made("[nowhere](no-such-page.md)")
    assert broken.returncode != 0
    assert "no-such-page.md" in broken.stdout + broken.stderr
