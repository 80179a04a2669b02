# SPDX-License-Identifier: Apache-2.0
"""Policing of bit rates by token buckets: what is above the rate is dropped, never delayed (TS 23.401, 4.7.3).

The MBR is that of one bearer, the APN-AMBR that of all non-GBR bearers of a PDN connection together.
"""

from dialtone.datapath.path import Budget

DOWN, UP = 0, 1
BURST_SECONDS = 0.2
"""So much at the full rate may come at once: TCP needs about a round trip of it."""
LEAST_BURST = 15_000
"""Octets, ten whole packets: of a slow voice bearer no frame is lost to its own jitter."""
OCTETS_PER_KBIT = 125


class Meters:
    """Of both directions; `rates` are (down, up) in kbit/s, 0 for no limit."""

    __slots__ = ("_budgets", "rates")

    def __init__(self) -> None:
        self.rates = (0, 0)
        self._budgets: tuple[Budget | None, Budget | None] = (None, None)

    def set(self, rates: tuple[int, int]) -> None:
        """Take other rates; the same ones fill no bucket anew."""
        if rates != self.rates:
            self.rates = rates
            self._budgets = (_budget(rates[DOWN]), _budget(rates[UP]))

    def admit(self, way: int, size: int, now: float) -> bool:
        """Whether a packet of `size` octets is within the rate."""
        budget = self._budgets[way]
        return budget is None or budget.take(now, size)


def _budget(kbit: int) -> Budget | None:
    rate = kbit * OCTETS_PER_KBIT
    return Budget(rate, max(LEAST_BURST, rate * BURST_SECONDS)) if kbit else None
