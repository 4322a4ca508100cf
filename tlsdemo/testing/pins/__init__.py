r"""Pin what your own protocol is told and what it sends, in situations that are seldom tested.

See docs/pinning.md.  In a test of trial::

    class MyServer(EventPins, SynchronousTestCase):
        def test_injection(self):
            self.assertEvents(make_factory, "injection behind the request", "injection.json",
                              dialect="smtp", question=b"NOOP\r\n")
"""

from tlsdemo.testing.pins.assertion import assert_events
from tlsdemo.testing.pins.endpoint_factory import connecting, through_endpoint
from tlsdemo.testing.pins.loopback_observation import observe_on_loopback
from tlsdemo.testing.pins.memory_observation import observe_in_memory
from tlsdemo.testing.pins.pin import UPDATE, BadPin, Pin, check
from tlsdemo.testing.pins.situations import SITUATIONS
from tlsdemo.testing.pins.subject import Subject
from tlsdemo.testing.pins.trial import EventPins

__all__ = [
    "SITUATIONS",
    "UPDATE",
    "BadPin",
    "EventPins",
    "Pin",
    "Subject",
    "assert_events",
    "check",
    "connecting",
    "observe_in_memory",
    "observe_on_loopback",
    "through_endpoint",
]
