# SPDX-License-Identifier: Apache-2.0
"""S1AP against pycrate, both ways; round trips of whatever the tables allow; long values in fragments."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycrate_asn1dir import S1AP
from s1ap_corpus import CONTAINERS, CORPUS, OTHER, TAI, UE
from s1ap_oracle import PROCEDURES, convert, differences, theirs_from_bytes, theirs_to_bytes, to_theirs
from s1ap_strategies import messages

from dialtone.codec import s1ap
from dialtone.codec.s1ap import MESSAGES, Cause, S1apMessage
from dialtone.codec.s1ap.notation import OpenType
from dialtone.errors import LocalError

CLASSES = tuple(MESSAGES.values())
ASKABLE = tuple(c for c in CLASSES if not any(r.mandatory and isinstance(r.type, OpenType) for r in c.rows()))
modest = settings(
    max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.NAME)
def test_table_is_that_of_the_specification(cls: type[S1apMessage]) -> None:
    """Ids, order, criticality, presence of all IEs, and every type below them, as pycrate read 36.413."""
    procedure = PROCEDURES[cls.KIND, cls.PROCEDURE_CODE]
    assert (cls.NAME, cls.CRITICALITY.name.lower()) == (procedure.name, procedure.criticality)
    ours = [(row.id, row.criticality.name.lower(), row.mandatory) for row in cls.rows()]
    assert ours == [(ie["id"], ie["criticality"], ie["presence"] == "mandatory") for ie in procedure.ies]
    types = {ie["id"]: ie["Value"] for ie in procedure.ies}
    assert [d for row in cls.rows() for d in differences(row.type, types[row.id], row.field)] == []


@pytest.mark.parametrize("message", CORPUS, ids=lambda m: m.NAME)
def test_corpus_both_ways(message: S1apMessage) -> None:
    octets = s1ap.encode(message)
    assert theirs_from_bytes(octets) == to_theirs(message)
    assert theirs_to_bytes(to_theirs(message)) == octets
    assert s1ap.decode(octets) == message
    assert s1ap.peek(octets) == (message.PROCEDURE_CODE, message.KIND)


@pytest.mark.parametrize("cls", ASKABLE, ids=lambda c: c.NAME)
def test_pycrate_agrees_on_any_value(cls: type[S1apMessage]) -> None:
    @modest
    @given(messages(cls, raw=False))
    def agrees(message: S1apMessage) -> None:
        octets = s1ap.encode(message)
        assert theirs_to_bytes(to_theirs(message)) == octets
        assert theirs_from_bytes(octets) == to_theirs(message)
        assert s1ap.decode(octets) == message

    agrees()


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.NAME)
def test_round_trip_with_what_later_releases_may_add(cls: type[S1apMessage]) -> None:
    @modest
    @given(messages(cls, raw=True))
    def survives(message: S1apMessage) -> None:
        assert s1ap.decode(s1ap.encode(message)) == message

    survives()


@pytest.mark.parametrize("size", [0, 127, 128, 16383, 16384, 16385, 65535, 65536, 70000, 150_000])
def test_long_values_are_fragmented(size: int) -> None:
    """X.691, 11.9.3.8: from 16384 octets on in pieces of 16K, for the value and for what holds it."""
    message = s1ap.UECapabilityInfoIndication(**UE, ue_radio_capability=bytes(i & 255 for i in range(size)))
    octets = s1ap.encode(message)
    assert theirs_to_bytes(to_theirs(message)) == octets
    assert s1ap.decode(octets) == message


NAMES = {s1ap.SourceToTarget: "SourceeNB_ToTargeteNB", s1ap.TargetToSource: "TargeteNB_ToSourceeNB",
         s1ap.StatusTransfer: "ENB_StatusTransfer"}


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda c: type(c).__name__)
def test_containers_of_a_handover_both_ways(container: Any) -> None:
    their = getattr(S1AP.S1AP_IEs, f"{NAMES[type(container)]}_TransparentContainer")
    unlike = differences(type(container), their, "")
    assert [one for one in unlike if "gERAN-Cell" not in one] == []  # a CHOICE of NULL alone has the bits of a Flag
    octets = s1ap.encode_container(container)
    their.set_val(convert(type(container), container, their))
    assert their.to_aper() == octets
    assert s1ap.decode_container(type(container), octets) == container
    for end in range(len(octets)):
        with pytest.raises(s1ap.S1apError):
            s1ap.decode_container(type(container), octets[:end])


def test_the_target_of_a_configuration_transfer() -> None:
    """SON Configuration Transfer as pycrate makes it; the rest of it is not ours to read."""
    their = S1AP.S1AP_IEs.SONConfigurationTransfer
    enb = {"global-ENB-ID": {"pLMNidentity": bytes.fromhex("00f110"), "eNB-ID": ("macroENB-ID", (0x19C, 20))},
           "selected-TAI": {"pLMNidentity": bytes.fromhex("00f110"), "tAC": b"\0\7"}}
    their.set_val({"targeteNB-ID": enb, "sourceeNB-ID": enb,
                   "sONInformation": ("sONInformationRequest", "x2TNL-Configuration-Info")})
    octets = their.to_aper()
    assert s1ap.son_target(octets) == s1ap.TargetENBID(OTHER, TAI)
    with pytest.raises(s1ap.S1apError):
        s1ap.son_target(octets[:7])


@given(st.integers(0, 1 << 32), st.integers(-1, 1 << 24))
@modest
def test_ids_out_of_range_are_our_fault(mme: int, enb: int) -> None:
    message = s1ap.UEContextReleaseComplete(mme_ue_s1ap_id=mme, enb_ue_s1ap_id=enb)
    if mme < 1 << 32 and 0 <= enb < 1 << 24:
        assert s1ap.decode(s1ap.encode(message)) == message
    else:
        with pytest.raises(LocalError, match="UEContextReleaseComplete"):
            s1ap.encode(message)


WRONG = (
    s1ap.DownlinkNASTransport(mme_ue_s1ap_id=1 << 32, enb_ue_s1ap_id=1, nas_pdu=b"1"),
    s1ap.DownlinkNASTransport(mme_ue_s1ap_id=1, enb_ue_s1ap_id=-1, nas_pdu=b"1"),
    s1ap.UEContextReleaseRequest(**UE, cause=None),
    s1ap.UEContextReleaseRequest(**UE, cause=Cause("nonsense", 1)),
    s1ap.UEContextReleaseRequest(**UE, cause=Cause("nas", 99)),
    s1ap.UEContextReleaseCommand(ue_s1ap_ids=b"x", cause=Cause("nas", 0)),  # type: ignore[arg-type]
    s1ap.InitialContextSetupResponse(**UE, e_rab_setup_list=()),
    s1ap.InitialContextSetupResponse(
        **UE, e_rab_setup_list=(s1ap.ERABSetupItemCtxtSURes(5, b"", 77),)
    ),
    s1ap.InitialContextSetupResponse(
        **UE, e_rab_setup_list=(s1ap.ERABSetupItemCtxtSURes(5, bytes(4), 1 << 32),)
    ),
    replace(CORPUS[7], security_key=bytes(31)),
    replace(CORPUS[7], ue_security_capabilities=s1ap.UESecurityCapabilities(0x10000, 0)),
    replace(CORPUS[7], subscriber_profile_id_for_rfp=0),
    replace(CORPUS[0], enb_name="x\xe9"),
    replace(CORPUS[0], supported_tas=(s1ap.SupportedTAsItem(7, ()),)),
    replace(CORPUS[0], supported_tas=(s1ap.SupportedTAsItem(65536, (CORPUS[0].global_enb_id.plmn,)),)),
    replace(CORPUS[0], global_enb_id=s1ap.GlobalENBID(("001", "01"), s1ap.ENBID("macroENB-ID", 1 << 20))),
)


@pytest.mark.parametrize("message", WRONG, ids=lambda m: m.NAME)
def test_what_does_not_fit_is_not_sent(message: S1apMessage) -> None:
    with pytest.raises(LocalError):
        s1ap.encode(message)


def test_a_message_with_another_nas_pdu() -> None:
    message = s1ap.decode(s1ap.encode(CORPUS[4]))
    assert isinstance(message, s1ap.DownlinkNASTransport)
    assert s1ap.decode(s1ap.encode(replace(message, nas_pdu=b"other"))).nas_pdu == b"other"


def test_an_enb_name_with_an_underscore_is_taken() -> None:
    """'_' is no PrintableString, and eNBs in the field have it in their names."""
    message = replace(CORPUS[0], enb_name="enb_1")
    assert s1ap.decode(s1ap.encode(message)) == message
    long = replace(CORPUS[0], enb_name="n" * 200)
    assert s1ap.decode(s1ap.encode(long)) == long
    assert theirs_to_bytes(to_theirs(long)) == s1ap.encode(long)


def test_causes_have_the_names_of_the_specification() -> None:
    assert str(Cause.of("radioNetwork", "user-inactivity")) == "radioNetwork: user-inactivity (20)"
    assert str(Cause.of("nas", 60)) == "nas: unknown (60)"
    with pytest.raises(KeyError):
        Cause.of("nas", "no-such-cause")


def test_the_codec_does_not_need_pycrate() -> None:
    package = Path(s1ap.__file__).parents[3]
    text = "import sys, dialtone.codec.s1ap; sys.exit(any(m.startswith('pycrate') for m in sys.modules))"
    subprocess.run([sys.executable, "-c", text], check=True, env={"PYTHONPATH": str(package)})
