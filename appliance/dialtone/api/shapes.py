# SPDX-License-Identifier: Apache-2.0
"""What answers look like, for the OpenAPI document. The core makes them; a fuzz test compares. More may be there."""

from typing import Annotated, Any

from pydantic import WithJsonSchema

_TYPES = {"s": "string", "n": "number", "i": "integer", "b": "boolean", "o": "object", "a": "array"}


def _object(fields: str) -> dict[str, Any]:
    """`name:s` is a text; n a number, i an integer, b a boolean, o an object, a an array; `?` behind: or null."""
    described: dict[str, Any] = {}
    for field in fields.split():
        name, _, kind = field.partition(":")
        what = _TYPES[kind[0]]
        described[name] = {"type": [what, "null"] if kind.endswith("?") else what}
    return {"type": "object", "properties": described, "required": list(described)}


def _list(fields: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "array", "items": _object(fields)})


_EVENT = "id:i time:n kind:s point:s src:s dst:s name:s subject:s procedure:s state:s info:s imsi:s size:i"
_SUBSCRIBER = ("imsi:s msisdn:a impi:s impu:a algorithm:s amf:s profile:s apns:a address:a tags:a ipsec:s "
               "own_isim_keys:b")

Done = Annotated[Any, WithJsonSchema({"type": "object"})]
"""What became of it, as core or phones say it."""
Rows = Annotated[Any, WithJsonSchema({"type": "array", "items": {"type": "object"}})]
"""What there is, one object for each."""

Status = Annotated[Any, WithJsonSchema(_object("version:s uptime_s:n network:o enbs:a phones:i"))]
Ues = Annotated[Any, _list("imsi:s label:s msisdn:s? guti:s? emm:s ecm:s enb:s? tai:s? since:n bearers:a")]
Enbs = Annotated[Any, _list("name:s peer:s id:i plmn:s tais:a phones:i since:n")]
Counters = Annotated[Any, WithJsonSchema(_object("messages:a events:o"))]
Verdicts = Annotated[Any, _list("rule:s level:s line:s imsi:s")]
Trace = Annotated[Any, WithJsonSchema(_object("run:s connected:b events:a") | {"properties": {
    "run": {"type": "string"}, "connected": {"type": "boolean"},
    "events": {"type": "array", "items": _object(_EVENT)}}})]
Message = Annotated[Any, WithJsonSchema(_object(
    _EVENT + " data:s plain:s clause:s explain:s hex:s plain_hex:s security:s decode:s states:s"))]
Subscriber = Annotated[Any, WithJsonSchema(_object(_SUBSCRIBER))]
Subscribers = Annotated[Any, _list(_SUBSCRIBER)]
Registrations = Annotated[Any, _list("impi:s imsi:s state:s identities:a contacts:a watchers:i")]
Calls = Annotated[Any, _list("began:n caller:s called:s dialled:s status:i reason:s call_id:s seconds:n? ended:n?")]
Texts = Annotated[Any, _list("id:i from:s to:s recipient:s sent:n state:s why:s parts:i text:s? length:i")]
SimPhones = Annotated[Any, _list("imsi:s last:s")]
Me = Annotated[Any, WithJsonSchema(_object("role:s nickname:s class:b"))]
Class = Annotated[Any, WithJsonSchema(_object("open:b code:s questions:a students:a"))]
