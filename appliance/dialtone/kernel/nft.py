# SPDX-License-Identifier: Apache-2.0
"""The firewall: one nftables table `inet dialtone`, replaced atomically, removed at the end.

A phone on our LTE is a stranger. It reaches its gateway's services, the uplink, and nothing else: not the
API, not the host, not another phone but for the media of a call. Nobody beyond the uplink opens a connection to
a phone.
"""

import logging
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from dialtone.errors import LocalError

log = logging.getLogger("dialtone.kernel.nft")

TABLE = "inet dialtone"
Network = IPv4Network | IPv6Network
MEDIA = {"ip": "ipv4_addr", "ip6": "ipv6_addr"}
"""Families, each with a set `media_<family>` of the open flows between phones (media.py)."""
_EMPTY = f"table {TABLE}\ndelete table {TABLE}\n"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the table says; networks and addresses are IPv4 and IPv6.

    `inside`: the phones' device (on a lab's host: the tap). `pools`: the phones' networks. `gateways`: our
    addresses in them; DNS and ping are answered there, TCP and UDP of `services` (ports: the P-CSCF), and UDP of
    `speech` (RTP and RTCP of the answer services).
    `uplink`: the interface to the Internet, None without one. `also`: networks behind `inside` that are no
    phones (the lab guest) and reach the uplink too. `masquerade`: hide both behind the uplink's address;
    `masquerade6`: likewise in IPv6.
    """

    inside: str
    pools: tuple[Network, ...]
    gateways: tuple[str, ...] = ()
    services: tuple[int, ...] = (5060,)
    speech: range = range(0)
    uplink: str | None = None
    also: tuple[Network, ...] = ()
    masquerade: bool = True
    masquerade6: bool = True
    mtu: int = 1400


def text(rules: Rules) -> str:
    """The table as `nft -f` reads it; the same whether or not an earlier one stands."""
    families = [family for family in ("ip", "ip6") if _of(family, rules.pools)]
    inside, out = rules.inside, rules.uplink
    lines = [_EMPTY + f"table {TABLE} {{"]
    lines += [f"  set media_{family} {{ type {kind} . inet_service . {kind} . inet_service; }}"
              for family, kind in MEDIA.items()]
    lines += ["  chain input {", "    type filter hook input priority filter; policy accept;"]
    lines += [f'    iifname "{inside}" {family} saddr {elements(_of(family, rules.pools))} jump phone_to_us'
              for family in families]
    lines += [f'    iifname "{inside}" meta nfproto ipv6 counter drop', "  }"]
    lines += ["  chain phone_to_us {", "    ct state established,related accept"]
    for family, ping in (("ip", "icmp type"), ("ip6", "icmpv6 type")):
        if gateways := _of(family, rules.gateways):
            to = f"    {family} daddr {elements(gateways)}"
            lines += [f"{to} {ping} echo-request limit rate 200/second burst 100 packets accept",
                      f"{to} meta l4proto esp accept",  # what comes out of it passes here once more
                      f"{to} meta l4proto {{ tcp, udp }} th dport {elements((53, *rules.services))} accept"]
            if rules.speech:
                lines.append(f"{to} udp dport {rules.speech.start}-{rules.speech.stop - 1} accept")
    lines += ["    counter drop", "  }"]
    lines += ["  chain forward {", "    type filter hook forward priority filter; policy accept;"]
    lines += [f'    {direction} "{inside}" meta nfproto {protocol} tcp flags & (syn | rst) == syn '
              f"tcp option maxseg size > {size} tcp option maxseg size set {size}"
              for direction in ("iifname", "oifname")
              for protocol, size in (("ipv4", rules.mtu - 40), ("ipv6", rules.mtu - 60))]
    lines += [f'    iifname "{inside}" oifname "{inside}" '
              f"{family} saddr . udp sport . {family} daddr . udp dport @media_{family} accept" for family in MEDIA]
    lines += [f'    iifname "{inside}" oifname "{inside}" counter drop']
    if "ip6" not in families:
        lines += [f'    iifname "{inside}" meta nfproto ipv6 counter drop']
    if out:
        lines += [f'    iifname "{inside}" oifname "{out}" accept']
        lines += [f'    iifname "{out}" oifname "{inside}" ct state established,related accept']
    lines += [f'    iifname "{inside}" counter drop', f'    oifname "{inside}" counter drop', "  }"]
    hidden = [(family, _of(family, (*rules.pools, *rules.also)))
              for family, wanted in (("ip", rules.masquerade), ("ip6", rules.masquerade6)) if wanted]
    if out and any(networks for _, networks in hidden):
        lines += ["  chain nat {", "    type nat hook postrouting priority srcnat; policy accept;",
                  *(f'    oifname "{out}" {family} saddr {elements(networks)} masquerade'
                    for family, networks in hidden if networks), "  }"]
    return "\n".join([*lines, "}", ""])


class Firewall:
    """Puts rules into the kernel; the last ones given stand until `close`."""

    def apply(self, rules: Rules) -> None:
        """Replace the table in one transaction. Raises LocalError, and then the earlier rules stand."""
        run(text(rules))

    def close(self) -> None:
        """Remove the table; one that is gone already is no error."""
        try:
            run(_EMPTY)
        except LocalError as error:
            log.warning("%s", error)


def missing() -> str | None:
    """None where this kernel can filter and masquerade IPv4 by nftables, else what it said (nothing is changed)."""
    rules = Rules("lo", (IPv4Network("192.0.2.0/24"),), ("192.0.2.1",), uplink="lo")
    try:
        run(text(rules), check_only=True)
    except LocalError as error:
        return error.text
    return None


def _of(family: str, items: Sequence[object]) -> list[object]:
    """Those of one family, `ip` or `ip6`."""
    return [item for item in items if (":" in str(item)) == (family == "ip6")]


def elements(items: Sequence[object]) -> str:
    """As nft writes a set."""
    return "{ " + ", ".join(map(str, items)) + " }"


def run(rules: str, check_only: bool = False) -> None:
    """Hand rules to nft, all in one transaction. Raises LocalError."""
    command = ["nft", *(["-c"] if check_only else []), "-f", "-"]
    try:
        done = subprocess.run(command, input=rules, text=True, capture_output=True, check=False)
    except FileNotFoundError:
        raise LocalError("The program nft is missing.", remedy="apt install nftables") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        remedy = "This kernel lacks nftables for IP: see `dialtone doctor`."
        if "not permitted" in said[0]:
            remedy = "Root or CAP_NET_ADMIN is needed."
        raise LocalError(f"nft: {said[0]}", remedy=remedy)
