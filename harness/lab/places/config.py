"""What boards.yaml may say about labgrid: where its coordinator is, and where it is installed."""

import os
from pathlib import Path
from typing import Annotated, Final

from pydantic import ConfigDict, Field

from harness.settings import Address, Settings

DEFAULT_PORT: Final = 20408
_VARIABLE: Final = "LG_COORDINATOR"
ENVIRONMENT: Final = ".labgrid"


class LabgridConfig(Settings):
    """The coordinator of the lab's places."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    coordinator: Address | None = None
    """HOST:PORT; without it LG_COORDINATOR of the environment, else this computer"""
    environment: Annotated[str, Field(min_length=1)] = ENVIRONMENT
    """The virtual environment in which labgrid is installed, relative to this file; make labgrid-env makes .labgrid"""

    def address(self) -> str:
        """Return the coordinator's HOST:PORT."""
        said = self.coordinator or os.environ.get(_VARIABLE) or "127.0.0.1"
        return said if ":" in said else f"{said}:{DEFAULT_PORT}"

    def python(self, folder: Path) -> Path:
        """Return the interpreter of labgrid's environment. ``folder``: of the boards file."""
        return folder / self.environment / "bin" / "python"
