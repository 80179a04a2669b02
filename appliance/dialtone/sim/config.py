# SPDX-License-Identifier: Apache-2.0
"""What to simulate, from a TOML file or made up: eNBs and their phones.

    [mme]
    address = "10.0.1.133"
    [[enb]]                      # or [enb] where there is only one
    name = "sim-enb1"
    address = "10.0.1.134"       # its end of S1-MME and S1-U
    plmn = "001/01"
    tac = 1
    inactivity = 10              # seconds without a packet, then the phone is released; never without it
    [[phone]]
    imsi = "001010000000001"
    k = "465b5ce8b199b49faa5f0a2ee238a6bc"
    opc = "cd63cb71954a9f4e48a5994e37a02baf"    # or op
    algorithm = "tuak"           # then opc is TOPc and op is TOP; milenage without it
    res = 128                    # bits of RES, with tuak only
    apn = "internet"             # asked for by name; the subscription's own without it
    pdn_type = "ipv4v6"          # or ipv4, ipv6
    combined = true              # it wants SMS over NAS, too
    emergency = true             # it attaches for calls to 112 only; with sim = false it has no card
    enb = "sim-enb1"             # where it camps; the first eNB without it
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from dialtone.codec.nas.values import PdnType
from dialtone.crypto.aka import ALGORITHMS
from dialtone.crypto.milenage import derive_opc
from dialtone.crypto.tuak import derive_topc
from dialtone.errors import DialtoneError, LocalError
from dialtone.ids import Plmn
from dialtone.sim.cards import HOME, make_cards
from dialtone.sim.enb import EnbConfig
from dialtone.sim.ims.client import PAIRS, ImsHandset
from dialtone.sim.ims.identity import Isim
from dialtone.sim.phone import Handset
from dialtone.sim.usim import Usim

ENB_ADDRESS = IPv4Address("10.0.1.134")
_HANDSET_KEYS = {"imeisv", "apn", "esm_information", "retries", "pdn_type", "combined", "emergency", "sim"}
_PDN_TYPES = {"ipv4": PdnType.IPV4, "ipv6": PdnType.IPV6, "ipv4v6": PdnType.IPV4V6}
_PHONE_KEYS = {"imsi", "k", "op", "opc", "algorithm", "res", "iterations", "enb", "ims"} | _HANDSET_KEYS
_IMS_KEYS = {"transport", "mechanisms", "one_port", "rport", "expires", "preconditions", "rings", "aligned", "ipv6",
             "psi"}
IMS_APN = "ims"
_ENB_KEYS = {"name", "id", "plmn", "tac", "address", "inactivity", "namespace"}
_MME_KEYS = {"address", "port"}


@dataclass(frozen=True, slots=True)
class SimPhone:
    """A phone to simulate."""

    usim: Usim
    handset: Handset = Handset()
    enb: str = ""  # name of the eNB that it camps on, the first one if empty
    ims: ImsHandset = ImsHandset()
    isim: Isim | None = None


@dataclass(frozen=True, slots=True)
class SimConfig:
    """eNBs, their phones, and where the MME is."""

    enbs: tuple[EnbConfig, ...] = (EnbConfig(address=ENB_ADDRESS),)
    mme_address: str = "10.0.1.133"
    mme_port: int = 36412
    phones: tuple[SimPhone, ...] = field(default_factory=lambda: sample_phones(3))


def sample_phones(count: int, home: Plmn = HOME) -> tuple[SimPhone, ...]:
    """Phones with test cards; each has an IMEISV of its own."""
    return tuple(
        SimPhone(Usim(card.imsi, card.k, card.opc, len(home.mnc)),
                 Handset(imeisv=f"{35349006987000 + number}90", combined=True))
        for number, card in enumerate(make_cards(count, home), 1))


def with_ims(config: SimConfig) -> SimConfig:
    """The same phones, each with an IMS client that takes a call after three seconds."""
    return replace(config, phones=tuple(
        phone if phone.handset.ims else replace(phone, handset=replace(phone.handset, ims=IMS_APN),
                                                ims=replace(phone.ims, rings=3.0))
        for phone in config.phones))


def neighbours(first: EnbConfig, count: int) -> tuple[EnbConfig, ...]:
    """So many eNBs like the first, each with the next id, name and address."""
    return (first, *(replace(first, enb_id=first.enb_id + more, enb_name=f"sim-enb{more + 1}",
                             address=first.address + more) for more in range(1, count)))


def load(path: Path, base: SimConfig | None = None) -> SimConfig:
    """Read a file. Raises LocalError with the key at fault and what to write."""
    try:
        tree = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LocalError(f"{path} cannot be used: {error}.") from None
    try:
        return _config(tree, base or SimConfig())
    except (ValueError, TypeError, KeyError, DialtoneError) as error:
        text = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise LocalError(f"{path}: {text}", remedy="`dialtone sim run --help` shows an example.") from None


def _config(tree: Mapping[str, Any], base: SimConfig) -> SimConfig:
    _known("the file", tree, {"mme", "enb", "phone"})
    given, mme = tree.get("enb", {}), tree.get("mme", {})
    _known("[mme]", mme, _MME_KEYS)
    tables = given if isinstance(given, list) else [given]
    likely = neighbours(base.enbs[0], max(len(tables), 1))
    enbs = tuple(_enb(values, like) for values, like in zip(tables, likely, strict=False)) or base.enbs
    phones = tuple(_phone(values) for values in tree.get("phone", ())) or base.phones
    names = {enb.enb_name for enb in enbs}
    if unknown := [phone.enb for phone in phones if phone.enb and phone.enb not in names]:
        raise LocalError(f"A phone camps on {unknown[0]!r}.", remedy=f"The eNBs are: {', '.join(sorted(names))}.")
    return SimConfig(enbs, str(IPv4Address(mme.get("address", base.mme_address))),
                     int(mme.get("port", base.mme_port)), phones)


def _enb(values: Mapping[str, Any], like: EnbConfig) -> EnbConfig:
    _known("[[enb]]", values, _ENB_KEYS)
    areas = like.areas
    if "plmn" in values or "tac" in values:
        plmn = Plmn.from_text(values["plmn"]) if "plmn" in values else like.tai.plmn
        areas = ((int(values.get("tac", like.tai.tac)), (plmn,)),)
    return replace(like, areas=areas, enb_id=int(values.get("id", like.enb_id)),
                   enb_name=str(values.get("name", like.enb_name)),
                   inactivity=float(values.get("inactivity", like.inactivity)),
                   address=IPv4Address(values.get("address", like.address)),
                   namespace=str(values.get("namespace", like.namespace)))


def _phone(values: Mapping[str, Any]) -> SimPhone:
    _known("[[phone]]", values, _PHONE_KEYS)
    k = bytes.fromhex(values["k"])
    algorithm, iterations = str(values.get("algorithm", "milenage")), int(values.get("iterations", 1))
    if algorithm not in ALGORITHMS:
        raise LocalError(f"algorithm {algorithm!r} is not known.", remedy=f"Write {' or '.join(ALGORITHMS)}.")
    if "opc" in values:
        opc = bytes.fromhex(values["opc"])
    else:
        op = bytes.fromhex(values["op"])
        opc = derive_topc(k, op, iterations=iterations) if algorithm == "tuak" else derive_opc(k, op)
    choices = {key: value for key, value in values.items() if key in _HANDSET_KEYS}
    if "pdn_type" in choices:
        if choices["pdn_type"] not in _PDN_TYPES:
            raise LocalError(f"pdn_type {choices['pdn_type']!r} is not known.", remedy="Write ipv4, ipv6 or ipv4v6.")
        choices["pdn_type"] = _PDN_TYPES[choices["pdn_type"]]
    handset = Handset(**choices)
    usim = Usim(str(values["imsi"]), k, opc, algorithm=algorithm, res=int(values.get("res", 64)) // 8,
                iterations=iterations)
    if "ims" not in values:
        return SimPhone(usim, handset, str(values.get("enb", "")))
    ims, isim = _ims(dict(values["ims"]))
    handset = replace(handset, ims=str(values["ims"].get("apn", IMS_APN)))
    return SimPhone(usim, handset, str(values.get("enb", "")), ims, isim)


def _ims(values: dict[str, Any]) -> tuple[ImsHandset, Isim | None]:
    """`ims = {...}` of a phone."""
    _known("ims of [[phone]]", values, _IMS_KEYS | {"apn", "isim"})
    choices = {key: value for key, value in values.items() if key in _IMS_KEYS}
    if "mechanisms" in choices:
        pairs = tuple(tuple(text.split("/", 1)) for text in choices["mechanisms"])
        if unknown := [pair for pair in pairs if pair not in PAIRS]:
            known = ", ".join("/".join(pair) for pair in PAIRS)
            raise LocalError(f"The mechanism {'/'.join(unknown[0])!r} is not known.", remedy=f"There are: {known}.")
        choices["mechanisms"] = pairs
    isim = None
    if "isim" in values:
        card = dict(values["isim"])
        _known("isim of [[phone]]", card, {"impi", "impu", "domain", "k", "opc"})
        keys = {key: bytes.fromhex(card[key]) for key in ("k", "opc") if key in card}
        isim = Isim(str(card["impi"]), (str(card["impu"]),), str(card["domain"]), **keys)
    return ImsHandset(**choices), isim


def _known(where: str, values: Mapping[str, Any], keys: set[str]) -> None:
    for key in values:
        if key not in keys:
            raise LocalError(f"{where} has no key {key!r}.", remedy=f"It has: {', '.join(sorted(keys))}.")
