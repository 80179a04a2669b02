# SPDX-License-Identifier: Apache-2.0
"""The firewall: one nftables table `inet dialtone`, replaced atomically, removed at the end.

A phone on our LTE is a stranger. It reaches its gateway's services, the uplink, and nothing else: not the
API, not the host, not another phone. Nobody beyond the uplink opens a connection to a phone.
"""

import logging
import subprocess
from dataclasses import dataclass
from ipaddress import IPv4Network

from dialtone.errors import LocalError

log = logging.getLogger("dialtone.kernel.nft")

TABLE = "inet dialtone"
_EMPTY = f"table {TABLE}\ndelete table {TABLE}\n"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the table says.

    `inside`: the phones' device (on a lab's host: the tap). `pools`: the phones' networks. `gateways`: our
    addresses in them; DNS and ping are answered there, and TCP and UDP of `services` (ports: the P-CSCF).
    `uplink`: the interface to the Internet, None without one. `also`: networks behind `inside` that are no
    phones (the lab guest) and reach the uplink too. `masquerade`: hide both behind the uplink's address.
    """

    inside: str
    pools: tuple[IPv4Network, ...]
    gateways: tuple[str, ...] = ()
    services: tuple[int, ...] = (5060,)
    uplink: str | None = None
    also: tuple[IPv4Network, ...] = ()
    masquerade: bool = True
    mtu: int = 1400


def text(rules: Rules) -> str:
    """The table as `nft -f` reads it; the same whether or not an earlier one stands."""
    phones = _set(rules.pools)
    out = rules.uplink
    lines = [_EMPTY + f"table {TABLE} {{"]
    lines += ["  chain input {", "    type filter hook input priority filter; policy accept;"]
    lines += [f'    iifname "{rules.inside}" ip saddr {phones} jump phone_to_us']
    lines += [f'    iifname "{rules.inside}" meta nfproto ipv6 counter drop', "  }"]
    lines += ["  chain phone_to_us {", "    ct state established,related accept"]
    if rules.gateways:
        to = f"    ip daddr {_set(rules.gateways)}"
        ports = _set((53, *rules.services))
        lines += [f"{to} icmp type echo-request limit rate 200/second burst 100 packets accept",
                  f"{to} meta l4proto {{ tcp, udp }} th dport {ports} accept"]
    lines += ["    counter drop", "  }"]
    lines += ["  chain forward {", "    type filter hook forward priority filter; policy accept;"]
    size = rules.mtu - 40
    for direction in ("iifname", "oifname"):
        lines += [f'    {direction} "{rules.inside}" tcp flags & (syn | rst) == syn '
                  f"tcp option maxseg size > {size} tcp option maxseg size set {size}"]
    lines += [f'    iifname "{rules.inside}" oifname "{rules.inside}" counter drop']
    lines += [f'    iifname "{rules.inside}" meta nfproto ipv6 counter drop']
    if out:
        lines += [f'    iifname "{rules.inside}" oifname "{out}" accept']
        lines += [f'    iifname "{out}" oifname "{rules.inside}" ct state established,related accept']
    lines += [f'    iifname "{rules.inside}" counter drop', f'    oifname "{rules.inside}" counter drop', "  }"]
    if out and rules.masquerade:
        lines += ["  chain nat {", "    type nat hook postrouting priority srcnat; policy accept;",
                  f'    oifname "{out}" ip saddr {_set((*rules.pools, *rules.also))} masquerade', "  }"]
    return "\n".join([*lines, "}", ""])


class Firewall:
    """Puts rules into the kernel; the last ones given stand until `close`."""

    def apply(self, rules: Rules) -> None:
        """Replace the table in one transaction. Raises LocalError, and then the earlier rules stand."""
        _nft(text(rules))

    def close(self) -> None:
        """Remove the table; one that is gone already is no error."""
        try:
            _nft(_EMPTY)
        except LocalError as error:
            log.warning("%s", error)


def missing() -> str | None:
    """None where this kernel can filter and masquerade IPv4 by nftables, else what it said (nothing is changed)."""
    rules = Rules("lo", (IPv4Network("192.0.2.0/24"),), ("192.0.2.1",), uplink="lo")
    try:
        _nft(text(rules), check_only=True)
    except LocalError as error:
        return error.text
    return None


def _set(items: tuple[object, ...]) -> str:
    return "{ " + ", ".join(map(str, items)) + " }"


def _nft(rules: str, check_only: bool = False) -> None:
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
