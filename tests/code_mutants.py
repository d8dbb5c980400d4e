"""``make mutants``: what the unit tests notice of small changes to the code. Runs mutmut, which [tool.mutmut] sets up.

Exit code 0: at least the wanted share is killed; 1: less; 2: mutmut did not come to an end.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable

WANTED = 90.0  # percent
MOST = 7200.0  # seconds; a run that was stopped goes on where it was, as mutmut does by itself
KILLED = frozenset({"killed", "timeout"})
_LINE = re.compile(r"\s*harness\.(?P<module>[\w.]+)\.x[_ǁ]\S*: (?P<result>[a-z ]+)")


def counted(lines: Iterable[str]) -> dict[str, Counter[str]]:
    """Return how often each result of ``mutmut results --all true`` came, by module."""
    found: dict[str, Counter[str]] = {}
    for line in lines:
        if match := _LINE.fullmatch(line.rstrip()):
            found.setdefault(match["module"], Counter())[match["result"]] += 1
    return found


def share(results: Counter[str]) -> float:
    """Return the percentage of mutants that were killed."""
    return 100.0 * sum(results[result] for result in KILLED) / results.total()


def table(found: dict[str, Counter[str]]) -> list[str]:
    """Return one line for each module, and one for all."""
    rows = [*sorted(found.items()), ("all", sum(found.values(), Counter()))]
    return [
        f"{module:32} {results.total():5} mutants  {share(results):5.1f} % killed"
        + "".join(f"  {count} {result}" for result, count in sorted(results.items()) if result not in KILLED)
        for module, results in rows
    ]


def main(names: list[str]) -> int:
    """Run the mutants with these names (patterns as mutmut takes them; none: all), print what was noticed."""
    environment = {**os.environ, "CI": "1"}  # hypothesis then draws the same examples in every run
    program = [sys.executable, "-m", "mutmut"]
    try:
        done = subprocess.run([*program, "run", *names], env=environment, timeout=MOST, check=False)
    except subprocess.TimeoutExpired:
        print(f"not done within {MOST:g} s; run again to go on", file=sys.stderr)
        return 2
    if done.returncode:
        return 2
    said = subprocess.run([*program, "results", "--all", "true"], capture_output=True, text=True, check=True).stdout
    found = {module: results for module, results in counted(said.splitlines()).items() if not results["not checked"]}
    print("\n".join(table(found)))
    return int(share(sum(found.values(), Counter())) < WANTED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
