# SPDX-License-Identifier: Apache-2.0
"""XML documents of strangers: no DTD, no entity, bounded length and depth, namespaces as their sender likes them."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from dialtone.errors import ProtocolError

LONGEST = 65_535  # octets
_DEEPEST = 32
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_Parser: TypeAlias = "ET.XMLPullParser[ET.Element]"


def parse(data: bytes, root: str, clause: str) -> ET.Element:
    """The root element, which must have the local name `root`; names are without their namespaces. Raises
    ProtocolError."""
    if len(data) > LONGEST:
        raise ProtocolError(f"a document of {len(data)} octets", clause=clause)
    parser: _Parser = ET.XMLPullParser(("start", "end"))
    top: ET.Element | None = None
    try:
        if "<!DOCTYPE" in data.decode("utf-8").upper():
            raise ProtocolError("the document declares its own types or entities", clause=clause)
        parser.feed(data)
        depth = 0
        for event, element in _elements(parser):
            depth += 1 if event == "start" else -1
            if depth > _DEEPEST:
                raise ProtocolError("the document is nested too deeply", clause=clause)
            element.tag = element.tag.rpartition("}")[2]
            if top is None:
                top = element
        parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise ProtocolError(f"no XML: {str(error)[:80]}", clause=clause) from None
    if top is None or top.tag != root:
        raise ProtocolError(f"the document is no {root}", clause=clause)
    return top


def _elements(parser: _Parser) -> Iterator[tuple[str, ET.Element]]:
    for event in parser.read_events():
        if isinstance(element := event[-1], ET.Element):
            yield event[0], element


def missing(element: ET.Element, name: str, clause: str) -> ProtocolError:
    """The error of an element that lacks a child."""
    return ProtocolError(f"{element.tag} has no {name}", clause=clause)


def octets(document: str) -> bytes:
    """A document of ours; what XML cannot carry (XML 1.0, 2.2) is left out of it."""
    return _FORBIDDEN.sub("", f'<?xml version="1.0" encoding="UTF-8"?>\n{document}').encode()


def text(element: ET.Element, name: str, clause: str) -> str:
    """The text of a child that must be there. Raises ProtocolError."""
    value = (element.findtext(name) or "").strip()
    if not value:
        raise missing(element, name, clause)
    return value


def attribute(element: ET.Element, name: str, clause: str, values: Sequence[str] = ()) -> str:
    """An attribute that must be there, one of `values` where these are given. Raises ProtocolError."""
    value = element.get(name)
    if not value or (values and value not in values):
        raise ProtocolError(f"{name} of {element.tag} is {(value or '')[:40]!r}", clause=clause)
    return value


def number(value: str, clause: str) -> int:
    """A whole number of at most ten digits. Raises ProtocolError."""
    if not value.isascii() or not value.isdigit() or len(value) > 10:
        raise ProtocolError(f"{value[:40]!r} is no number", clause=clause)
    return int(value)
