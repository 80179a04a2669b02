# SPDX-License-Identifier: Apache-2.0
"""The simulated eNB against an MME on paper (TS 36.413, 8): setup, transport, contexts, release, errors."""

from collections import deque
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from dialtone.codec import s1ap
from dialtone.codec.s1ap.bearers import (
    AllocationAndRetentionPriority,
    ERABLevelQoSParameters,
    UEAggregateMaximumBitrate,
)
from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.context import (
    ERABToBeSetupItemCtxtSUReq,
    InitialContextSetupFailure,
    InitialContextSetupRequest,
    InitialContextSetupResponse,
    UECapabilityInfoIndication,
    UEContextReleaseCommand,
    UEContextReleaseComplete,
    UEContextReleaseRequest,
)
from dialtone.codec.s1ap.management import (
    ErrorIndication,
    Reset,
    ResetAcknowledge,
    ResetAll,
    S1SetupFailure,
    S1SetupRequest,
    S1SetupResponse,
    ServedGUMMEIsItem,
)
from dialtone.codec.s1ap.nas_transport import (
    DownlinkNASTransport,
    InitialUEMessage,
    NASNonDeliveryIndication,
    UplinkNASTransport,
)
from dialtone.codec.s1ap.values import (
    Gummei,
    RRCEstablishmentCause,
    STmsi,
    TimeToWait,
    UEassociatedLogicalS1ConnectionItem,
    UES1APIDPair,
    UESecurityCapabilities,
)
from dialtone.crypto.milenage import derive_opc
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Effects, PeerDown, PeerUp
from dialtone.element import Element
from dialtone.errors import LocalError
from dialtone.ids import Guti, Plmn, Tai
from dialtone.loop import Loop
from dialtone.sim import cards, config
from dialtone.sim.air import (
    ConnectionRequest,
    ContextReady,
    ContextSetup,
    EstablishmentCause,
    NasDown,
    NasUp,
    RadioLost,
    Refused,
    Released,
)
from dialtone.sim.enb import Enb, EnbConfig
from dialtone.sim.network import Bearers, add_enb
from dialtone.sim.phone import InterfaceUp
from dialtone.sim.reset import ResetCommand
from dialtone.sim.s1_setup import AnnounceCommand
from dialtone.sim.states import S1State
from dialtone.sim.ue_context import UE_RADIO_CAPABILITY, InactivityCommand

PLMN = Plmn("001", "01")
KEY = bytes(range(32))
on = Handlers("paper phone")


class PaperPhone(Element):
    """Keeps what the eNB tells it."""

    on = on

    def __init__(self, name: str) -> None:
        self.name = name
        self.heard: deque[Any] = deque()


def _keep(phone: PaperPhone, event: Any, rx: Rx) -> Effects:
    phone.heard.append(event)
    return ()


for kind in (Refused, NasDown, ContextSetup, Released):
    on.event(kind)(_keep)


class Plane:
    """A user plane that only remembers."""

    def __init__(self) -> None:
        self.mtu = 0
        self.open: dict[int, tuple[Any, ...]] = {}
        self.fails = False

    def open_bearer(self, imsi: str, ebi: int, ue: bytes, teid: int, remote: bytes, remote_teid: int, *,
                    namespace: str, identifier: bytes = b"", filters: object = ()) -> None:
        if self.fails:
            raise LocalError("no TUN")
        self.open[teid] = (imsi, ebi, ue, remote, remote_teid, namespace, self.mtu, identifier)

    def close_bearer(self, teid: int) -> None:
        self.open.pop(teid, None)

    def expect_bearer(self, teid: int, forward_teid: int | None) -> None:
        self.open[teid] = ("expected", forward_teid)

    def flush_bearer(self, teid: int) -> None:
        self.open[teid] += ("flushed",)

    def forward_bearer(self, teid: int, remote: bytes, remote_teid: int) -> None:
        self.open[teid] += (remote, remote_teid)


class Lab:
    """One eNB, two phones on paper, the MME played by the test."""

    def __init__(self, *, setup: bool = True, **changes: Any) -> None:
        self.now = 0.0
        self.loop = Loop(clock=lambda: self.now)
        self.sent: deque[tuple[Any, int]] = deque()
        self.enb = add_enb(self.loop, Enb("enb1", EnbConfig(**changes)), self)
        self.phones = [PaperPhone(f"ue-00101000000000{n}") for n in (1, 2)]
        for phone in self.phones:
            self.loop.add(phone)
        self.plane = Plane()
        self.bearers = Bearers(self.loop, {"enb1": self.plane})
        if setup:
            self.tell(PeerUp("S1-MME", "mme"))
            assert isinstance(self.next(), S1SetupRequest)
            self.accept()

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """The link."""
        self.sent.append((s1ap.decode(data), stream))

    def next(self) -> Any:
        return self.sent.popleft()[0]

    def tell(self, event: Any) -> None:
        self.loop.tell("enb1", event)
        self.loop.run()

    def down(self, message: Any) -> None:
        self.loop.deliver("enb1", "S1-MME", "mme", s1ap.encode(message))
        self.loop.run()

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.loop.expire()
        self.loop.run()

    def accept(self) -> None:
        self.down(S1SetupResponse(mme_name="paper", relative_mme_capacity=10,
                                  served_gummeis=(ServedGUMMEIsItem((PLMN,), (2,), (1,)),)))

    def connect(self, number: int = 0, mme_ue_s1ap_id: int = 100) -> int:
        """A phone with a signalling connection; returns its ENB-UE-S1AP-ID."""
        self.tell(ConnectionRequest(self.phones[number].name, b"\x07\x41", EstablishmentCause.MO_SIGNALLING))
        ue = self.next().enb_ue_s1ap_id
        self.down(DownlinkNASTransport(mme_ue_s1ap_id=mme_ue_s1ap_id, enb_ue_s1ap_id=ue, nas_pdu=b"\x07\x55\x01"))
        assert self.phones[number].heard.popleft() == NasDown("enb1", b"\x07\x55\x01")
        return int(ue)

    def request(self, ue: int, *, mme_ue_s1ap_id: int = 100, integrity: int = 0x4000) -> None:
        """Initial Context Setup Request with one bearer."""
        qos = ERABLevelQoSParameters(9, AllocationAndRetentionPriority(8, 0, 0))
        self.down(InitialContextSetupRequest(
            mme_ue_s1ap_id=mme_ue_s1ap_id, enb_ue_s1ap_id=ue,
            ue_aggregate_maximum_bitrate=UEAggregateMaximumBitrate(1_000_000, 1_000_000),
            e_rab_to_be_setup_list=(ERABToBeSetupItemCtxtSUReq(5, qos, b"\x0a\x00\x01\x85", 0x1234, b"\x27accept"),),
            ue_security_capabilities=UESecurityCapabilities(0x4000, integrity),
            security_key=KEY))


def test_s1_setup_says_who_we_are() -> None:
    lab = Lab(setup=False, enb_id=0x19B, enb_name="lab", areas=((7, (PLMN, Plmn("999", "70"))),))
    lab.tell(PeerUp("S1-MME", "mme"))
    message, stream = lab.sent.popleft()
    assert stream == 0
    assert (message.enb_name, message.global_enb_id.plmn, message.global_enb_id.enb_id.value) == ("lab", PLMN, 0x19B)
    assert [(area.tac, area.broadcast_plmns) for area in message.supported_tas] == [(7, (PLMN, Plmn("999", "70")))]
    assert lab.enb.s1 == S1State.CONNECTING
    lab.accept()
    assert lab.enb.s1 == S1State.UP
    assert lab.enb.mme_name == "paper"


@pytest.mark.parametrize(("wait", "seconds"), [(None, 10), (TimeToWait.V1S, 1), (TimeToWait.V60S, 60)])
def test_s1_setup_failure_is_tried_again_when_the_mme_says_so(wait: TimeToWait | None, seconds: int) -> None:
    lab = Lab(setup=False)
    lab.tell(PeerUp("S1-MME", "mme"))
    lab.next()
    lab.down(S1SetupFailure(cause=Cause.of("misc", "unknown-PLMN"), time_to_wait=wait))
    assert lab.enb.refusal == "refused: misc: unknown-plmn (5)"
    lab.tell(ConnectionRequest(lab.phones[0].name, b"\x07", EstablishmentCause.MO_SIGNALLING))
    refused = lab.phones[0].heard.popleft()
    assert isinstance(refused, Refused)
    assert "unknown-plmn" in refused.reason
    lab.wait(seconds - 0.5)
    assert not lab.sent
    lab.wait(0.5)
    assert isinstance(lab.next(), S1SetupRequest)


def test_a_phone_that_comes_early_waits_for_s1_setup() -> None:
    lab = Lab(setup=False)
    lab.tell(PeerUp("S1-MME", "mme"))
    lab.next()
    lab.tell(ConnectionRequest(lab.phones[0].name, b"\x07A", EstablishmentCause.MO_SIGNALLING))
    assert not lab.sent
    lab.accept()
    assert lab.next().nas_pdu == b"\x07A"


def test_initial_ue_message_has_place_cause_and_temporary_identity() -> None:
    lab = Lab()
    guti = Guti(PLMN, 2, 1, 0xC0FFEE01)
    lab.tell(ConnectionRequest(lab.phones[0].name, b"\x17abc", EstablishmentCause.MO_DATA, guti))
    message, stream = lab.sent.popleft()
    assert isinstance(message, InitialUEMessage)
    assert stream > 0
    assert message.nas_pdu == b"\x17abc"
    assert message.tai == Tai(PLMN, 1)
    assert message.rrc_establishment_cause == RRCEstablishmentCause.MO_DATA
    assert (message.s_tmsi, message.gummei_id) == (STmsi(1, 0xC0FFEE01), Gummei(PLMN, 2, 1))


def test_nas_goes_both_ways_and_a_replaying_phone_sends_twice() -> None:
    lab = Lab()
    ue = lab.connect()
    lab.tell(NasUp(lab.phones[0].name, b"\x07\x56", repeat=2))
    for _ in range(2):
        message = lab.next()
        assert isinstance(message, UplinkNASTransport)
        assert (message.mme_ue_s1ap_id, message.enb_ue_s1ap_id, message.nas_pdu) == (100, ue, b"\x07\x56")
        assert message.tai == Tai(PLMN, 1)


def test_context_setup_opens_the_bearer_when_both_sides_have_spoken() -> None:
    lab = Lab(address=IPv4Address("10.0.1.134"))
    ue = lab.connect()
    lab.request(ue)
    setup = lab.phones[0].heard.popleft()
    assert (setup.k_enb, setup.bearers, setup.nas) == (KEY, (5,), (b"\x27accept",))
    lab.tell(ContextReady(lab.phones[0].name))
    response = lab.next()
    assert isinstance(response, InitialContextSetupResponse)
    (item,) = response.e_rab_setup_list
    assert (item.e_rab_id, item.transport_layer_address) == (5, bytes((10, 0, 1, 134)))
    capability = lab.next()
    assert isinstance(capability, UECapabilityInfoIndication)
    assert capability.ue_radio_capability == UE_RADIO_CAPABILITY
    assert not lab.plane.open  # the phone has no address yet
    name = lab.phones[0].name
    up = InterfaceUp(name, name[3:], 5, IPv4Address("10.45.0.7"), (), 1400, bytes(8))
    lab.loop.performers[InterfaceUp](up, lambda error: None)
    expected = (name[3:], 5, bytes((10, 45, 0, 7)), b"\x0a\x00\x01\x85", 0x1234, name[3:], 1400, bytes(8))
    assert lab.plane.open == {item.gtp_teid: expected}
    lab.down(UEContextReleaseCommand(ue_s1ap_ids=UES1APIDPair(100, ue), cause=Cause.of("nas", "detach")))
    assert isinstance(lab.next(), UEContextReleaseComplete)
    assert lab.phones[0].heard.popleft() == Released("enb1", "nas: detach (2)")
    assert not lab.plane.open
    assert not lab.enb.ues
    assert not lab.enb.by_phone


def test_other_kenb_or_no_common_algorithm_is_a_context_setup_failure() -> None:
    lab = Lab()
    ue = lab.connect()
    lab.request(ue)
    lab.tell(ContextReady(lab.phones[0].name, "K_eNB of eNB and phone differ"))
    failure = lab.next()
    assert isinstance(failure, InitialContextSetupFailure)
    assert str(failure.cause) == "radioNetwork: failure-in-radio-interface-procedure (26)"
    assert lab.enb.counters["context setup failed"] == 1
    other = lab.connect(1, 101)
    lab.request(other, mme_ue_s1ap_id=101, integrity=0x2000)
    assert "not-supported" in str(lab.next().cause)


def test_two_phones_have_ids_and_teids_of_their_own() -> None:
    lab = Lab()
    ues = [lab.connect(0, 100), lab.connect(1, 101)]
    assert len(set(ues)) == 2
    teids = set()
    for number, ue in enumerate(ues):
        lab.request(ue, mme_ue_s1ap_id=100 + number)
        lab.tell(ContextReady(lab.phones[number].name))
        teids.add(lab.next().e_rab_setup_list[0].gtp_teid)
        lab.next()
    assert len(teids) == 2
    assert 0 not in teids


def test_release_is_asked_for_once() -> None:
    lab = Lab()
    ue = lab.connect()
    for _ in range(2):
        lab.tell(InactivityCommand(lab.phones[0].name))
    message = lab.next()
    assert isinstance(message, UEContextReleaseRequest)
    assert str(message.cause) == "radioNetwork: user-inactivity (20)"
    assert not lab.sent
    lab.down(UEContextReleaseCommand(ue_s1ap_ids=100, cause=Cause.of("radioNetwork", "user-inactivity")))
    assert lab.next().enb_ue_s1ap_id == ue


def test_lost_phone_gets_no_nas_and_comes_back_with_a_new_context() -> None:
    lab = Lab()
    ue = lab.connect()
    lab.tell(RadioLost(lab.phones[0].name))
    assert "radio-connection-with-ue-lost" in str(lab.next().cause)
    lab.down(DownlinkNASTransport(mme_ue_s1ap_id=100, enb_ue_s1ap_id=ue, nas_pdu=b"\x07\x52"))
    lost = lab.next()
    assert isinstance(lost, NASNonDeliveryIndication)
    assert lost.nas_pdu == b"\x07\x52"
    fresh = lab.connect(0, 101)
    assert fresh != ue
    lab.down(UEContextReleaseCommand(ue_s1ap_ids=UES1APIDPair(100, ue), cause=Cause.of("nas", "unspecified")))
    assert isinstance(lab.next(), UEContextReleaseComplete)
    assert not lab.phones[0].heard  # the new connection is not the released one
    assert list(lab.enb.ues) == [fresh]


def test_messages_for_nobody_are_answered_with_error_indication() -> None:
    lab = Lab()
    ue = lab.connect()
    for mme_id, enb_id, cause in ((100, ue + 1, "unknown-enb-ue-s1ap-id"), (99, ue, "unknown-pair-ue-s1ap-id")):
        lab.down(DownlinkNASTransport(mme_ue_s1ap_id=mme_id, enb_ue_s1ap_id=enb_id, nas_pdu=b"\x07"))
        error = lab.next()
        assert isinstance(error, ErrorIndication)
        assert cause in str(error.cause)
        assert (error.mme_ue_s1ap_id, error.enb_ue_s1ap_id) == (mme_id, enb_id)
    lab.loop.deliver("enb1", "S1-MME", "mme", b"\x00\x09\x00\x03\x00\x00\x01")
    lab.loop.run()
    assert "protocol" in str(lab.next().cause)


def test_error_indication_for_a_context_that_the_mme_lost_drops_it() -> None:
    lab = Lab()
    ue = lab.connect()
    lab.down(ErrorIndication(mme_ue_s1ap_id=100, enb_ue_s1ap_id=ue,
                             cause=Cause.of("radioNetwork", "unknown-mme-ue-s1ap-id")))
    assert isinstance(lab.phones[0].heard.popleft(), Released)
    assert not lab.enb.ues
    assert not lab.sent


@pytest.mark.parametrize("partial", [False, True])
def test_reset_by_the_mme(partial: bool) -> None:
    lab = Lab()
    ues = [lab.connect(0, 100), lab.connect(1, 101)]
    items = (UEassociatedLogicalS1ConnectionItem(100, ues[0]),)
    lab.down(Reset(cause=Cause.of("misc", "om-intervention"), reset_type=items if partial else ResetAll.RESET_ALL))
    answer = lab.next()
    assert isinstance(answer, ResetAcknowledge)
    assert len(answer.ue_associated_logical_s1_connection_list) == (1 if partial else 0)
    assert isinstance(lab.phones[0].heard.popleft(), Released)
    assert bool(lab.phones[1].heard) is not partial


def test_reset_by_the_enb_and_loss_of_the_association() -> None:
    lab = Lab()
    lab.connect()
    lab.tell(ResetCommand())
    assert isinstance(lab.next(), Reset)
    assert isinstance(lab.phones[0].heard.popleft(), Released)
    lab.connect()
    lab.tell(PeerDown("S1-MME", "mme", "silence"))
    assert lab.phones[0].heard.popleft() == Released("enb1", "association lost")
    assert lab.enb.s1 == S1State.DOWN
    lab.tell(PeerUp("S1-MME", "mme"))
    assert isinstance(lab.next(), S1SetupRequest)


def test_a_cell_that_changes_its_area_introduces_itself_again() -> None:
    lab = Lab()
    lab.connect()
    lab.tell(AnnounceCommand(((9, (Plmn("999", "70"),)),)))
    assert isinstance(lab.phones[0].heard.popleft(), Released)
    message = lab.next()
    assert isinstance(message, S1SetupRequest)
    assert [(area.tac, area.broadcast_plmns) for area in message.supported_tas] == [(9, (Plmn("999", "70"),))]
    assert lab.enb.cell.tai == Tai(Plmn("999", "70"), 9)
    lab.accept()
    assert lab.enb.s1 == S1State.UP


def test_user_plane_that_fails_is_told_to_the_mme() -> None:
    lab = Lab()
    lab.plane.fails = True
    name = lab.phones[0].name
    lab.loop.performers[InterfaceUp](InterfaceUp(name, name[3:], 5, IPv4Address("10.45.0.7"), (), 1400),
                                     lambda error: None)
    ue = lab.connect()
    lab.request(ue)
    lab.tell(ContextReady(name))
    assert str(lab.next().cause) == "transport: transport-resource-unavailable (0)"


# ---- what to simulate ----------------------------------------------------------------------------------------


def test_cards_are_the_published_test_sets() -> None:
    ops = ("cdc202d5123e20f62b6d676ac72cb318", "ff53bade17df5d4e793073ce9d7579fa", "dbc59adcb6f9a0ef735477b7fadf8374")
    made = cards.make_cards(3)
    assert [card.imsi for card in made] == ["001010000000001", "001010000000002", "001010000000003"]
    assert [card.opc for card in made] == [derive_opc(card.k, bytes.fromhex(op))
                                           for card, op in zip(made, ops, strict=True)]
    assert cards.as_csv(made).splitlines()[0] == "imsi,msisdn,k,opc"


def test_config_file(tmp_path: Path) -> None:
    path = tmp_path / "sim.toml"
    path.write_text('[mme]\naddress = "10.9.0.1"\n[enb]\nplmn = "999/70"\ntac = 9\nname = "wrong"\n'
                    '[[phone]]\nimsi = "001010000000009"\nk = "465b5ce8b199b49faa5f0a2ee238a6bc"\n'
                    'op = "cdc202d5123e20f62b6d676ac72cb318"\napn = "ims"\n')
    read = config.load(path)
    assert read.mme_address == "10.9.0.1"
    assert read.enbs[0].tai == Tai(Plmn("999", "70"), 9)
    assert read.phones[0].usim.opc.hex() == "cd63cb71954a9f4e48a5994e37a02baf"
    assert read.phones[0].handset.apn == "ims"


def test_config_file_of_several_enbs(tmp_path: Path) -> None:
    path = tmp_path / "sim.toml"
    path.write_text('[[enb]]\nname = "roof"\ntac = 9\n[[enb]]\ntac = 10\naddress = "10.9.0.7"\n'
                    '[[phone]]\nimsi = "001010000000009"\nk = "465b5ce8b199b49faa5f0a2ee238a6bc"\n'
                    'op = "cdc202d5123e20f62b6d676ac72cb318"\nenb = "sim-enb2"\n')
    read = config.load(path)
    assert [(enb.enb_name, enb.enb_id, enb.tai.tac, str(enb.address)) for enb in read.enbs] == [
        ("roof", 0x101, 9, "10.0.1.134"), ("sim-enb2", 0x102, 10, "10.9.0.7")]
    assert read.phones[0].enb == "sim-enb2"


@pytest.mark.parametrize(("text", "why"), [
    ("[enb", "cannot be used"),
    ("[[phone]]\nimsi = '001010000000009'\nk = '00'\nopc = '00'\nenb = 'x'", "."),
    ("[radio]\nx = 1", "no key 'radio'"),
    ("[[phone]]\nimsi = '001010000000001'", "'k' is missing"),
    ("[[phone]]\nimsi = '00'\nk = '00'\nopc = '00'", "no IMSI"),
    ("[enb]\nplmn = '1'", "no PLMN"),
])
def test_config_file_errors_are_sentences(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "sim.toml"
    path.write_text(text)
    with pytest.raises(LocalError, match=why):
        config.load(path)
