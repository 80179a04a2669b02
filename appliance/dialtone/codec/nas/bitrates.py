# SPDX-License-Identifier: Apache-2.0
"""Bit rates in up to three octets: EPS quality of service and APN-AMBR (TS 24.301, 9.9.4.3, 9.9.4.2).

All rates are in kbit/s (1000 bit/s). A rate that has no code is rounded down to one that has.
"""

from typing import Final

from dialtone.codec.nas.capabilities import Octets

_BASE: Final = ((1, 63, 0, 1), (64, 127, 64, 8), (128, 254, 576, 64))
_EXTENDED: Final = ((1, 74, 8_700, 100), (75, 186, 17_000, 1_000), (187, 250, 130_000, 2_000))
_EXTENDED_2: Final = ((1, 61, 260_000, 4_000), (62, 161, 510_000, 10_000), (162, 246, 1_600_000, 100_000))
_STEP_2: Final = 256_000
"""Rows: first and last code, rate of the first code, step. The first row of _BASE has rate = code."""


def _rate(rows: tuple[tuple[int, int, int, int], ...], code: int) -> int:
    for first, last, rate, step in rows:
        if code <= last:
            return rate + (code - first) * step if rate else code
    first, last, rate, step = rows[-1]
    return rate + (last - first) * step


def _code(rows: tuple[tuple[int, int, int, int], ...], rate: int) -> int:
    best = 0
    for first, last, least, step in rows:
        least = least or first
        if rate >= least:
            best = min(first + (rate - least) // step, last)
    return best


def decode_rate(base: int, extended: int = 0) -> int:
    """Kbit/s of a rate's first two octets."""
    if extended:
        return _rate(_EXTENDED, extended)
    return 0 if base == 255 else _rate(_BASE, base)


def encode_rate(rate: int) -> tuple[int, int]:
    """The first two octets of a rate up to 256 Mbit/s; 254 in the first when the second counts."""
    if rate <= 0:
        return 255, 0
    extended = _code(_EXTENDED, rate)
    return (254, extended) if extended else (_code(_BASE, rate), 0)


class EpsQos(Octets):
    """EPS quality of service (TS 24.301, 9.9.4.3): QCI, then maximum and guaranteed rates of GBR bearers."""

    __slots__ = ()

    @property
    def qci(self) -> int:
        """QoS class identifier: 1 conversational voice, 5 IMS signalling, 9 the default."""
        return self.octet(0)

    def _at(self, index: int) -> int:
        extended_2 = self.octet(index + 8)
        if extended_2:
            return _rate(_EXTENDED_2, extended_2)
        return decode_rate(self.octet(index), self.octet(index + 4))

    @property
    def mbr_uplink(self) -> int:
        """Maximum bit rate, kbit/s; 0 if absent."""
        return self._at(1)

    @property
    def mbr_downlink(self) -> int:
        """Maximum bit rate, kbit/s; 0 if absent."""
        return self._at(2)

    @property
    def gbr_uplink(self) -> int:
        """Guaranteed bit rate, kbit/s; 0 if absent."""
        return self._at(3)

    @property
    def gbr_downlink(self) -> int:
        """Guaranteed bit rate, kbit/s; 0 if absent."""
        return self._at(4)

    @classmethod
    def of(
        cls, qci: int, mbr_uplink: int = 0, mbr_downlink: int = 0, gbr_uplink: int = 0, gbr_downlink: int = 0
    ) -> "EpsQos":
        """A non-GBR bearer when only the QCI is given."""
        rates = (mbr_uplink, mbr_downlink, gbr_uplink, gbr_downlink)
        if not any(rates):
            return cls((qci,))
        octets = [qci] + [encode_rate(rate)[0] for rate in rates]
        if max(rates) >= _EXTENDED[0][2]:
            octets += [encode_rate(rate)[1] for rate in rates]
        if max(rates) >= _EXTENDED_2[0][2]:
            octets += [_code(_EXTENDED_2, rate) for rate in rates]
        return cls(octets)

    def __repr__(self) -> str:
        rates = f", {self.mbr_uplink}, {self.mbr_downlink}, {self.gbr_uplink}, {self.gbr_downlink}"
        return f"EpsQos(QCI {self.qci}{rates if len(self) > 1 else ''})"


class ApnAmbr(Octets):
    """APN aggregate maximum bit rate (TS 24.301, 9.9.4.2)."""

    __slots__ = ()

    def _at(self, index: int) -> int:
        rest = decode_rate(self.octet(index), self.octet(index + 2))
        return self.octet(index + 4) * _STEP_2 + rest

    @property
    def downlink(self) -> int:
        """Kbit/s."""
        return self._at(0)

    @property
    def uplink(self) -> int:
        """Kbit/s."""
        return self._at(1)

    @classmethod
    def of(cls, downlink: int, uplink: int) -> "ApnAmbr":
        """Kbit/s, at most 65 Gbit/s."""
        rates = (min(downlink, 65_280_000), min(uplink, 65_280_000))
        if max(rates) <= _STEP_2:
            pairs = [encode_rate(rate) for rate in rates]
            octets = [base for base, _ in pairs]
            return cls(octets + [extended for _, extended in pairs] if max(rates) >= _EXTENDED[0][2] else octets)
        steps = [rate // _STEP_2 for rate in rates]
        pairs = [encode_rate(rate - step * _STEP_2) for rate, step in zip(rates, steps, strict=True)]
        return cls([base for base, _ in pairs] + [extended for _, extended in pairs] + steps)

    def __repr__(self) -> str:
        return f"ApnAmbr(downlink={self.downlink}, uplink={self.uplink})"
