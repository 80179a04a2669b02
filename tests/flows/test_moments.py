# SPDX-License-Identifier: Apache-2.0
"""Every message of the message index at every moment: the specified answer, no defect, no leak.

What is expected comes from the tables: the handlers, and the rows of the EMM state machine (TS 24.301, 7; TS 36.413,
10).
"""

from itertools import takewhile
from typing import Any

import pytest
from moments import MOMENTS, addressed, afresh, nas_messages, s1ap_messages
from network import Network, imsi_of
from probe import protected

from dialtone.codec import nas, s1ap
from dialtone.codec.nas.tables import EsmMessage
from dialtone.codec.s1ap import TriggeringMessage
from dialtone.mme.element import on
from dialtone.mme.states import EMM
from dialtone.sim.phone import Phone


def answers(net: Network, point: str, last: int) -> list[Any]:
    """What the MME sent there since event `last`, decoded."""
    new = list(takewhile(lambda event: event.id > last, reversed(net.loop.bus.ring)))
    sent = [event for event in reversed(new) if (event.point, event.src, event.kind) == (point, "mme", "tx")]
    if point == "NAS":
        return [nas.decode(event.plain or event.data, downlink=True) for event in sent]
    return [s1ap.decode(event.data) for event in sent]


def the_phones_context(net: Network, phone: Phone) -> Any:
    """Its newest context in the MME."""
    return max((ue for ue in net.core.mme.ues.values()), key=lambda ue: ue.number)


@pytest.mark.parametrize("name", MOMENTS)
def test_nas_of_every_kind_at_every_moment(net: Network, name: str) -> None:
    state, bring = MOMENTS[name]
    phone = net.phones[imsi_of(1)]
    for message in nas_messages():
        afresh(net, phone)
        bring(net, phone)
        ue = the_phones_context(net, phone)
        assert ue.emm == state
        handled = ("NAS", type(message)) in on.messages
        secured = ue.secured
        last = net.loop.bus.ring[-1].id
        net.nas_from(phone, protected(phone, message) if secured else nas.encode(message))
        got = [answer for answer in answers(net, "NAS", last) if _cause(answer)]
        causes = [_cause(answer) for answer in got]
        if isinstance(message, nas.EMMStatus | nas.ESMStatus):
            assert causes == [], message
        elif secured and isinstance(message, nas.SecurityModeComplete):
            assert causes == [], message  # its header names a context that is not there: discarded (4.4.4.3)
        elif not handled:
            assert causes == [97], message
        elif not EMM.allows(state, message.NAME) and secured:
            assert causes == [98], message  # in a status, or in the request's own reject (5.5.1.2.7, 5.6.1.7)
            assert isinstance(got[0], EsmMessage) == isinstance(message, EsmMessage)


def _cause(answer: Any) -> int:
    return getattr(answer, "emm_cause", None) or getattr(answer, "esm_cause", None) or 0


@pytest.mark.parametrize("name", [name for name in MOMENTS if name not in ("identity_asked", "challenged")])
def test_plain_nas_of_every_kind_after_security_is_discarded(net: Network, name: str) -> None:
    _, bring = MOMENTS[name]
    phone = net.phones[imsi_of(1)]
    for message in nas_messages():
        afresh(net, phone)
        bring(net, phone)
        ue = the_phones_context(net, phone)
        if not ue.secured:
            continue
        last, before = net.loop.bus.ring[-1].id, ue.emm
        net.nas_from(phone, nas.encode(message))
        assert answers(net, "NAS", last) == [], message
        assert ue.emm == before


@pytest.mark.parametrize("name", MOMENTS)
def test_s1ap_of_every_kind_at_every_moment(net: Network, name: str) -> None:
    """What has no handler is refused; what has one does what it does, without a defect, and leaves nothing."""
    _, bring = MOMENTS[name]
    phone = net.phones[imsi_of(1)]
    for message in s1ap_messages():
        afresh(net, phone)
        bring(net, phone)
        ue = the_phones_context(net, phone)
        last = net.loop.bus.ring[-1].id
        octets = s1ap.encode(addressed(message, ue.number, ue.enb_ue_s1ap_id))
        net.loop.deliver("mme", "S1-MME", phone.cell.enb, octets, 1)
        net.run(0.0)
        if ("S1-MME", type(message)) not in on.messages:
            got = [answer for answer in answers(net, "S1-MME", last) if isinstance(answer, s1ap.ErrorIndication)]
            expected = message.KIND == TriggeringMessage.INITIATING_MESSAGE
            assert len(got) == expected, message
            assert all(str(answer.cause).startswith("protocol") for answer in got)


@pytest.mark.parametrize("wrong", ["mme", "enb", "both"])
def test_s1ap_of_every_kind_about_a_connection_that_is_not(net: Network, wrong: str) -> None:
    """TS 36.413, 10.6: unknown ids, or a pair that does not fit: Error Indication, and nobody else notices."""
    phone = net.attach()
    ue = net.core.mme.by_imsi[imsi_of(1)]
    ids = {"mme": (4711, ue.enb_ue_s1ap_id), "enb": (ue.number, 4711), "both": (4711, 4712)}[wrong]
    for message in s1ap_messages():
        if not hasattr(message, "mme_ue_s1ap_id") or ("S1-MME", type(message)) not in on.messages:
            continue
        if isinstance(message, s1ap.ErrorIndication | s1ap.InitialUEMessage | s1ap.HandoverRequestAcknowledge):
            continue  # the first is never answered, the others bring an eNB's id of their own
        last = net.loop.bus.ring[-1].id
        net.loop.deliver("mme", "S1-MME", phone.cell.enb, s1ap.encode(addressed(message, *ids)), 1)
        net.run(0.0)
        if getattr(message, "enb_ue_s1ap_id", None) is None and wrong == "enb":
            continue
        assert [answer.NAME for answer in answers(net, "S1-MME", last)] == ["ErrorIndication"], message
    assert net.core.mme.by_imsi[imsi_of(1)].ecm == "ECM-CONNECTED"
