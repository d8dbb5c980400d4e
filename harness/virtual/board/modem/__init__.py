"""The virtual modem: what the modem core answers, without framing and without I/O."""

from harness.virtual.board.modem.modem import Modem
from harness.virtual.board.modem.nvm import BoardIdentity, Nvm, make_identity

__all__ = ["BoardIdentity", "Modem", "Nvm", "make_identity"]
