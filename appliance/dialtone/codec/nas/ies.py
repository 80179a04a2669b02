# SPDX-License-Identifier: Apache-2.0
"""Typed values of the other information elements: timers, times and names, PDN parameters."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import IPv4Address
from typing import Annotated, ClassVar

from dialtone.codec import gsm7
from dialtone.codec.nas.identities import wrong
from dialtone.codec.nas.tables import Codec
from dialtone.codec.nas.values import PdnType
from dialtone.codec.pco import ProtocolConfigurationOptions as Pco

# --- timers --------------------------------------------------------------------------------------------


class GprsTimer(int):
    """GPRS timer and GPRS timer 2 (TS 24.008, 10.5.7.3, 10.5.7.4): the octet, with its meaning."""

    __slots__ = ()
    _UNITS: ClassVar[tuple[int, ...]] = (2, 60, 360, 60, 60, 60, 60)  # seconds; 3 to 6 count as a minute
    _CHOICES: ClassVar[tuple[tuple[int, int], ...]] = ((0, 2), (1, 60), (2, 360))

    @property
    def seconds(self) -> int | None:
        """The timer's value; None: deactivated."""
        unit = self >> 5
        return None if unit == 7 else (self & 31) * self._UNITS[unit]

    @classmethod
    def of(cls, seconds: int | None) -> "GprsTimer":
        """The finest unit that holds the value exactly. Raises ValueError if none does."""
        if seconds is None:
            return cls(0xE0)
        for unit, length in cls._CHOICES:
            count, rest = divmod(seconds, length)
            if not rest and 0 <= count <= 31:
                return cls(unit << 5 | count)
        raise ValueError(f"no {cls.__name__} holds {seconds} s exactly")

    def __repr__(self) -> str:
        seconds = self.seconds
        return f"{type(self).__name__}({'deactivated' if seconds is None else f'{seconds} s'})"


class GprsTimer3(GprsTimer):
    """GPRS timer 3 (TS 24.008, 10.5.7.4a): 2 s to 320 hours."""

    __slots__ = ()
    _UNITS = (600, 3600, 36000, 2, 30, 60, 1152000)
    _CHOICES = ((3, 2), (4, 30), (5, 60), (0, 600), (1, 3600), (2, 36000), (6, 1152000))


# --- security ------------------------------------------------------------------------------------------


class NasSecurityAlgorithms(int):
    """NAS security algorithms (TS 24.301, 9.9.3.23): the octet, with the numbers of EEA and EIA."""

    __slots__ = ()

    @property
    def ciphering(self) -> int:
        """Number of the EEA, 0 to 7."""
        return self >> 4 & 7

    @property
    def integrity(self) -> int:
        """Number of the EIA, 0 to 7."""
        return self & 7

    @classmethod
    def of(cls, ciphering: int, integrity: int) -> "NasSecurityAlgorithms":
        """EEA and EIA by number."""
        return cls((ciphering & 7) << 4 | integrity & 7)

    def __repr__(self) -> str:
        return f"NasSecurityAlgorithms(EEA{self.ciphering}, EIA{self.integrity})"


class VoiceDomainPreference(int):
    """Voice domain preference and UE usage setting (TS 24.008, 10.5.5.28): the octet."""

    __slots__ = ()

    @property
    def voice_domain(self) -> int:
        """One of `values.VoiceDomain`. CS_ONLY: this phone will not use VoLTE."""
        return self & 3

    @property
    def data_centric(self) -> bool:
        """Data centric (true) or voice centric: the latter leaves a network without voice."""
        return bool(self & 4)


# --- names and times -----------------------------------------------------------------------------------


@dataclass(slots=True)
class NetworkName:
    """Network name (TS 24.008, 10.5.3.5a). `coding` 0 is the GSM default alphabet in 7 bits, 1 UCS2."""

    text: str
    coding: int = 0
    add_country_initials: bool = False

    @classmethod
    def of(cls, text: str) -> "NetworkName":
        """In 7 bits where the alphabet has all characters, else in UCS2."""
        return cls(text, 0 if gsm7.encodable(text) else 1)

    @classmethod
    def from_bytes(cls, octets: bytes) -> "NetworkName":
        """The value part, bit 8 of its first octet being an extension bit."""
        first, body = octets[0], octets[1:]
        coding = first >> 4 & 7
        if coding == 0:
            text = gsm7.unpack(body, first & 7)
        elif coding == 1:
            try:
                text = body.decode("utf-16-be")
            except UnicodeDecodeError:
                raise wrong("network name is no UCS2", "TS 24.008, 10.5.3.5a") from None
        else:
            raise wrong(f"network name of reserved coding scheme {coding}", "TS 24.008, 10.5.3.5a")
        return cls(text, coding, bool(first & 8))

    def to_bytes(self) -> bytes:
        """The value part."""
        if self.coding == 0:
            body, spare = gsm7.pack(self.text)
        else:
            body, spare = self.text.encode("utf-16-be"), 0
        return bytes((0x80 | self.coding << 4 | self.add_country_initials << 3 | spare,)) + body


def _swapped(octet: int) -> int:
    """Two decimal digits in swapped half octets."""
    ones, tens = octet >> 4, octet & 15
    if ones > 9 or tens > 9:
        raise wrong(f"{octet:#04x} has a digit above 9", "TS 24.008, 10.5.3.9")
    return tens * 10 + ones


def decode_time_zone(octets: bytes) -> timedelta:
    """Time zone (TS 24.008, 10.5.3.8): quarters of an hour east of GMT, bit 4 for west."""
    quarters = _swapped(octets[0] & 0xF7)
    return timedelta(minutes=-15 * quarters if octets[0] & 8 else 15 * quarters)


def encode_time_zone(offset: timedelta) -> bytes:
    """Time zone (TS 24.008, 10.5.3.8): multiples of 15 minutes, at most 79 of them."""
    quarters, rest = divmod(abs(offset), timedelta(minutes=15))
    if rest or quarters > 79:
        raise ValueError(f"{offset} is no time zone")
    sign = 8 if offset < timedelta(0) else 0
    return bytes((quarters % 10 << 4 | quarters // 10 | sign,))


def decode_time(octets: bytes) -> datetime:
    """Time zone and time (TS 24.008, 10.5.3.9): the local time, aware of its offset; years 2000 to 2099."""
    year, month, day, hour, minute, second = map(_swapped, octets[:6])
    offset = decode_time_zone(octets[6:7])
    try:
        moment = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
        return moment.astimezone(timezone(offset))
    except (ValueError, OverflowError):
        raise wrong(f"{octets.hex()} is no time", "TS 24.008, 10.5.3.9") from None


def encode_time(moment: datetime) -> bytes:
    """Time zone and time (TS 24.008, 10.5.3.9) of an aware local time; written as universal time."""
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("a time without its zone")
    utc = moment.astimezone(UTC)
    if not 2000 <= utc.year <= 2099:
        raise ValueError(f"{utc} is not between 2000 and 2099")
    parts = (utc.year - 2000, utc.month, utc.day, utc.hour, utc.minute, utc.second)
    return bytes(part % 10 << 4 | part // 10 for part in parts) + encode_time_zone(offset)


TimeZone = Annotated[timedelta, Codec(decode_time_zone, encode_time_zone)]
"""Local time zone: the offset east of GMT (TS 24.301, 9.9.3.29)."""
TimeZoneAndTime = Annotated[datetime, Codec(decode_time, encode_time)]
"""Universal time and local time zone (TS 24.301, 9.9.3.30)."""

# --- PDN -----------------------------------------------------------------------------------------------


def decode_apn(octets: bytes) -> str:
    """Access point name (TS 24.008, 10.5.6.1): labels to text with dots, in the case received."""
    at, labels = 0, []
    while at < len(octets):
        end = at + 1 + octets[at]
        label = octets[at + 1 : end]
        if end > len(octets) or not 1 <= octets[at] <= 63 or not label.isascii() or b"." in label:
            raise wrong(f"access point name {octets.hex()} is not made of labels", "TS 23.003, 9.1")
        labels.append(label.decode("ascii"))
        at = end
    return ".".join(labels)


def encode_apn(text: str) -> bytes:
    """Access point name (TS 24.008, 10.5.6.1), from text with dots."""
    out = b""
    for label in text.split("."):
        octets = label.encode("ascii")
        if not 1 <= len(octets) <= 63:
            raise ValueError(f"{text!r} is no access point name")
        out += bytes((len(octets),)) + octets
    return out


AccessPointName = Annotated[str, Codec(decode_apn, encode_apn)]
"""Access point name (TS 24.301, 9.9.4.1)."""


@dataclass(slots=True)
class PdnAddress:
    """PDN address (TS 24.301, 9.9.4.9). `interface_identifier` are 8 octets; `pdn_type` a `PdnType`."""

    pdn_type: int
    ipv4: IPv4Address | None = None
    interface_identifier: bytes | None = None

    @classmethod
    def from_bytes(cls, octets: bytes) -> "PdnAddress":
        """The value part."""
        pdn_type, size = octets[0] & 7, len(octets)
        if pdn_type == PdnType.IPV4 and size >= 5:
            return cls(pdn_type, IPv4Address(octets[1:5]))
        if pdn_type == PdnType.IPV6 and size >= 9:
            return cls(pdn_type, None, octets[1:9])
        if pdn_type == PdnType.IPV4V6 and size >= 13:
            return cls(pdn_type, IPv4Address(octets[9:13]), octets[1:9])
        if pdn_type in (PdnType.NON_IP, PdnType.ETHERNET) and size >= 5:
            return cls(pdn_type)
        raise wrong(f"PDN address of type {pdn_type} with {size} octets", "TS 24.301, 9.9.4.9")

    def to_bytes(self) -> bytes:
        """The value part."""
        out = bytes((self.pdn_type,))
        if self.interface_identifier is not None:
            out += self.interface_identifier
        if self.ipv4 is not None:
            out += self.ipv4.packed
        expected = {PdnType.IPV4: 5, PdnType.IPV6: 9, PdnType.IPV4V6: 13}.get(PdnType(self.pdn_type), 1)
        if len(out) != expected:
            raise ValueError(f"{self} has not the addresses of its type")
        return out if expected > 1 else out + bytes(4)


UePco = Annotated[Pco, Codec(Pco.of_ue, Pco.to_bytes)]
"""Protocol configuration options in a message of the UE (TS 24.301, 9.9.4.11, 9.9.4.26)."""
NetworkPco = Annotated[Pco, Codec(Pco.of_network, Pco.to_bytes)]
"""Protocol configuration options in a message of the network."""
