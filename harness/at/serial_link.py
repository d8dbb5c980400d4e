"""Opens a serial port by its path or URL; if that fails, says in the lab's words why."""

import errno
import os
import socket
from urllib.parse import urlsplit

import serial

from harness.at.holders import holders
from harness.at.network_stream import open_rfc2217, open_socket
from harness.at.stream import ByteStream, FdStream
from harness.at.telnet import TelnetReader
from harness.errors import LabError, Misuse, PortBusy, PortMissing

_MISSING = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR, errno.EIO})
_BUSY = frozenset({errno.EBUSY, errno.EAGAIN})
_PATIENCE = 2.0  # seconds for a server of ports to say why it hangs up
_MOST = 1000
_DENIED = frozenset({errno.EACCES, errno.EPERM})


class NoSerialPort(LabError):
    """What the boards file names is there, and is something else."""


class PortDenied(LabError):
    """This user may not open the port; for a moment after it was plugged in that may pass."""


def open_link(url: str, name: str, *, baudrate: int, rtscts: bool) -> ByteStream:
    """Open ``url`` (a device path, ``socket://``, ``rfc2217://``, …) for one owner alone.

    Raises PortMissing, PortBusy, PortDenied, NoSerialPort, LabError (remote side refuses), Misuse (no such kind of URL,
    wrong speed).

    ``name``: the board's, for messages. ``baudrate``: in bit/s. ``rtscts``: hardware flow control.
    """
    try:
        return _opened(url, name, baudrate, rtscts)
    except serial.SerialException as error:
        raise _refused(url, name, error.errno, str(error)) from error
    except ValueError as error:
        if "option" in str(error):
            raise _refused(url, name, None, str(error)) from error
        raise Misuse(f"{name}: cannot open {url}: {error}; correct the port in the boards file") from error
    except OSError as error:
        raise _refused(url, name, error.errno, str(error)) from error


def _opened(url: str, name: str, baudrate: int, rtscts: bool) -> ByteStream:
    scheme, separator, _ = url.partition("://")
    if scheme.lower() == "rfc2217":
        return open_rfc2217(url, name, rate=baudrate, rtscts=rtscts)
    if scheme.lower() == "socket":
        return open_socket(url, name)
    device = serial.serial_for_url(url, do_not_open=True, baudrate=baudrate, rtscts=rtscts)
    if not separator:
        device.exclusive = True
    device.open()
    try:
        device.fileno()
    except (OSError, AttributeError) as error:  # io.UnsupportedOperation is an OSError
        device.close()
        raise ValueError("no thread can wait for it, because it has no descriptor") from error
    return FdStream(device, name)


def _refused(url: str, name: str, number: int | None, text: str) -> LabError:
    if said := server_says(url):
        return PortBusy(f"{name}: {url} is taken, the server there says {said!r}")
    if "option" in text:  # pyserial: "timeout while waiting for option 'purge'", "remote rejected value for option"
        return LabError(
            f"{name}: {url} does not speak RFC 2217 as it should ({text}); use socket:// or a newer ser2net there"
        )
    if "://" in url:
        return PortMissing(f"{name}: cannot open {url}: {text}; is the server there, and does it serve that port?")
    if number in _MISSING:
        return PortMissing(
            f"{name}: no port {url} ({text}); is the board plugged in, and does the boards file name the right one?"
        )
    if number in _BUSY:
        return PortBusy(f"{name}: {url} is in use by {_holders(url)}")
    if _is_no_terminal(url):
        return NoSerialPort(f"{name}: {url} is not a serial port; correct port: in the boards file")
    if number in _DENIED:
        return PortDenied(f"{name}: no permission for {url}; add this user to the group dialout and log in again")
    return LabError(f"{name}: cannot open {url}: {text}")


def _is_no_terminal(path: str) -> bool:
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return not os.isatty(opened)
    finally:
        os.close(opened)


def server_says(url: str) -> str | None:
    """Return the line in which a server of ports says that the port is taken; None if it says nothing of the kind.

    ser2net writes ``Port already in use`` to a second client, behind what Telnet says at the start, and hangs up.
    """
    if "://" not in url:
        return None
    parts = urlsplit(url)
    try:
        if parts.port is None:
            return None
        with socket.create_connection((parts.hostname, parts.port), timeout=_PATIENCE) as connection:
            heard = b""
            while len(heard) < _MOST and (part := connection.recv(_MOST)):
                heard += part
    except (OSError, ValueError):  # no server, or one that goes on talking: it has given the port to this connection
        return None
    said = TelnetReader().feed(heard).decode("ascii", "ignore")
    return next((line for line in said.splitlines() if "in use" in line.lower()), None)


def _holders(url: str) -> str:
    found = holders([url])[url]
    others = [holder for holder in found if holder.pid != os.getpid()]
    if found and not others:
        return "this run itself, for another board: two entries of the boards file are one port; remove one of them"
    named = ", ".join(map(str, others)) or "another program, perhaps ModemManager (it probes every new port)"
    return f"{named}; end it, or wait for it"
