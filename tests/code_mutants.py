"""``make mutants``: what the unit tests notice of small changes to the code. Runs mutmut, which [tool.mutmut] sets up.

Exit code 0: at least the wanted share is killed; 1: less; 2: mutmut did not come to an end.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from tests.survivors import BadList, Change, change_of, compared, listed

WANTED = 90.0  # percent
MOST = 7200.0  # seconds; a run that was stopped goes on where it was, as mutmut does by itself
KILLED = frozenset({"killed", "timeout"})
AGAIN = frozenset({"survived", "no tests", "suspicious"})  # tests may have been added since
_AT_ONCE = 2 * (os.cpu_count() or 1)  # mutants: many make a test wait for its deadline, and need no processor then
_ENDING = 30.0  # seconds that mutmut gets to write down what it knows
_LINE = re.compile(r"\s*(?P<name>harness\.(?P<module>[\w.]+)\.x[_ǁ]\S*): (?P<result>[a-z ]+)")
# Hypothesis then draws the same examples in every run. Each mutant starts pytest anew: looking for plug-ins that the
# tests do not need would be a quarter of what a mutant costs.
_ENVIRONMENT = {"CI": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_timeout"}
# Whole nights of trials: nearly every mutant of harness/trial reaches them, and each that survives would spend half its
# time there. Mutants that they alone would notice count as survivors.
_NIGHTS = (
    "test_runner.py::test_the_slot_of_what_the_cloud_passes_over_ends_with_the_answer_to_what_is_behind_it",
    "test_runner.py::test_answers_that_take_long_leave_none_for_the_packet_behind",
    "test_runner.py::test_what_may_have_been_refused_late_in_a_group_is_watched_for_longer_alone",
    "test_run_rules.py::test_a_long_test_is_read_as_it_goes_on_for_memory_drops_its_begin",
)
_ENVIRONMENT["PYTEST_ADDOPTS"] = " ".join(f"--deselect=tests/unit/trial/{name}" for name in _NIGHTS)
_PROGRAM = [sys.executable, "-m", "mutmut"]


def counted(lines: Iterable[str]) -> dict[str, Counter[str]]:
    """Return how often each result of ``mutmut results --all true`` came, by module."""
    found: dict[str, Counter[str]] = {}
    for line in lines:
        if match := _LINE.fullmatch(line.rstrip()):
            found.setdefault(match["module"], Counter())[match["result"]] += 1
    return found


def to_try_again(lines: Iterable[str]) -> list[str]:
    """Return the mutants that no test noticed, by what ``mutmut results --all true`` says."""
    matches = (_LINE.fullmatch(line.rstrip()) for line in lines)
    return [match["name"] for match in matches if match and match["result"] in AGAIN]


def share(results: Counter[str]) -> float:
    """Return the percentage of the mutants that were tried and killed; 0 where none was tried."""
    tried = results.total() - results["not checked"]
    return 100.0 * sum(results[result] for result in KILLED) / tried if tried else 0.0


def table(found: dict[str, Counter[str]]) -> list[str]:
    """Return one line for each module, and one for all."""
    rows = [*sorted(found.items()), ("all", sum(found.values(), Counter()))]
    return [
        f"{module:32} {results.total():5} mutants  {share(results):5.1f} % killed"
        + "".join(f"  {count} {result}" for result, count in sorted(results.items()) if result not in KILLED)
        for module, results in rows
    ]


def verdict(everything: Counter[str], *, ended: bool) -> tuple[int, str]:
    """Return the exit code and the line that says why. ``ended``: mutmut came to an end by itself."""
    said = f"{share(everything):.1f} % of the mutants that were tried are killed, {WANTED:g} % are wanted"
    if not ended:
        return 2, f"stopped with {everything['not checked']} not tried ({said}); run it again to go on"
    if share(everything) < WANTED:
        return 1, f"too few: {said}"
    return 0, f"enough: {said}"


def main(names: list[str]) -> int:
    """Run the mutants with these names (patterns as mutmut takes them; none: all), print what was noticed.

    Without names, what was killed stays killed as long as its function is the same; what survived is tried again.
    """
    deadline = time.monotonic() + MOST
    try:
        reasons = listed(Path("docs/survivors"))
    except BadList as error:
        print(error, file=sys.stderr)
        return 2
    known = to_try_again(_results()) if not names and Path("mutants").is_dir() else []
    ended = _ran(names, deadline) and (not known or _ran(known, deadline))
    found = counted(_results())
    if names:
        found = {module: results for module, results in found.items() if results.total() > results["not checked"]}
    print("\n".join(table(found)))
    lacking = compared(_survivors(), reasons, whole=ended and not names)
    print("", *lacking, "", sep="\n")
    code, line = verdict(sum(found.values(), Counter()), ended=ended)
    print(line, file=sys.stderr if code else sys.stdout)
    return code


def _results() -> list[str]:
    said = subprocess.run([*_PROGRAM, "results", "--all", "true"], capture_output=True, text=True, check=False)
    return said.stdout.splitlines()


def _survivors() -> dict[str, Change]:
    """Return what each mutant that no test noticed changes, by its name."""
    found = {}
    diff_of = import_module("mutmut.mutation.diff_apply").get_diff_for_mutant
    for line in _results():
        match = _LINE.fullmatch(line.rstrip())
        if match and match["result"] in AGAIN:
            path = _path(match["module"])
            found[match["name"]] = change_of(match["name"], path, diff_of(match["name"], path=path))
    return found


def _path(module: str) -> str:
    plain = Path("harness", *module.split(".")).with_suffix(".py")
    return str(plain if plain.exists() else plain.with_suffix("") / "__init__.py")


def _ran(names: list[str], deadline: float) -> bool:
    """Let mutmut run until ``deadline``; return whether it came to a good end."""
    environment = {**os.environ, **_ENVIRONMENT}
    # A session of its own: the processes that try mutants end together with it.
    command = [*_PROGRAM, "run", "--max-children", str(_AT_ONCE), *names]
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:
        try:
            return process.wait(max(deadline - time.monotonic(), 0.0)) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, number)
        try:
            process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
