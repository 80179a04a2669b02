# SPDX-License-Identifier: Apache-2.0
"""Diameter messages for tests, built from the codec's own tables: each message small, full, and at random."""

from ipaddress import ip_address
from typing import Any

from hypothesis import strategies as st

from dialtone.codec.diameter import COMMANDS, DiameterMessage
from dialtone.codec.diameter.table import Avps, table
from dialtone.ids import Plmn

# Examples by AVP name, otherwise by type.
BY_NAME: dict[str, Any] = {
    "Session-Id": "mme.epc.mnc001.mcc001.3gppnetwork.org;1;7;ims",
    "Origin-Host": "mme.epc.mnc001.mcc001.3gppnetwork.org",
    "Origin-Realm": "epc.mnc001.mcc001.3gppnetwork.org", "User-Name": "001010123456789", "Result-Code": 2001,
    "Auth-Session-State": 1, "Vendor-Id": 10415, "Auth-Application-Id": 16777251, "RAT-Type": 1004,
    "Experimental-Result-Code": 5001, "QoS-Class-Identifier": 5, "IMEI": "35622410483840", "Software-Version": "01",
    "Service-Selection": "ims", "Public-Identity": "sip:+15550100@ims.example.org",
    "Cx-User-Data": b"<IMSSubscription/>", "3GPP-Charging-Characteristics": "0800",
    "APN-OI-Replacement": "mnc001.mcc001.gprs",
    "Network-Access-Mode": 2, "SGSN-Number": b"\x51\x55\x21\x43", "STN-SR": b"\x51\x55\x21\x43",
    "MME-Number-for-MT-SMS": b"\x51\x55\x21\x43", "3GPP2-MEID": bytes(7), "Regional-Subscription-Zone-Code": b"\0\1",
    "Time-Zone": "+8", "Trace-Reference": bytes(3),
    "E-UTRAN-Cell-Global-Identity": bytes.fromhex("00f11000019b00"),
    "Tracking-Area-Identity": bytes.fromhex("00f1100001"),
    "Redirect-Host": "aaa://hss2.epc.mnc001.mcc001.3gppnetwork.org",
    "Failed-AVP": bytes.fromhex("000001084000000c68737331"),
    "Visited-Network-Identifier": b"mnc001.mcc001.3gppnetwork.org",
    "Reset-ID": b"\1",
    "SM-RP-UI": bytes.fromhex("11000b916407281553f80000aa0ae8329bfd4697d9ec37"),  # SMS-SUBMIT, as tshark takes it
    "Flow-Description": "permit out 17 from 10.46.0.3 50000 to 10.46.0.2 49120",
    "Framed-IPv6-Prefix": bytes.fromhex("004020010db8cafe0002"), "Called-Station-Id": "ims",
    "Subscription-Id-Data": "001010000000001", "Service-URN": b"sos", "3GPP-SGSN-MCC-MNC": "00101",
    "3GPP-MS-TimeZone": b"\x40\0",
    "3GPP-User-Location-Info": bytes.fromhex("0000110000010019"), "Flow-Status": 2, "Media-Type": 0,
    "IP-CAN-Type": 5, "Codec-Data": b"uplink\noffer\nm=audio 49120 RTP/AVP 116\r\n",
    "AF-Charging-Identifier": b"icid-1", "AF-Application-Identifier": b"urn:urn-7:3gpp-service.ims.icsi.mmtel",
}  # fmt: skip
BY_TYPE: dict[str, Any] = {
    "OctetString": b"\1\2\3\4\5", "UTF8String": "text", "DiameterIdentity": "hss.example.org", "Unsigned32": 1,
    "DiameterURI": "aaa://cdf.example.org",
    "Enumerated": 1, "Address": ip_address("10.0.0.1"), "OctetString(Plmn)": Plmn("001", "01"),
    "OctetString(Tbcd)": "15551234567", "OctetString(16)": bytes(range(16)), "OctetString(30)": bytes(range(30)),
    "OctetString(32)": bytes(range(32)), "OctetString(3)": bytes(3),
    "OctetString(4)": bytes((10, 46, 0, 2)), "IPFilterRule": "permit in ip from any to any",
    "OctetString(5)": bytes(5), "OctetString(7)": bytes(7),
    "Time": 1_790_000_000,
}  # fmt: skip

NOT_EMPTY: dict[str, dict[str, Any]] = {
    "Subscription-Data": {"subscriber_status": 0},
    "User-Identifier": {"user_name": "001010123456789"},
    "3GPP-SIP-Auth-Data-Item": {"sip_authentication_scheme": "Digest-AKAv1-MD5"},
    "Server-Capabilities": {"optional_capability": (1,)},
    "Charging-Information": {"primary_charging_collection_function_name": "aaa://cdf.example.org"},
    "Associated-Identities": {"user_name": ("001010000000001@ims.mnc001.mcc001.3gppnetwork.org",)},
    "Associated-Registered-Identities": {"user_name": ("001010000000001@ims.mnc001.mcc001.3gppnetwork.org",)},
}


def small(cls: type[Avps]) -> Any:
    """Required AVPs, and a Result-Code in an answer."""
    return cls(**{f.name: _value(f) for f in table(cls) if f.required or f.name == "result_code"})


def full(cls: type[Avps]) -> Any:
    """Every AVP of the format, lists with two members."""
    return cls(**{f.name: _value(f, full) for f in table(cls)})


def _value(field: Any, build: Any = small) -> Any:
    if build is small and field.avp.name in NOT_EMPTY:  # tshark complains of an empty group
        return field.group(**NOT_EMPTY[field.avp.name])
    one = build(field.group) if field.group else BY_NAME.get(field.avp.name, BY_TYPE.get(field.avp.type))
    return (one, one) if field.many and build is full else (one,) if field.many else one


def corpus() -> list[DiameterMessage]:
    """Every command small and full, with identifiers."""
    found = []
    for cls in COMMANDS.values():
        for message in (small(cls), full(cls)):
            message.hop_by_hop, message.end_to_end = 0x12345678, 0x9ABCDEF0
            found.append(message)
    return found


_U32, _I32 = st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1)
_PLMN = st.builds(Plmn, st.text("0123456789", min_size=3, max_size=3), st.text("0123456789", min_size=2, max_size=3))
_STRATEGIES: dict[str, Any] = {
    "OctetString": st.binary(max_size=20), "UTF8String": st.text(max_size=20), "IPFilterRule": st.text(max_size=20),
    "DiameterURI": st.text(max_size=20),
    "Unsigned32": _U32, "Enumerated": _I32,
    "Time": st.integers(-61505152, 4233462143),
    "DiameterIdentity": st.text("abcdefghij.-0123456789", min_size=1, max_size=30), "Address": st.ip_addresses(),
    "OctetString(Plmn)": _PLMN, "OctetString(Tbcd)": st.text("0123456789", min_size=1, max_size=15),
}  # fmt: skip


def messages() -> st.SearchStrategy[DiameterMessage]:
    """Any message, with any subset of its optional AVPs."""
    return st.sampled_from(list(COMMANDS.values())).flatmap(_strategy)


def _strategy(cls: type[Avps]) -> st.SearchStrategy[Any]:
    def of(field: Any) -> st.SearchStrategy[Any]:
        if field.group:
            one = _strategy(field.group)
        elif field.avp.type in _STRATEGIES:
            one = _STRATEGIES[field.avp.type]
        else:
            size = len(BY_TYPE[field.avp.type])
            one = st.binary(min_size=size, max_size=size)
        if field.many:
            return st.lists(one, min_size=int(field.required), max_size=2).map(tuple)
        return one if field.required else st.none() | one

    fields = {f.name: of(f) for f in table(cls)}
    if issubclass(cls, DiameterMessage):
        fields |= {"hop_by_hop": _U32, "end_to_end": _U32, "proxiable": st.booleans(), "retransmit": st.booleans()}
    return st.builds(cls, **fields)
