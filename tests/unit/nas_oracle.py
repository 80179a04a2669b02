# SPDX-License-Identifier: Apache-2.0
"""What tshark says about NAS messages: from captures, and from octets of ours as exported PDUs."""

import functools
import shutil
import struct
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import NamedTuple

import pytest

CAPTURES = Path(__file__).parents[2] / ".." / "shared" / "captures"

UPLINK_PROCEDURES = ("12", "13")
"""InitialUEMessage, UplinkNASTransport (TS 36.413, 9.3.6)."""


class Dissection(NamedTuple):
    """One NAS message as tshark reads it: its name and every (field, shown value, shown text)."""

    info: str
    fields: list[tuple[str, str, str]]
    complaints: list[str]

    def values(self, name: str) -> list[str]:
        """The shown values of all fields of this name."""
        return [show for field, show, _ in self.fields if field == name]


def _tshark(path: Path, *options: str) -> ET.Element:
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    command = ["tshark", "-n", "-r", str(path), "-T", "pdml", *options]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    return ET.fromstring(done.stdout)


def _texts(field: ET.Element) -> tuple[str, str, str]:
    return field.get("name", ""), field.get("show", ""), field.get("showname", "")


def exported(messages: list[bytes], dissector: str = "nas-eps_plain") -> list[Dissection]:
    """Dissect octets as exported PDUs (link type 252), all in one run."""
    name = dissector.encode().ljust((len(dissector) + 3) // 4 * 4, b"\0")
    head = struct.pack(">HH", 12, len(name)) + name + struct.pack(">HH", 0, 0)
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 252)
    for message in messages:
        packet = head + message
        out += struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nas.pcap"
        path.write_bytes(out)
        root = _tshark(path)
    found = []
    for packet in root.iter("packet"):
        nas = [proto for proto in packet.iter("proto") if proto.get("name") == "nas-eps"]
        bad = [proto.get("name", "") for proto in packet.iter("proto") if "malformed" in proto.get("name", "")]
        fields = [_texts(field) for proto in nas for field in proto.iter("field")]
        bad += [show for field, show, _ in fields if field == "_ws.expert.message"]
        info = next((f.get("showname", "") for p in nas for f in p.iter("field") if "msg_e" in f.get("name", "")), "")
        found.append(Dissection(info.split(": ", 1)[-1].rsplit(" (0x", 1)[0], fields, bad))
    return found


@functools.cache
def captured(name: str) -> list[tuple[bytes, bool]]:
    """Every NAS message of a capture as (octets, downlink), still in its security header."""
    path = CAPTURES / name
    if not path.exists():
        pytest.skip(f"{name} is not there")
    found = []
    for packet in _tshark(path, "-Y", "s1ap").iter("packet"):
        procedure = ""
        for field in packet.iter("field"):
            name, show, _ = _texts(field)
            value = field.get("value", "")
            if name == "s1ap.procedureCode":
                procedure = show
            elif name in ("s1ap.NAS_PDU", "s1ap.nAS_PDU") and value:
                found.append((bytes.fromhex(value), procedure not in UPLINK_PROCEDURES))
    return found
