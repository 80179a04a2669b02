# SPDX-License-Identifier: Apache-2.0
"""Subscriber data as people write it: checked, completed, and explained where it is wrong.

The same rules serve the command line, the API and CSV import. No text that is made here contains a key.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from dialtone.crypto.milenage import derive_opc
from dialtone.crypto.tuak import derive_topc
from dialtone.errors import LocalError
from dialtone.hss import identities
from dialtone.hss.fields import (
    Wrong,
    parse_algorithm,
    parse_amf,
    parse_impi,
    parse_impus,
    parse_imsi,
    parse_ipsec,
    parse_iterations,
    parse_key,
    parse_msisdns,
    parse_res,
    parse_tags,
)
from dialtone.hss.subscriber import FixedAddress, Profile, Subscriber, fixed_address
from dialtone.ids import Plmn

# The fields of a subscriber as texts. A missing one is left as it is, or gets its default; an empty one is cleared.
FIELDS = (
    "imsi", "algorithm", "k", "op", "opc", "res", "iterations", "amf", "msisdn", "impi", "impu",
    "isim_k", "isim_op", "isim_opc", "ipsec", "profile", "address", "tags",
)  # fmt: skip


TUAK_NAMES = {"top": "op", "topc": "opc", "isim_top": "isim_op", "isim_topc": "isim_opc"}
"""How TS 35.231 calls what stands in the fields of these names."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field, and what to do about it."""

    column: str
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.column}: {self.text} {self.remedy}".strip()


class InvalidFields(LocalError):
    """Some fields cannot be used; `problems` says which."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(" ".join(map(str, problems)))
        self.problems = tuple(problems)


def make_subscriber(
    fields: Mapping[str, str],
    *,
    profiles: Mapping[str, Profile],
    home: Plmn | None = None,
    base: Subscriber | None = None,
) -> Subscriber:
    """A subscriber of `fields` (see FIELDS), or `base` with `fields` changed.

    OP becomes OPc here and is kept nowhere. IMPI and IMPUs follow from IMSI and MSISDNs where they are not given;
    `home` tells how many digits its MNC has. Raises InvalidFields with every problem found.
    """
    form = _Form(_with_tuak_names(fields), base)
    imsi = base.imsi if base and "imsi" not in fields else form.parse("imsi", parse_imsi)
    k, opc = form.keys("", base.k if base else None, base.opc if base else None)
    isim_k, isim_opc = form.isim(k)
    amf = form.read("amf", parse_amf, base.amf if base else b"\x80\x00")
    msisdns = form.read("msisdn", parse_msisdns, base.msisdns if base else ())
    profile = base.profile if base else None
    if profile is None or "profile" in fields:
        profile = form.parse("profile", lambda text: _profile(text, profiles))
    tags = form.read("tags", parse_tags, base.tags if base else ())
    addresses = form.read("address", lambda text: _addresses(text, profile), base.addresses if base else ())
    ipsec = form.read("ipsec", parse_ipsec, base.ipsec if base else True)
    impi = form.read("impi", parse_impi, base.impi if base else "")
    impus = form.read("impu", parse_impus, base.impus if base else ())
    if base and imsi and imsi != base.imsi:
        form.problem("imsi", "An IMSI cannot be changed.", "Add a new subscriber and remove the old one.")
    if form.problems:
        raise InvalidFields(form.problems)
    if base is not None and base.impus == identities.default_impus(base.imsi, base.msisdns, home):
        impus = () if "impu" not in fields else impus  # they followed from the MSISDNs, and go on to
    return Subscriber(
        imsi=imsi,
        k=k,
        opc=opc,
        profile=profile,
        amf=amf,
        msisdns=msisdns,
        impi=impi or identities.default_impi(imsi, home),
        impus=impus or identities.default_impus(imsi, msisdns, home),
        isim_k=isim_k,
        isim_opc=isim_opc,
        tags=tags,
        addresses=addresses,
        algorithm=form.algorithm,
        res=form.res,
        iterations=form.iterations,
        ipsec=ipsec,
    )


def _with_tuak_names(fields: Mapping[str, str]) -> Mapping[str, str]:
    """TOP and TOPc stand where Milenage has OP and OPc, and say which algorithm it is."""
    named = {name: value for name, value in fields.items() if name not in TUAK_NAMES or value.strip()}
    tuak = named.keys() & TUAK_NAMES.keys()
    return {TUAK_NAMES.get(name, name): value for name, value in named.items()} | (
        {"algorithm": named.get("algorithm") or "tuak"} if tuak else {})


def doubts(subscriber: Subscriber, home: Plmn | None = None) -> list[Problem]:
    """What is allowed, and yet is rarely meant."""
    found = []
    if len(set(subscriber.k)) == 1:
        found.append(Problem("k", "All octets of K are the same.", "Is this the card's real key?"))
    if subscriber.k == subscriber.opc:
        found.append(Problem("opc", "OPc is the same as K.", "Was the K pasted twice?"))
    if not subscriber.amf[0] & 0x80:
        text = "The AMF lacks the separation bit, which LTE requires; it is set on the way out."
        found.append(Problem("amf", text, "The usual AMF is 8000."))
    if home is not None and not subscriber.imsi.startswith(home.mcc + home.mnc):
        text = f"The IMSI is not of our network {home}: the phone will treat us as roaming, or not attach at all."
        found.append(Problem("imsi", text, "Allow data roaming on the phone, or serve the card's MCC and MNC."))
    return found


class _Form:
    """Reads fields and gathers their problems, so that one look at a form names all of them."""

    def __init__(self, fields: Mapping[str, str], base: Subscriber | None) -> None:
        self.fields = fields
        self.base = base
        self.problems: list[Problem] = []
        self.bad: set[str] = set()
        self.algorithm = self.read("algorithm", parse_algorithm, base.algorithm if base else "milenage")
        tuak = self.algorithm == "tuak"
        self.res = self.read("res", parse_res, base.res if base and tuak else 8)
        self.iterations = self.read("iterations", parse_iterations, base.iterations if base and tuak else 1)
        if not tuak and (self.res, self.iterations) != (8, 1) and not self.problems:
            self.problem("algorithm", "Only TUAK lets one choose the length of RES and iterations.", "Say tuak.")
        for name in fields.keys() - set(FIELDS):
            self.problem(name, "There is no such field.", f"The fields are {', '.join(FIELDS)}.")

    def problem(self, column: str, text: str, remedy: str) -> None:
        self.bad.add(column)
        self.problems.append(Problem(column, text, remedy))

    # Any: what comes back is used only when no problem was found, and then it is what `parse` returns.
    def read(self, name: str, parse: Callable[[str], Any], otherwise: Any) -> Any:
        """The value of a field, `otherwise` where it is not given, None where it is wrong."""
        return self.parse(name, parse) if name in self.fields else otherwise

    def parse(self, name: str, parse: Callable[[str], Any]) -> Any:
        """The value of a field; one that is not given counts as empty."""
        try:
            return parse(self.fields.get(name, ""))
        except Wrong as wrong:
            self.problem(name, wrong.text, wrong.remedy)
            return None

    def keys(self, prefix: str, old_k: bytes | None, old_opc: bytes | None) -> tuple[Any, Any]:
        """K and OPc of the USIM (`prefix` is empty) or of the ISIM, OPc from OP where only that is given."""
        k_name, op_name, opc_name = f"{prefix}k", f"{prefix}op", f"{prefix}opc"
        tuak = self.algorithm == "tuak"
        operators = partial(parse_key, octets=(32,) if tuak else (16,))
        k = self.read(k_name, partial(parse_key, octets=(16, 32) if tuak else (16,)), old_k)
        op = self.read(op_name, operators, None)
        opc = self.read(opc_name, operators, None)
        if k is not None and not tuak and len(k) != 16:
            self.problem(k_name, "K has 16 octets with Milenage.", "Give the K of this card.")
        if self.bad & {k_name, op_name, opc_name}:
            return None, None
        if k is None:
            self.problem(k_name, "There is no K.", "It comes with the card (often called Ki), 32 hexadecimal digits.")
            return None, None
        if op is not None:
            derived = derive_topc(k, op, iterations=self.iterations or 1) if tuak else derive_opc(k, op)
            if opc is not None and opc != derived:
                self.problem(opc_name, "OP and OPc do not belong together with this K.", "Give one of them only.")
            return k, derived
        same = self.base is None or (self.base.algorithm, self.base.iterations) == (self.algorithm, self.iterations)
        if opc is None and k == old_k and same:
            opc = old_opc
        if opc is None:
            self.problem(opc_name, "There is neither OPc nor OP.", "Give the OPc of this card, or the OP of its batch.")
        return k, opc

    def isim(self, k: bytes | None) -> tuple[bytes | None, bytes | None]:
        """Keys of an ISIM that has its own, else None. One with its own OPc only shares the USIM's K."""
        names = ("isim_k", "isim_op", "isim_opc")
        old = (self.base.isim_k, self.base.isim_opc) if self.base else (None, None)
        given = [name for name in names if name in self.fields]
        if not given:
            return old
        if not any(self.fields[name].strip() for name in given):
            return None, None
        own = "isim_k" in given or old[0] is not None
        if not own and k is None:
            return None, None  # the USIM's K, which they share, has a problem already
        shared = [name for name in ("algorithm", "iterations", "res") if name in self.fields]
        isim = _Form({n: self.fields[n] for n in given + shared if self.fields[n].strip()}, self.base)
        found = isim.keys("isim_", old[0] if own else k, old[1])
        self.problems += isim.problems
        self.bad |= isim.bad
        return found


def _profile(name: str, profiles: Mapping[str, Profile]) -> Profile:
    wanted = name.strip() or "default"
    if wanted not in profiles:
        raise Wrong(f"There is no profile {wanted!r}.", f"There are: {', '.join(sorted(profiles))}.")
    return profiles[wanted]


def _addresses(text: str, profile: Profile | None) -> tuple[tuple[str, FixedAddress], ...]:
    found: dict[tuple[str, int], FixedAddress] = {}
    for part in re.split(r"[\s,;|]+", text.strip()):
        apn, _, address = part.rpartition("=")
        if not part or profile is None:
            continue
        subscribed = profile.apn(apn) if apn else profile.apns[0]
        if subscribed is None:
            names = ", ".join(a.name for a in profile.apns)
            raise Wrong(f"Profile {profile.name!r} has no APN {apn!r}.", f"It has {names}.")
        try:
            fixed = fixed_address(address)
        except ValueError:
            raise Wrong(f"{address!r} is no IPv4 address and no IPv6 prefix of 64 bits.",
                        "Write internet=10.45.0.9, or internet=2001:db8:cafe:9::/64, or both.") from None
        found[subscribed.name, fixed.version] = fixed
    return tuple((apn, found[apn, version]) for apn, version in sorted(found, key=lambda key: (key[0].lower(), key[1])))
