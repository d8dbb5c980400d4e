"""The answers to a device's requests to the shadow and jobs services, so that "allowed" means answered.

"AWS IoT Core Developer Guide, Device Shadow MQTT topics" and "Jobs MQTT API operations" (whose answers come without a
subscription); nRF Connect SDK, nRF Cloud library, for the topics without ``$aws``. UNCONFIRMED: which message
answers a get there, so any message below the topic counts.
"""

from typing import Final

from harness.policy import Names
from harness.policy.evaluation.expectations import Expectations
from harness.trial import ServiceAnswer

_ASKING: Final = b'{"clientToken":"%NONCE%"}'
_REPORTING: Final = b'{"state":{"reported":{"harness":{"trial":"%NONCE%"}}},"clientToken":"%NONCE%"}'
_TRANSFORMING: Final = b'{"t":"state.desired.nrfcloud_mqtt_topic_prefix"}'


def answer(topic: str, names: Names, expectations: Expectations) -> ServiceAnswer | None:
    """Return how a publish on ``topic`` is answered; None: it is not a request, or its answer may not be received.

    ``names``: of the device. ``expectations``: what the documents allow it."""
    found = _answers(names.device_id).get(topic)
    if found is None:
        return None
    listening = [] if found.listen is None else [expectations.ruling("iot:Subscribe", found.listen)]
    # UNCONFIRMED: does a message that comes without a subscription need the right to be received?
    listening.append(expectations.ruling("iot:Receive", heard_on(found)))
    return found if all(ruling.allowed for ruling in listening) else None


def heard_on(found: ServiceAnswer) -> str:
    """Return the topic of the answer to a request that is taken."""
    return f"{found.below}accepted" if found.below.endswith("/") else found.below


def _answers(device_id: str) -> dict[str, ServiceAnswer]:
    aws, own = f"$aws/things/{device_id}", f"{device_id}/shadow"
    updated = f"{aws}/shadow/update/accepted"
    return {
        f"{aws}/shadow/get": ServiceAnswer(_ASKING, f"{aws}/shadow/get/accepted", f"{aws}/shadow/get/"),
        f"{aws}/shadow/update": ServiceAnswer(_REPORTING, updated, updated),
        f"{aws}/jobs/get": ServiceAnswer(_ASKING, None, f"{aws}/jobs/get/"),
        f"{aws}/jobs/start-next": ServiceAnswer(_ASKING, None, f"{aws}/jobs/start-next/"),
        f"{aws}/jobs/$next/get": ServiceAnswer(_ASKING, None, f"{aws}/jobs/$next/get/"),
        f"{own}/update": ServiceAnswer(_REPORTING, updated, updated),
        f"{own}/get/tf": ServiceAnswer(_TRANSFORMING, f"{own}/get/#", f"{own}/get/", quotes=False),
        f"{own}/get/trim": ServiceAnswer(b"{}", f"{own}/get/#", f"{own}/get/", quotes=False),
    }
