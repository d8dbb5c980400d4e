"""The at_client sample: Nordic's AT host library and nothing else."""

from harness.virtual.board.at_host.server import AtHost

__all__ = ["AtHost"]
