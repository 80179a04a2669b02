# SPDX-License-Identifier: Apache-2.0
"""Paging: the eNB broadcasts it at the phone's occasion, the phone that it is meant for answers.

TS 36.413, 8.5; TS 36.304, 7.1; TS 24.301, 5.6.2.2.
"""


from dialtone.codec.s1ap.paging import CNDomain, Paging
from dialtone.codec.s1ap.values import PagingDRX
from dialtone.dispatch import Rx
from dialtone.effects import Effects, StartTimer, Tell
from dialtone.sim import enb, phone, service
from dialtone.sim.air import Camped, EstablishmentCause, Paged, occasion
from dialtone.sim.enb import Enb
from dialtone.sim.phone import Phone
from dialtone.sim.states import EmmState

FRAME_SECONDS = 0.01
BROADCAST = "paging occasion"
CYCLES = {PagingDRX.V32: 32, PagingDRX.V64: 64, PagingDRX.V128: 128, PagingDRX.V256: 256}


@enb.on.event(Camped)
def on_camped(enb: Enb, event: Camped, rx: Rx) -> Effects:
    """A phone listens here."""
    enb.camped[event.phone] = None
    return ()


@enb.on("S1-MME", Paging)
def on_paging(enb: Enb, msg: Paging, rx: Rx) -> Effects:
    """Wait for the phone's occasion: its index tells it, without the IMSI (8.5.2)."""
    if all(item.tai != enb.config.tai for item in msg.tai_list) or msg.ue_identity_index_value is None:
        return
    own = CYCLES.get(PagingDRX(msg.paging_drx)) if msg.paging_drx is not None else None
    cycle = min(own or CYCLES[enb.config.paging_drx], CYCLES[enb.config.paging_drx])
    when = occasion(msg.ue_identity_index_value, cycle)
    now = int(rx.now / FRAME_SECONDS) % cycle
    enb.counters["paging"] += 1
    assert msg.ue_paging_id is not None
    record = Paged(enb.name, when, cycle, msg.ue_paging_id, msg.cn_domain == CNDomain.CS)
    enb.pages[msg.ue_paging_id] = record
    yield StartTimer(BROADCAST, msg.ue_paging_id, ((when.frame - now) % cycle) * FRAME_SECONDS)


@enb.on.timer(BROADCAST, "TS 36.304, 7.1")
def on_paging_occasion(enb: Enb, key: object, rx: Rx) -> Effects:
    """Every idle phone of the cell could hear it now."""
    record = enb.pages.pop(key, None)
    if record is not None:
        for name in enb.camped:
            if name not in enb.by_phone:
                yield Tell(name, record)


@phone.on.event(Paged)
def on_paged(phone: Phone, event: Paged, rx: Rx) -> Effects:
    """Heard by whose occasion it is; answered by whose name it has (5.6.2.2.1)."""
    phone.mark(rx)
    if phone.deaf or phone.connected or event.enb != phone.cell.enb or phone.emm != EmmState.REGISTERED:
        return
    if event.occasion != occasion(int(phone.imsi) % 1024, event.cycle):
        phone.counters["paging for others"] += 1
        return
    phone.counters["paging heard"] += 1
    if event.circuit_switched:  # nothing of ours: the phone has no circuit switched side
        return
    guti = phone.guti
    if guti is not None and event.identity == (guti.mme_code, guti.m_tmsi):
        yield from service.begin(phone, EstablishmentCause.MT_ACCESS)
