# SPDX-License-Identifier: Apache-2.0
"""The next attempt, after T3411 or T3402: to attach, or to update (TS 24.301, 5.5.1.2.6 and 5.5.3.2.6)."""

from dialtone.dispatch import Rx
from dialtone.effects import Effects
from dialtone.sim import attach, tracking
from dialtone.sim.phone import Phone, on
from dialtone.sim.states import EmmState, EpsUpdateStatus


@on.timer("T3411", "TS 24.301, 5.5.1.2.6")
def on_t3411(phone: Phone, key: str, rx: Rx) -> Effects:
    """Time for the next attempt."""
    phone.mark(rx)
    if phone.deaf or attach.barred(phone):
        return
    if phone.emm == EmmState.DEREGISTERED:
        yield from attach.begin(phone)
    elif phone.emm == EmmState.REGISTERED and phone.update_status != EpsUpdateStatus.EU1_UPDATED:
        yield from tracking.begin(phone)


@on.timer("T3402", "TS 24.301, 5.5.1.2.6")
def on_t3402(phone: Phone, key: str, rx: Rx) -> Effects:
    """Time for the next five attempts."""
    phone.attempts = 0
    yield from on_t3411(phone, key, rx)


@on.timer("T3346", "TS 24.301, 5.3.9")
def on_t3346(phone: Phone, key: str, rx: Rx) -> Effects:
    """The congestion should be over."""
    yield from on_t3411(phone, key, rx)
