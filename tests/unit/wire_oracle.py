# SPDX-License-Identifier: Apache-2.0
"""tshark as an oracle: messages out of real captures, and the dissection of messages of ours."""

import json
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

CAPTURES = Path(__file__).parents[2] / ".." / "shared" / "captures"
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
needs_captures = pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures in ../shared are not here")


def _tshark(*arguments: str) -> str:
    return subprocess.run(["tshark", *arguments], capture_output=True, text=True, check=True).stdout


def captured(protocol: str, display_filter: str, *, to_end: bool = False) -> list[tuple[bytes, dict[str, Any]]]:
    """The octets of each message in the captures, with tshark's fields of it as {name: [values]}.

    `to_end` takes all that follows in the frame too, where tshark counts the payload to another protocol.
    """
    found = []
    for capture in sorted(CAPTURES.glob("*.pcapng")):
        what = ("-Y", display_filter, "-J", protocol)
        text = _tshark("-r", str(capture), *what, "-T", "json", "-x", "--no-duplicate-keys")
        for packet in json.loads(text):
            layers = packet["_source"]["layers"]
            raw, layer = layers[f"{protocol}_raw"], layers[protocol]
            # one row of [hex, position, length, ...], or a list of rows where a frame holds more messages
            for row, fields in zip(raw, layer, strict=True) if isinstance(raw[0], list) else [(raw, layer)]:
                octets = layers["frame_raw"][0][2 * row[1] :] if to_end else row[0]
                found.append((bytes.fromhex(octets), _flat(fields)))
    return found


def dissected(payloads: list[bytes], dissector: str) -> list[tuple[str, dict[str, list[str]]]]:
    """The Info column and the fields of each payload, handed to the named dissector as an exported PDU."""
    with tempfile.NamedTemporaryFile(suffix=".pcap") as pcap:
        pcap.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 252))
        name = dissector.encode().ljust(len(dissector) + -len(dissector) % 4, b"\0")
        for payload in payloads:
            frame = struct.pack(">HH", 12, len(name)) + name + bytes(4) + payload
            pcap.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
        pcap.flush()
        infos = _tshark("-r", pcap.name, "-T", "fields", "-e", "_ws.col.Info").splitlines()
        packets = json.loads(_tshark("-r", pcap.name, "-T", "json", "--no-duplicate-keys"))
    return [(info, _flat(p["_source"]["layers"])) for info, p in zip(infos, packets, strict=True)]


def malformed(fields: dict[str, list[str]]) -> list[str]:
    """What tshark complains of in one frame."""
    complaints = ("_ws.malformed", "_ws.expert", "_ws.short", "_ws.unreassembled")
    return [f"{name}: {values}" for name, values in fields.items() if name.startswith(complaints)]


def _flat(tree: Any, into: dict[str, list[str]] | None = None) -> dict[str, list[str]]:
    """All leaves of tshark's tree by their field name, in order; raw octets (`_raw`) left out."""
    into = {} if into is None else into
    for name, value in tree.items():
        if name.endswith("_raw"):
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                into.setdefault(name, [])
                _flat(one, into)
            else:
                into.setdefault(name, []).append(one)
    return into
