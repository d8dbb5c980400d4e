"""The commands of the templates in ci/, run as a CI runs them: in a checkout, with bash, on a virtual board."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.unit.test_ci_templates import GITHUB, GITLAB, JENKINS, ROOT, SERVICE, TEMPLATES, commands

BOARDS = "boards: [{name: a, virtual: {}, tags: [smoke]}]\n"
FEW = "test_publish and test_shadow_get"
CHECKOUT = (".venv", "tests", "conftest.py", "pytest.ini")


def runnable(path):
    """Return the commands that do the work: not those that make the environment or put old reports away."""
    found = [text.replace("/opt/nrf91/", "") for text in commands(path)]
    return [text for text in found if text.startswith(".venv/bin/")]


@pytest.fixture
def checkout(tmp_path):
    for name in CHECKOUT:
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "lab.yaml").write_text(BOARDS)
    return tmp_path


def execute(folder, text):
    # A night of a few scenarios is a night: the options of the template stay as they are.
    said = {"BOARD": "smoke", "PYTEST_ADDOPTS": f"-k '{FEW}' -p no:cacheprovider", "TMPDIR": str(folder)}
    return subprocess.run(
        ["bash", "-e", "-c", text],
        cwd=folder,
        env={**os.environ, **said},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_every_template_has_a_doctor_or_says_why_not_and_a_night():
    for path in TEMPLATES:
        words = " ".join(runnable(path))
        assert ".venv/bin/pytest tests/scenarios" in words
        assert ("nrf91-harness doctor" in words) or path == SERVICE  # a run of board tests begins with its quick part


@pytest.mark.parametrize("path", [GITHUB, GITLAB, JENKINS], ids=lambda path: path.name)
def test_the_doctors_of_the_templates_let_a_fit_lab_pass(checkout, path):
    (text,) = [text for text in runnable(path) if "doctor" in text]
    done = execute(checkout, text)
    assert done.returncode == 0 or (path == GITLAB and done.returncode == 1), done.stdout + done.stderr


def test_the_nights_of_the_templates_leave_the_reports_that_they_collect(checkout):
    (shared,) = {text for path in (GITHUB, GITLAB) for text in runnable(path) if "pytest" in text}
    (service,) = [text for text in runnable(SERVICE) if "pytest" in text]
    for text in (shared, service):
        done = execute(checkout, text)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "GREEN" in done.stdout
        report = checkout / "reports" / "junit.xml"
        assert 'errors="0" failures="0"' in report.read_text()
        report.unlink()


def test_a_red_night_leaves_jenkins_to_its_report(checkout):
    """Exit code 1 makes the build unstable, by the report; 2 and 4 make it red."""
    (checkout / "lab.yaml").write_text(BOARDS.replace("{}", "{faults: [no-sim]}"))
    (text,) = [text for text in runnable(JENKINS) if "pytest" in text]
    done = execute(checkout, text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'errors="0"' not in (checkout / "reports" / "junit.xml").read_text()
    (checkout / "lab.yaml").write_text("boards: []\n")
    assert execute(checkout, text).returncode == 1  # of the test behind ||, as 4 is not 1
