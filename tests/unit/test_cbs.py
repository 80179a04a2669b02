# SPDX-License-Identifier: Apache-2.0
"""Text of cell broadcast messages: pages, alphabets, against tshark's reading of a warning."""

import pytest

from dialtone.codec import cbs
from dialtone.errors import LocalError, ProtocolError


@pytest.mark.parametrize("text", ["x", "This is a test.", "a" * 93, "b" * 94, "c" * 1395, "Größe {1}", "警告" * 30,
                                  "щ" * 615])
def test_a_text_comes_back(text: str) -> None:
    coded = cbs.encode(text)
    assert cbs.decode(coded) == text
    assert len(coded.contents) == 1 + 83 * coded.contents[0]


def test_a_page_is_laid_out_as_the_specification_says() -> None:
    """TS 23.041, 9.4.2.2.5: pages, 82 octets, how many of them count; padding is carriage returns (TS 23.038)."""
    coded = cbs.encode("hellohello")
    assert coded.data_coding_scheme == 1
    assert coded.contents[:9] == bytes.fromhex("01e8329bfd4697d9ec")  # TS 23.038, 6.1.2.1: as in SMS
    assert coded.contents[9] == 0x37 | 0x40  # the last character, and the first bits of a carriage return
    assert coded.contents[-1] == 9
    assert cbs.encode("ü€щ").data_coding_scheme == 0x48


@pytest.mark.parametrize("text", ["", "a" * 1396, "щ" * 616, "€" * 93])
def test_what_is_too_long_is_refused(text: str) -> None:
    with pytest.raises(LocalError):
        cbs.encode(text)


@pytest.mark.parametrize("octets", [b"\0\0", b"\1", b"\1" + bytes(82), b"\2" + bytes(83)])
def test_what_is_no_page_is_refused(octets: bytes) -> None:
    with pytest.raises(ProtocolError):
        cbs.decode(cbs.CodedText(1, octets))
