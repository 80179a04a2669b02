# SPDX-License-Identifier: Apache-2.0
"""The phone in a handover: it derives the key of the new cell and goes there (TS 33.401, 7.2.8.4, A.4, A.5)."""

from dialtone.crypto.kdf import derive_kenb_star
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Tell
from dialtone.sim import rrc, tracking
from dialtone.sim.air import Arrived, Camped, HandoverOrder
from dialtone.sim.enb import EARFCN
from dialtone.sim.phone import Phone, on
from dialtone.sim.states import EmmState

CHAIN = 8
"""NCC has three bits: after so many steps it begins anew."""


@on.event(HandoverOrder)
def on_handover_order(phone: Phone, event: HandoverOrder, rx: Rx) -> Effects:
    """Leave for the cell that the network has chosen; the connection, its NAS and its bearers go along."""
    phone.mark(rx)
    if phone.deaf or not phone.connected or phone.faults.no_context:
        return
    order = rrc.decode(event.rrc)
    key = _key(phone, order)
    phone.counters["handover"] += 1
    phone.cell = event.cell
    phone.k_enb, phone.ncc = key, order.ncc
    yield Tell(event.cell.enb, Camped(phone.name))
    yield Tell(event.cell.enb, Arrived(phone.name, order.crnti, key))
    if phone.emm == EmmState.REGISTERED and event.cell.tai not in phone.tais:  # TS 24.301, 5.5.3.2.2 a
        yield from tracking.begin(phone)


def _key(phone: Phone, order: rrc.Order) -> bytes:
    """K_eNB*: from the present key where NCC stays (horizontal), else from NH of that NCC (vertical)."""
    if order.ncc == phone.ncc:
        return derive_kenb_star(phone.k_enb, order.pci, EARFCN)
    assert phone.next_hop is not None
    for _ in range(CHAIN):
        if phone.next_hop.ncc == order.ncc:
            break
        phone.next_hop = phone.next_hop.following()
    return derive_kenb_star(phone.next_hop.nh, order.pci, EARFCN)
