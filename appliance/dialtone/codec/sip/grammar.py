# SPDX-License-Identifier: Apache-2.0
"""What the values of many header fields have in common (RFC 3261, 25.1): lists, parameters, quoted strings."""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from dialtone.codec.sip.errors import SipError

TOKEN = re.compile(r"[\w.!%*+`'~-]+", re.ASCII)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL = re.compile(r'[",<>]')
_PARAM = re.compile(r'\s*;\s*([^\s;=,"<>]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^;,"]*))?', re.DOTALL)
_AUTH = re.compile(r'\s*([^\s=,"]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*)\s*(?:,|$)', re.DOTALL)

Params = Mapping[str, str | None]
"""Parameters in their order; names in lower case, None for one without a value, quoted strings with their quotes."""

_T = TypeVar("_T")
_KNOWN, _LONG = 4096, 512


class Known(dict[str, _T]):
    """What texts were read as: `known[text]` reads one that is new. For values that never change, of texts that come
    again and again. Strangers choose these, so few are kept, and no long ones."""

    __slots__ = ("read",)

    def __init__(self, read: Callable[[str], _T]) -> None:
        self.read = read

    def __missing__(self, text: str) -> _T:
        found = self.read(text)
        if len(text) <= _LONG:
            if len(self) >= _KNOWN:
                self.clear()
            self[text] = found
        return found


def split_list(value: str) -> list[str]:
    """The members of a comma list; commas inside quotes and angle brackets do not divide (RFC 3261, 7.3.1).

    Raises SipError for a quote or bracket that is never closed.
    """
    if "," not in value:
        return [value.strip()]
    members, start, position, angle = [], 0, 0, False
    while match := _SPECIAL.search(value, position):
        char, position = match[0], match.end()
        if char == '"' and not angle:
            position = _closing_quote(value, position)
        elif char == "<":
            angle = True
        elif char == ">":
            angle = False
        elif char == "," and not angle:
            members.append(value[start:match.start()].strip())
            start = position
    if angle:
        raise SipError("an angle bracket is not closed", clause="RFC 3261, 20.10")
    members.append(value[start:].strip())
    return [member for member in members if member]


def _closing_quote(value: str, position: int) -> int:
    while position < len(value):
        if value[position] == "\\":
            position += 2
        elif value[position] == '"':
            return position + 1
        else:
            position += 1
    raise SipError("a quoted string is not closed", clause="RFC 3261, 25.1")


def parse_params(text: str) -> Params:
    """`;tag=1;lr` to a dict. Raises SipError for what is no list of parameters, or names one twice."""
    params: dict[str, str | None] = {}
    position, text = 0, text.rstrip()
    while position < len(text):
        match = _PARAM.match(text, position)
        if match is None:
            raise SipError(f"{text[position:position + 40]!r} is no parameter", clause="RFC 3261, 25.1")
        name = match[1].lower()
        if name in params:
            raise SipError(f"the parameter {name} stands twice", clause="RFC 3261, 7.3.1")
        params[name] = match[2].strip() if match[2] is not None else None
        position = match.end()
    return params


def format_params(params: Params) -> str:
    """The reverse of `parse_params`."""
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in params.items())


def parse_auth(text: str) -> dict[str, str]:
    """`realm="x", nonce="y"` to a dict of unquoted values. Raises SipError."""
    params: dict[str, str] = {}
    position, text = 0, text.strip()
    while position < len(text):
        match = _AUTH.match(text, position)
        if match is None:
            raise SipError(f"{text[position:position + 40]!r} is no parameter", clause="RFC 3261, 25.1")
        params[match[1].lower()] = unquote(match[2])
        position = match.end()
    return params


def quote(text: str) -> str:
    """A quoted string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(text: str) -> str:
    """The text of a quoted string, or of a token."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return _ESCAPED.sub(r"\1", text[1:-1]) if "\\" in text else text[1:-1]
    return text
