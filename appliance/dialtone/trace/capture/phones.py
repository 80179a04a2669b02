# SPDX-License-Identifier: Apache-2.0
"""Whose message is it? Protocols name a phone by handles of their own (UE S1AP IDs, TEIDs, addresses, Session-Ids);
here those that belong to one phone are joined, and its IMSI serves all of them, the earlier messages too.
"""

from collections import OrderedDict
from collections.abc import Hashable

LIMIT = 200_000
"""Handles that are kept; the oldest are forgotten."""

Handle = tuple[Hashable, ...]


class Phones:
    """A number for each phone, from 1; 0 is nobody's. Handles may pass from one phone to another with time."""

    def __init__(self) -> None:
        self._joined: list[int] = [0]
        self._imsi: dict[int, str] = {}
        self._cipher: dict[int, int] = {}
        self._handles: OrderedDict[Handle, int] = OrderedDict()

    def of(self, *handles: Handle | None) -> int:
        """The phone that has these handles; all of them are its from now on. A new one where none is known."""
        found = 0
        for handle in filter(None, handles):
            known = self.find(handle)
            if known and not found:
                found = known
            elif known and known != found:
                self._join(known, found)
        if not found:
            found = len(self._joined)
            self._joined.append(found)
        for handle in filter(None, handles):
            self._handles[handle] = found
            self._handles.move_to_end(handle)
        while len(self._handles) > LIMIT:
            self._handles.popitem(last=False)
        return found

    def bind(self, phone: int, *handles: Handle) -> int:
        """A phone of this number (0 for a new one) has these handles, too; returns its number."""
        same = self.of(*handles)
        if phone:
            self._join(same, phone)
            for handle in handles:  # also where they were somebody else's before
                self._handles[handle] = phone
        return self._root(phone or same)

    def ciphered(self, phone: int, algorithm: int | None = None) -> int | None:
        """Note, or ask, which EEA a phone was told to use; None while that is not known."""
        root = self._root(phone)
        if algorithm is not None:
            self._cipher[root] = algorithm
        return self._cipher.get(root)

    def find(self, handle: Handle) -> int:
        """Who has this handle; 0 for nobody."""
        number = self._handles.get(handle, 0)
        return self._root(number) if number else 0

    def forget(self, *handles: Handle) -> None:
        """What these named is over."""
        for handle in handles:
            self._handles.pop(handle, None)

    def tell(self, phone: int, imsi: str) -> int:
        """The phone (0 for whoever it is) has said its IMSI; returns its number, another one where that was known."""
        same = self.of(("imsi", imsi))
        self._imsi[same] = imsi
        if phone:
            self._join(phone, same)
        return self._root(same)

    def subject(self, phone: int) -> str:
        """The IMSI, or a label for want of it; nothing for nobody."""
        if not phone:
            return ""
        root = self._root(phone)
        return self._imsi.get(root, f"ue-{root}")

    def _root(self, number: int) -> int:
        while self._joined[number] != number:
            self._joined[number] = number = self._joined[self._joined[number]]
        return number

    def _join(self, one: int, other: int) -> None:
        """Both are the same phone, unless they are known to be two."""
        one, other = self._root(one), self._root(other)
        names = {self._imsi[root] for root in (one, other) if root in self._imsi}
        if one != other and len(names) < 2:
            old, new = (one, other) if other in self._imsi else (other, one)
            self._joined[old] = new
            if old in self._cipher:
                self._cipher[new] = self._cipher.pop(old)
