# SPDX-License-Identifier: Apache-2.0
"""S1AP against tshark: what we send is not malformed; what was captured reads alike and goes back the same."""

import json
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from s1ap_corpus import CORPUS

from dialtone.codec import s1ap
from dialtone.ids import Plmn

CAPTURES = sorted((Path(__file__).parents[3] / "shared" / "captures").glob("*.pcapng"))
DLT_WIRESHARK_UPPER_PDU = 252
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def exported(payloads: list[bytes]) -> bytes:
    """A pcap file of S1AP PDUs for tshark: each packet names its dissector (exported PDU, tag 12)."""
    tag = struct.pack(">HH4sHH", 12, 4, b"s1ap", 0, 0)
    packets = [tag + payload for payload in payloads]
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, DLT_WIRESHARK_UPPER_PDU)
    return head + b"".join(struct.pack("<IIII", 0, 0, len(p), len(p)) + p for p in packets)


def tshark(*arguments: str) -> str:
    done = subprocess.run(["tshark", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@needs_tshark
def test_tshark_reads_what_we_send(tmp_path: Path) -> None:
    path = tmp_path / "ours.pcap"
    path.write_bytes(exported([s1ap.encode(message) for message in CORPUS]))
    # NAS and radio capabilities of the corpus are fillings, not messages
    plain = [f"--disable-protocol={name}" for name in ("nas-eps", "lte_rrc")]
    shown = tshark(
        "-r", str(path), *plain, "-T", "fields", "-E", "separator=;", "-e", "s1ap.procedureCode",
        "-e", "_ws.malformed", "-e", "_ws.expert.severity", "-e", "_ws.col.Info",
    ).splitlines()  # fmt: skip
    assert len(shown) == len(CORPUS)
    for line, message in zip(shown, CORPUS, strict=True):
        code, malformed, severity, info = line.split(";", 3)
        assert (malformed, severity) == ("", ""), line
        assert code.split(",")[0] == str(message.PROCEDURE_CODE), line
        assert message.NAME in info


def captured(path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Octets and dissection of each S1AP PDU in a capture."""
    text = tshark("-r", str(path), "-Y", "s1ap", "-T", "json", "-x", "--no-duplicate-keys")
    for frame in json.loads(text):
        layers = frame["_source"]["layers"]
        raw, tree = layers["s1ap_raw"], layers["s1ap"]
        if isinstance(tree, dict):
            raw, tree = [raw], [tree]
        for octets, dissected in zip(raw, tree, strict=True):
            yield bytes.fromhex(octets[0]), dissected


def shown_values(tree: Any, name: str) -> Iterator[str]:
    """The values tshark shows for a field, in order."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if str(key).lower() == f"s1ap.{name}".lower():  # NAS_PDU as an IE, nAS_PDU in a list
            yield from value if isinstance(value, list) else [value]
        elif isinstance(value, dict | list):
            yield from shown_values(value, name)


def our_values(value: Any, name: str) -> Iterator[Any]:
    """The values of all fields of a name in a message, in order."""
    if is_dataclass(value):
        for one in fields(value):
            if one.name == name and getattr(value, name) is not None:
                yield getattr(value, name)
            else:
                yield from our_values(getattr(value, one.name), name)
    elif isinstance(value, tuple):
        for one, inner in zip(getattr(value, "_fields", [""] * len(value)), value, strict=True):
            if one == name:
                yield inner
            else:
                yield from our_values(inner, name)


def octets_of(shown: str) -> bytes:
    return bytes.fromhex(shown.replace(":", ""))


def whole(shown: str) -> int:
    return int(shown, 0)


FIELDS = {
    "mme_ue_s1ap_id": ("MME_UE_S1AP_ID", whole),
    "enb_ue_s1ap_id": ("ENB_UE_S1AP_ID", whole),
    "nas_pdu": ("NAS_PDU", octets_of),
    "e_rab_id": ("e_RAB_ID", whole),
    "gtp_teid": ("gTP_TEID", lambda shown: int.from_bytes(octets_of(shown), "big")),
    "transport_layer_address": ("transportLayerAddress", octets_of),
    "qci": ("qCI", whole),
    "priority_level": ("priorityLevel", whole),
    "pre_emption_capability": ("pre_emptionCapability", whole),
    "pre_emption_vulnerability": ("pre_emptionVulnerability", whole),
    "e_rab_maximum_bitrate_dl": ("e_RAB_MaximumBitrateDL", whole),
    "e_rab_guaranteed_bitrate_ul": ("e_RAB_GuaranteedBitrateUL", whole),
    "dl": ("uEaggregateMaximumBitRateDL", whole),
    "ul": ("uEaggregateMaximumBitRateUL", whole),
    "ue_radio_capability": ("UERadioCapability", octets_of),
    "security_key": ("SecurityKey", octets_of),
    "encryption_algorithms": ("encryptionAlgorithms", lambda s: int.from_bytes(octets_of(s), "big")),
    "tac": ("tAC", whole),
    "cell_id": ("CellIdentity", whole),
    "plmn": ("pLMNidentity", lambda shown: Plmn.from_bytes(octets_of(shown))),
    "rrc_establishment_cause": ("RRC_Establishment_Cause", whole),
    "m_tmsi": ("m_TMSI", lambda shown: int.from_bytes(octets_of(shown), "big")),
}


@needs_tshark
@pytest.mark.skipif(not CAPTURES, reason="no captures in ../shared")
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_captures(path: Path) -> None:
    """Every S1AP PDU: the values tshark shows, and the same octets when sent again."""
    compared = 0
    for octets, dissected in captured(path):
        message = s1ap.decode(octets)
        assert message.unknown_ies == ()
        for name, (theirs, read) in FIELDS.items():
            found = list(our_values(message, name))
            assert found == [read(shown) for shown in shown_values(dissected, theirs)], (message.NAME, name)
            compared += len(found)
        assert s1ap.encode(message) == octets, message.NAME
    assert compared > 30
