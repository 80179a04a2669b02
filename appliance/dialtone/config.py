# SPDX-License-Identifier: Apache-2.0
"""dialtone.toml to frozen dataclasses. An error names file, line, key, and what to write instead.

Later files win over earlier ones, key by key. TOML and not YAML: `mnc = 01` is refused here, where
YAML would read it as the number 1.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Any

from dialtone import config_checks as check
from dialtone.config_checks import setting
from dialtone.config_diameter import DiameterConfig, PeerConfig, RouteConfig
from dialtone.config_gtp import GtpConfig
from dialtone.config_ims import ImsConfig
from dialtone.config_policy import PolicyConfig
from dialtone.config_sms import SmsConfig
from dialtone.errors import LocalError
from dialtone.ids import Plmn
from dialtone.qci import DSCP


class ConfigError(LocalError):
    """The configuration cannot be used; the text names the place and the remedy."""


@dataclass(frozen=True, slots=True)
class Network:
    """[network]: what the phones see."""

    name: str = setting("Dialtone", check.text(32), "network name on the phone's screen")
    mcc: str = setting("001", check.digits(3, 3), "mobile country code")
    mnc: str = setting("01", check.digits(2, 3), "mobile network code")
    tac: tuple[int, ...] = setting((1,), check.numbers(1, 0xFFFD), "tracking area codes that are served")
    timezone: str = setting("UTC", check.zone, "time zone told to the phones")
    temporary_rejects: bool = setting(
        False, check.flag, "lab setting: refuse phones with causes that do not lock the SIM"
    )
    emergency: str = setting(
        "off", check.one_of("off", "desk"), "emergency calls: refused, or put through to a desk of this network"
    )
    eia: tuple[int, ...] = setting(
        (2, 1, 3), check.algorithms(1), "NAS integrity algorithms, the preferred one first: 1 SNOW 3G, 2 AES, 3 ZUC"
    )
    eea: tuple[int, ...] = setting(
        (2, 1, 3, 0), check.algorithms(0), "NAS ciphering algorithms likewise; 0 is none, so that captures can be read"
    )

    @property
    def plmn(self) -> Plmn:
        """MCC and MNC."""
        return Plmn(self.mcc, self.mnc)


@dataclass(frozen=True, slots=True)
class S1:
    """[s1]: where eNBs connect."""

    address: str = setting("10.0.1.133", check.address, "address of the eNB port (S1-MME and S1-U)")
    port: int = setting(36412, check.number(1, 65535), "SCTP port of S1-MME")
    mme_group_id: int = setting(2, check.number(0, 65535), "MME group identity")
    mme_code: int = setting(1, check.number(0, 255), "MME code")
    overload: int = setting(1500, check.number(0, 1_000_000), "so many phones attaching at once are too many; 0: never")
    echo: float = setting(60.0, check.zero_or_from(60), "pause between echo requests on S1-U, seconds; 0: none")
    dscp: dict[int, int] = setting(DSCP, check.dscp, "DSCP of the outer header by QCI, such as { 1 = 46 }")
    t3412: float = setting(3240.0, check.seconds, "periodic tracking area update, seconds")


@dataclass(frozen=True, slots=True)
class Apn:
    """[apn.<name>]: one packet data network."""

    pool: IPv4Network = setting(IPv4Network("10.45.0.0/16"), check.pool, "addresses of the phones")
    pool6: IPv6Network | None = setting(None, check.pool6, "their IPv6 network, a /64 for each; none without")
    pdn_type: str = setting("ipv4v6", check.one_of("ipv4", "ipv6", "ipv4v6"), "what phones may have of it")
    qci: int = setting(9, check.number(1, 9), "QCI of the default bearer")
    dns: tuple[str, ...] = setting((), check.any_addresses, "DNS servers; the gateway itself when empty")
    phone_bearers: bool = setting(True, check.flag, "phones get the dedicated bearers that they ask for")

    @property
    def gateway(self) -> IPv4Address:
        """The .0.1 of the pool: gateway, DNS."""
        return self.pool[1]

    @property
    def gateway6(self) -> IPv6Address | None:
        """The ::1 of the IPv6 pool, whose first /64 no phone gets."""
        return self.pool6[1] if self.pool6 else None

    @property
    def pdn_types(self) -> int:
        """The PDN types to be had, as bits: 1 IPv4, 2 IPv6 (3, both, is IPv4v6 too)."""
        return {"ipv4": 1, "ipv6": 2, "ipv4v6": 3}[self.pdn_type] & (3 if self.pool6 else 1)

    @property
    def gateways(self) -> tuple[str, ...]:
        """Our addresses in it."""
        return (str(self.gateway), *([str(self.gateway6)] if self.pool6 else []))


@dataclass(frozen=True, slots=True)
class Uplink:
    """[uplink]: the way to the Internet."""

    interface: str = setting("auto", check.text(15), "interface to the Internet, or auto")
    masquerade: bool = setting(True, check.flag, "hide the phones behind the uplink's address")
    masquerade6: bool = setting(True, check.flag, "likewise in IPv6; false where the phones' networks are routed")
    dns: tuple[str, ...] = setting((), check.any_addresses, "resolvers to forward to; the system's own when empty")


@dataclass(frozen=True, slots=True)
class Trace:
    """[trace]: the ring of events."""

    ring: int = setting(20000, check.number(100, 1_000_000), "events kept in memory")


@dataclass(frozen=True, slots=True)
class Api:
    """[api]: where the HTTP API listens."""

    listen: str = setting("127.0.0.1", check.address, "address")
    port: int = setting(8000, check.number(1, 65535), "port")


@dataclass(frozen=True, slots=True)
class Log:
    """[log]."""

    level: str = setting("info", check.one_of("debug", "info", "warning", "error"), "least severe line written")


EMERGENCY_APN = "sos"
EMERGENCY_POOL = IPv4Network("10.47.0.0/16")
DEFAULT_APNS: dict[str, Apn] = {
    "internet": Apn(pool6=IPv6Network("2001:db8:cafe::/49")),
    "ims": Apn(pool=IPv4Network("10.46.0.0/16"), pool6=IPv6Network("2001:db8:cafe:8000::/49"), qci=5),
}


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration."""

    network: Network = Network()
    s1: S1 = S1()
    apn: Mapping[str, Apn] = field(default_factory=lambda: dict(DEFAULT_APNS))
    uplink: Uplink = Uplink()
    diameter: DiameterConfig = DiameterConfig()
    gtp: GtpConfig = GtpConfig()
    ims: ImsConfig = ImsConfig()
    sms: SmsConfig = SmsConfig()
    policy: Mapping[str, PolicyConfig] = field(default_factory=dict)
    trace: Trace = Trace()
    api: Api = Api()
    log: Log = Log()

    @property
    def control(self) -> bytes:
        """Our address in the F-TEIDs of control planes, four octets."""
        return IPv4Address(self.gtp.listen or self.s1.address).packed


SECTIONS = {"network": Network, "s1": S1, "uplink": Uplink, "diameter": DiameterConfig, "gtp": GtpConfig,
            "ims": ImsConfig, "sms": SmsConfig, "trace": Trace, "api": Api, "log": Log}
# Sections [<kind>.<name>]:
NAMED = {"apn": Apn, "policy": PolicyConfig, "diameter.peer": PeerConfig, "diameter.route": RouteConfig}
Named = dict[str, dict[str, dict[str, Any]]]
MTU = 1400  # on the phones' device and in the PCO: room for GTP-U and ESP (facts of the user plane)


def load(paths: Sequence[Path] = ()) -> Config:
    """Read and merge the files that exist; raises ConfigError."""
    sections: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    named: Named = {kind: {} for kind in NAMED}
    named["apn"] = {name: {"pool": apn.pool, "pool6": apn.pool6, "qci": apn.qci} for name, apn in DEFAULT_APNS.items()}
    for path in paths:
        _merge(path, sections, named)
    if sections["network"].get("emergency") == "desk":
        named["apn"][EMERGENCY_APN] = {"pool": EMERGENCY_POOL, "qci": 5} | named["apn"].get(EMERGENCY_APN, {})
    objects = {kind: {name: NAMED[kind](**values) for name, values in items.items()} for kind, items in named.items()}
    sections["diameter"] |= {"peer": objects["diameter.peer"], "route": objects["diameter.route"]}
    config = Config(apn=objects["apn"], policy=objects["policy"],
                    **{name: cls(**sections[name]) for name, cls in SECTIONS.items()})
    _overlaps(config, paths)
    for name, policy in config.policy.items():
        if policy.apn.lower() not in config.apn or policy.problem():
            why = policy.problem() or f"is for the APN {policy.apn}, which there is none of"
            raise ConfigError(f"{_where(paths)}: policy.{name} {why}.")
    own = config.gtp.listen or config.s1.address
    if problem := config.diameter.problem() or config.gtp.problem(own) or config.ims.problem():
        raise ConfigError(f"{_where(paths)}: {problem[0]}.", remedy=problem[1])
    return config


def _merge(path: Path, sections: dict[str, dict[str, Any]], named: Named) -> None:
    try:
        text = path.read_text("utf-8-sig")
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}.", remedy="Texts stand in quotes, names before an equals sign.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    for kind, cls in NAMED.items():
        above, _, last = kind.rpartition(".")
        holder = tree.get(above, {}) if above else tree
        items = holder.pop(last, {}) if isinstance(holder, dict) else {}
        if not isinstance(items, dict):
            raise ConfigError(f"{_place(path, text, kind)}: {kind} is no key.", remedy=f"Write [{kind}.<name>].")
        for name, values in items.items():
            checked = _section(path, text, f"{kind}.{name}", cls, values)
            named[kind].setdefault(name.lower(), {}).update(checked)
    for name, values in tree.items():
        if name not in SECTIONS:
            known = ", ".join([*SECTIONS, *(f"{kind}.<name>" for kind in NAMED)])
            raise ConfigError(f"{_place(path, text, name)}: there is no section [{name}].", remedy=f"Known: {known}.")
        sections[name].update(_section(path, text, name, SECTIONS[name], values))


def _section(path: Path, text: str, name: str, cls: Any, values: Any) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise ConfigError(f"{_place(path, text, name, name)}: [{name}] is a section.", remedy=f"Write [{name}].")
    known = {item.name: item for item in fields(cls)}
    checked = {}
    for key, value in values.items():
        place = f"{_place(path, text, name, key)}: {name}.{key}"
        if key not in known:
            raise ConfigError(f"{place} is not known.", remedy=f"[{name}] has: {', '.join(known)}.")
        try:
            checked[key] = known[key].metadata["check"](value)
        except ValueError as error:
            raise ConfigError(f"{place} {error}, not {value!r}.") from None
    return checked


def _place(path: Path, text: str, section: str, key: str = "") -> str:
    """`file, line n`: found by reading, since the TOML parser does not keep lines."""
    inside = not key
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\]]+?)\s*\]", line):
            inside = header[1].replace('"', "") == section
            if inside and not key:
                return f"{path}, line {number}"
        elif inside and key and re.match(rf'\s*"?{re.escape(key)}"?\s*[=.]', line):
            return f"{path}, line {number}"
    return str(path)


def _where(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths)) or "built-in defaults"


def _overlaps(config: Config, paths: Sequence[Path]) -> None:
    """Refuse networks that overlap: the second would never see a packet."""
    where = _where(paths)
    seen: dict[str, IPv4Network | IPv6Network] = {
        "the eNB port's network": IPv4Network(f"{config.s1.address}/24", strict=False)}
    for name, apn in config.apn.items():
        if apn.pdn_type == "ipv6" and apn.pool6 is None:
            raise ConfigError(f"{where}: apn.{name}.pdn_type is ipv6, and apn.{name}.pool6 is missing.",
                              remedy='Give it a network of its own, such as "fd00:1234:5678::/48".')
        for key, pool in (("pool", apn.pool), ("pool6", apn.pool6)):
            for other, network in seen.items():
                if pool is not None and pool.version == network.version and pool.overlaps(network):
                    raise ConfigError(f"{where}: apn.{name}.{key} {pool} overlaps {other} {network}.",
                                      remedy="Give each its own network.")
            if pool is not None:
                seen[f"apn.{name}.{key}"] = pool
