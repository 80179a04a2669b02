# SPDX-License-Identifier: Apache-2.0
"""Subscription profiles as people write them: from text to Profile, back, and what differs.

An APN is a name and what deviates from the default:
`ims,qci=5,arp=1,preempt=no,preemptable=no,ambr=10M/10M,type=IPv4v6`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dialtone.codec import ims_subscription
from dialtone.errors import LocalError, ProtocolError
from dialtone.hss.subscriber import Apn, Profile

RADIOS = {"utran": 1 << 0, "geran": 1 << 1, "e-utran": 1 << 4, "nb-iot": 1 << 6, "nr": 1 << 8}
"""What `restrict` can name: bits of Access-Restriction-Data (TS 29.272, 7.3.31)."""
PDN_TYPES = {name.lower(): name for name in ("IPv4", "IPv6", "IPv4v6", "IPv4_OR_IPv6")}
MOST_RATE = (1 << 32) - 1  # bit/s that the AVPs can say (TS 29.272, 7.3.41)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


@dataclass(frozen=True, slots=True)
class Change:
    """What is asked of a profile; None and empty leave things as they are. `apns` are added, or changed where there."""

    ambr: str | None = None
    apns: Sequence[str] = ()
    drop: Sequence[str] = ()
    default: str | None = None
    restrict: str | None = None
    roaming: bool | None = None
    ifc: str | None = None


def changed(base: Profile, change: Change) -> Profile:
    """`base` with the change. Raises LocalError with a remedy."""
    apns = list(base.apns)
    for text in change.apns:
        name = text.partition(",")[0].strip()
        place = next((n for n, apn in enumerate(apns) if apn.name.lower() == name.lower()), len(apns))
        apns[place : place + 1] = [parse_apn(text, apns[place] if place < len(apns) else None)]
    for name in change.drop:
        apns.remove(_named(apns, name, base.name))
    if change.default is not None:
        first = _named(apns, change.default, base.name)
        apns = [first, *(apn for apn in apns if apn is not first)]
    if not apns:
        raise LocalError(f"Profile {base.name!r} would have no APN.", remedy="Name at least one.")
    down, up = parse_rates(change.ambr) if change.ambr is not None else (base.ambr_dl, base.ambr_ul)
    restriction = base.access_restriction if change.restrict is None else parse_restriction(change.restrict)
    return replace(base, apns=tuple(apns), ambr_dl=down, ambr_ul=up, access_restriction=restriction,
                   roaming=base.roaming if change.roaming is None else change.roaming,
                   ifc=base.ifc if change.ifc is None else parse_ifc(change.ifc))


def new(name: str, change: Change) -> Profile:
    """A profile of that name."""
    if not re.fullmatch(r"[\w.-]{1,32}", name):
        raise LocalError(f"{name!r} is no name for a profile.", remedy="Use up to 32 letters, digits, . - or _.")
    return changed(Profile(name, ()), change)


def parse_apn(text: str, base: Apn | None = None) -> Apn:
    """An APN from its name and `key=value` parts. Raises LocalError."""
    name, *parts = (part.strip() for part in text.split(","))
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?", name):
        raise LocalError(f"{name!r} is no APN.", remedy="An APN has letters, digits, . and -, such as internet.")
    apn = base or Apn(name)
    for part in parts:
        key, _, value = part.partition("=")
        if key not in _KEYS:
            raise LocalError(f"APN {name}: {part!r} is not known.", remedy=f"Known: {', '.join(_KEYS)}.")
        try:
            apn = replace(apn, **_KEYS[key](value))
        except ValueError as error:
            raise LocalError(f"APN {name}: {part!r} cannot be used.", remedy=str(error)) from None
    return apn


def parse_rates(text: str) -> tuple[int, int]:
    """Down and up in bit/s from `50M/10M`; one rate is both. Raises LocalError."""
    down, _, up = text.partition("/")
    try:
        return _rate(down), _rate(up or down)
    except ValueError as error:
        raise LocalError(f"{text!r} is no pair of bit rates.", remedy=str(error)) from None


def parse_restriction(text: str) -> int:
    """Access-Restriction-Data from names with commas between; empty for none. Raises LocalError."""
    names = [name for name in re.split(r"[\s,]+", text.lower()) if name]
    for name in names:
        if name not in RADIOS:
            raise LocalError(f"There is no radio {name!r} to restrict.", remedy=f"Known: {', '.join(RADIOS)}.")
    return sum({RADIOS[name] for name in names})


def parse_ifc(text: str) -> str:
    """sms, none, or an IMSSubscription document (TS 29.228, annex E), whose criteria it brings. Raises LocalError."""
    cleaned = text.strip()
    if cleaned.lower() in ("sms", "none"):
        return cleaned.lower()
    try:
        ims_subscription.decode(cleaned.encode())
    except ProtocolError as error:
        raise LocalError(f"These are no filter criteria: {error.text}.",
                         remedy="Give sms, none, or an IMSSubscription document with InitialFilterCriteria.") from None
    return cleaned


def _rate(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMG]?)(?:bit/s|bps)?", text.strip(), re.IGNORECASE)
    rate = round(float(match[1]) * _UNITS[match[2].lower()]) if match else -1
    if not 0 <= rate <= MOST_RATE:
        raise ValueError("Write down/up such as 50M/10M, with k, M or G, and no more than 4294M.")
    return rate


def _number(low: int, high: int, text: str) -> int:
    if not (text.isdigit() and low <= int(text) <= high):
        raise ValueError(f"It is a number from {low} to {high}.")
    return int(text)


def _yes(text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise ValueError("It is yes or no.")
    return text.lower() == "yes"


def _type(text: str) -> str:
    if text.lower() not in PDN_TYPES:
        raise ValueError(f"It is one of {', '.join(PDN_TYPES.values())}.")
    return PDN_TYPES[text.lower()]


def _ambr(text: str) -> dict[str, Any]:
    down, _, up = text.partition("/")
    return {"ambr_dl": _rate(down), "ambr_ul": _rate(up or down)}


_KEYS: Mapping[str, Any] = {
    "qci": lambda text: {"qci": _number(1, 254, text)},
    "arp": lambda text: {"arp_priority": _number(1, 15, text)},
    "preempt": lambda text: {"arp_may_preempt": _yes(text)},
    "preemptable": lambda text: {"arp_preemptable": _yes(text)},
    "ambr": _ambr,
    "type": lambda text: {"pdn_type": _type(text)},
}


def _named(apns: Sequence[Apn], name: str, profile: str) -> Apn:
    found = next((apn for apn in apns if apn.name.lower() == name.strip().lower()), None)
    if found is None:
        raise LocalError(f"Profile {profile!r} has no APN {name!r}.",
                         remedy=f"It has {', '.join(apn.name for apn in apns)}.")
    return found


# ---- back to text ----------------------------------------------------------------------------------------


def rate(bits: int) -> str:
    """1000000 -> 1M: the shortest that means the same."""
    for unit in "GMk":
        if bits and bits % _UNITS[unit.lower()] == 0:
            return f"{bits // _UNITS[unit.lower()]}{unit}"
    return str(bits)


def apn_text(apn: Apn) -> str:
    """An APN as `parse_apn` reads it."""
    said = {True: "yes", False: "no"}
    return (f"{apn.name},qci={apn.qci},arp={apn.arp_priority},preempt={said[apn.arp_may_preempt]},"
            f"preemptable={said[apn.arp_preemptable]},ambr={rate(apn.ambr_dl)}/{rate(apn.ambr_ul)},type={apn.pdn_type}")


def shown(profile: Profile) -> dict[str, Any]:
    """A profile as JSON; the first APN is the default one."""
    return {
        "name": profile.name,
        "ambr": f"{rate(profile.ambr_dl)}/{rate(profile.ambr_ul)}",
        "apns": [apn_text(apn) for apn in profile.apns],
        "restrict": [name for name, bit in RADIOS.items() if profile.access_restriction & bit],
        "roaming": profile.roaming,
        "ifc": profile.ifc,
    }


def differences(before: Profile | None, after: Profile | None) -> list[str]:
    """One line for each thing that is another, none when nothing is."""
    old, new_ = (shown(profile) if profile else {} for profile in (before, after))
    found = [f"{key}: {_words(old[key])} -> {_words(new_[key])}" for key in ("ambr", "restrict", "roaming", "ifc")
             if old and new_ and old[key] != new_[key]]
    apns = [{apn.name.lower(): apn_text(apn) for apn in profile.apns} if profile else {} for profile in (before, after)]
    found += [f"APN {text} is gone" for name, text in apns[0].items() if name not in apns[1]]
    found += [f"APN {text} is new" for name, text in apns[1].items() if name not in apns[0]]
    found += [f"APN {apns[0][name]} -> {text}" for name, text in apns[1].items()
              if name in apns[0] and apns[0][name] != text]
    if before and after and before.apns[0].name.lower() != after.apns[0].name.lower():
        found.append(f"default APN: {before.apns[0].name} -> {after.apns[0].name}")
    return found


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
