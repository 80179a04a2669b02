# SPDX-License-Identifier: Apache-2.0
"""Flows: their names, and where answers go."""

import pytest

from dialtone.codec.sip import Via
from dialtone.errors import LocalError
from dialtone.sip.flow import Flow, answer_to, received


@pytest.mark.parametrize(("text", "flow"), [
    ("udp:10.46.0.2:6301/6100", Flow("udp", "10.46.0.2", 6301, 6100)),
    ("tcp:[2001:db8::1]:5060/5060", Flow("tcp", "2001:db8::1", 5060))])
def test_names(text: str, flow: Flow) -> None:
    assert Flow.parse(text) == flow
    assert str(flow) == text
    assert str(flow.over("tcp")).startswith("tcp:")


@pytest.mark.parametrize("text", ["scscf", "udp:10.46.0.2:6301", "udp:10.46.0.2:66301/1", "udp:10.46.0.256:1/1",
                                  "udp:10.46.0.2:1/99999", "sctp:10.46.0.2:1/1", "udp:[::g]:1/1", ""])
def test_what_names_no_flow(text: str) -> None:
    assert Flow.find(text) is None
    with pytest.raises(LocalError):
        Flow.parse(text)


@pytest.mark.parametrize(("peer", "via", "to"), [
    ("udp:10.46.0.2:6301/6100", "SIP/2.0/UDP 10.46.0.2:6300;branch=a", "udp:10.46.0.2:6300/6100"),
    ("udp:10.46.0.2:6301/6100", "SIP/2.0/UDP 10.46.0.2;branch=a", "udp:10.46.0.2:5060/6100"),
    ("udp:10.46.0.2:6301/6100", "SIP/2.0/UDP 10.46.0.2:6300;branch=a;rport", "udp:10.46.0.2:6301/6100"),
    ("tcp:10.46.0.2:6301/6100", "SIP/2.0/TCP 10.46.0.2:6300;branch=a", "tcp:10.46.0.2:6301/6100"),
    ("scscf", "SIP/2.0/UDP scscf.example.org;branch=a", "scscf")])
def test_where_answers_go(peer: str, via: str, to: str) -> None:
    assert answer_to(peer, Via.parse(via)) == to


@pytest.mark.parametrize(("peer", "via", "after"), [
    ("udp:10.46.0.2:6301/1", "SIP/2.0/UDP 10.46.0.2:5060;branch=a", "SIP/2.0/UDP 10.46.0.2:5060;branch=a"),
    ("udp:10.46.0.2:6301/1", "SIP/2.0/UDP phone.example.org;branch=a",
     "SIP/2.0/UDP phone.example.org;branch=a;received=10.46.0.2"),
    ("udp:10.46.0.2:6301/1", "SIP/2.0/UDP 10.46.0.2;rport;branch=a",
     "SIP/2.0/UDP 10.46.0.2;rport=6301;branch=a;received=10.46.0.2"),
    ("udp:10.46.0.2:6301/1", "SIP/2.0/UDP 10.46.0.2;received=192.0.2.1;branch=a", "SIP/2.0/UDP 10.46.0.2;branch=a"),
    ("pcscf", "SIP/2.0/UDP pcscf.example.org;branch=a;rport", "SIP/2.0/UDP pcscf.example.org;branch=a;rport")])
def test_what_is_noted_of_where_a_request_came_from(peer: str, via: str, after: str) -> None:
    assert str(received(peer, Via.parse(via))) == after
