# SPDX-License-Identifier: Apache-2.0
"""Decoding for people, the hex dump, clause and explanation."""

import contextlib
import json
import re
import subprocess
import sys

import pytest
from trace_samples import (
    ATTACH_REQUEST,
    GTPC_ECHO_REQUEST,
    IMSI,
    INITIAL_UE_MESSAGE,
    authentication_information_request,
)

from dialtone.errors import DialtoneError, LocalError
from dialtone.trace import about, decode
from dialtone.trace.names import POINTS


@pytest.mark.parametrize(("point", "data", "words"), [
    ("NAS", ATTACH_REQUEST, ["Type: 65 (Attach request)", "Type: 208 (PDN connectivity request)"]),
    ("S1-MME", INITIAL_UE_MESSAGE, ["InitialUEMessage", "(001/01)", "The NAS-PDU in it:", "(Attach request)"]),
    ("S11", GTPC_ECHO_REQUEST, ["Type: 1 (Echo Request)", "SeqNum: 1"]),
    ("S6a", authentication_information_request(), ["Authentication-Information", f"UTF8String: '{IMSI}'"]),
])
def test_every_point_has_a_tree(point: str, data: bytes, words: list[str]) -> None:
    text = decode.tree(point, data)
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize("point", ["S1-MME", "NAS", "S11", "S6a"])
@pytest.mark.parametrize("data", [b"", b"\0", b"\xff" * 30, ATTACH_REQUEST[:5], INITIAL_UE_MESSAGE[:20]])
def test_no_octets_raise_anything_else(point: str, data: bytes) -> None:
    with contextlib.suppress(DialtoneError):
        assert isinstance(decode.tree(point, data), str)


def test_an_unknown_point_has_a_remedy() -> None:
    with pytest.raises(LocalError, match="Wireshark"):
        decode.tree("X2", b"")


def test_hexdump() -> None:
    assert decode.hexdump(bytes(range(60, 78))) == (
        "0000  3c 3d 3e 3f 40 41 42 43  44 45 46 47 48 49 4a 4b  <=>?@ABCDEFGHIJK\n"
        "0010  4c 4d                                             LM")


def test_the_worker_answers_line_by_line() -> None:
    asked = [{"point": "NAS", "data": ATTACH_REQUEST.hex()}, {"point": "NAS", "data": "zz"},
             {"point": "X2", "data": ""}]
    run = subprocess.run([sys.executable, "-m", "dialtone.trace.decode"], text=True, capture_output=True, check=True,
                         input="".join(json.dumps(line) + "\n" for line in asked))
    good, bad, unknown = map(json.loads, run.stdout.splitlines())
    assert "Attach request" in good["text"]
    assert bad["error"]
    assert unknown["remedy"]


def test_explanations_have_three_parts_and_a_clause() -> None:
    for point in POINTS[:4]:
        assert len(about.explained(point)) >= 10
        for name in about.explained(point):
            text = about.explain(point, name)
            assert re.search(r"TS \d\d\.\d{3}, \d|RFC \d{4}, \d", text), name
            assert 2 <= len(re.findall(r"[.!?](?= |$)", re.sub(r"\d\.\d", "", text))) <= 7, name


def test_nothing_is_made_up() -> None:
    assert about.explain("NAS", "Nothing") == ""
    assert about.explain("../names", "x") == ""
