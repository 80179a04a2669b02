# SPDX-License-Identifier: Apache-2.0
"""`dialtone where` says rightly what is answered to messages that nobody handles."""

import pytest
from network import Network, imsi_of

from dialtone.codec import gtpc, nas, s1ap
from dialtone.codec.message import Message
from dialtone.where import find


def unhandled(net: Network) -> dict[str, tuple[str, Message, str, bytes]]:
    """point -> (element, a message that nobody there handles, its peer, octets)."""
    ue = net.core.mme.by_imsi[imsi_of(1)]
    assert ue.enb_ue_s1ap_id is not None
    other = nas.DownlinkNASTransport(nas_message_container=b"\x09\x01\x00")
    ids = {"mme_ue_s1ap_id": ue.number, "enb_ue_s1ap_id": ue.enb_ue_s1ap_id}
    _, wire = net.phones[imsi_of(1)].nas.down("mme", other)
    cell = net.enbs[0].config
    carrier = s1ap.UplinkNASTransport(**ids, nas_pdu=wire, eutran_cgi=cell.ecgi, tai=cell.tai)
    delivery = s1ap.NASDeliveryIndication(**ids)
    delete = gtpc.DeleteBearerRequest(teid=1, linked_ebi=5)
    return {"S1-MME": ("mme", delivery, "enb1", s1ap.encode(delivery)),
            "NAS": ("mme", other, "enb1", s1ap.encode(carrier)),
            "S11": ("pgw", delete, "mme", gtpc.encode(delete))}


@pytest.mark.parametrize(("point", "answer"), [
    ("S1-MME", "ErrorIndication"), ("NAS", "EMM status"), ("S11", "")])
def test_what_nobody_handles_is_answered_as_where_says(net: Network, point: str, answer: str) -> None:
    net.attach()
    element, message, peer, data = unhandled(net)[point]
    last = net.events()[-1].id
    net.loop.deliver(element, "S1-MME" if point == "NAS" else point, peer, data)
    net.run(0.5)
    answers = [event.name for event in net.events(point)
               if event.id > last and event.src == element and event.kind == "tx"]
    assert answers == ([answer] if answer else [])
    assert net.loop.counters[f"{point} refused"] == 1
    assert net.phones[imsi_of(1)].emm == "EMM-REGISTERED"  # the phone is none the worse for it
    if point == "S11":  # each message of ours has its handler, if not at this end
        return
    (note,) = [place.note for place in find(type(message).__name__) if place.role == "no handler"
               and place.message is type(message)]
    assert {"S1-MME": "Error Indication", "NAS": "cause #97"}[point] in note
