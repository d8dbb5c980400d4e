"""``python -m benchmarks [module ...]``: run every benchmark of this folder and print one Markdown table."""

import importlib
import pkgutil
import sys

import benchmarks
from benchmarks.common import Row, markdown_table


def main(chosen: list[str]) -> int:
    """Run the modules that have a ``run() -> list[Row]`` (all, or those named on the command line)."""
    names = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name != "__main__")
    unknown = sorted(set(chosen) - set(names))
    if unknown:
        print(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(names)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    for name in names:
        module = importlib.import_module(f"benchmarks.{name}")
        if hasattr(module, "run") and (not chosen or name in chosen):
            rows += module.run()
    print(markdown_table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
