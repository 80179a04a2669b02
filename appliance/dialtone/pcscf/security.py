# SPDX-License-Identifier: Apache-2.0
"""What the kernel tells of the SAs: one whose life is over, and ESP that it refused (TS 33.203, 7); and the gateway of
connections that are gone, with which the SAs go."""

from ipaddress import ip_address

from dialtone.dispatch import Rx
from dialtone.effects import ConnectionGone, Effects, EspRefused, SaExpired, Tell, Verdict
from dialtone.pcscf.element import Pcscf, on
from dialtone.pcscf.media import MediaLost
from dialtone.pcscf.registration import Registration


@on.event(SaExpired)
def on_sa_expired(pcscf: Pcscf, event: SaExpired, rx: Rx) -> Effects:
    """We would have removed it before: whatever lives on without its SAs is of no use."""
    registration = pcscf.by_spi.get((event.address, event.spi))
    if registration is None:
        return
    rx.subject = registration.subject
    for one in registration.associations:
        if any((sa.destination, sa.spi) == (event.address, event.spi) for sa in one.sas.sas()):
            lost = one is registration.current
            yield from pcscf.drop(registration, one)
            if lost:
                yield from pcscf.let_go(registration)
                yield Verdict("register", False, "The life of the SAs was over before the registration was.")


@on.event(EspRefused)
def on_esp_refused(pcscf: Pcscf, event: EspRefused, rx: Rx) -> Effects:
    """For people; the kernel has dropped it."""
    registration = next((one for one in pcscf.registrations.values() if one.key.host == event.owner), None)
    rx.subject = registration.subject if registration is not None else event.owner
    times = "once" if event.times == 1 else f"{event.times} times"
    yield Verdict("esp", False, f"{event.counter} {times}: {event.meaning}.")


@on.event(ConnectionGone)
def on_connection_gone(pcscf: Pcscf, event: ConnectionGone, rx: Rx) -> Effects:
    """Nobody is reached at this address any more, and the next one who gets it must not meet SAs of before."""
    gone = [one for one in pcscf.registrations.values() if _at(one, event)]
    lost = [(key, call) for key, call in pcscf.passing.items() if _at(call.registration, event)]
    for key, call in lost:
        rx.subject = call.registration.subject
        yield Tell(pcscf.name, MediaLost(key, "its connection is gone"))
    for registration in gone:
        rx.subject = registration.subject
        yield from pcscf.let_go(registration)


def _at(registration: Registration, event: ConnectionGone) -> bool:
    address = ip_address(registration.key.host).packed
    return address == event.ipv4 or (bool(event.prefix) and address[:8] == event.prefix)
