# SPDX-License-Identifier: Apache-2.0
"""S11 and S6a from a foreign peer's side: causes, repetitions, PCO (TS 29.274, 7; TS 29.272; TS 24.008, 10.5.6.3)."""

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from typing import Any

import pytest
from network import NOTHING, Network, imsi_of

from dialtone.codec import diameter, gtpc
from dialtone.codec.gtpc.indication import Indication
from dialtone.codec.gtpc.values import Ambr, BearerQos, Fteid, Paa
from dialtone.codec.pco import PRIMARY_DNS, SECONDARY_DNS, Id, PppPacket, ProtocolConfigurationOptions
from dialtone.ids import Plmn

IMSI = imsi_of(1)


class Peer:
    """Stands on the gateway's S11, or the HSS's S6a, and keeps what comes."""

    def __init__(self, net: Network, element: str, point: str, codec: Any) -> None:
        self.net, self.element, self.point, self.codec = net, element, point, codec
        self.raw: list[bytes] = []
        port = net.loop.ports[element, point]
        self._below, port.link = port.link, self  # type: ignore[assignment]

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        if peer == "stranger":
            self.raw.append(data)
        else:
            self._below.send(element, peer, data, stream)

    def ask(self, message: Any, **numbers: int) -> Any:
        for name, value in numbers.items():
            setattr(message, name, value)
        return self.octets(self.codec.encode(message))

    def octets(self, data: bytes) -> Any:
        before = len(self.raw)
        self.net.loop.deliver(self.element, self.point, "stranger", data)
        self.net.run(0.1)
        return self.codec.decode(self.raw[-1]) if len(self.raw) > before else None


@pytest.fixture
def s11(net: Network) -> Iterator[Peer]:
    peer = Peer(net, "pgw", "S11", gtpc)
    yield peer
    for number, teid in enumerate(list(net.core.pgw.tunnels), 0x700000):
        peer.ask(delete(teid), sequence=number)


@pytest.fixture
def s6a(net: Network) -> Peer:
    return Peer(net, "hss", "S6a", diameter)


def create(**changes: Any) -> gtpc.CreateSessionRequest:
    fields: dict[str, Any] = {
        "teid": 0, "imsi": IMSI, "rat_type": 6, "sender_f_teid": Fteid(10, 0x77, bytes((127, 0, 0, 1))),
        "apn": "internet", "pdn_type": 1, "paa": Paa(1, bytes(4)), "ambr": Ambr(1000, 1000),
        "serving_network": Plmn("001", "01"), "selection_mode": 0, "maximum_apn_restriction": 0,
        "bearer_contexts_to_be_created": (gtpc.BearerContextToBeCreated(ebi=5, bearer_qos=BearerQos(9, 8, 1, 0)),),
    }
    return gtpc.CreateSessionRequest(**(fields | changes))


def delete(teid: int) -> gtpc.DeleteSessionRequest:
    return gtpc.DeleteSessionRequest(teid=teid, linked_ebi=5)


def test_a_session_from_a_foreign_mme(net: Network, s11: Peer) -> None:
    answer = s11.ask(create(), sequence=7)
    assert (answer.teid, answer.sequence, answer.cause.value) == (0x77, 7, 16)
    assert IPv4Address(answer.paa.ipv4) in net.config.apn["internet"].pool
    again = s11.ask(create(), sequence=7)
    assert again == answer  # a repetition gets the same answer, and makes no second session
    assert len(net.core.pgw.sessions) == 1
    other = s11.ask(create(), sequence=8)  # the phone came anew: the old session is replaced
    assert other.sender_f_teid.teid != answer.sender_f_teid.teid
    assert len(net.core.pgw.sessions) == 1
    gone = s11.ask(delete(other.sender_f_teid.teid), sequence=9)
    assert (gone.cause.value, gone.teid) == (16, 0x77)
    assert net.leaks() == NOTHING


@pytest.mark.parametrize(("changes", "cause"), [
    ({"apn": "nowhere"}, 78), ({"imsi": None}, 103), ({"pdn_type": 5}, 83), ({"pdn_type": None}, 83),
])
def test_a_session_that_cannot_be(net: Network, s11: Peer, changes: dict[str, Any], cause: int) -> None:
    answer = s11.ask(create(**changes), sequence=1)
    assert (answer.cause.value, answer.teid) == (cause, 0x77)
    assert net.leaks() == NOTHING


def test_an_unknown_teid_is_context_not_found(s11: Peer) -> None:
    for request in (delete(0xDEAD), gtpc.ModifyBearerRequest(teid=0xDEAD, bearer_contexts_to_be_modified=()),
                    gtpc.ReleaseAccessBearersRequest(teid=0xDEAD)):
        answer = s11.ask(request, sequence=s11.net.rng.randrange(1 << 23))
        assert (answer.cause.value, answer.teid) == (64, 0)


def test_an_unknown_bearer_changes_nothing(net: Network, s11: Peer) -> None:
    teid = s11.ask(create(), sequence=1).sender_f_teid.teid
    contexts = tuple(gtpc.BearerContextToBeModified(
        ebi=ebi, s1_u_enodeb_f_teid=Fteid(0, 1, bytes((127, 0, 0, 2)))) for ebi in (5, 6))
    answer = s11.ask(gtpc.ModifyBearerRequest(teid=teid, bearer_contexts_to_be_modified=contexts), sequence=2)
    assert answer.cause.value == 64
    (bearer,) = net.forwarder.bearers.values()
    assert bearer.to is None
    s11.ask(delete(teid), sequence=3)


@pytest.mark.parametrize("wanted", [Paa(1, bytes((10, 45, 3, 7))),
                                    Paa(2, None, 64, bytes.fromhex("20010db8cafe0777") + bytes(8))])
def test_the_address_that_a_subscriber_owns_is_given_when_it_is_free(net: Network, s11: Peer, wanted: Paa) -> None:
    first = s11.ask(create(pdn_type=wanted.pdn_type, paa=wanted), sequence=1)
    assert (first.paa.ipv4, (first.paa.ipv6 or b"")[:8]) == (wanted.ipv4, (wanted.ipv6 or b"")[:8])
    second = s11.ask(create(pdn_type=wanted.pdn_type, paa=wanted, imsi=imsi_of(2)), sequence=2)
    assert second.cause.value == 73
    again = s11.ask(create(pdn_type=wanted.pdn_type, paa=wanted), sequence=3)  # the phone came anew: it is its own
    assert again.cause.value == 16
    s11.ask(delete(again.sender_f_teid.teid), sequence=4)
    assert net.leaks() == NOTHING


def test_a_pool_that_is_used_up(net: Network, s11: Peer) -> None:
    pool = net.core.pgw.addresses["internet"].pools[1]
    pool.last = pool.first + 1
    answers = [s11.ask(create(imsi=imsi_of(number)), sequence=number) for number in (1, 2, 3)]
    assert [answer.cause.value for answer in answers] == [16, 16, 84]
    assert s11.ask(create(imsi=imsi_of(2)), sequence=4).cause.value == 16  # it gives its own back
    for number, teid in enumerate(list(net.core.pgw.tunnels)):
        s11.ask(delete(teid), sequence=0x100 + number)
    # Both are somebody's own now; a phone that owns none gets one all the same when nobody is there.
    for address in (pool.first, pool.last):
        teid = s11.ask(create(paa=Paa(1, address.to_bytes(4))), sequence=0x300 + address % 256).sender_f_teid.teid
    s11.ask(delete(teid), sequence=0x200)
    answer = s11.ask(create(imsi=imsi_of(3)), sequence=0x201)
    assert answer.cause.value == 16
    s11.ask(delete(answer.sender_f_teid.teid), sequence=0x202)


def test_an_mme_without_the_dual_address_flag_gets_one_address(net: Network, s11: Peer) -> None:
    both = Paa(3, bytes(4), 0, bytes(16))
    answer = s11.ask(create(pdn_type=3, paa=both), sequence=1)
    assert (answer.cause.value, answer.paa.pdn_type) == (19, 1)
    answer = s11.ask(create(pdn_type=3, paa=both, indication_flags=Indication.of("DAF")), sequence=2)
    assert (answer.cause.value, answer.paa.pdn_type, answer.paa.ipv6_prefix_length) == (16, 3, 64)
    s11.ask(delete(answer.sender_f_teid.teid), sequence=3)


def options(s11: Peer, build: Callable[[ProtocolConfigurationOptions], None],
            **changes: Any) -> ProtocolConfigurationOptions:
    asked = ProtocolConfigurationOptions()
    build(asked)
    answer = s11.ask(create(pco=asked.to_bytes(), **changes), sequence=s11.net.rng.randrange(1 << 23))
    return ProtocolConfigurationOptions.of_network(answer.pco)


def test_pco_dns_by_ipcp(s11: Peer) -> None:
    """IPCP asks with 0.0.0.0 and gets a Nak with the addresses; what it asks correctly gets an Ack."""
    def request(value: bytes) -> PppPacket:
        return PppPacket.of_options(1, 9, [(PRIMARY_DNS, value), (SECONDARY_DNS, value)])

    gateway = s11.net.config.apn["internet"].gateway.packed
    for value, code in ((bytes(4), 3), (gateway, 2)):
        answer = options(s11, lambda asked, value=value: asked.add(Id.IPCP, request(value).to_bytes())).ipcp
        assert answer is not None
        assert (answer.code, answer.identifier) == (code, 9)
        assert dict(answer.options) == {PRIMARY_DNS: gateway, SECONDARY_DNS: gateway}


def test_pco_gives_what_is_asked_and_takes_unknown_ids_silently(s11: Peer) -> None:
    def build(asked: ProtocolConfigurationOptions) -> None:
        for identifier in (Id.P_CSCF_IPV4, Id.DNS_IPV4, Id.IPV4_LINK_MTU, 0x0002, 0x0012, 0x0001, 0xFF77):
            asked.add(identifier, b"")

    answer = options(s11, build)
    found = {int(identifier): contents for identifier, contents in answer.containers}
    assert found == {int(Id.P_CSCF_IPV4): bytes((10, 46, 0, 1)), int(Id.DNS_IPV4): bytes((10, 45, 0, 1)),
                     int(Id.IPV4_LINK_MTU): (1400).to_bytes(2)}


def test_pco_of_ipv6_bearer_control_and_passwords(s11: Peer) -> None:
    """PAP and CHAP are accepted whatever they say; a password that cannot be read is not answered."""
    def build(asked: ProtocolConfigurationOptions) -> None:
        for identifier in (Id.P_CSCF_IPV6, Id.P_CSCF_IPV4, Id.DNS_IPV6, Id.BEARER_CONTROL_MODE, 0x000A, 0x0012):
            asked.add(identifier, b"")
        asked.add(Id.PAP, PppPacket(1, 7, b"\x04user\x04pass").to_bytes())
        asked.add(Id.CHAP, PppPacket(1, 8, b"\x10" + bytes(16) + b"user").to_bytes())  # its own challenge
        asked.add(Id.CHAP, PppPacket(2, 8, b"\x10" + bytes(16) + b"user").to_bytes())
        asked.add(Id.PAP, b"\1\2")

    answer = options(s11, build, pdn_type=3, indication_flags=Indication.of("DAF"), paa=Paa(3, bytes(4), 0, bytes(16)))
    apns = s11.net.config.apn
    assert [(int(number), contents) for number, contents in answer.containers] == [
        (Id.PAP, PppPacket(2, 7, b"\0").to_bytes()),
        (Id.CHAP, PppPacket(3, 8).to_bytes()),
        (Id.DNS_IPV6, apns["internet"].gateway6.packed),
        (Id.P_CSCF_IPV6, apns["ims"].gateway6.packed),
        (Id.P_CSCF_IPV4, apns["ims"].gateway.packed),
        (Id.BEARER_CONTROL_MODE, b"\2")]


def test_a_phone_that_asks_nothing_gets_a_working_pdn(s11: Peer) -> None:
    answer = s11.ask(create(), sequence=1)
    found = ProtocolConfigurationOptions.of_network(answer.pco)
    assert (Id.DNS_IPV4, bytes((10, 45, 0, 1))) in found.containers


@pytest.mark.parametrize("octets", [b"\x80\x80\x21\x10\x01", b"\x00", b"\x80\x80\x21\x03\x01\x00\x09"])
def test_pco_that_cannot_be_read_counts_as_not_sent(net: Network, s11: Peer, octets: bytes) -> None:
    answer = s11.ask(create(pco=octets), sequence=1)
    assert answer.cause.value == 16
    s11.ask(delete(answer.sender_f_teid.teid), sequence=2)
    assert net.leaks() == NOTHING


# ---- S6a -------------------------------------------------------------------------------------------------


def air(imsi: str = IMSI, **info: Any) -> diameter.AuthenticationInformationRequest:
    return diameter.AuthenticationInformationRequest(
        session_id="mme;1;2", origin_host="mme.foreign", origin_realm="foreign", destination_realm="here",
        user_name=imsi, visited_plmn_id=Plmn("001", "01"),
        requested_eutran_authentication_info=diameter.RequestedEutranAuthenticationInfo(**info))


def test_no_two_vectors_have_the_same_sequence_number(s6a: Peer) -> None:
    seen = set()
    for number in range(1, 41):
        answer = s6a.ask(air(number_of_requested_vectors=5), hop_by_hop=number, end_to_end=number)
        assert answer.result_code == 2001
        seen |= {vector.autn for vector in answer.authentication_info.eutran_vector}
    assert len(seen) == 200


def test_a_repeated_request_gets_the_same_vector(s6a: Peer) -> None:
    first = s6a.ask(air(number_of_requested_vectors=1), hop_by_hop=5, end_to_end=5)
    assert s6a.ask(air(number_of_requested_vectors=1), hop_by_hop=5, end_to_end=5) == first


def test_an_unknown_user(s6a: Peer) -> None:
    answer = s6a.ask(air("001019876543210", number_of_requested_vectors=1), hop_by_hop=1, end_to_end=1)
    assert answer.experimental_result.experimental_result_code == 5001
    assert answer.result_code is None


def test_a_resynchronisation_that_is_not_genuine(s6a: Peer) -> None:
    answer = s6a.ask(air(number_of_requested_vectors=1, re_synchronization_info=bytes(30)), hop_by_hop=1, end_to_end=1)
    assert answer.experimental_result.experimental_result_code == 4181
    assert answer.authentication_info is None
