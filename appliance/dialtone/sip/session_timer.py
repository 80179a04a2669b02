# SPDX-License-Identifier: Apache-2.0
"""What a proxy does for session timers (RFC 4028, 8; TS 24.229, 5.2.7.2 and 5.2.7.3): it asks for one where the caller
does not, and knows by it when a session is over that nobody ended. It never ends one itself (TS 24.229, 5.2.8.3)."""

from dialtone.codec.sip import InviteRequest, SipError, SipRequest, SipResponse

USUAL, LEAST = 1800, 90
"""Seconds between two refreshes twice over: what is recommended, and what a proxy must bear (RFC 4028, 4 and 5)."""
LONGEST = 86_400
"""Of a session whose ends know no timer."""
GRACE = 32
"""For a refresh that is late."""
HEADER = "Session-Expires"


def interval(message: SipRequest | SipResponse) -> int:
    """The seconds of Session-Expires; 0 without it, or where it is no number."""
    text = (message.first(HEADER) or "").partition(";")[0].strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0


def ask(request: SipRequest) -> None:
    """Put a timer into an INVITE that has none (8.1). Raises SipError, 422, for one that is too short."""
    if not isinstance(request, InviteRequest):
        return
    seconds, least = interval(request), (request.first("Min-SE") or "").strip()
    if not seconds:
        wanted = int(least) if least.isascii() and least.isdigit() and len(least) < 8 else 0
        request.set(HEADER, str(max(USUAL, wanted)))
    elif seconds < LEAST and "timer" in request.options("Supported"):
        raise SipError(f"a session of {seconds} s is too short", cause=422, clause="RFC 4028, 8.1",
                       headers=(("Min-SE", str(LEAST)),))


def confirm(request: SipRequest, answer: SipResponse) -> None:
    """Where the called phone knows no timer, and the caller does, that one refreshes (8.2)."""
    if (isinstance(request, InviteRequest) and 200 <= answer.status < 300 and not interval(answer)
            and "timer" in request.options("Supported")):
        answer.set(HEADER, f"{interval(request) or USUAL};refresher=uac")
        answer.append("Require", "timer")


def lasts(answer: SipResponse) -> float:
    """Seconds after which a session is over unless it is refreshed."""
    return (interval(answer) or LONGEST) + GRACE
