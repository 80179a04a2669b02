# SPDX-License-Identifier: Apache-2.0
"""An attach on an S1 connection that has served one already (TS 24.301, 5.5.1.2.7 d and f).

The eNB has the phone's context and sets none up again on that connection (TS 36.413, 8.3.1.4): the old bearers are
released, and the Attach Accept travels in an E-RAB Setup Request. New keys go out by UE Context Modification.
"""

from dialtone.codec.nas import AttachAccept
from dialtone.codec.s1ap import UEContextModificationRequest
from dialtone.codec.s1ap.values import UESecurityCapabilities
from dialtone.crypto.kdf import derive_kenb
from dialtone.crypto.next_hop import NextHop
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, StartTimer, Verdict
from dialtone.mme import erab, esm_procedure, retransmission, session
from dialtone.mme.context import Bearer, Failure, Pdn, Step, Ue
from dialtone.mme.context_release import drop, give_up_handover
from dialtone.mme.context_setup import algorithms
from dialtone.mme.element import Mme
from dialtone.mme.relocation import tell_gateway
from dialtone.mme.states import EmmState
from dialtone.mme.timers import E_RAB, TIMERS


def settled(ue: Ue) -> bool:
    """Whether the eNB has set the context up, and nothing else is under way on the connection."""
    on_its_way = ue.returning or ue.releasing or ue.relocation or ue.handover
    return not on_its_way and bool(ue.pdns) and all(pdn.bearers[pdn.ebi].enb for pdn in ue.pdns.values())


def clear(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """What the phone had is no more, but for its connection, its keys and what it was wanted for."""
    yield from give_up_handover(mme, ue, rx)
    yield from esm_procedure.abandon(mme, ue, rx, ue.bearers(), "the phone attaches anew")
    yield from erab.release(ue, *ue.bearers())
    yield from session.delete_all(ue)
    ue.transactions.clear()
    mme.memory.keep(ue)
    mme.unregister(ue)
    if ue.emm is not EmmState.DEREGISTERED:
        yield from ue.move("context ended")
    ue.claimed, ue.since = ue.imsi, rx.now


def accept(ue: Ue, pdn: Pdn, message: AttachAccept) -> Effects:
    """The accept with its bearer, under keys that the eNB learns first where they are new."""
    assert ue.security is not None
    assert ue.enb is not None
    if ue.rekeyed:
        ue.rekeyed, k_enb = False, derive_kenb(ue.security.kasme, ue.kenb_count)
        ue.next_hop = NextHop.first(ue.security.kasme, k_enb)
        yield Send("S1-MME", ue.enb.peer, UEContextModificationRequest(
            mme_ue_s1ap_id=ue.number, enb_ue_s1ap_id=ue.enb_ue_s1ap_id, security_key=k_enb,
            ue_security_capabilities=UESecurityCapabilities(*algorithms(ue))), stream=ue.stream)
    bearer = pdn.bearers[pdn.ebi]
    bearer.step = Step("T3450", _ended, radio=True, nas=False)
    yield StartTimer(E_RAB, (ue.s11_teid, bearer.ebi), TIMERS[E_RAB].seconds)
    yield from retransmission.send(ue, "T3450", message, via=erab.setup_request(ue, (bearer,)))


def _ended(mme: Mme, ue: Ue, rx: Rx, bearer: Bearer, failure: Failure | None) -> Effects:
    """The eNB has the bearer, or the attach is over."""
    pdn = ue.pdn_of(bearer.ebi)
    if failure is None and pdn is not None:
        yield tell_gateway(pdn, ue)
    elif not ue.ending:
        yield Verdict("attach", False, failure.text if failure else "the bearer is gone")
        yield from drop(mme, ue, rx)
