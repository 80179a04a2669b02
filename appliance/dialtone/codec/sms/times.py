# SPDX-License-Identifier: Apache-2.0
"""Times of short messages: TP-Service-Centre-Time-Stamp and TP-Validity-Period (TS 23.040, 9.2.3.11 and 9.2.3.12).

An absolute time is kept as (Unix seconds, minutes east of UTC).
"""

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from dialtone.errors import ProtocolError

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86400, 604800


class Stamp(NamedTuple):
    """A point in time as seven octets hold it."""

    seconds: int
    offset: int = 0  # minutes east of UTC, a multiple of 15


def encode_stamp(stamp: Stamp) -> bytes:
    """Seven octets: year, month, day, hour, minute, second, zone, in swapped half-octets (9.2.3.11)."""
    when = datetime.fromtimestamp(stamp.seconds, UTC) + timedelta(minutes=stamp.offset)
    fields = (when.year % 100, when.month, when.day, when.hour, when.minute, when.second)
    quarters = abs(stamp.offset) // 15
    zone = quarters % 10 << 4 | quarters // 10 | (8 if stamp.offset < 0 else 0)
    return bytes(value % 10 << 4 | value // 10 for value in fields) + bytes((zone,))


def decode_stamp(octets: bytes) -> Stamp:
    """Raises ProtocolError for what is no time."""
    if len(octets) != 7:
        raise ProtocolError(f"a time has 7 octets, not {len(octets)}", clause="TS 23.040, 9.2.3.11")
    year, month, day, hour, minute, second = ((octet & 15) * 10 + (octet >> 4) for octet in octets[:6])
    quarters = (octets[6] & 7) * 10 + (octets[6] >> 4)
    offset = -15 * quarters if octets[6] & 8 else 15 * quarters
    try:
        local = datetime(2000 + year if year < 90 else 1900 + year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise ProtocolError(f"{octets.hex()} is no time: {error}", clause="TS 23.040, 9.2.3.11") from None
    return Stamp(int(local.timestamp()) - 60 * offset, offset)


class ValidityFormat(IntEnum):
    """TP-Validity-Period-Format (9.2.3.3)."""

    NONE = 0
    ENHANCED = 1
    RELATIVE = 2
    ABSOLUTE = 3


class Validity(NamedTuple):
    """TP-VP: `seconds` from now, or until `stamp`. `single_shot`: one attempt and no more (enhanced format)."""

    format: ValidityFormat = ValidityFormat.NONE
    seconds: int | None = None
    stamp: Stamp | None = None
    single_shot: bool = False

    def until(self, now: int, default: int) -> int:
        """When the text expires, `default` seconds after `now` where it does not say."""
        if self.stamp is not None:
            return self.stamp.seconds
        return now + (default if self.seconds is None else self.seconds)


def relative(value: int) -> int:
    """Seconds of the one octet of the relative format (9.2.3.12.1)."""
    if value <= 143:
        return (value + 1) * 5 * MINUTE
    if value <= 167:
        return 12 * HOUR + (value - 143) * 30 * MINUTE
    if value <= 196:
        return (value - 166) * DAY
    return (value - 192) * WEEK


def relative_octet(seconds: int) -> int:
    """The smallest value that lasts as long, 255 for more than 63 weeks."""
    return next((value for value in range(256) if relative(value) >= seconds), 255)


def encode_validity(validity: Validity) -> bytes:
    """None, one or seven octets."""
    match validity.format:
        case ValidityFormat.RELATIVE:
            return bytes((relative_octet(validity.seconds or 0),))
        case ValidityFormat.ABSOLUTE:
            assert validity.stamp is not None
            return encode_stamp(validity.stamp)
        case ValidityFormat.ENHANCED:
            return _enhanced_octets(validity)
    return b""


def _enhanced_octets(validity: Validity) -> bytes:
    first = 0x40 if validity.single_shot else 0
    seconds = validity.seconds
    if seconds is None:
        return bytes((first,)) + bytes(6)
    if seconds <= 255:
        return bytes((first | 2, seconds)) + bytes(5)
    if seconds < 100 * HOUR:
        parts = (seconds // HOUR, seconds % HOUR // 60, seconds % 60)
        return bytes((first | 3, *(part % 10 << 4 | part // 10 for part in parts))) + bytes(3)
    return bytes((first | 1, relative_octet(seconds))) + bytes(5)


def decode_validity(kind: ValidityFormat, octets: bytes) -> Validity:
    """Raises ProtocolError for a format that is not defined."""
    match kind:
        case ValidityFormat.RELATIVE:
            return Validity(kind, relative(octets[0]))
        case ValidityFormat.ABSOLUTE:
            return Validity(kind, stamp=decode_stamp(octets))
        case ValidityFormat.ENHANCED:
            return _enhanced(octets)
    return Validity()


def _enhanced(octets: bytes) -> Validity:
    """One octet of functionality, then a period as it says (9.2.3.12.3)."""
    at, single = 1, bool(octets[0] & 0x40)
    if octets[0] & 0x80:  # a second functionality indicator, which nobody has defined
        at = 2
    match octets[0] & 7:
        case 0:
            seconds = None
        case 1:
            seconds = relative(octets[at])
        case 2:
            seconds = octets[at]
        case 3:
            hours, minutes, rest = ((octet & 15) * 10 + (octet >> 4) for octet in octets[at : at + 3])
            seconds = hours * HOUR + minutes * MINUTE + rest
        case other:
            raise ProtocolError(f"validity period format {other}", clause="TS 23.040, 9.2.3.12.3")
    return Validity(ValidityFormat.ENHANCED, seconds, single_shot=single)


LENGTHS = {ValidityFormat.NONE: 0, ValidityFormat.RELATIVE: 1, ValidityFormat.ENHANCED: 7, ValidityFormat.ABSOLUTE: 7}
"""Octets of TP-VP by its format."""
