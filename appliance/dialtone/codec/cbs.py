# SPDX-License-Identifier: Apache-2.0
"""Text of cell broadcast messages (TS 23.041, 9.4.2.2.4 and 9.4.2.2.5; coding schemes TS 23.038, 5).

Warning Message Contents: the number of pages, and for each 82 octets and how many of them count.
"""

from typing import NamedTuple

from dialtone.codec import gsm7
from dialtone.errors import LocalError, ProtocolError

GSM7_ENGLISH, UCS2 = 0x01, 0x48
PAGE, MOST_PAGES = 82, 15


class CodedText(NamedTuple):
    """A text as it is broadcast."""

    data_coding_scheme: int
    contents: bytes


def encode(text: str) -> CodedText:
    """GSM 7 bit where it will do, else UCS2. Raises LocalError for what is empty, or longer than 15 pages."""
    plain = gsm7.encodable(text)
    per_page = 93 if plain else PAGE // 2
    pages = [text[at : at + per_page] for at in range(0, len(text), per_page)]
    coded = [gsm7.pack(page)[0] if plain else page.encode("utf-16-be") for page in pages]
    if not 1 <= len(pages) <= MOST_PAGES or any(len(page) > PAGE for page in coded):
        raise LocalError(f"A warning has 1 to {MOST_PAGES * per_page} characters.", remedy="Say it shorter.")
    # a page of GSM 7 bit is filled with carriage returns, so that no spare bits read as a letter (TS 23.038, 6.1.2.2)
    filled = [gsm7.pack(page + "\r" * (per_page - len(page)))[0] for page in pages] if plain else coded
    return CodedText(GSM7_ENGLISH if plain else UCS2, bytes((len(pages),)) + b"".join(
        whole[:PAGE].ljust(PAGE, b"\0") + bytes((len(page),)) for whole, page in zip(filled, coded, strict=True)))


def decode(coded: CodedText) -> str:
    """The text. Raises ProtocolError."""
    count, rest = coded.contents[0], coded.contents[1:]
    if len(rest) != count * (PAGE + 1):
        raise ProtocolError(f"{count} pages in {len(rest)} octets", clause="TS 23.041, 9.4.2.2.5")
    pages = [rest[at : at + PAGE + 1] for at in range(0, len(rest), PAGE + 1)]
    used = [page[: min(page[PAGE], PAGE)] for page in pages]
    try:
        if coded.data_coding_scheme == UCS2:
            return "".join(page.decode("utf-16-be") for page in used)
    except UnicodeDecodeError as error:
        raise ProtocolError(f"no UCS2: {error}", clause="TS 23.038, 6.2.3") from None
    return "".join(gsm7.unpack(page).rstrip("\r") for page in used)
