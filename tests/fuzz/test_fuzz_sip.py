# SPDX-License-Identifier: Apache-2.0
"""Any octets at a SIP proxy and at an endpoint, in any state of their transactions: answered or dropped, never a
defect, nothing left behind, and the next request passes as if nothing had been."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sip_rig import PHONE, TCP, Rig, answer, ours, request
from test_fuzz import mutations
from test_sip_proxy import ONE, TWO, ProxyRig

from dialtone import dispatch
from dialtone.codec import sip
from dialtone.codec.sip import SipMessage, SipRequest
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Request


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    kept = dispatch.ALL.copy()
    yield
    dispatch.ALL[:] = kept


def accept(message: SipMessage, rx: Rx) -> Effects:
    """An endpoint that says yes to everything."""
    if isinstance(message, SipRequest) and message.method != "ACK":
        yield Answer(sip.response(message, 180))
        yield Answer(sip.response(message, 200))


def endpoint() -> Rig:
    rig = Rig(endpoint=True)
    rig.then = accept
    rig.do(Request("Gm", PHONE, ours("INVITE")))
    return rig


def corpus(rig: Rig) -> list[bytes]:
    """Requests of the phone, and answers to what the element asks."""
    asked = [message for _, _, message in rig.sent if isinstance(message, SipRequest)]
    requests = [request(method, "Contact: <sip:a@10.46.0.2>, <sip:b@[::1]>;q=0.1", "Route: <sip:rig.example.org;lr>",
                        "RAck: 1 1 INVITE", "Proxy-Require: path", cseq=cseq, branch=f"z9hG4bK{method}")
                for cseq, method in enumerate(("INVITE", "CANCEL", "ACK", "PRACK", "BYE", "MESSAGE", "X"), 1)]
    return requests + [answer(message, status) for message in asked[:3] for status in (100, 180, 200, 401, 486)]


@pytest.mark.parametrize("make", [lambda: ProxyRig(ONE, TWO), endpoint], ids=["proxy", "endpoint"])
def test_mutated_messages(make: object) -> None:
    rig: Rig = make()  # type: ignore[operator]
    rig.receive(request("INVITE"))
    rng = random.Random(7)
    for seed in range(15):
        for octets in corpus(rig):
            for data in (octets, *mutations(octets, seed, 3)):
                rig.receive(data, peer=rng.choice((PHONE, TCP, ONE, TWO)))
        rig.sent = rig.sent[:3]
        rig.until(rig.now - 1000.0 + rng.random())
    assert rig.loop.counters.get("internal error", 0) == 0
    rig.down(TCP)
    rig.until(1000.0)
    assert rig.loop.counters.get("internal error", 0) == 0
    for server in list(rig.transactions.servers.values()):  # INVITEs that nobody has answered
        assert server.invite
    before = len(rig.got)
    rig.receive(request("MESSAGE", branch="z9hG4bKafter", cseq=4711))
    assert len(rig.got) == before + 1


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(st.one_of(
    st.binary(max_size=60), st.text(max_size=60).map(str.encode),
    st.tuples(st.sampled_from(("Via", "Route", "Contact", "CSeq", "To", "RAck", "Proxy-Require", "Max-Forwards",
                               "Require", "Content-Length", "Record-Route")), st.text(max_size=40)).map(
        lambda pair: request("INVITE", f"{pair[0]}: {pair[1]}")),
    st.text(max_size=30).map(lambda uri: request("MESSAGE", uri=uri or "x"))), max_size=4))
def test_any_octets(datas: list[bytes]) -> None:
    kept = dispatch.ALL.copy()
    rig = ProxyRig()
    dispatch.ALL[:] = kept
    rig.receive(*datas)
    rig.until(300.0)
    assert rig.loop.counters.get("internal error", 0) == 0
