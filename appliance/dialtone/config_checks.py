# SPDX-License-Identifier: Apache-2.0
"""What a key of dialtone.toml may be: checks that return the value to use, or raise ValueError whose text goes on
after the key's name ("must be ...")."""

import re
import zoneinfo
from collections.abc import Callable
from dataclasses import field
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from typing import Any

from dialtone.qci import DSCP

Check = Callable[[Any], Any]


def digits(low: int, high: int) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(rf"[0-9]{{{low},{high}}}", value):
            count = f"{low}" if low == high else f"{low} or {high}"
            raise ValueError(f'must be a string of {count} digits, in quotes: "{"001"[:low]}"')
        return value

    return check


def number(low: int, high: int) -> Check:
    def check(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return check


def seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 86400 * 31:
        raise ValueError("must be a number of seconds")
    return float(value)


def seconds_from(low: float) -> Check:
    """A duration that must not be shorter than `low`."""

    def check(value: Any) -> float:
        if seconds(value) < low:
            raise ValueError(f"must be at least {low:g} seconds")
        return float(value)

    return check


def zero_or_from(low: float) -> Check:
    """A duration that is 0, or not shorter than `low`."""

    def check(value: Any) -> float:
        return seconds_from(low)(value) if value else seconds(value)

    return check


def flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("must be true or false")
    return value


def text(most: int) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not value.strip() or len(value) > most:
            raise ValueError(f"must be a text of 1 to {most} characters, in quotes")
        return value

    return check


def phone_number(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\+[0-9]{3,15}", value):
        raise ValueError('must be an international number in quotes, such as "+15550100"')
    return value


def one_of(*allowed: str) -> Check:
    def check(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return str(value)

    return check


def address(value: Any) -> str:
    try:
        return str(IPv4Address(value))
    except ValueError:
        raise ValueError('must be an IPv4 address in quotes, such as "10.0.1.133"') from None


def pool(value: Any) -> IPv4Network:
    try:
        pool = IPv4Network(value)
    except (ValueError, TypeError):
        raise ValueError('must be an IPv4 network in quotes, such as "10.45.0.0/16"') from None
    if not 8 <= pool.prefixlen <= 28:
        raise ValueError("must be a network between /8 and /28")
    return pool


def pool6(value: Any) -> IPv6Network:
    try:
        pool = IPv6Network(value)
    except (ValueError, TypeError):
        raise ValueError('must be an IPv6 network in quotes, such as "2001:db8:cafe::/48"') from None
    if not 32 <= pool.prefixlen <= 60:
        raise ValueError("must be a network between /32 and /60: each phone gets a /64 of it")
    return pool


def numbers(low: int, high: int) -> Check:
    def check(value: Any) -> tuple[int, ...]:
        one = number(low, high)
        return tuple(one(item) for item in value) if isinstance(value, list) else (one(value),)

    return check


def algorithms(least: int) -> Check:
    """EIA or EEA by number, the preferred one first (TS 33.401, 5.1.3.2 and 5.1.4.2)."""

    def check(value: Any) -> tuple[int, ...]:
        known = isinstance(value, list) and all(type(item) is int and least <= item <= 3 for item in value)
        if not known or not value or len(set(value)) < len(value):
            raise ValueError(f"must be a list of different algorithms from {least} to 3, the preferred one first, "
                             "such as [2, 1, 3]")
        return tuple(value)

    return check


def zone(value: Any) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (TypeError, ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise ValueError('must be a time zone such as "Europe/Berlin" or "UTC"') from None
    return str(value)


def identity(value: Any) -> str:
    """A DiameterIdentity (RFC 6733, 4.3.1), in lower case: names are compared without regard to it."""
    if not isinstance(value, str) or not re.fullmatch(r"(?=.{1,255}$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", value):
        raise ValueError('must be a host or realm name in quotes, such as "hss.example.org"')
    return value.lower()


def sip_uri(value: Any) -> str:
    """A SIP URI of a host; empty for none."""
    if not isinstance(value, str) or not re.fullmatch(r"(sips?:[\w.:\[\]-]{1,127}(;[\w=-]+)*)?", value):
        raise ValueError('a SIP URI such as "sip:scscf.example.org:6060"')
    return value


def sip_peer(value: Any) -> str:
    """Transport, address and port of somebody who speaks SIP; empty for nobody."""
    match = re.fullmatch(r"(udp|tcp):(.+):(\d{1,5})", value) if isinstance(value, str) else None
    if value != "" and (match is None or not 0 < int(match[3]) < 65536):
        raise ValueError('must be transport, address and port, such as "udp:192.0.2.7:5060"')
    return f"{match[1]}:{address(match[2])}:{match[3]}" if match is not None else ""


def any_address(value: Any) -> str:
    """IPv4 or IPv6."""
    try:
        return str(ip_address(value))
    except ValueError:
        raise ValueError('must be an IP address in quotes, such as "10.0.1.133"') from None


def addresses(value: Any) -> tuple[str, ...]:
    return tuple(address(item) for item in any_addresses(value))


def any_addresses(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError('must be a list of addresses, such as ["9.9.9.9"]')
    return tuple(any_address(item) for item in value)


def some_of(*allowed: str) -> Check:
    """One or several of these texts, as a tuple."""

    def check(value: Any) -> tuple[str, ...]:
        one = one_of(*allowed)
        return tuple(one(item) for item in value) if isinstance(value, list) else (one(value),)

    return check


def metrics(value: Any) -> tuple[tuple[str, int], ...]:
    """Peers with their metric, by metric."""
    if not isinstance(value, dict) or not value:
        raise ValueError('must name peers with metrics, such as { "hss1.example.org" = 1, "hss2.example.org" = 2 }')
    peers = ((identity(host), number(0, 65535)(metric)) for host, metric in value.items())
    return tuple(sorted(peers, key=lambda peer: peer[1]))


def dscp(value: Any) -> dict[int, int]:
    """Code points by QCI, over the usual ones."""
    if not isinstance(value, dict):
        raise ValueError("must name classes, such as { 1 = 46, 5 = 26 }")
    return DSCP | {number(1, 254)(int(qci) if qci.isdecimal() else qci): number(0, 63)(code)
                   for qci, code in value.items()}


def country_code(value: Any) -> str:
    """One to three digits, or nothing."""
    if not isinstance(value, str) or not re.fullmatch(r"([1-9][0-9]{0,2})?", value):
        raise ValueError('must be a string of 1 to 3 digits, such as "49", or empty')
    return value


def even_port(value: Any) -> int:
    """A port for RTP, with room for others after it."""
    port = number(1024, 60_000)(value)
    if port % 2:
        raise ValueError("must be even: RTCP is one port higher")
    return int(port)


def short_codes(value: Any) -> dict[str, str]:
    """SIP URIs by what is dialled."""
    if not isinstance(value, dict) or not all(
            re.fullmatch(r"[0-9*#]{1,15}", code) and isinstance(uri, str) and re.fullmatch(r"sip:[^\s<>\"]+", uri)
            for code, uri in value.items()):
        raise ValueError('must name services by number, such as { "611" = "sip:help@as.example.org" }')
    return value


def sip_hosts(value: Any) -> dict[str, str]:
    """Addresses with ports by name."""
    if not isinstance(value, dict):
        raise ValueError('must name hosts, such as { "pcscf.example.org" = "192.0.2.7:5060" }')
    found = {}
    for name, text in value.items():
        host, _, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
        if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(f'must give address and port of {name}, such as "192.0.2.7:5060"')
        found[identity(name)] = f"{address(host)}:{port}"
    return found


def setting(default: Any, check: Check, help: str) -> Any:
    """A field of a section: its default, its check, and what it is for."""
    metadata = {"check": check, "help": help}
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata=metadata)
    return field(default=default, metadata=metadata)
