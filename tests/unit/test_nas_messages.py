# SPDX-License-Identifier: Apache-2.0
"""Every NAS message there and back, and what TS 24.301, clause 7, says of messages that are not right."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nas_samples import CLASSES, GUTI, SERVICE_REQUEST, VALUES, H, full, minimal, optional_names

from dialtone.codec import nas
from dialtone.codec.nas import identities, ies
from dialtone.codec.nas.tables import DOWNLINK, EmmMessage, EsmMessage
from dialtone.errors import LocalError, ProtocolError

ids = [f"{cls.__name__}" for cls, _ in CLASSES]


@pytest.mark.parametrize(("cls", "downlink"), CLASSES, ids=ids)
def test_every_message_comes_back(cls, downlink):
    messages = [minimal(cls), full(cls)]
    for name in optional_names(cls):
        message = minimal(cls)
        setattr(message, name, VALUES[name])
        messages.append(message)
    for message in messages:
        octets = nas.encode(message)
        assert nas.decode(octets, downlink=downlink) == message
        assert type(nas.decode(octets, downlink=downlink)) is cls


def test_every_message_has_name_clause_and_type():
    for cls, _ in CLASSES:
        assert cls.NAME
        assert cls.CLAUSE.startswith("TS 24.301, 8.")
        octets = nas.encode(minimal(cls))
        assert octets[1 if issubclass(cls, EmmMessage) else 2] == cls.MESSAGE_TYPE
    assert len({cls.CLAUSE for cls, _ in CLASSES}) == len(CLASSES)


def test_a_type_is_registered_once():
    with pytest.raises(ValueError, match="taken"):
        nas.tables.emm(0x41, "Attach request", "")(type("Again", (EmmMessage,), {}))
    assert DOWNLINK[7, 0x41] is nas.AttachRequest


def test_functions_are_made_on_first_use_or_all_at_once():
    program = (
        "from dialtone.codec import nas\n"
        "assert not nas._DECODERS and not nas._ENCODERS\n"
        "for _ in nas.warm_up(): pass\n"
        f"assert len(nas._DECODERS) == len(nas._ENCODERS) == {len(CLASSES)}\n"
        "nas.compiler.decoder = nas.compiler.encoder = None\n"
        "assert nas.encode(nas.decode(bytes.fromhex('076011'))).hex() == '076011'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(nas.__file__).parents[3])


def test_detach_request_has_two_layouts():
    network = nas.encode(nas.DetachRequestUETerminated(detach_type=2, emm_cause=2))
    assert network == H("0745025302")
    assert nas.decode(network, downlink=True).emm_cause == 2
    request = nas.DetachRequestUEOriginating(detach_type=9, nas_key_set_identifier=1, eps_mobile_identity=GUTI)
    phone = nas.encode(request)
    assert phone == H("0745190bf600f11001027fc0ffee42")
    assert nas.decode(phone).eps_mobile_identity == GUTI


def test_header_of_session_management():
    message = nas.ESMStatus(eps_bearer_identity=6, procedure_transaction_identity=254, esm_cause=43)
    assert nas.encode(message) == H("62fee82b")
    with pytest.raises(LocalError):
        nas.encode(nas.ESMStatus(eps_bearer_identity=16, esm_cause=43))


def test_service_request_is_four_octets():
    octets = nas.encode(SERVICE_REQUEST)
    assert octets == H("c771beef")
    assert nas.decode(octets) == SERVICE_REQUEST
    assert nas.decode(H("f771beef")) == SERVICE_REQUEST  # 13 to 15 count as 12 (9.3.1)
    for wrong in (H("c771be"), H("c771beef00")):
        with pytest.raises(ProtocolError) as caught:
            nas.decode(wrong)
        assert caught.value.cause == 96


# --- TS 24.301, clause 7 -------------------------------------------------------------------------------


@pytest.mark.parametrize("octets", [b"", b"\x07", b"\x52\x01", b"\x05\x41", b"\x17\x41" + bytes(9), b"\x09\x01\x00"])
def test_messages_to_ignore_carry_no_cause(octets):
    with pytest.raises(ProtocolError) as caught:
        nas.decode(octets)
    assert caught.value.cause is None


def test_unknown_types():
    for octets in (H("07fe"), H("0201ff"), H("0747")):
        with pytest.raises(ProtocolError) as caught:
            nas.decode(octets)
        assert caught.value.cause == 97


@pytest.mark.parametrize(("cls", "downlink"), CLASSES, ids=ids)
def test_a_cut_mandatory_part_is_96(cls, downlink):
    octets = nas.encode(minimal(cls))
    head = 2 if issubclass(cls, EmmMessage) else 3
    for length in range(head, len(octets)):
        with pytest.raises(ProtocolError) as caught:
            nas.decode(octets[:length], downlink=downlink)
        assert caught.value.cause == 96


def test_a_wrong_mandatory_value_is_96():
    attach = nas.encode(minimal(nas.AttachRequest))
    for wrong in (
        attach.replace(H("08091010"), H("080f1010")),  # type 7 of identity
        attach.replace(H("08091010"), H("0809a010")),  # a digit above 9
        attach.replace(H("08091010"), H("0209") + H("1010")),  # too short
    ):
        with pytest.raises(ProtocolError) as caught:
            nas.decode(wrong)
        assert caught.value.cause == 96
    with pytest.raises(ProtocolError) as caught:  # a PLMN of a shared class, which knows no causes of NAS
        nas.decode(H("0750 0bf6ffffff01027fc0ffee42"))
    assert caught.value.cause == 96


def test_unknown_optional_elements_are_kept_and_sent_again():
    base = nas.encode(minimal(nas.AttachRequest))
    known = H("5d0103")
    for unknown in (H("a1"), H("720401020304"), H("7e000201ff")):
        message = nas.decode(base + unknown + known)
        assert message.voice_domain_preference == 3
        assert message.unknown_ies == [unknown]
        assert nas.encode(message) == base + known + unknown


def test_an_unknown_element_that_must_be_understood_is_96():
    base = nas.encode(minimal(nas.AttachRequest))
    with pytest.raises(ProtocolError) as caught:
        nas.decode(base + H("0101ff"))
    assert caught.value.cause == 96


def test_of_repeated_elements_the_first_counts():
    base = nas.encode(minimal(nas.AttachRequest))
    twice = base + H("19aaaaaa") + H("19bbbbbb") + H("91") + H("90")
    message = nas.decode(twice)
    assert (message.old_p_tmsi_signature, message.tmsi_status) == (H("aaaaaa"), 1)
    assert message.unknown_ies == [H("19bbbbbb"), H("90")]


def test_order_of_optional_elements_does_not_matter():
    base = nas.encode(minimal(nas.AttachRequest))
    message = nas.decode(base + H("6f04e000e000") + H("5d0103") + H("19aaaaaa"))
    assert message.unknown_ies == []
    assert message.old_p_tmsi_signature == H("aaaaaa")
    assert message.ue_additional_security_capability == H("e000e000")


@pytest.mark.parametrize("wrong", ["5d00", "5d", "5d05 03", "500bf6ffffff01027fc0ffee42", "19aa", "310103"])
def test_a_wrong_optional_element_is_as_if_absent(wrong):
    base = nas.encode(minimal(nas.AttachRequest))
    message = nas.decode(base + H(wrong))
    assert message.unknown_ies == [H(wrong)]
    message.unknown_ies = []
    assert message == minimal(nas.AttachRequest)


def test_a_longer_element_is_read_as_far_as_it_goes():
    """TS 24.007, 11.4.2: what a later release added is not for us."""
    command = H("075202") + bytes(16) + H("12") + bytes(range(18))
    assert nas.decode(command).autn == bytes(range(16))
    base = nas.encode(minimal(nas.AttachRequest))
    message = nas.decode(base + H("5d020399"))
    assert (message.voice_domain_preference, message.unknown_ies) == (3, [])
    longer = H("0743 0004 5200c2ff")
    assert nas.decode(longer).esm_message_container == H("5200c2ff")


def test_a_flood_of_unknown_elements_is_only_slow():
    base = nas.encode(minimal(nas.DetachRequestUETerminated))
    message = nas.decode(base + b"\x81" * 5000, downlink=True)
    assert len(message.unknown_ies) == 5000


# --- our own mistakes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        nas.AuthenticationRequest(nas_key_set_identifier=1, rand=bytes(15), autn=bytes(16)),
        nas.AuthenticationRequest(nas_key_set_identifier=1, rand=bytes(16), autn=bytes(17)),
        nas.AuthenticationRequest(nas_key_set_identifier=16, rand=bytes(16), autn=bytes(16)),
        nas.AuthenticationRequest(nas_key_set_identifier=-1, rand=bytes(16), autn=bytes(16)),
        nas.AuthenticationResponse(res=bytes(17)),
        nas.EMMStatus(emm_cause=256),
        nas.EMMStatus(emm_cause=None),
        nas.AttachComplete(esm_message_container=b"\x52\x00"),
        nas.IdentityResponse(mobile_identity="001010123456789"),
        nas.GUTIReallocationCommand(guti=identities.Imsi("001010123456789")),
        nas.EMMInformation(full_name_for_network=ies.NetworkName("電", coding=0)),
        nas.ServiceRequest(nas_key_set_identifier=8, sequence_number=0, short_mac=b"ab"),
        nas.ESMInformationResponse(access_point_name="a..b"),
        nas.ESMInformationResponse(access_point_name="x" * 64),
        nas.ESMInformationResponse(access_point_name=".".join(["x" * 60] * 2)),
    ],
    ids=lambda message: type(message).__name__,
)
def test_values_that_do_not_fit_are_our_fault(message):
    with pytest.raises(LocalError):
        nas.encode(message)


def test_repr_shows_what_is_there():
    assert repr(nas.decode(H("07421011")[:1] + H("60") + H("11"))) == "EMMStatus(emm_cause=17)"


# --- corrupted input -----------------------------------------------------------------------------------


def _survives(octets: bytes, downlink: bool) -> None:
    try:
        message = nas.decode(octets, downlink=downlink)
    except ProtocolError:
        return
    again = nas.encode(message)
    assert nas.decode(again, downlink=downlink) == message


@pytest.mark.parametrize(("cls", "downlink"), CLASSES, ids=ids)
def test_bit_flips_and_cuts(cls, downlink):
    generator = random.Random(cls.__name__)
    octets = nas.encode(full(cls))
    for length in range(len(octets)):
        _survives(octets[:length], downlink)
    for _ in range(300):
        broken = bytearray(octets)
        for _ in range(generator.randint(1, 4)):
            broken[generator.randrange(len(broken))] = generator.randrange(256)
        _survives(bytes(broken), downlink)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(CLASSES), st.binary(max_size=80))
def test_any_octets_after_a_header(which, rest):
    cls, downlink = which
    head = bytes((7, cls.MESSAGE_TYPE)) if not issubclass(cls, EsmMessage) else bytes((0x52, 1, cls.MESSAGE_TYPE))
    _survives(head + rest, downlink)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40), st.booleans())
def test_any_octets(octets, downlink):
    _survives(octets, downlink)
