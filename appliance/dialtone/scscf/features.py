# SPDX-License-Identifier: Apache-2.0
"""Whether a phone can do what the sender wants (RFC 3841, 7.2): Accept-Contact and Reject-Contact against the feature
tags of its contact."""

from dialtone.codec.sip import SipRequest
from dialtone.codec.sip.grammar import Params, parse_params, unquote

_BASE = {"audio", "automata", "class", "duplex", "data", "control", "mobility", "description", "events", "priority",
         "methods", "schemes", "application", "video", "language", "type", "isfocus", "actor", "text", "extensions"}


def accepts(contact: Params, request: SipRequest) -> bool:
    """Whether a contact may get the request. A wish without `require` only orders contacts, and one that names features
    of which the contact says nothing is no hindrance unless it is `explicit` as well."""
    for value in request.all("Accept-Contact"):
        wish = parse_params(value.strip().removeprefix("*"))
        if "require" in wish and not _matches(wish, contact, explicit="explicit" in wish):
            return False
    for value in request.all("Reject-Contact"):
        wish = parse_params(value.strip().removeprefix("*"))
        if any(_is_feature(name) for name in wish) and _matches(wish, contact, explicit=True):
            return False
    return True


def _is_feature(name: str) -> bool:
    return name.startswith("+") or name in _BASE


def _matches(wish: Params, contact: Params, *, explicit: bool) -> bool:
    for name, value in wish.items():
        if not _is_feature(name):
            continue
        if name not in contact:
            if explicit:
                return False
            continue
        if value is not None and not _values(value) & _values(contact[name] or "TRUE"):
            return False
    return True


def _values(text: str) -> set[str]:
    return {unquote(value.strip()).strip("<>").lower() for value in unquote(text).split(",")}
