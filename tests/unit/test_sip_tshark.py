# SPDX-License-Identifier: Apache-2.0
"""tshark reads every kind of message that we send, and complains of none."""

from collections.abc import Iterator

import pytest
from sip_rig import PHONE, answer, request
from test_sip_proxy import ONE, ProxyRig, answered_refusals
from wire_oracle import dissected, malformed, needs_tshark

from dialtone import dispatch
from dialtone.codec import sip
from dialtone.codec.sip import METHODS, SipRequest

pytestmark = needs_tshark


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    kept = dispatch.ALL.copy()
    yield
    dispatch.ALL[:] = kept


def test_every_method_as_a_proxy_sends_it_with_its_answers() -> None:
    rig = ProxyRig()
    rig.record = ("<sip:rig.example.org;lr>",)
    for number, method in enumerate(METHODS):
        rig.receive(request(method, "Contact: <sip:a@10.46.0.2>;+g.3gpp.smsip", branch=f"z9hG4bK{number}", cseq=number))
        if method not in ("ACK", "CANCEL"):
            wire = rig.last()
            rig.receive(*[answer(wire, status) for status in (183, 200)], peer=ONE)
    rig.receive(request("INVITE", branch="z9hG4bKc", cseq=90))
    rig.receive(answer(rig.last(), 180), peer=ONE)
    rig.receive(request("CANCEL", branch="z9hG4bKc", cseq=90))
    answered_refusals(rig)
    messages = [message for _, _, message in rig.sent]
    seen = {message.method for message in messages if isinstance(message, SipRequest)}
    assert seen == set(METHODS)
    for message, (info, fields) in zip(messages, dissected([sip.encode(message) for message in messages], "sip"),
                                       strict=True):
        assert malformed(fields) == [], info
        what = message.method if isinstance(message, SipRequest) else f"Status: {message.status}"  # type: ignore[attr-defined]
        assert what in info
        assert fields["sip.CSeq.seq"] == [str(message.cseq.number)]
        assert fields["sip.Call-ID"] == [message.call_id]
    assert {peer for _, peer, _ in rig.sent} == {ONE, PHONE}
