"""Writes a boards file with many virtual boards at real speed: ``python -m tests.many_boards 64 > many.yaml``."""

import sys


def boards_file(number: int) -> str:
    """Return a boards file with ``number`` boards; two sec_tags each, so that a renewal has an empty one."""
    lines = [
        f"  - {{name: b{board:02}, virtual: {{baud: 115200, time_scale: 1}}, sec_tags: [16842753, 16842754]}}"
        for board in range(1, number + 1)
    ]
    return "\n".join(["boards:", *lines, ""])


if __name__ == "__main__":
    print(boards_file(int(sys.argv[1])), end="")
