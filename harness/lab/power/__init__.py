"""A board's power: the tools that switch it, the proof that it was switched, the modem's reset-loop restriction."""

from harness.lab.power.board_power import BoardPower, PowerUnproven
from harness.lab.power.reset_loop import ResetLoop

__all__ = ["BoardPower", "PowerUnproven", "ResetLoop"]
