# SPDX-License-Identifier: Apache-2.0
"""pycrate as a second opinion on S1AP: its tables against ours, its values for ours."""

from typing import Any

from pycrate_asn1dir import S1AP

from dialtone.codec.s1ap import S1apMessage, TriggeringMessage
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
    Sequence,
    SequenceOf,
    components,
    resolve,
)

PDU = S1AP.S1AP_PDU_Descriptions.S1AP_PDU
_KINDS = {
    TriggeringMessage.INITIATING_MESSAGE: ("InitiatingMessage", "initiatingMessage"),
    TriggeringMessage.SUCCESSFUL_OUTCOME: ("SuccessfulOutcome", "successfulOutcome"),
    TriggeringMessage.UNSUCCESSFUL_OUTCOME: ("UnsuccessfulOutcome", "unsuccessfulOutcome"),
}


class Procedure:
    """What pycrate knows of one kind of message of one procedure."""

    def __init__(self, entry: dict[str, Any], kind: TriggeringMessage) -> None:
        message = entry[_KINDS[kind][0]]
        self.name: str = message._typeref.called[1]
        self.criticality: str = entry["criticality"]
        table = message._cont["protocolIEs"]._cont._cont["id"]._const_tab._val
        self.ies: list[dict[str, Any]] = list(table.root)


def procedures() -> dict[tuple[TriggeringMessage, int], Procedure]:
    """Every message pycrate knows."""
    entries = S1AP.S1AP_PDU_Descriptions.S1AP_ELEMENTARY_PROCEDURES._val
    found = {}
    for entry in [*entries.root, *(entries.ext or [])]:
        for kind, (name, _) in _KINDS.items():
            if name in entry and "protocolIEs" in entry[name]._cont:
                found[kind, entry["procedureCode"]] = Procedure(entry, kind)
    return found


PROCEDURES = procedures()


def theirs_to_bytes(value: Any) -> bytes:
    """The PDU pycrate makes of a value."""
    PDU.set_val(value)
    octets: bytes = PDU.to_aper()
    return octets


def theirs_from_bytes(octets: bytes) -> Any:
    """The value pycrate reads, or None where it refuses."""
    try:
        PDU.from_aper(octets)
    except Exception:  # pycrate raises what it likes
        return None
    return PDU.get_val()


def to_theirs(message: S1apMessage) -> Any:
    """Our message as the value pycrate would have for it. Uninterpreted and unknown IEs must be absent."""
    procedure = PROCEDURES[message.KIND, message.PROCEDURE_CODE]
    types = {ie["id"]: ie["Value"] for ie in procedure.ies}
    ies = []
    for row in message.rows():
        value = getattr(message, row.field)
        if value is None or value == ():
            continue
        their = types[row.id]
        ies.append(
            {
                "id": row.id,
                "criticality": row.criticality.name.lower(),
                "value": (their._typeref.called[1], convert(row.type, value, their)),
            }
        )
    body = {"protocolIEs": ies}
    return (
        _KINDS[message.KIND][1],
        {
            "procedureCode": message.PROCEDURE_CODE,
            "criticality": message.CRITICALITY.name.lower(),
            "value": (procedure.name, body),
        },
    )


def _listed(kind: Any) -> list[Component]:
    if isinstance(kind, Group):
        return [Component(n, resolve(t), False) for n, t in kind.components.items()]
    return components(kind)


def convert(kind: Any, value: Any, their: Any) -> Any:
    """One value of ours as pycrate has it."""
    match kind:
        case Mapped():
            return convert(kind.wire, kind.to_wire(value), their)
        case Integer():
            return value
        case PrintableString():
            return value
        case Enumerated():
            return [*their._root, *(their._ext or [])][value]
        case BitString(octets=True) | BitStringOctets():
            return (int.from_bytes(value, "big"), len(value) * 8)
        case BitString():
            return (value, kind.size)
        case OctetString():
            return value.to_bytes(kind.low, "big") if kind.number else value
        case SequenceOf():
            return [convert(kind.item, one, their._cont) for one in value]
        case IeList():
            item = their._cont._cont["value"]._const_tab._val.root[0]["Value"]
            name = item._typeref.called[1]
            return [
                {
                    "id": kind.id,
                    "criticality": kind.criticality.name.lower(),
                    "value": (name, convert(kind.item, one, item)),
                }
                for one in value
            ]
        case Choice():
            return _convert_choice(kind, value, their)
    fields = {}
    names = [name for name in their._cont if name != "iE-Extensions"]
    for component, name in zip(_listed(kind), names, strict=True):
        inner = getattr(value, component.name)
        if inner is not None and inner != ():
            fields[name] = convert(component.type, inner, their._cont[name])
    return fields


def _convert_choice(kind: Choice, value: Any, their: Any) -> Any:
    alternatives = {**kind.root, **kind.extension}
    if kind.cls is None:
        number = next(n for n, one in enumerate(kind.python_types) if isinstance(value, one))
        name, inner = list(alternatives)[number], value
    else:
        name, inner = value
    return (name, convert(resolve(alternatives[name]), inner, their._cont[name]))


# -- tables against tables ------------------------------------------------------------------------


def differences(kind: Any, their: Any, path: str) -> list[str]:
    """Where our description of a type and pycrate's differ."""
    if not isinstance(kind, Mapped | OpenType) and _TYPES.get(type(kind), "SEQUENCE") != their.TYPE:
        return [f"{path}: theirs is {their.TYPE}"]
    match kind:
        case OpenType():
            return []
        case Mapped():
            return differences(kind.wire, their, path)
        case Integer():
            return _unlike(path, _bounds(their._const_val), (kind.low, kind.high, kind.extensible))
        case Enumerated():
            return _enumerated(kind, their, path)
        case BitString():
            return _unlike(path, _bounds(their._const_sz), (kind.size, kind.size, kind.extensible))
        case BitStringOctets():
            return _unlike(path, _bounds(their._const_sz), (kind.low, kind.high, True))
        case OctetString():
            high = kind.low if kind.high is None else kind.high
            ours = (kind.low, high, False) if kind.low else (None, None, False)
            return _unlike(path, _bounds(their._const_sz), ours)
        case PrintableString():
            return _unlike(path, _bounds(their._const_sz), (kind.low, kind.high, True))
        case SequenceOf():
            found = _unlike(path, _bounds(their._const_sz), (kind.low, kind.high, False))
            return found + differences(kind.item, their._cont, path + "[]")
        case IeList():
            entry = their._cont._cont["value"]._const_tab._val.root[0]
            found = _unlike(path, _bounds(their._const_sz), (1, kind.high, False))
            found += _unlike(path, (entry["id"], entry["criticality"]), (kind.id, kind.criticality.name.lower()))
            return found + differences(kind.item, entry["Value"], path + "[]")
        case Choice():
            return _choice(kind, their, path)
    return _sequence(kind, their, path)


_TYPES = {
    Integer: "INTEGER",
    Enumerated: "ENUMERATED",
    BitString: "BIT STRING",
    BitStringOctets: "BIT STRING",
    OctetString: "OCTET STRING",
    PrintableString: "PrintableString",
    SequenceOf: "SEQUENCE OF",
    IeList: "SEQUENCE OF",
    Choice: "CHOICE",
}


def _bounds(constraint: Any) -> tuple[int | None, int | None, bool]:
    if constraint is None:
        return None, None, False
    one = constraint.root[0]
    low, high = (one, one) if isinstance(one, int) else (one.lb, one.ub)
    return low, high, constraint.ext is not None


def _unlike(path: str, theirs: Any, ours: Any) -> list[str]:
    return [] if theirs == ours else [f"{path}: ours {ours}, theirs {theirs}"]


def _names(values: Any) -> list[str]:
    return [one.name.lower().replace("_", "") for one in values]


def _enumerated(kind: Enumerated, their: Any, path: str) -> list[str]:
    theirs = [name.lower().replace("-", "") for name in [*their._root, *(their._ext or [])]]
    theirs = [name.replace("unsuccessfull", "unsuccessful") for name in theirs]  # as the specification has it
    ours = _names(kind.values)
    found = _unlike(path, (len(their._root), their._ext is not None), (kind.root, kind.extensible))
    if kind.values.__name__ != "TrueOnly" and ours != theirs[: len(ours)]:
        found.append(f"{path}: ours {ours}, theirs {theirs}")
    return found


def _choice(kind: Choice, their: Any, path: str) -> list[str]:
    found = _unlike(path, list(their._cont), [*kind.root, *kind.extension])
    found += _unlike(path, list(their._ext or []), list(kind.extension))
    for name, annotation in {**kind.root, **kind.extension}.items():
        if name in their._cont:
            found += differences(resolve(annotation), their._cont[name], f"{path}.{name}")
    return found


def _sequence(kind: Any, their: Any, path: str) -> list[str]:
    assert isinstance(kind, Group) or issubclass(kind, Sequence)
    names = [name for name in their._cont if name != "iE-Extensions"]
    listed = _listed(kind)
    found = _unlike(path, [bool(their._cont[n]._opt) for n in names], [c.optional for c in listed])
    found += _unlike(path, (their._ext is not None, "iE-Extensions" in their._cont), (True, True))
    for component, name in zip(listed, names, strict=False):
        found += differences(component.type, their._cont[name], f"{path}.{component.name}")
    return found
