# SPDX-License-Identifier: Apache-2.0
"""What outlives a registration: GUTI and keys, so that the next attach by that GUTI is known (TS 23.401, 5.3.2.1)."""

from collections import OrderedDict
from dataclasses import dataclass, field

from dialtone.mme.context import SecurityContext, Ue

MOST = 4096


@dataclass(slots=True)
class Remembered:
    """A phone that is detached."""

    imsi: str
    m_tmsi: int
    security: SecurityContext


@dataclass(slots=True)
class Memory:
    """The last phones that went, one entry each."""

    by_m_tmsi: dict[int, Remembered] = field(default_factory=dict)
    _by_imsi: "OrderedDict[str, Remembered]" = field(default_factory=OrderedDict)

    def keep(self, ue: Ue) -> None:
        """Remember a phone with proven keys and a confirmed GUTI; what was known of it before goes."""
        if not (ue.guti and ue.security and ue.security.keys) or ue.security.null:
            return
        self.forget(ue.imsi)
        entry = Remembered(ue.imsi, ue.guti.m_tmsi, ue.security)
        self.by_m_tmsi[entry.m_tmsi] = self._by_imsi[ue.imsi] = entry
        if len(self._by_imsi) > MOST:
            self.forget(next(iter(self._by_imsi)))

    def forget(self, imsi: str) -> None:
        """The phone is registered anew: its old GUTI and keys are of no use any longer."""
        entry = self._by_imsi.pop(imsi, None)
        if entry is not None:
            del self.by_m_tmsi[entry.m_tmsi]
