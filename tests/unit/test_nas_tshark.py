# SPDX-License-Identifier: Apache-2.0
"""NAS against tshark: our messages in its eyes, and what real handsets and networks said in ours."""

from collections.abc import Iterator

import pytest
from nas_oracle import CAPTURES, Dissection, captured, exported
from nas_samples import CLASSES, full, minimal

from dialtone.codec import nas
from dialtone.codec.nas import identities, ies, security
from dialtone.codec.nas.bitrates import ApnAmbr, EpsQos
from dialtone.codec.pco import ProtocolConfigurationOptions
from dialtone.ids import Guti

NOT_IN_WIRESHARK_4_0 = (
    # Releases 16 and 17
    "requested_imsi_offset", "negotiated_imsi_offset", "ue_request_type", "paging_restriction",
    "eps_additional_request_result", "lower_bound_timer_value", "forbidden_tais_for_roaming",
    "forbidden_tais_for_regional_provision",
    # our sample is no set of keys
    "ciphering_key_data",
)  # fmt: skip


def test_our_messages_are_whole_to_tshark():
    messages = [minimal(cls) for cls, _ in CLASSES] + [full(cls, NOT_IN_WIRESHARK_4_0) for cls, _ in CLASSES]
    seen = exported([nas.encode(message) for message in messages])
    assert len(seen) == len(messages)
    for message, dissection in zip(messages, seen, strict=True):
        assert dissection.info == message.NAME
        assert dissection.complaints == [], type(message).__name__
        for field, show in facts(message):
            assert show in dissection.values(field), (type(message).__name__, field)


def _identity(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Guti):
        yield "nas_eps.emm.mme_grp_id", str(value.mme_group_id)
        yield "nas_eps.emm.mme_code", str(value.mme_code)
        yield "nas_eps.emm.m_tmsi", str(value.m_tmsi)
        yield "e212.gummei.mcc", str(int(value.plmn.mcc))
        yield "e212.gummei.mnc", str(int(value.plmn.mnc))
    elif isinstance(value, identities.Imsi):
        yield "e212.imsi", str(value)
    elif isinstance(value, identities.Tmsi):
        yield "3gpp.tmsi", str(int(value))


def _pco(value: ProtocolConfigurationOptions) -> Iterator[tuple[str, str]]:
    for number, _ in value.containers:
        yield "gsm_a.gm.sm.pco_pid", f"0x{number:04x}"
    for address in value.dns_ipv4:
        yield "gsm_a.gm.sm.pco.dns.ipv4", str(address)
    for address in value.dns_ipv6:
        yield "gsm_a.gm.sm.pco.dns.ipv6", str(address)
    for address in value.p_cscf_ipv4:
        yield "gsm_a.gm.sm.pco.pcscf.ipv4", str(address)
    for address in value.p_cscf_ipv6:
        yield "gsm_a.gm.sm.pco.pcscf.ipv6", str(address)
    for kind, contents in value.ipcp.options if value.ipcp else ():
        name = {129: "ipcp.opt.pri_dns_address", 131: "ipcp.opt.sec_dns_address"}[kind]
        yield name, ".".join(map(str, contents))


SIMPLE = {
    "eps_attach_type": "nas_eps.emm.eps_att_type",
    "eps_attach_result": "nas_eps.emm.EPS_attach_result",
    "eps_update_type": "nas_eps.emm.update_type_value",
    "nas_key_set_identifier": "nas_eps.emm.nas_key_set_id",
    "pdn_type": "nas_eps.esm_pdn_type",
    "request_type": "nas_eps.esm_request_type",
    "esm_information_transfer_flag": "nas_eps.esm.eit",
    "access_point_name": "gsm_a.gm.sm.apn",
    "emm_cause": "nas_eps.emm.cause",
    "esm_cause": "nas_eps.esm.cause",
    "eps_bearer_identity": "nas_eps.bearer_id",
    "procedure_transaction_identity": "nas_eps.esm.proc_trans_id",
    "linked_eps_bearer_identity": "nas_eps.esm.linked_bearer_id",
    "additional_update_type": "nas_eps.emm.add_upd_type",
    "tmsi_status": "gsm_a.gm.gmm.tmsi_flag",
    "identity_type": "nas_eps.emm.id_type2",
    "imeisv_request": "nas_eps.emm.imeisv_req",
    "network_daylight_saving_time": "gsm_a.dtap.dst_adjustment",
}
"""Fields whose value tshark shows as it is."""


def facts(message: nas.NasMessage) -> Iterator[tuple[str, str]]:
    """What tshark must show, by what we hold."""
    for name, field in SIMPLE.items():
        value = getattr(message, name, None)
        if value is not None and field == "nas_eps.emm.add_upd_type":
            yield field, str(value & 1)
        elif value is not None:
            yield field, str(value)
    for name in ("eps_mobile_identity", "guti", "old_guti", "ms_identity", "m_tmsi"):
        yield from _identity(getattr(message, name, None))
    for name in ("protocol_configuration_options", "extended_protocol_configuration_options"):
        if getattr(message, name, None) is not None:
            yield from _pco(getattr(message, name))
    if getattr(message, "ue_network_capability", None) is not None:
        for number in range(8):
            shown = str(int(number in message.ue_network_capability.eea))
            yield f"nas_eps.emm.{'128' if number in (1, 2) else ''}eea{number}", shown
            shown = str(int(number in message.ue_network_capability.eia))
            yield f"nas_eps.emm.{'128' if number in (1, 2) else ''}eia{number}", shown
    for tai in getattr(message, "tai_list", None) or ():
        yield "nas_eps.emm.tai_tac", str(tai.tac)
    if getattr(message, "pdn_address", None) is not None and message.pdn_address.ipv4 is not None:
        yield "nas_eps.esm.pdn_ipv4", str(message.pdn_address.ipv4)
    if getattr(message, "eps_qos", None) is not None:
        yield "nas_eps.esm.qci", str(message.eps_qos.qci)
    if getattr(message, "eps_network_feature_support", None) is not None:
        yield "nas_eps.emm.ims_vops", str(int(message.eps_network_feature_support.ims_vops))
        yield "nas_eps.emm.emc_bs", str(int(message.eps_network_feature_support.emc_bs))
    if getattr(message, "voice_domain_preference", None) is not None:
        preference = message.voice_domain_preference
        yield "gsm_a.gm.gmm.voice_domain_pref_for_eutran", str(preference.voice_domain)
        yield "gsm_a.gm.gmm.ue_usage_setting", str(int(preference.data_centric))
    if isinstance(message, nas.EMMInformation):
        for name in (message.full_name_for_network, message.short_name_for_network):
            if name is not None:
                yield "gsm_a.dtap.text_string", name.text


def _rate(dissection: Dissection, field: str) -> int:
    """Kbit/s that tshark prints last for one direction of a rate."""
    text = [shown for name, _, shown in dissection.fields if name.startswith(field) and "bps" in shown][-1]
    number, unit = text.rsplit(": ", 1)[1].split()
    return int(float(number) * {"kbps": 1, "Mbps": 1000}[unit])


def test_bit_rates_are_tsharks():
    rates = [1, 63, 64, 72, 570, 576, 640, 8640, 8690, 8700, 16_000, 17_500, 128_000, 131_000, 256_000, 300_000,
             1_000_000, 1_700_000, 9_000_000]  # fmt: skip
    messages = [
        nas.ModifyEPSBearerContextRequest(apn_ambr=ApnAmbr.of(rate, 64), new_eps_qos=EpsQos.of(1, rate, 64, rate, 64))
        for rate in rates
    ]
    for message, seen in zip(messages, exported([nas.encode(message) for message in messages]), strict=True):
        assert _rate(seen, "nas_eps.esm.apn_ambr_dl") == message.apn_ambr.downlink
        assert message.apn_ambr.uplink == 64
        mbr = [shown for name, _, shown in seen.fields if name in ("nas_eps.esm.mbr_ul", "nas_eps.esm.embr_ul")][-1]
        number, unit = mbr.rsplit(": ", 1)[1].split()
        assert int(number) * {"kbps": 1, "Mbps": 1000}[unit] == message.new_eps_qos.mbr_uplink
        assert message.new_eps_qos.gbr_uplink == message.new_eps_qos.mbr_uplink


# --- captures ------------------------------------------------------------------------------------------

NAMES = sorted(path.name for path in CAPTURES.glob("*.pcapng"))


def _no_extension_bit(message: nas.NasMessage, octets: bytes) -> bytes:
    """TS 24.008, 10.5.3.5a: bit 8 of the first octet of a network name is 1. That core sends 0."""
    if not isinstance(message, nas.EMMInformation):
        return octets
    fixed = bytearray(octets)
    at = 2
    while at < len(fixed) and fixed[at] in (0x43, 0x45):
        fixed[at + 2] |= 0x80
        at += 2 + fixed[at + 1]
    return bytes(fixed)


@pytest.mark.skipif(not NAMES, reason="no captures in ../shared/captures")
@pytest.mark.parametrize("name", NAMES)
def test_captured_messages(name):
    plain: list[tuple[bytes, bool]] = []
    for octets, downlink in captured(name):
        cover = security.split(octets)
        assert security.join(*cover) == octets
        plain.append((cover.message, downlink))  # the null algorithm ciphers them
        inner = getattr(nas.decode(cover.message, downlink=downlink), "esm_message_container", None)
        if inner:
            plain.append((inner, downlink))
    assert plain
    seen = exported([octets for octets, _ in plain])
    checked = 0
    for (octets, downlink), dissection in zip(plain, seen, strict=True):
        message = nas.decode(octets, downlink=downlink)
        assert dissection.info == message.NAME
        assert message.unknown_ies == []
        assert nas.encode(message) == _no_extension_bit(message, octets)
        for field, show in facts(message):
            assert show in dissection.values(field), (message.NAME, field)
            checked += 1
    assert checked > 10


def test_the_handset_asks_and_the_network_answers():
    """One phone of the captures in words, so that a change of meaning is seen."""
    raw = captured("handset-ims-registration-ipsec.pcapng")
    messages = [nas.decode(security.split(octets).message, downlink=downlink) for octets, downlink in raw]
    attach = messages[0]
    assert attach.voice_domain_preference.voice_domain == 3
    assert attach.ue_network_capability.eia == frozenset({0, 1, 2, 3})
    accept = next(message for message in messages if isinstance(message, nas.AttachAccept))
    assert accept.t3412_value.seconds == 54 * 60
    assert accept.eps_network_feature_support.ims_vops
    ims = messages[-2]
    assert (ims.access_point_name, ims.eps_qos.qci) == ("ims", 5)
    assert [str(address) for address in ims.protocol_configuration_options.p_cscf_ipv4] == ["10.4.128.21"]
    assert ies.GprsTimer.of(54 * 60) == 0x49
