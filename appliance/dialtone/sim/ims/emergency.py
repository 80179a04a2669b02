# SPDX-License-Identifier: Apache-2.0
"""Emergency calls of the phone (TS 24.229, 5.1.6): over a connection of their own, by an IMS client of their own.

Who can registers first, with `sos` in the Contact (5.1.6.2), and calls then (5.1.6.8.3); a phone that the network does
not know, or whose registration fails, calls without a name (5.1.6.8.2). Such a registration is not watched, not ended
by the phone, and renewed only during a call.
"""

from collections.abc import Iterator

from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects
from dialtone.sim.emergency import Help
from dialtone.sim.ims.client import ImsClient, on
from dialtone.sim.ims.states import RegistrationState

NUMBERS = ("112", "911")
URN = "urn:service:sos"
ELSEWHERE = "380, this network takes no emergency calls: a real phone now tries circuit-switched ones, and then others"


def is_emergency(to: str) -> bool:
    """Whether people dial it in need."""
    return to in NUMBERS or to.lower() == URN or to.lower().startswith(f"{URN}.")


@on.event(Help)
def on_help(client: ImsClient, event: Help, rx: Rx) -> Effects:
    """Call now, or as soon as there is a connection and it is clear who calls."""
    from dialtone.sim.ims import calling  # which is built on this file

    client.mark(rx)
    if not client.emergency:
        yield from calling.dial(client, _service(event.to))
        return
    client.wanted = _service(event.to)
    if client.state in (RegistrationState.NOT_REGISTERED, RegistrationState.REGISTERED):
        yield from connected(client)


def _service(to: str) -> str:
    return URN if to in NUMBERS else to


def connected(client: ImsClient) -> Iterator[Effect]:
    """There is a way to the P-CSCF: register by it, or call at once."""
    from dialtone.sim.ims import registration  # which is built on this file

    if client.wanted and not client.registered and not client.anonymous:
        yield from registration.begin(client)
    elif client.wanted:
        yield from call(client)


def call(client: ImsClient) -> Iterator[Effect]:
    """Registered, or not to be."""
    from dialtone.sim.ims import calling  # which is built on this file

    to, client.wanted = client.wanted, ""
    if to:
        yield calling.invite(client, to, client.handset.session_expires)
