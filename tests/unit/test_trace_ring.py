# SPDX-License-Identifier: Apache-2.0
"""The ring: bounded by events and by octets, whoever sends them."""

from dialtone.trace.bus import Bus, Event, Ring
from dialtone.trace.names import LABELS, Identities


def event(number: int, size: int = 10) -> Event:
    return Event(number, 0.0, "rx", "Gm", "stranger", "pcscf", "INVITE", data=bytes(size), plain=bytes(size))


def test_so_many_events() -> None:
    ring = Ring(3)
    for number in range(5):
        ring.put(event(number))
    assert [each.id for each in ring] == [2, 3, 4]


def test_so_many_octets() -> None:
    """Long messages push out others, also when short ones follow."""
    ring = Ring(1000, octets=1000)
    for number in range(10):
        ring.put(event(number, 150))
    assert [each.id for each in ring] == [7, 8, 9]
    ring.put(event(10, 400))
    assert [each.id for each in ring] == [10]
    ring.put(event(11, 10))
    ring.put(event(12, 501))  # one that is too long for all of it
    assert not ring
    ring.put(event(13))
    ring.clear()
    for number in range(14, 20):
        ring.put(event(number, 100))
    assert [each.id for each in ring] == [15, 16, 17, 18, 19]


def test_the_bus_has_one() -> None:
    bus = Bus(2)
    for number in range(5):
        bus.sent(float(number), "Gm", "pcscf", "phone", "OPTIONS", "", "", "", bytes(100))
    assert [each.id for each in bus.ring] == [4, 5]
    assert bus.counters == {("tx", "Gm", "OPTIONS"): 5}


def test_labels_have_a_limit() -> None:
    known = Identities(Event(number, 0.0, "done", "identity", "mme", "mme", "IMSI", f"mme-ue-{number}", info="001")
                       for number in range(LABELS + 5))
    assert len(known.known()) == LABELS
