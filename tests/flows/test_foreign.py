# SPDX-License-Identifier: Apache-2.0
"""Strange, legal eNBs and phones, spoken by pycrate: choices that our own simulator does not make."""

from collections.abc import Callable
from typing import Any

import pytest
from foreign import PLMN, Cell, ForeignEnb, ForeignPhone, Ie, element, octets_of, pdu, unknown
from network import NOTHING, Network, imsi_of, settings

from dialtone.ids import Plmn

Make = Callable[..., Network]
THREE, TWO = bytes.fromhex("130014"), bytes.fromhex("13f062")  # 310/410, 310/26
USUAL = ["EMMAuthenticationRequest", "EMMSecurityModeCommand", "EMMAttachAccept", "EMMInformation"]


@pytest.fixture
def enb(net: Network) -> ForeignEnb:
    enb = ForeignEnb(net)
    assert enb.setup().name == "S1SetupResponse"
    return enb


@pytest.fixture
def phone(enb: ForeignEnb) -> ForeignPhone:
    return ForeignPhone(enb)


def detached(net: Network, phone: ForeignPhone) -> None:
    """The phone switches off: nothing is left."""
    phone.uplink(phone.wrap(bytes((7, 0x45, 9, 8)) + identity(phone.sim.imsi)))
    phone.released()
    assert net.leaks() == NOTHING


def identity(imsi: str = "", kind: int = 1) -> bytes:
    """A mobile identity of digits, without its length (TS 24.008, 10.5.1.4)."""
    odd = len(imsi) % 2
    rest = imsi[1:] + ("" if odd else "f")
    return bytes((int(imsi[0]) << 4 | odd << 3 | kind,)) + bytes(
        int(rest[i + 1], 16) << 4 | int(rest[i], 16) for i in range(0, len(rest), 2))


def guti(accept: Any) -> bytes:
    """The GUTI of an Attach Accept, as an EPS mobile identity without its length."""
    return octets_of(accept, "GUTI")


# ---- eNBs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [
    Cell(("homeENB-ID", (0x0777123, 28))),
    Cell(global_plmn=THREE),
    Cell(broadcast=(THREE, TWO, PLMN)),
    Cell(extra=((128, "reject", "CSG-IdList", [{"cSG-Id": (5, 27)}]),)),
    Cell(extra=(unknown("ignore"),)),
    Cell(("macroENB-ID", (0xFFFFF, 20))),
], ids=["home eNB", "a global id of another PLMN", "three PLMNs", "closed group", "unknown IE", "highest id"])
def test_enbs(net: Network, cell: Cell) -> None:
    enb = ForeignEnb(net, cell)
    answer = enb.setup()
    assert answer.name == "S1SetupResponse"
    (served,) = answer.ies["ServedGUMMEIs"]
    assert served["servedPLMNs"] == [PLMN]
    ForeignPhone(enb).attach()


@pytest.mark.parametrize(("mnc", "octets"), [("410", THREE), ("26", TWO)])
def test_two_and_three_digits_of_mnc(make_network: Make, mnc: str, octets: bytes) -> None:
    net = make_network(0, config=settings(mcc="310", mnc=mnc))
    imsi = f"310{mnc}".ljust(15, "7")
    net.add_subscriber(imsi)
    enb = ForeignEnb(net, Cell(global_plmn=octets, broadcast=(octets,)))
    assert enb.setup().ies["ServedGUMMEIs"][0]["servedPLMNs"] == [octets]
    phone = ForeignPhone(enb, ForeignPhone(enb).sim._replace(imsi=imsi))
    accept = phone.attach(plmn=octets)
    assert phone.names == USUAL
    assert guti(accept)[1:4] == octets
    assert net.core.mme.plmn == Plmn("310", mnc)


def test_an_unknown_ie_to_be_notified_of_comes_back_in_the_response(net: Network) -> None:
    answer = ForeignEnb(net).setup(unknown("notify"))
    assert answer.name == "S1SetupResponse"
    assert diagnostics(answer) == [("notify", 60000, "not-understood")]


def test_an_unknown_ie_to_be_rejected_refuses_the_setup(net: Network) -> None:
    answer = ForeignEnb(net).setup(unknown("reject"))
    assert answer.name == "S1SetupFailure"
    assert answer.ies["Cause"] == ("protocol", "abstract-syntax-error-reject")
    assert diagnostics(answer) == [("reject", 60000, "not-understood")]


def diagnostics(message: Any) -> list[tuple[str, int, str]]:
    """Its Criticality Diagnostics about single IEs."""
    return [(item["iECriticality"], item["iE-ID"], item["typeOfError"])
            for item in message.ies["CriticalityDiagnostics"]["iEsCriticalityDiagnostics"]]


@pytest.mark.parametrize(("criticality", "goes_on", "told"), [
    ("ignore", True, False), ("notify", True, True), ("reject", False, True)])
def test_unknown_ies_where_there_is_no_response(
    net: Network, enb: ForeignEnb, phone: ForeignPhone, criticality: str, goes_on: bool, told: bool
) -> None:
    """TS 36.413, 10.3.4.2."""
    (challenge,) = phone.initial(phone.attach_request())
    phone.challenge_answered(challenge)
    before = len(enb.got)
    phone.uplink(b"\x07\x5f\x17", unknown(criticality))  # security mode reject
    names = [message.name for message in enb.got[before:]]
    assert ("UEContextReleaseCommand" in names) == goes_on
    assert ("ErrorIndication" in names) == told
    if told:
        assert diagnostics(enb.last("ErrorIndication")) == [(criticality, 60000, "not-understood")]


def test_optional_ies_of_the_initial_message_and_of_the_setup_response(enb: ForeignEnb, phone: ForeignPhone) -> None:
    more: tuple[Ie, ...] = (
        (75, "reject", "GUMMEI", {"pLMN-Identity": THREE, "mME-Group-ID": b"\x80\1", "mME-Code": b"\7"}),
        (160, "reject", "RelayNode-Indicator", "true"),
        (unknown("ignore")),
    )
    phone.attach(None, *more, set_up=lambda: phone.context_is_set_up((0x7F000009 << 128 | 1, 160), unknown("ignore")))
    phone.uplink(b"\x07\x60\x6f", (155, "ignore", "TransportLayerAddress", (0x7F000009, 32)))


def test_messages_on_any_stream_are_answered_there(enb: ForeignEnb, phone: ForeignPhone) -> None:
    (challenge,) = phone.initial(phone.attach_request())
    assert enb.streams[-1] == 1
    phone.stream = 9
    phone.challenge_answered(challenge)
    assert enb.streams[-1] == 9


# ---- phones ----------------------------------------------------------------------------------------------

LAI, TAI = bytes.fromhex("1300f1101234"), bytes.fromhex("5200f1100001")
SIGNATURE, DRX, MS = bytes.fromhex("19abcdef"), bytes.fromhex("5c0a00"), bytes.fromhex("3103e5e034")
CLASSMARK_2, CLASSMARK_3 = bytes.fromhex("1103575886"), element(0x20, bytes.fromhex("60140453"))
CODECS, VOICE, ADDITIONAL = element(0x40, bytes.fromhex("0402600400021f02")), bytes.fromhex("5d0103"), b"\xf2"
DEVICE, STATUS, TIMERS = b"\xd1", b"\x91", bytes.fromhex("6a01215e01c8")
NR = element(0x6F, bytes.fromhex("e000e000"))
STRANGE = element(0x35, b"\1\2\3") + b"\xa7" + element(0x7A, bytes(300), long=True)


@pytest.mark.parametrize("more", [
    b"", LAI, LAI + STATUS, SIGNATURE + TAI + DRX + MS, CLASSMARK_2 + CLASSMARK_3 + CODECS, ADDITIONAL + VOICE + DEVICE,
    TIMERS, NR, STRANGE, MS + LAI + CLASSMARK_2 + CLASSMARK_3 + CODECS + VOICE + NR + STRANGE, VOICE + MS + LAI,
    MS + MS, element(0x31, b""), b"\x5d\x09\x01",
], ids=["none", "old LAI", "TMSI status", "signature, TAI, DRX, MS capability", "classmarks and codecs", "voice",
        "timers", "NR", "unknown", "many", "another order", "repeated", "too short", "cut short"])
def test_optional_elements_of_an_attach_request(net: Network, phone: ForeignPhone, more: bytes) -> None:
    phone.attach(phone.attach_request(more=more))
    assert phone.names == USUAL
    detached(net, phone)


def test_an_unknown_element_that_must_be_understood_is_cause_96(enb: ForeignEnb, phone: ForeignPhone) -> None:
    reject = phone.attach(phone.attach_request(more=element(0x0F, b"\1")))
    assert reject._name == "EMMAttachReject"
    assert reject["EMMCause"][-1].get_val() == 96


MANY = bytes.fromhex("80" "000a00" "000c00" "000100" "000300" "000d00" "000200" "000500" "001000" "ff0003aabbcc"
                     "8021" "10" "01000010" "810600000000" "830600000000" "c223" "08" "0101000801020304")


@pytest.mark.parametrize("pco", [None, b"\x80", bytes.fromhex("80000d00"), MANY, b"", b"\0"],
                         ids=["none", "empty", "only DNS", "many", "no octet", "another protocol"])
def test_protocol_configuration_options(net: Network, phone: ForeignPhone, pco: bytes | None) -> None:
    accept = phone.attach(phone.attach_request(esm=phone.pdn_request(pco=pco)))
    assert phone.names == USUAL
    answer = accept["ESMContainer"].to_bytes()
    assert b"\x00\x0d\x04\x0a\x2d\x00\x01" in answer  # DNS, also to a phone that asks nothing
    assert b"\x05\x01\x0a\x2d" in answer  # PDN address: IPv4, 10.45...
    detached(net, phone)


@pytest.mark.parametrize("apn", [b"\x03ims", b"\x03IMS\x06mnc001\x06mcc001\x04gprs"])
def test_esm_information(net: Network, phone: ForeignPhone, apn: bytes) -> None:
    phone.attach(phone.attach_request(esm=phone.pdn_request(flag=True)), apn=apn)
    assert phone.names == [*USUAL[:2], "ESMInformationRequest", *USUAL[2:]]
    (pdn,) = net.core.mme.by_imsi[imsi_of(1)].pdns.values()
    assert pdn.apn == "ims"


@pytest.mark.parametrize(("capability", "pair"), [
    ("c040", 0x11), ("9010", 0x33), ("a020", 0x22), ("8020", 0x02), ("f070c040" + "00" * 9, 0x22), ("e07f", 0x22)])
def test_algorithms(net: Network, phone: ForeignPhone, capability: str, pair: int) -> None:
    phone.capability = bytes.fromhex(capability)
    phone.attach()
    command = phone.plain[1].to_bytes()
    assert command[2] == pair
    assert command[5:7] == phone.capability[:2]
    setup = phone.enb.last("InitialContextSetupRequest").ies["UESecurityCapabilities"]
    for name, octet in (("encryptionAlgorithms", 0), ("integrityProtectionAlgorithms", 1)):
        assert setup[name] == (phone.capability[octet] << 9 & 0xFFFF, 16)
    detached(net, phone)


def test_capabilities_of_an_nr_phone_reach_the_enb(phone: ForeignPhone) -> None:
    phone.attach(phone.attach_request(more=NR))
    assert NR[2:] in phone.plain[1].to_bytes()
    setup = phone.enb.last("InitialContextSetupRequest").ies["NRUESecurityCapabilities"]
    assert setup["nRencryptionAlgorithms"] == (0xC000, 16)  # NEA1 and NEA2; NEA0 has no bit
    assert setup["nRintegrityProtectionAlgorithms"] == (0xC000, 16)


def test_a_security_mode_complete_without_imeisv_and_with_strange_elements(phone: ForeignPhone) -> None:
    phone.imeisv = "0000000000000000"
    phone.attach(complete=STRANGE)
    assert phone.names == USUAL


def test_attach_by_the_guti_that_was_given(net: Network, phone: ForeignPhone) -> None:
    first = phone.attach()
    given = guti(first)
    detached(net, phone)
    phone.plain.clear()
    again = phone.attach(phone.attach_request(identity=given, more=TAI))
    assert phone.names == ["EMMAttachAccept", "EMMInformation"]  # MAC and keys of last time serve
    assert guti(again) != given


@pytest.mark.parametrize("owner", ["another group", "another PLMN", "mapped from a P-TMSI", "unknown M-TMSI"])
def test_attach_by_a_foreign_guti(net: Network, phone: ForeignPhone, owner: str) -> None:
    foreign = {"another group": PLMN + bytes.fromhex("812301c0000001"),
               "another PLMN": THREE + bytes.fromhex("000201c0000001"),
               "mapped from a P-TMSI": PLMN + bytes.fromhex("1234c1c1aa5533"),
               "unknown M-TMSI": PLMN + bytes.fromhex("000201c0ffffff")}[owner]
    more = b"\xe1" + SIGNATURE if "mapped" in owner else b"\xe0"
    phone.attach(phone.attach_request(identity=b"\xf6" + foreign, more=more))
    assert phone.names == ["EMMIdentityRequest", *USUAL]
    detached(net, phone)


def test_a_native_guti_that_stands_beside_a_mapped_one(net: Network, phone: ForeignPhone) -> None:
    """A phone that comes from UTRAN names itself by a mapped GUTI and adds its native one (TS 24.301, 5.5.1.2.2)."""
    given = guti(phone.attach())
    detached(net, phone)
    phone.plain.clear()
    mapped = b"\xf6" + PLMN + bytes.fromhex("1234c1c1aa5533")
    phone.attach(phone.attach_request(identity=mapped, more=element(0x50, given) + b"\xe1"))
    assert phone.names == ["EMMAttachAccept", "EMMInformation"]


@pytest.mark.parametrize("answer", [
    identity("3512340698733190", 3), identity("351234069873319", 2), bytes.fromhex("f600f1100002" "01c0000001"), b"\0",
    identity("00101", 1), b"\xf9\xff\xff", b"",
], ids=["IMEISV", "IMEI", "GUTI", "no identity", "short", "no digits", "empty"])
def test_an_identity_that_was_not_asked_for(net: Network, phone: ForeignPhone, answer: bytes) -> None:
    """An answer that is of no use does not end the procedure: T3470 asks again (TS 24.301, 5.4.4)."""
    (asked,) = phone.initial(phone.attach_request(identity=b"\xf6" + PLMN + bytes.fromhex("000201c0ffffff")))
    assert asked._name == "EMMIdentityRequest"
    phone.uplink(b"\x07\x56" + bytes((len(answer),)) + answer)
    net.run(6.1)
    assert phone.news()[-1]._name == "EMMIdentityRequest"
    (challenge,) = phone.uplink(b"\x07\x56\x08" + identity(phone.sim.imsi))
    assert challenge._name == "EMMAuthenticationRequest"


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 7])
def test_every_attach_type_but_emergency_is_an_attach(net: Network, phone: ForeignPhone, kind: int) -> None:
    accept = phone.attach(phone.attach_request(kind=kind))
    assert accept._name == "EMMAttachAccept"


@pytest.mark.parametrize("digits", ["00101000000001", "001010000000001"])
def test_imsis_with_an_even_and_an_odd_number_of_digits(net: Network, enb: ForeignEnb, digits: str) -> None:
    if digits != imsi_of(1):
        net.add_subscriber(digits)
    phone = ForeignPhone(enb, ForeignPhone(enb).sim._replace(imsi=digits))
    phone.attach(phone.attach_request(identity=identity(digits)))
    assert digits in net.core.mme.by_imsi


def test_the_attach_complete_overtakes_the_context_setup(net: Network, phone: ForeignPhone) -> None:
    phone.attach(set_up=lambda: None)
    phone.context_is_set_up()
    assert net.core.mme.by_imsi[imsi_of(1)].emm == "EMM-REGISTERED"
    assert net.forwarder.bearers[next(iter(net.forwarder.bearers))].to == ("127.0.0.9", 2152)


@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize("named", [identity("001010000000001"), b"\xf6" + PLMN + bytes.fromhex("000201c0000001")])
def test_a_detach_of_every_kind(net: Network, enb: ForeignEnb, phone: ForeignPhone, kind: int, named: bytes) -> None:
    phone.attach()
    (accept,) = phone.uplink(phone.wrap(bytes((7, 0x45, phone.ksi << 4 | kind, len(named))) + named))
    assert accept._name == "EMMDetachAccept"
    if kind != 2:
        assert enb.got[-1].name == "UEContextReleaseCommand"
        phone.released()
        assert net.leaks() == NOTHING
    else:
        assert net.core.mme.by_imsi[imsi_of(1)].emm == "EMM-REGISTERED"


def test_an_association_full_of_reset_and_errors(net: Network, enb: ForeignEnb, phone: ForeignPhone) -> None:
    phone.attach()
    enb.tell(pdu(15, "ignore", "ErrorIndication", [(2, "ignore", "Cause", ("misc", "om-intervention"))]))
    enb.tell(pdu(14, "reject", "Reset", [(2, "ignore", "Cause", ("misc", "om-intervention")),
                                         (92, "reject", "ResetType", ("s1-Interface", "reset-all"))]))
    assert enb.got[-1].name == "ResetAcknowledge"
    assert "UE-associatedLogicalS1-ConnectionListResAck" not in enb.got[-1].ies
    assert net.core.mme.by_imsi[imsi_of(1)].ecm == "ECM-IDLE"
