"""The timeline files of a run: found, packed with gzip when it has ended, and read whether they are packed or not."""

import gzip
import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.file_kind import refuse_other_kinds

_PACKED = ".gz"
_LEVEL = 6  # gzip's own; the highest takes twice as long for files that are a twentieth smaller


def timeline_files(folder: Path) -> list[Path]:
    """Return the timeline files in ``folder``, by name; of one that was being packed the one that is whole."""
    plain = set(folder.glob("*.jsonl"))
    packed = {path for path in folder.glob(f"*.jsonl{_PACKED}") if path.with_suffix("") not in plain}
    return sorted(plain | packed)


def pack(folder: Path) -> None:
    """Pack the timeline files in ``folder``, to a tenth of their size. Raises OSError; what is not packed stays.

    Several at once, one for each core: a night of many boards ends with this, and zlib lets other threads run.
    """
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for done in [threads.submit(_pack, path) for path in folder.glob("*.jsonl")]:
            done.result()


def _pack(path: Path) -> None:
    packed = path.with_name(path.name + _PACKED)
    part = packed.with_name(f".{packed.name}.part")
    try:
        part.write_bytes(gzip.compress(path.read_bytes(), _LEVEL, mtime=0))
        os.replace(part, packed)
    finally:
        part.unlink(missing_ok=True)
    path.unlink()


def read_bytes(path: Path) -> bytes:
    """Return the content of a timeline file, which may have been packed since it got its name. Raises OSError."""
    packed = path.with_name(path.name + _PACKED)
    if path.suffix != _PACKED and (path.exists() or not packed.exists()):
        return _content(path)
    try:
        return gzip.decompress(_content(path if path.suffix == _PACKED else packed))
    except (EOFError, zlib.error) as error:
        raise OSError(0, f"not a whole gzip file ({error})") from error


def _content(path: Path) -> bytes:
    refuse_other_kinds(path)
    return path.read_bytes()
