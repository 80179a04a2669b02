# SPDX-License-Identifier: Apache-2.0
"""A small trace with real octets: a context is seen under its label first, and learns its IMSI later."""

import struct

from dialtone.trace.bus import Bus, Event

IMSI = "001010000000001"
START = 1790000000.25
# Made with pycrate's ASN.1 runtime: PLMN 001/01, TAC 1, eNB-ID 0x19b.
S1_SETUP_REQUEST = bytes.fromhex(
    "00110029000004003b00080000f110000019b0003c40060180656e6231004000070000004000f1100089400140")
S1_SETUP_FAILURE = bytes.fromhex("401100080000010002400145")
ATTACH_REQUEST = bytes.fromhex("07417108091010000000001002e0e000040201d011")
INITIAL_UE_MESSAGE = bytes.fromhex(
    "000c403e000005000800020007001a00161507417108091010000000001002e0e000040201d011"
    "004300060000f1100001006440080000f1100019b0100086400130")
AUTHENTICATION_REQUEST = bytes.fromhex("075200") + bytes(range(16)) + b"\x10" + bytes(range(16))
PROTECTED = bytes.fromhex("27aabbccdd01") + bytes(range(40, 60))
GTPC_ECHO_REQUEST = bytes.fromhex("40010009000001000300010005")


def avp(code: int, value: bytes) -> bytes:
    return struct.pack(">II", code, 0x40000000 | 8 + len(value)) + value + bytes(-len(value) % 4)


def authentication_information_request() -> bytes:
    body = (avp(263, b"mme;1;1") + avp(277, b"\0\0\0\1") + avp(264, b"mme.example.org")
            + avp(296, b"example.org") + avp(283, b"example.org") + avp(1, IMSI.encode()))
    head = struct.pack(">IIIII", 0x01000000 | 20 + len(body), 0xC0000000 | 318, 16777251, 1, 1)
    return head + body


def sample() -> list[Event]:
    """S1 Setup, then the first messages of one attach, then another phone's."""
    bus = Bus()
    label, phone = "mme-ue-1", f"ue-{IMSI}"
    bus.received(START, "S1-MME", "enb1", "mme", "S1SetupRequest", "", "s1_setup", "", S1_SETUP_REQUEST)
    bus.received(START + 1, "S1-MME", "enb1", "mme", "InitialUEMessage", label, "attach", "", INITIAL_UE_MESSAGE)
    bus.received(START + 1.001, "NAS", label, "mme", "Attach request", label, "attach", "", ATTACH_REQUEST)
    bus.done(START + 1.001, "identity", "mme", "IMSI", label, IMSI)
    bus.done(START + 1.001, "state", "mme", "EMM", IMSI, "EMM-DEREGISTERED -> EMM-COMMON")
    bus.sent(START + 1.002, "S6a", "mme", "hss", "Authentication-Information Request", IMSI, "attach", "",
             authentication_information_request())
    bus.sent(START + 1.003, "NAS", "mme", phone, "Authentication request", IMSI, "attach", "",
             AUTHENTICATION_REQUEST)
    bus.sent(START + 1.004, "S11", "mme", "pgw", "Echo Request", "", "", "", GTPC_ECHO_REQUEST)
    bus.sent(START + 1.005, "NAS", "mme", phone, "Security mode command", IMSI, "attach", "", PROTECTED,
             AUTHENTICATION_REQUEST)
    bus.received(START + 1.1, "NAS", "mme-ue-2", "mme", "Attach request", "001010000000002", "attach", "",
                 ATTACH_REQUEST)
    bus.done(START + 1.2, "verdict", "mme", "attach", IMSI, "ok: attached in 214 ms", "attach")
    return list(bus.ring)
