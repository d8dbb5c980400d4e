"""The AT dialogue: any bytes of a board in any pieces, to any command."""

from harness.at.dialogue import Dialogue
from harness.at.syntax import parse_command
from harness.firmware import port_settings
from harness.settings import FirmwareName

_COMMANDS = (
    *("", "AT", "AT+CFUN?", "AT+CGSN", "AT+CEREG?", "AT%CMNG=2,1,0", "AT+CLAC", 'AT#XMQTTPUB="t","",1,0'),
    "AT#XTCPSEND",
)
_FRAMED = port_settings(FirmwareName.SERIAL_MODEM, baudrate=115200, rtscts=False).framed
_LIMIT = 4096


def one_input(data: bytes) -> None:
    """The first byte chooses the command, the second the size of the pieces. Documented errors: none."""
    dialogue = Dialogue(framed=_FRAMED, limit=_LIMIT)
    command = _COMMANDS[data[0] % len(_COMMANDS)] if data else ""
    if command:
        dialogue.begin(parse_command(command))
    size = (data[1] if len(data) > 1 else 0) + 1
    stream = data[2:]
    for start in range(0, len(stream), size):
        dialogue.receive(stream[start : start + size])
    dialogue.give_up()
    dialogue.in_step()
