"""What is known of each sample: how AT commands reach it, what it shows, what it publishes. A table.

Sources: sdk-nrf, the samples' prj.conf and main.c, at their default log levels; Asset Tracker Template, README of
``examples/modules/cloud``. What a board's own build does differently is said in the boards file.
"""

from dataclasses import dataclass
from typing import Final

from harness.firmware.cloud_library.numbers import Generation
from harness.settings import Sample

D2C: Final = "{prefix}m/d/{device}/d2c"


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """``at_shell``: AT commands go through a shell; otherwise they share the port with the log.

    ``shows_ready``: its log says that it is connected. ``pairs``: it takes its topics from the pairing in its shadow.
    ``publish``: the line that makes it publish ``{payload}``; None: its button does. ``topic``: where it publishes.
    ``asks``: part of the line in which it asks to be added to an account.
    """

    at_shell: bool = False
    shows_ready: bool = True
    pairs: bool = True
    publish: str | None = None
    topic: str = D2C
    asks: str = "add this device"
    generation: Generation = Generation.CURRENT


FACTS: Final[dict[Sample, SampleFacts]] = {
    Sample.DEVICE_MESSAGE: SampleFacts(),
    Sample.MULTI_SERVICE: SampleFacts(),
    Sample.ASSET_TRACKER_2: SampleFacts(shows_ready=False, asks="USER_ASSOCIATION_REQUEST"),
    Sample.CLOUD_CLIENT: SampleFacts(asks="CLOUD_EVT_PAIR_REQUEST", generation=Generation.NCS_1),
    Sample.ASSET_TRACKER: SampleFacts(asks="CLOUD_EVT_PAIR_REQUEST", generation=Generation.NCS_1),
    Sample.ASSET_TRACKER_TEMPLATE: SampleFacts(
        at_shell=True, pairs=False, publish="att_cloud_publish_mqtt {payload}", topic="{device}/att-pub-topic"
    ),
}
