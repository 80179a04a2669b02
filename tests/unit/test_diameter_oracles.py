# SPDX-License-Identifier: Apache-2.0
"""Diameter against pycrate both ways, against tshark and its dictionary, and over real captures."""

import re
from collections import Counter
from pathlib import Path

import pytest
from diameter_samples import corpus
from wire_oracle import captured, dissected, malformed, needs_captures, needs_tshark

from dialtone.codec import diameter
from dialtone.codec.diameter import (
    AVPS,
    COMMANDS,
    AAAnswer,
    AARequest,
    DeviceWatchdogAnswer,
    DeviceWatchdogRequest,
    LocationInfoAnswer,
    MultimediaAuthAnswer,
    MultimediaAuthRequest,
    ServerAssignmentAnswer,
    ServerAssignmentRequest,
    UserAuthorizationAnswer,
)
from dialtone.codec.diameter.table import table
from dialtone.codec.diameter.types import codec_of

pycrate = pytest.importorskip("pycrate_diameter.Diameter3GPP")
ids = [f"{m.NAME} {'full' if at % 2 else 'small'}" for at, m in enumerate(corpus())]


def compare(message, elements):
    """Every AVP of ours stands in pycrate's decoding with the same flags and value; returns how many were compared."""
    found = {}
    for element in elements:
        head = element[0]
        vendor = head["VendorID"].get_val() if head["V"].get_val() else 0
        found.setdefault((head["Code"].get_val(), vendor), []).append(element)
    count = 0
    for field in table(type(message)):
        value = getattr(message, field.name)
        values = value if field.many else () if value is None else (value,)
        their = found.get((field.avp.code, field.avp.vendor), [])
        assert len(their) == len(values), field.avp.name
        for mine, element in zip(values, their, strict=True):
            count += 1
            assert element[0]["M"].get_val() == field.avp.mandatory, field.avp.name
            if field.group:
                count += compare(mine, element[1])
            elif field.avp.type in ("Unsigned32", "Enumerated") and field.avp.name != "DRMP":  # octets to pycrate
                assert element[1].get_val() == mine, field.avp.name
            else:
                assert element[1].to_bytes() == codec_of(field.avp.type).encode(mine), field.avp.name
    return count


@pytest.mark.parametrize("message", corpus(), ids=ids)
def test_pycrate_reads_what_we_write(message):
    octets = diameter.encode(message)
    structure = pycrate.Diameter3GPP()
    structure.from_bytes(octets)
    head = structure[0]
    assert head["HHID"].get_val() == message.hop_by_hop
    assert head["EEID"].get_val() == message.end_to_end
    assert (head["R"].get_val(), head["P"].get_val()) == (message.REQUEST, message.proxiable)
    assert compare(message, structure[1]) >= sum(f.required for f in table(type(message)))
    assert structure.to_bytes() == octets


@pytest.mark.parametrize("message", corpus(), ids=ids)
def test_we_read_what_pycrate_writes(message):
    structure = pycrate.Diameter3GPP()
    structure.from_bytes(diameter.encode(message))
    built = pycrate.Diameter3GPP()
    built[0].set_val({name: value for name, value in structure[0].get_val_d().items() if name != "Len"})
    built[1].set_val([values(element) for element in structure[1]])
    assert diameter.decode(built.to_bytes()) == message


def values(element):
    """What pycrate needs to build this AVP again, with its lengths and padding left to pycrate."""
    head = {name: value for name, value in element[0].get_val_d().items() if name != "Len"}
    grouped = type(element[1]).__name__ == "Grouped"
    return {"AVPHdr": head, "AVPData": [values(one) for one in element[1]] if grouped else element[1].get_val()}


@needs_tshark
def test_tshark_reads_what_we_write_and_prints_our_names():
    messages = corpus()
    seen = dissected([diameter.encode(m) for m in messages], "diameter")
    for message, (info, fields) in zip(messages, seen, strict=True):
        command, _, kind = message.NAME.rpartition(" ")
        assert info.startswith(f"cmd={command} {kind}({message.COMMAND})"), info
        assert malformed(fields) == [], message.NAME
        for field in table(type(message)):
            if getattr(message, field.name) not in (None, ()):
                assert f"diameter.{field.avp.name}" in fields


DICTIONARY = Path("/usr/share/wireshark/diameter")
# Where tshark's dictionary says another thing than the specification, or leaves the type open.
OTHER_FLAGS = {
    "3GPP-Charging-Characteristics",  # TS 29.061, 16.4.7: M bit may be set; TS 29.272, table 7.3.1-2 leaves it
    "Supported-Features", "Feature-List-ID", "Feature-List",  # TS 29.229, table 6.3.1: V only
    "LIA-Flags", "SAR-Flags", "Initial-CSeq-Sequence-Number",  # TS 29.229, table 6.3.1: V only, as all that came late
    "Associated-Identities",  # likewise
    "RAT-Type",  # TS 29.272, table 7.3.1-2 asks for M where TS 29.212 does not
}  # fmt: skip


@pytest.mark.skipif(not DICTIONARY.is_dir(), reason="tshark's dictionary is not installed")
def test_codes_and_flags_agree_with_the_dictionary_of_tshark():
    known = {}
    for xml in DICTIONARY.glob("*.xml"):
        text = xml.read_text(errors="replace")
        for name, code, rest in re.findall(r'<avp name="([^"]+)"\s+code="(\d+)"([^>]*)>', text):
            vendor = 10415 if 'vendor-id="TGPP"' in rest else 0
            mandatory = re.search(r'mandatory="(\w+)"', rest)
            known.setdefault((int(code), vendor), []).append((name, mandatory[1] if mandatory else "may"))
    for avp in AVPS.values():
        rows = dict(known[avp.code, avp.vendor])
        assert avp.name in rows, (avp, rows)
        if avp.name not in OTHER_FLAGS:
            assert rows[avp.name] in ("may", "must" if avp.mandatory else "mustnot"), avp


@needs_tshark
@needs_captures
def test_captured_messages():
    """Watchdogs, what the P-CSCF of another IMS and the policy function of another core say to each other, and what its
    other CSCFs and the HSS do."""
    kinds = {(cls.COMMAND, cls.APPLICATION_ID) for cls in COMMANDS.values()}
    found = [
        (octets, fields)
        for octets, fields in captured("diameter", "diameter")
        if (int(fields["diameter.cmd.code"][0]), int(fields["diameter.applicationId"][0])) in kinds
    ]
    assert Counter(type(diameter.decode(octets)) for octets, _ in found) >= Counter(
        {DeviceWatchdogRequest: 2, DeviceWatchdogAnswer: 2, AARequest: 3, AAAnswer: 3, UserAuthorizationAnswer: 2,
         MultimediaAuthRequest: 2, MultimediaAuthAnswer: 2, ServerAssignmentRequest: 2, ServerAssignmentAnswer: 2,
         LocationInfoAnswer: 1})
    for octets, fields in found:
        message = diameter.decode(octets)
        assert [message.origin_host] == fields["diameter.Origin-Host"]
        assert [message.origin_realm] == fields["diameter.Origin-Realm"]
        assert int(fields["diameter.hopbyhopid"][0], 16) == message.hop_by_hop
        assert diameter.decode(diameter.encode(message)) == message
        if isinstance(message, DeviceWatchdogRequest | DeviceWatchdogAnswer):
            assert [str(message.origin_state_id)] == fields["diameter.Origin-State-Id"]
            assert diameter.encode(message) == octets
        if not message.REQUEST:
            name = "Experimental-Result-Code" if message.result_code is None else "Result-Code"
            assert [str(message.result_code or message.experimental_result_code)] == fields[f"diameter.{name}"]
        if isinstance(message, MultimediaAuthAnswer):
            item = message.sip_auth_data_item[0]
            assert [item.sip_authenticate.hex(":")] == fields["diameter.3GPP-SIP-Authenticate"]
            assert [item.integrity_key.hex(":")] == fields["diameter.Integrity-Key"]
        if isinstance(message, AARequest):
            media = message.media_component_description[0]
            assert [text for sub in media.media_sub_component for text in sub.flow_description] == (
                fields["diameter.Flow-Description"])
