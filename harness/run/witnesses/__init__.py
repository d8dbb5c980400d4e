"""Who is asked after a hang-up, before the board connects again: the cloud, the observer, the modem.

Each is called without arguments, writes what it learned to the board's timeline, and returns it ready for JSON.
"""

from harness.run.witnesses.board_witnesses import BoardWitnesses
from harness.run.witnesses.cloud_word import CloudWord
from harness.run.witnesses.delivery import ObserverAlive
from harness.run.witnesses.radio import RadioWitness

__all__ = ["BoardWitnesses", "CloudWord", "ObserverAlive", "RadioWitness"]
