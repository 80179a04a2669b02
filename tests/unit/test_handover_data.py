# SPDX-License-Identifier: Apache-2.0
"""The eNB's share of a handover without a network: order of data, the RRC message, the chain of keys."""

import pytest
from pycrate_asn1dir import RRCLTE

from dialtone.codec.gtpu import EndMarker, encode, gpdu
from dialtone.crypto.kdf import derive_nh
from dialtone.crypto.next_hop import NextHop
from dialtone.datapath.radio_forwarder import RadioBearer, RadioForwarder
from dialtone.errors import ProtocolError
from dialtone.sim import rrc

CORE, SOURCE = ("10.0.1.133", 2152), ("10.0.1.20", 2152)
TARGET = ("10.0.1.21", 2152)
UE = bytes((10, 45, 0, 2))
OWN, FORWARD = 0x900, 0x9F0


def packet(number: int) -> bytes:
    return bytes.fromhex("4500001c0000000040110000") + bytes((8, 8, 8, 8)) + UE + number.to_bytes(8)


class Radio:
    """One eNB; `got` are the packets that its phone received, by number."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.forwarder = RadioForwarder(bytes(map(int, address[0].split("."))))
        self.got: list[int] = []

    def here(self, teid: int = OWN) -> None:
        self.forwarder.add(RadioBearer("imsi", 5, UE, teid, 0x1000, CORE))
        self.forwarder.handovers.arrived(teid)
        self._drain()

    def take(self, datagram: bytes) -> object:
        out = self.forwarder.from_core(datagram, CORE, 0.0)
        self._drain()
        if isinstance(out, tuple) and isinstance(out[0], str):
            self._keep(out[1])  # type: ignore[arg-type]
            return None
        return out

    def _drain(self) -> None:
        for _, one in self.forwarder.held():
            self._keep(one)

    def _keep(self, one: bytes) -> None:
        self.got.append(int.from_bytes(one[-8:]))


@pytest.fixture
def target() -> Radio:
    made = Radio(TARGET)
    made.forwarder.handovers.expect(OWN, FORWARD)
    return made


def test_forwarded_data_goes_first_and_fresh_data_waits_for_the_marker(target: Radio) -> None:
    target.take(gpdu(FORWARD, packet(1)))
    target.take(gpdu(OWN, packet(4)))
    assert target.got == []
    target.here()
    assert target.got == [1]
    target.take(gpdu(FORWARD, packet(2)))
    target.take(gpdu(OWN, packet(5)))
    target.take(gpdu(FORWARD, packet(3)))
    assert target.got == [1, 2, 3]
    target.take(encode(EndMarker(teid=FORWARD)))
    target.take(gpdu(OWN, packet(6)))
    assert target.got == [1, 2, 3, 4, 5, 6]
    late = target.take(gpdu(FORWARD, packet(7)))
    assert isinstance(late, tuple)  # an Error Indication: that tunnel is gone
    assert target.got[-1] == 6


def test_the_marker_may_come_before_the_phone(target: Radio) -> None:
    for datagram in (gpdu(FORWARD, packet(1)), gpdu(OWN, packet(2)), encode(EndMarker(teid=FORWARD))):
        target.take(datagram)
    target.here()
    target.take(gpdu(OWN, packet(3)))
    assert target.got == [1, 2, 3]


def test_a_marker_that_never_comes_is_not_waited_for_for_ever(target: Radio) -> None:
    target.here()
    target.take(gpdu(OWN, packet(1)))
    assert target.got == []
    target.forwarder.handovers.flush(OWN)
    target.take(gpdu(OWN, packet(2)))
    assert target.got == [1, 2]


def test_without_forwarding_nothing_waits() -> None:
    target = Radio(TARGET)
    target.forwarder.handovers.expect(OWN, None)
    target.take(gpdu(OWN, packet(1)))
    target.here()
    target.take(gpdu(OWN, packet(2)))
    assert target.got == [1, 2]


def test_the_source_passes_data_and_marker_on(target: Radio) -> None:
    source = Radio(SOURCE)
    source.here()
    source.take(gpdu(OWN, packet(1)))
    source.forwarder.handovers.send_away(OWN, TARGET, FORWARD)
    for datagram in (gpdu(OWN, packet(2)), encode(EndMarker(teid=OWN))):
        octets, to, _ = source.take(datagram)  # type: ignore[misc]
        assert to == TARGET
        target.take(octets)
    target.here()
    assert (source.got, target.got) == ([1], [2])
    source.forwarder.handovers.send_away(OWN, None, 0)
    assert source.take(gpdu(OWN, packet(3))) is None
    assert source.forwarder.drops == {"phone handed over": 1}
    source.forwarder.remove(OWN)
    assert OWN not in source.forwarder.handovers


def test_a_phone_that_never_comes_leaves_nothing(target: Radio) -> None:
    target.take(gpdu(FORWARD, packet(1)))
    target.forwarder.remove(OWN)
    assert OWN not in target.forwarder.handovers
    assert FORWARD not in target.forwarder.handovers


def test_what_is_held_is_bounded(target: Radio) -> None:
    for _ in range(5000):
        target.take(gpdu(OWN, packet(1)))
    assert target.forwarder.drops == {"too much held in a handover": 904}


@pytest.mark.parametrize(("pci", "crnti", "ncc"), [(0, 1, 0), (503, 0xFFF3, 7), (257, 0x1234, 5)])
def test_the_order_is_what_pycrate_reads(pci: int, crnti: int, ncc: int) -> None:
    order = rrc.Order(pci, crnti, ncc)
    octets = rrc.encode(order)
    assert rrc.decode(octets) == order
    command = RRCLTE.EUTRA_InterNodeDefinitions.HandoverCommand
    command.from_uper(octets)
    message = command.get_val()["criticalExtensions"][1][1]["handoverCommandMessage"]
    if isinstance(message, bytes):
        inner = RRCLTE.EUTRA_RRC_Definitions.DL_DCCH_Message
        inner.from_uper(message)
        message = inner.get_val()
    else:
        message = message[1]
    body = message["message"][1][1]["criticalExtensions"][1][1]
    mobility = body["mobilityControlInfo"]
    assert (mobility["targetPhysCellId"], mobility["newUE-Identity"]) == (pci, (crnti, 16))
    assert body["securityConfigHO"]["handoverType"] == (
        "intraLTE", {"keyChangeIndicator": False, "nextHopChainingCount": ncc})


@pytest.mark.parametrize("octets", [b"", bytes(15), bytes(16), rrc.encode(rrc.Order(1, 1, 1))[:-1]])
def test_another_order_is_refused(octets: bytes) -> None:
    with pytest.raises(ProtocolError):
        rrc.decode(octets)


def test_the_chain_of_next_hops() -> None:
    kasme, k_enb = bytes(range(32)), bytes(range(32, 64))
    hop = NextHop.first(kasme, k_enb)
    assert (hop.ncc, hop.nh) == (1, derive_nh(kasme, k_enb))
    for ncc in (2, 3, 4, 5, 6, 7, 0, 1):
        following = hop.following()
        assert (following.ncc, following.nh) == (ncc, derive_nh(kasme, hop.nh))
        hop = following
    assert k_enb.hex() not in repr(hop)
