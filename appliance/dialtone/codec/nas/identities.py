# SPDX-License-Identifier: Apache-2.0
"""Identities of phones and areas as NAS carries them.

An identity's class says its kind: `Imsi`, `Imei` and `Imeisv` are texts of digits, `Guti` is the tuple of
`dialtone.ids`, `Tmsi` a number of 32 bits.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from dialtone.codec.nas.capabilities import Octets
from dialtone.codec.nas.tables import Codec
from dialtone.errors import ProtocolError
from dialtone.ids import Guti, Plmn, Tai


class _Digits(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class Imsi(_Digits):
    """6 to 15 digits (TS 23.003, 2.2)."""

    __slots__ = ()


class Imei(_Digits):
    """15 digits, the last one 0 or the check digit (TS 23.003, 6.2.1)."""

    __slots__ = ()


class Imeisv(_Digits):
    """16 digits, the last two the software version (TS 23.003, 6.2.2)."""

    __slots__ = ()


class Tmsi(int):
    """TMSI, P-TMSI or M-TMSI: 32 bits."""

    __slots__ = ()


class NoIdentity(Octets):
    """What a UE answers that has not the identity it was asked for (TS 24.301, 5.4.4.3). Its octets say
    nothing more; `NO_IDENTITY` is what to send."""

    __slots__ = ()


NO_IDENTITY = NoIdentity(bytes(3))


def wrong(text: str, clause: str) -> ProtocolError:
    """A syntactically incorrect element: cause #96 where it is mandatory."""
    return ProtocolError(text, cause=96, clause=clause)


def _digits(octets: bytes, clause: str) -> str:
    """The digits after the type: odd and even count, swapped half octets (TS 24.008, figure 10.5.4)."""
    text = octets[::-1].hex()[::-1][1:]
    if not octets[0] & 8:
        if text[-1] != "f":
            raise wrong("an even number of digits ends with the filler 1111", clause)
        text = text[:-1]
    if not text.isdecimal():
        raise wrong(f"identity {octets.hex()} has a digit above 9", clause)
    return text


def _from_digits(kind: int, digits: str) -> bytes:
    odd = len(digits) & 1
    text = f"{kind | odd << 3:x}{digits}{'' if odd else 'f'}"
    if not digits.isdecimal() or not digits.isascii():
        raise ValueError(f"{digits!r} are no digits")
    return bytes.fromhex(text[::-1])[::-1]


def _sized(text: str, least: int, most: int, clause: str) -> str:
    if not least <= len(text) <= most:
        raise wrong(f"identity with {len(text)} digits", clause)
    return text


_EPS_CLAUSE = "TS 24.301, 9.9.3.12"
_MOBILE_CLAUSE = "TS 24.008, 10.5.1.4"


def decode_eps_mobile_identity(octets: bytes) -> Imsi | Imei | Guti:
    """TS 24.301, 9.9.3.12."""
    kind = octets[0] & 7
    if kind == 6:
        if len(octets) != 11:
            raise wrong(f"a GUTI has 11 octets, not {len(octets)}", _EPS_CLAUSE)
        return Guti(
            Plmn.from_bytes(octets[1:4]),
            octets[4] << 8 | octets[5],
            octets[6],
            int.from_bytes(octets[7:11]),
        )
    if kind == 1:
        return Imsi(_sized(_digits(octets, _EPS_CLAUSE), 6, 15, _EPS_CLAUSE))
    if kind == 3:
        return Imei(_sized(_digits(octets, _EPS_CLAUSE), 15, 15, _EPS_CLAUSE))
    raise wrong(f"EPS mobile identity of unknown type {kind}", _EPS_CLAUSE)


def encode_eps_mobile_identity(identity: Imsi | Imei | Guti) -> bytes:
    """TS 24.301, 9.9.3.12."""
    if isinstance(identity, Guti):
        plmn, group, code, m_tmsi = identity
        return b"\xf6" + plmn.to_bytes() + (group << 40 | code << 32 | m_tmsi).to_bytes(7)
    if isinstance(identity, Imsi):
        return _from_digits(1, identity)
    if isinstance(identity, Imei):
        return _from_digits(3, identity)
    raise TypeError(f"{identity!r} is no EPS mobile identity")


def decode_mobile_identity(octets: bytes) -> Imsi | Imei | Imeisv | Tmsi | NoIdentity:
    """TS 24.008, 10.5.1.4. A TMGI, which no message of EPS needs here, is refused."""
    kind = octets[0] & 7
    if kind == 1:
        return Imsi(_sized(_digits(octets, _MOBILE_CLAUSE), 6, 15, _MOBILE_CLAUSE))
    if kind == 3:
        return Imeisv(_sized(_digits(octets, _MOBILE_CLAUSE), 16, 16, _MOBILE_CLAUSE))
    if kind == 2:
        return Imei(_sized(_digits(octets, _MOBILE_CLAUSE), 15, 15, _MOBILE_CLAUSE))
    if kind == 4:
        if len(octets) != 5:
            raise wrong(f"a TMSI has 5 octets, not {len(octets)}", _MOBILE_CLAUSE)
        return Tmsi(int.from_bytes(octets[1:]))
    if kind == 0:
        return NoIdentity(octets)
    raise wrong(f"mobile identity of unknown type {kind}", _MOBILE_CLAUSE)


def encode_mobile_identity(identity: Imsi | Imei | Imeisv | Tmsi | NoIdentity) -> bytes:
    """TS 24.008, 10.5.1.4."""
    if isinstance(identity, Imsi):
        return _from_digits(1, identity)
    if isinstance(identity, Imei):
        return _from_digits(2, identity)
    if isinstance(identity, Imeisv):
        return _from_digits(3, identity)
    if isinstance(identity, Tmsi):
        return b"\xf4" + identity.to_bytes(4)
    if isinstance(identity, NoIdentity):
        return identity
    raise TypeError(f"{identity!r} is no mobile identity")


EpsMobileIdentity = Annotated[
    Imsi | Imei | Guti, Codec(decode_eps_mobile_identity, encode_eps_mobile_identity)
]
"""EPS mobile identity (TS 24.301, 9.9.3.12)."""

MobileIdentity = Annotated[
    Imsi | Imei | Imeisv | Tmsi | NoIdentity, Codec(decode_mobile_identity, encode_mobile_identity)
]
"""Mobile identity (TS 24.301, 9.9.2.3)."""


class Lai(NamedTuple):
    """Location area identification (TS 24.008, 10.5.1.3): a PLMN and 16 bits of LAC."""

    plmn: Plmn
    lac: int

    @classmethod
    def from_bytes(cls, octets: bytes) -> "Lai":
        """Five octets."""
        return cls(Plmn.from_bytes(octets[:3]), octets[3] << 8 | octets[4])

    def to_bytes(self) -> bytes:
        """Five octets."""
        return self.plmn.to_bytes() + self.lac.to_bytes(2)


def decode_tai(octets: bytes) -> Tai:
    """Five octets (TS 24.301, 9.9.3.32)."""
    return Tai(Plmn.from_bytes(octets[:3]), octets[3] << 8 | octets[4])


def encode_tai(tai: Tai) -> bytes:
    """Five octets (TS 24.301, 9.9.3.32)."""
    return tai.plmn.to_bytes() + tai.tac.to_bytes(2)


TrackingAreaIdentity = Annotated[Tai, Codec(decode_tai, encode_tai)]
"""Tracking area identity (TS 24.301, 9.9.3.32)."""


def decode_plmn_list(octets: bytes) -> tuple[Plmn, ...]:
    """PLMN list (TS 24.008, 10.5.1.13); a rest of one or two octets is ignored."""
    return tuple(Plmn.from_bytes(octets[at : at + 3]) for at in range(0, len(octets) - 2, 3))


def encode_plmn_list(plmns: Iterable[Plmn]) -> bytes:
    """PLMN list (TS 24.008, 10.5.1.13)."""
    return b"".join(plmn.to_bytes() for plmn in plmns)


PlmnList = Annotated[tuple[Plmn, ...], Codec(decode_plmn_list, encode_plmn_list)]
"""PLMN list (TS 24.301, 9.9.2.8)."""


class PartialTaiList(NamedTuple):
    """One partial list (TS 24.301, 9.9.3.33). Its type is how it is written: 0 is one PLMN and any TACs,
    1 one PLMN and consecutive TACs, 2 a PLMN with each TAC."""

    type: int
    tais: tuple[Tai, ...]


@dataclass(slots=True)
class TaiList:
    """Tracking area identity list (TS 24.301, 9.9.3.33): 1 to 16 areas in partial lists."""

    partial_lists: tuple[PartialTaiList, ...]

    def __iter__(self) -> Iterator[Tai]:
        for part in self.partial_lists:
            yield from part.tais

    @classmethod
    def of(cls, *tais: Tai) -> "TaiList":
        """The list of these areas as one partial list: type 0 if the PLMN is the same, else 2."""
        return cls((PartialTaiList(0 if len({tai.plmn for tai in tais}) == 1 else 2, tais),))

    @classmethod
    def from_bytes(cls, octets: bytes) -> "TaiList":
        """The value part. Counts above 16 mean 16."""
        parts = []
        at, end = 0, len(octets)
        while at < end:
            kind = octets[at] >> 5 & 3
            count = min(octets[at] & 31, 15) + 1
            size = 1 + (3 + 2 * count, 5, 5 * count, 0)[kind]
            if kind == 3 or at + size > end:
                raise wrong(f"TAI list {octets.hex()} is cut short or of a reserved type", "TS 24.301, 9.9.3.33")
            parts.append(PartialTaiList(kind, _tais(kind, count, octets[at + 1 : at + size])))
            at += size
        return cls(tuple(parts))

    def to_bytes(self) -> bytes:
        """The value part."""
        out = b""
        for kind, tais in self.partial_lists:
            if not 1 <= len(tais) <= 16 or kind not in (0, 1, 2):
                raise ValueError(f"a partial list of type 0 to 2 has 1 to 16 areas: {kind}, {tais}")
            if kind < 2 and len({tai.plmn for tai in tais}) > 1:
                raise ValueError("partial lists of types 0 and 1 have one PLMN")
            out += bytes((kind << 5 | len(tais) - 1,))
            if kind == 0:
                out += tais[0].plmn.to_bytes() + b"".join(tai.tac.to_bytes(2) for tai in tais)
            elif kind == 1:
                if any(tai.tac != tais[0].tac + index for index, tai in enumerate(tais)):
                    raise ValueError("a partial list of type 1 has consecutive TACs")
                out += encode_tai(tais[0])
            else:
                out += b"".join(map(encode_tai, tais))
        return out


def _tais(kind: int, count: int, octets: bytes) -> tuple[Tai, ...]:
    if kind == 2:
        return tuple(decode_tai(octets[at : at + 5]) for at in range(0, 5 * count, 5))
    plmn, first = Plmn.from_bytes(octets[:3]), octets[3] << 8 | octets[4]
    if kind == 1:
        if first + count > 0x10000:
            raise wrong("TACs of a TAI list exceed 16 bits", "TS 24.301, 9.9.3.33")
        return tuple(Tai(plmn, first + index) for index in range(count))
    return tuple(Tai(plmn, octets[at] << 8 | octets[at + 1]) for at in range(3, 3 + 2 * count, 2))
