# SPDX-License-Identifier: Apache-2.0
"""AMR payloads: sizes and bits that phones send, both formats, files, and what is no payload."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialtone.codec.amr import MAGIC, NO_DATA, AmrError, Format, Frame, Payload

FORMATS = [Format(name, aligned) for name in ("AMR", "AMR-WB") for aligned in (False, True)]


def frame_of(form: Format, kind: int, fill: int = 0xFF, good: bool = True) -> Frame:
    """A frame whose unused last bits are zero."""
    size = form.size(kind)
    value = int.from_bytes(bytes([fill]) * ((size + 7) // 8)) >> -size % 8 << -size % 8
    return Frame(kind, value.to_bytes((size + 7) // 8), good)


@pytest.mark.parametrize(("name", "aligned", "kind", "length", "start"), [
    ("AMR", False, 7, 32, "f3ff"),  # 12.2 kbit/s: CMR 15, F 0, FT 7, Q 1, speech
    ("AMR", True, 7, 33, "f03cff"),
    ("AMR-WB", False, 8, 61, "f47f"),  # 23.85 kbit/s
    ("AMR-WB", True, 2, 34, "f014ff"),  # 12.65 kbit/s
    ("AMR", False, 8, 7, "f47f"),  # comfort noise
    ("AMR-WB", False, 15, 2, "f7c0"),  # nothing to send
])
def test_octets_of_one_frame(name: str, aligned: bool, kind: int, length: int, start: str) -> None:
    form = Format(name, aligned)
    octets = form.encode(Payload((frame_of(form, kind),)))
    assert len(octets) == length
    assert octets.hex().startswith(start)
    assert form.decode(octets).frames == (frame_of(form, kind),)


@given(st.sampled_from(FORMATS), st.lists(st.tuples(st.integers(0, 7), st.integers(0, 255), st.booleans()),
                                          min_size=1, max_size=12), st.integers(0, 15))
def test_back_and_forth(form: Format, frames: list[tuple[int, int, bool]], cmr: int) -> None:
    payload = Payload(tuple(frame_of(form, *one) for one in frames), cmr)
    assert form.decode(form.encode(payload)) == payload
    assert form.load(form.store(payload.frames)) == list(payload.frames)


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_no_payload(form: Format) -> None:
    good = form.encode(Payload((frame_of(form, 1),)))
    reserved = 10 if form.name == "AMR-WB" else 9
    table = (0xF << 12 | reserved << 7 | 1 << 6).to_bytes(2) if not form.aligned else bytes((0xF0, reserved << 3 | 4))
    many = Payload(tuple(Frame(NO_DATA) for _ in range(13)))
    for bad in (b"", good[:-1], good + b"\0", table, form.encode(many)):
        with pytest.raises(AmrError):
            form.decode(bad)
    with pytest.raises(AmrError):
        form.encode(Payload((Frame(1, b"short"),)))
    with pytest.raises(AmrError):
        form.load(b"RIFF")
    with pytest.raises(AmrError):
        form.load(MAGIC[form.name] + b"\x04\0")
