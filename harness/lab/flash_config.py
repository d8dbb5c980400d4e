"""What boards.yaml may say about a board's firmware: which files belong on it, and which tool writes them."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from harness.lab.power_config import Words
from harness.settings import Settings

File = Annotated[str, Field(min_length=1)]
Timeout = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]


class FlashConfig(Settings):
    """Files that belong on a board. They are written if the board has others, modem firmware first."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    tool: Literal["nrfutil", "west", "pyocd", "command"] = "nrfutil"
    """The tool that writes"""
    application: File | None = None
    """The application's hex file, relative to this file; with tool: west its build folder"""
    modem: File | None = None
    """The modem firmware's zip file, relative to this file"""
    serial: Annotated[str, Field(min_length=1)] | None = None
    """USB serial number of the debugger, in quotes; without it that of the board"""
    command: Words | None = None
    """With tool: command: the program and its words; {file}, {serial}, {kind} (modem, application) are filled in"""
    erase: Literal["all", "touched"] = "all"
    """What is erased before the application is written: all of the application core, or the parts that the file has"""
    application_timeout: Timeout = 120.0
    """Seconds for writing the application"""
    modem_timeout: Timeout = 600.0
    """Seconds for writing the modem firmware"""
