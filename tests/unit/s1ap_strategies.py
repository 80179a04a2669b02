# SPDX-License-Identifier: Apache-2.0
"""hypothesis strategies for S1AP messages, made from the tables themselves."""

from typing import Any

from hypothesis import strategies as st

from dialtone.codec.s1ap import S1apMessage, UnknownIe
from dialtone.codec.s1ap.notation import (
    BitString,
    BitStringOctets,
    Choice,
    Component,
    Enumerated,
    Group,
    IeList,
    Integer,
    Mapped,
    OctetString,
    OpenType,
    PrintableString,
    SequenceOf,
    components,
    resolve,
)
from dialtone.ids import Plmn

LETTERS = "ABCXYZabcxyz0189 -.:"
PLMNS = st.sampled_from([Plmn("001", "01"), Plmn("310", "410"), Plmn("999", "99"), Plmn("208", "01")])


def values(kind: Any, raw: bool) -> st.SearchStrategy[Any]:
    """Values of a type. `raw`: with uninterpreted IEs, extensions and numbers of later releases."""
    match kind:
        case Mapped():
            return PLMNS
        case Integer():
            beyond = st.integers(kind.high + 1, kind.high + 1000) if kind.extensible and raw else st.nothing()
            return st.integers(kind.low, kind.high) | st.sampled_from([kind.low, kind.high]) | beyond
        case Enumerated():
            later = st.integers(len(kind.values), kind.root + 63) if kind.extensible and raw else st.nothing()
            return st.sampled_from(kind.values) | later
        case BitString():
            whole = st.integers(0, (1 << kind.size) - 1)
            return whole.map(lambda n: n.to_bytes(kind.size // 8, "big")) if kind.octets else whole
        case BitStringOctets():
            return st.sampled_from([4, 16, 20]).flatmap(lambda n: st.binary(min_size=n, max_size=n))
        case OctetString(number=True):
            return st.integers(0, 256**kind.low - 1)
        case OctetString():
            return st.binary(min_size=kind.low, max_size=kind.fixed() or kind.high or 200)
        case PrintableString():
            return st.text(LETTERS, min_size=1, max_size=150)
        case SequenceOf() | IeList():
            return st.lists(values(kind.item, raw), min_size=1, max_size=min(kind.high, 4)).map(tuple)
        case Choice():
            return _choice(kind, raw)
        case Group():
            listed = [Component(name, resolve(one), False) for name, one in kind.components.items()]
            return st.tuples(*[values(c.type, raw) for c in listed]).map(lambda found: kind.cls(*found))
        case OpenType():
            return st.binary(min_size=1, max_size=40)
    fields = {c.name: _field(c.type, c.optional, raw) for c in components(kind)}
    if raw:
        fields["ie_extensions"] = unknown_ies()
    return st.builds(kind, **fields)


def _field(kind: Any, optional: bool, raw: bool) -> st.SearchStrategy[Any]:
    if not optional:
        return values(kind, raw)
    absent: Any = st.just(()) if isinstance(kind, SequenceOf | IeList) else st.none()
    return absent | values(kind, raw)


def _choice(kind: Choice, raw: bool) -> st.SearchStrategy[Any]:
    alternatives = {**kind.root, **kind.extension}
    cls = kind.cls
    found = []
    for name, annotation in alternatives.items():
        if isinstance(resolve(annotation), OpenType) and not raw:
            continue  # what we do not take apart, pycrate would
        inner = values(resolve(annotation), raw)
        found.append(inner if cls is None else inner.map(lambda value, name=name: cls(name, value)))
    return st.one_of(found)


def unknown_ies() -> st.SearchStrategy[tuple[UnknownIe, ...]]:
    """IEs of ids no table has, none of which is to be rejected."""
    one = st.builds(UnknownIe, st.integers(60000, 65535), st.integers(1, 2), st.binary(min_size=1, max_size=300))
    return st.just(()) | st.lists(one, min_size=1, max_size=3).map(tuple)


def messages(cls: type[S1apMessage], raw: bool) -> st.SearchStrategy[S1apMessage]:
    """Messages of a class. Without `raw` only what pycrate can be asked about."""
    fields = {}
    for row in cls.rows():
        if isinstance(row.type, OpenType) and not raw:
            if not row.mandatory:
                continue
            return st.nothing()
        fields[row.field] = _field(row.type, not row.mandatory, raw)
    if raw:
        fields["unknown_ies"] = unknown_ies()
    return st.builds(cls, **fields)
