# SPDX-License-Identifier: Apache-2.0
"""The fields of a subscriber from text to value, with what people and spreadsheets do to them.

A parser raises Wrong with a plain sentence and a remedy. Neither ever quotes a key.
"""

import re

_SCIENTIFIC = re.compile(r"[0-9]+([.,][0-9]*)?[eE][+-]?[0-9]+")
_DECIMAL = re.compile(r"[0-9]+[.,][0-9]+")
_AS_TEXT = "Mark the column as text in the spreadsheet, enter the value again, and export once more."


class Wrong(Exception):
    """A field cannot be used: why, and what to do."""

    def __init__(self, text: str, remedy: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy


def parse_imsi(text: str) -> str:
    """14 or 15 digits (TS 23.003, 2.2 has at most 15; no network gives out fewer than 14)."""
    digits = _number(text, "An IMSI")
    if len(digits) > 15:
        hint = "This looks like an ICCID, which is printed on the card." if len(digits) in (18, 19, 20) else ""
        raise Wrong(f"An IMSI has 15 digits at most, this has {len(digits)}.", hint)
    if len(digits) < 14:
        raise Wrong(
            f"An IMSI has 15 digits (seldom 14), this has {len(digits)}.",
            "A spreadsheet that takes it for a number drops zeros at the front: 001010000000001 must begin with 00. "
            + _AS_TEXT,
        )
    return digits


def parse_key(text: str, octets: tuple[int, ...] = (16,)) -> bytes:
    """16 octets as 32 hexadecimal digits, or what `octets` allows; spaces and a leading 0x are forgiven. Errors do not
    quote it."""
    cleaned = _tidy(text)
    digits = [2 * size for size in octets]
    if _SCIENTIFIC.fullmatch(cleaned) and len(cleaned) not in digits:
        raise Wrong("A spreadsheet has rewritten this key as a number, and most of its digits are lost.", _AS_TEXT)
    cleaned = cleaned.removeprefix("0x").removeprefix("0X")
    for position, character in enumerate(cleaned, 1):
        if character not in "0123456789abcdefABCDEF":
            raise Wrong(f"Character {position} is no hexadecimal digit (0-9, a-f).", "Copy the key again.")
    if len(cleaned) not in digits:
        lost = " " + _AS_TEXT if cleaned.isdigit() and len(cleaned) < min(digits) else ""
        wanted = " or ".join(map(str, digits))
        raise Wrong(f"{wanted} hexadecimal digits are needed, this has {len(cleaned)}.", f"Copy all of it.{lost}")
    return bytes.fromhex(cleaned)


def parse_algorithm(text: str) -> str:
    """milenage or tuak; card lists write more around it. Empty for Milenage."""
    cleaned = text.strip().lower()
    if not cleaned or "milenage" in cleaned:
        return "milenage"
    if "tuak" in cleaned:
        return "tuak"
    raise Wrong(f"There is no algorithm {text.strip()!r} here.", "A card for LTE has milenage or tuak.")


def parse_res(text: str) -> int:
    """The length of RES in bits, 32, 64 or 128 (TS 35.231, 5.1; TS 33.401 takes no more): octets. Empty for 64."""
    if text.strip() not in ("", "32", "64", "128"):
        raise Wrong("A RES has 32, 64 or 128 bits.", "64 is usual.")
    return int(text.strip() or 64) // 8


def parse_iterations(text: str) -> int:
    """How often TUAK applies Keccak (TS 35.231, 5.1). Empty for once."""
    cleaned = text.strip() or "1"
    if not cleaned.isdigit() or not 1 <= int(cleaned) <= 255:
        raise Wrong("The iterations of Keccak are a number from 1 to 255.", "1 is usual.")
    return int(cleaned)


def parse_amf(text: str) -> bytes:
    """2 octets as 4 hexadecimal digits."""
    cleaned = _tidy(text).removeprefix("0x").removeprefix("0X")
    if not re.fullmatch(r"[0-9a-fA-F]{4}", cleaned):
        raise Wrong("The AMF has 4 hexadecimal digits.", "The usual AMF is 8000; leave it out if unsure.")
    return bytes.fromhex(cleaned)


def parse_msisdns(text: str) -> tuple[str, ...]:
    """Numbers with country code, or short ones of the lab; separated by comma, semicolon or `|` (E.164: 15 digits)."""
    return tuple(dict.fromkeys(_msisdn(part) for part in re.split(r"[,;|]", text) if part.strip()))


def parse_impi(text: str) -> str:
    """A private identity `user@domain` (TS 23.003, 13.3); empty for the default."""
    cleaned = _tidy(text)
    if cleaned and not re.fullmatch(r"[^\s@:]{1,127}@[^\s@:]{1,127}", cleaned):
        raise Wrong("An IMPI looks like 001010000000001@ims.mnc001.mcc001.3gppnetwork.org.", "No sip: is before it.")
    return cleaned


def parse_impus(text: str) -> tuple[str, ...]:
    """Public identities, `sip:user@domain` or `tel:number`, separated by space, comma or `|`; empty for the default."""
    found = []
    for part in re.split(r"[\s,|]+", text.strip()):
        if part and not re.fullmatch(r"sips?:[^\s@]{1,127}@[^\s@]{1,127}|tel:\+?[0-9*#.()-]{1,32}(;\S{1,200})?", part):
            raise Wrong(f"{part!r} is no public identity.", "Write sip:user@domain or tel:+41791234567.")
        if part:
            found.append(part)
    return tuple(dict.fromkeys(found))


def parse_ipsec(text: str) -> bool:
    """Whether the phone must use IPsec when it registers for IMS: required or optional. Empty for required."""
    cleaned = text.strip().lower() or "required"
    if cleaned not in ("required", "optional"):
        raise Wrong(f"{text.strip()!r} says nothing about IPsec.", "Write required, or optional for a phone without.")
    return cleaned == "required"


def parse_tags(text: str) -> tuple[str, ...]:
    """Words that group subscribers, separated by space, comma, semicolon or `|`."""
    found = [part for part in re.split(r"[\s,;|]+", text.strip()) if part]
    for tag in found:
        if not re.fullmatch(r"[\w.:+-]{1,32}", tag):
            raise Wrong(f"{tag!r} is no tag.", "A tag has at most 32 letters, digits, or . : + - _.")
    return tuple(dict.fromkeys(found))


def _tidy(text: str) -> str:
    # Spreadsheets protect a text as ="..." or '...
    text = text.strip()
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return re.sub(r"[\s\u00a0\u200b\ufeff]", "", text.removeprefix("'"))


def _number(text: str, what: str) -> str:
    cleaned = _tidy(text)
    if _SCIENTIFIC.fullmatch(cleaned):
        text = f"{cleaned} is what a spreadsheet makes of a long number; most of its digits are lost."
        raise Wrong(text, _AS_TEXT)
    if _DECIMAL.fullmatch(cleaned):
        raise Wrong(f"{cleaned} has a decimal point: a program took it for a quantity.", _AS_TEXT)
    if not re.fullmatch(r"[0-9]+", cleaned):
        raise Wrong(f"{what} consists of digits only." if cleaned else f"{what} is missing.", "Enter it again.")
    return cleaned


def _msisdn(text: str) -> str:
    cleaned = re.sub(r"[().\-/]", "", _tidy(text)) if not _SCIENTIFIC.fullmatch(_tidy(text)) else text
    cleaned = cleaned.removeprefix("+") if cleaned.startswith("+") else cleaned.removeprefix("00")
    digits = _number(cleaned, "A telephone number")
    if len(digits) > 15:
        raise Wrong(f"A telephone number has 15 digits at most, this has {len(digits)}.", "See ITU-T E.164.")
    if digits.startswith("0"):
        raise Wrong(f"{digits} begins with 0.", "Write it with the country code, such as +41791234567.")
    return digits
