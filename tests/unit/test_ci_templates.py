"""The templates in ci/: by the schemas of their CI, and every command in them by the parser that would read it."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from harness.cli.arguments import parse

ROOT = Path(__file__).parents[2]
CI = ROOT / "ci"
GITHUB, GITLAB, JENKINS = CI / "github-actions.yml", CI / "gitlab-ci.yml", CI / "Jenkinsfile"
SERVICE, TIMER = CI / "systemd" / "nrf91-nightly.service", CI / "systemd" / "nrf91-nightly.timer"
TEMPLATES = [GITHUB, GITLAB, JENKINS, SERVICE]


def schema(name):
    text = resources.files("check_jsonschema.builtin_schemas").joinpath("vendor", f"{name}.json").read_text()
    return jsonschema_rs.validator_for(json.loads(text))


def unit(path):
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read_string(path.read_text())
    return parser


def commands(path):
    """Return the shell commands of a template."""
    text = path.read_text()
    if path == GITHUB:
        steps = yaml.safe_load(text)["jobs"]["boards"]["steps"]
        return [step["run"] for step in steps if "run" in step]
    if path == GITLAB:
        jobs = [job for job in yaml.safe_load(text).values() if isinstance(job, dict)]
        return [line for job in jobs for line in job.get("before_script", []) + job.get("script", [])]
    if path == JENKINS:
        return re.findall(r"sh '([^']*)'", text)
    service = unit(path)["Service"]
    return [value for key, value in service.items() if key.startswith("Exec")]


def words(path, program):
    """Return the arguments of every call of a program, without what follows it in a list of commands."""
    for command in commands(path):
        found = shlex.split(re.split(r"\|\|", command)[0])
        if found and Path(found[0]).name == program:
            yield found[1:]


@pytest.mark.parametrize(
    ("path", "name"), [(GITHUB, "github-workflows"), (GITLAB, "gitlab-ci")], ids=["github", "gitlab"]
)
def test_the_schema_of_the_ci(path, name):
    text = re.sub(r"^on:", '"on":', path.read_text(), flags=re.MULTILINE)  # YAML 1.1 takes on for true
    schema(name).validate(yaml.safe_load(text))
    assert not schema(name).is_valid({"on": "push", "jobs": 5, "stages": 5})


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_command_is_understood(path):
    for command in commands(path):
        subprocess.run(["bash", "-n", "-c", command], check=True, timeout=20)
    for arguments in words(path, "nrf91-harness"):
        assert parse(arguments).command == "doctor"
    (made,) = words(path, "make")
    subprocess.run(["make", "-n", *made], cwd=ROOT, check=True, timeout=20, capture_output=True)
    (arguments,) = words(path, "pytest")
    places = [word for word in arguments if word.startswith("tests")]
    assert all((ROOT / place).is_dir() for place in places)
    assert places


def test_pytest_takes_the_options_of_the_templates(pytester_free_options):
    for path in TEMPLATES:
        (arguments,) = words(path, "pytest")
        assert {word for word in arguments if word.startswith("--")} <= pytester_free_options


@pytest.fixture(scope="module")
def pytester_free_options(request):
    parser = request.config._parser
    return {option for group in [*parser._groups, parser._anonymous] for one in group.options for option in one.names()}


@pytest.mark.parametrize("path", [GITHUB, GITLAB, JENKINS], ids=lambda path: path.name)
def test_junit_artefacts_secret_and_retention(path):
    text = path.read_text()
    assert "reports/" in text
    assert "30" in text
    assert re.search(r"secrets\.NRFCLOUD_API_KEY|variable NRFCLOUD_API_KEY|credentials\('nrfcloud-api-key'\)", text)
    if path != GITHUB:  # it has no reader of JUnit: a run writes its summary to the job's page
        assert "reports/junit.xml" in text


def test_jenkins_file_has_the_shape_of_a_declarative_pipeline():
    text = re.sub(r"//.*|'[^']*'", "", JENKINS.read_text())
    assert text.count("{") == text.count("}")
    assert text.count("(") == text.count(")")
    for block in ("pipeline", "agent", "triggers", "options", "stages", "post", "always"):
        assert re.search(rf"\b{block} \{{", text), block


def test_the_timer_starts_the_service():
    assert TIMER.stem == SERVICE.stem
    assert unit(TIMER)["Timer"]["Persistent"] == "true"
    assert unit(TIMER)["Install"]["WantedBy"] == "timers.target"
    service = unit(SERVICE)["Service"]
    assert service["Type"] == "oneshot"
    assert service["EnvironmentFile"] == "/etc/nrf91-nightly.env"
    if shutil.which("systemd-analyze"):
        done = subprocess.run(
            ["systemd-analyze", "calendar", unit(TIMER)["Timer"]["OnCalendar"]], check=False, timeout=20
        )
        assert done.returncode == 0


def test_the_page_names_every_template():
    page = (ROOT / "docs" / "ci.md").read_text()
    for path in [*TEMPLATES, TIMER]:
        assert str(path.relative_to(ROOT)) in page
