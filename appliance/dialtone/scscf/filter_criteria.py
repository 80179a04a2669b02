# SPDX-License-Identifier: Apache-2.0
"""Initial filter criteria (TS 29.228, annexes B and F; TS 24.229, 5.4.3.2 and 5.4.3.3): which application servers hear
of a request, and in which order.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from dialtone.codec.ims_subscription import (
    ORIGINATING,
    TERMINATING_REGISTERED,
    InitialFilterCriteria,
    ServiceProfile,
    Spt,
    TriggerPoint,
)
from dialtone.codec.sip import SipRequest
from dialtone.codec.sip.message import KEYS

REGISTERED_PART, UNREGISTERED_PART = 0, 1
INITIAL, REFRESH, DEREGISTRATION = 0, 1, 2  # RegistrationType


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a criterion looks at: the request, the session case (TS 29.228, B.2.3), and of a REGISTER its type."""

    request: SipRequest
    session_case: int
    registration_type: int | None = None

    @property
    def registered(self) -> bool:
        """Whether the served user is registered."""
        return self.session_case in (ORIGINATING, TERMINATING_REGISTERED)


def matching(profile: ServiceProfile, seen: Circumstances, above: int = -1) -> list[InitialFilterCriteria]:
    """The criteria that the request meets, the first to be asked first; those up to priority `above` are done."""
    part = REGISTERED_PART if seen.registered else UNREGISTERED_PART
    return sorted((each for each in profile.criteria
                   if each.priority > above and each.profile_part in (None, part) and met(each.trigger, seen)),
                  key=lambda each: each.priority)


def met(trigger: TriggerPoint | None, seen: Circumstances) -> bool:
    """Whether a trigger point holds; one that is not there always does (TS 29.228, B.2.2)."""
    if trigger is None:
        return True
    groups: dict[int, list[bool]] = {}
    for spt in trigger.spts:
        holds = _holds(spt, seen) != spt.negated
        for group in spt.groups:
            groups.setdefault(group, []).append(holds)
    if trigger.cnf:
        return all(map(any, groups.values()))
    return any(map(all, groups.values()))


def _holds(spt: Spt, seen: Circumstances) -> bool:
    request = seen.request
    match spt.kind:
        case "Method":
            kinds = spt.registration_types
            return request.method == spt.value and (
                request.method != "REGISTER" or not kinds or seen.registration_type in kinds)
        case "SessionCase":
            return spt.value == str(seen.session_case)
        case "RequestURI":
            return _matches(spt.value, (request.uri,))
        case "SIPHeader":
            if not spt.content:
                return request.has(spt.value)
            return _matches(spt.content, (line.value for line in request.fields.get(KEYS[spt.value], ())))
        case _:
            return _line_holds(spt, request)


def _line_holds(spt: Spt, request: SipRequest) -> bool:
    """A line of the session description: `m`, `a`, and what it says."""
    if request.content_type != "application/sdp":
        return False
    lines = [text[2:] for text in request.body.decode("utf-8", "replace").splitlines() if text[:2] == f"{spt.value}="]
    return bool(lines) if not spt.content else _matches(spt.content, lines)


def _matches(expression: str, texts: Iterable[str]) -> bool:
    pattern = _compiled(expression)
    return any(pattern.search(text[:_LONGEST]) if pattern else expression in text for text in texts)


_LONGEST = 2048  # characters of a stranger's header that an expression is tried on


@lru_cache(maxsize=256)
def _compiled(expression: str) -> "re.Pattern[str] | None":
    """An extended regular expression (TS 29.228, B.2.3); one that is none is compared as text."""
    try:
        return re.compile(expression, re.IGNORECASE)
    except re.error:
        return None
