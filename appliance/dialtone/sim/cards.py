# SPDX-License-Identifier: Apache-2.0
"""Test cards: numbers of the test PLMN with the published keys of TS 35.208, 4.3 (test sets 1 to 3).

Everybody knows these keys: they are for a simulated phone and never for a card in a real one.
"""

from typing import NamedTuple

from dialtone.errors import LocalError
from dialtone.ids import Plmn


class Card(NamedTuple):
    """A subscriber's card. K and OPc have 16 octets."""

    imsi: str
    msisdn: str
    k: bytes
    opc: bytes


_SETS = tuple((bytes.fromhex(k), bytes.fromhex(opc)) for k, opc in (
    ("465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf"),
    ("0396eb317b6d1c36f19c1c84cd6ffd16", "53c15671c60a4b731c55b4a441c0bde2"),
    ("fec86ba6eb707ed08905757b1bb44b8f", "1006020f0a478bf6b699f15c062e42b3"),
))
HOME = Plmn("001", "01")


def make_cards(count: int, home: Plmn = HOME) -> list[Card]:
    """Cards with MSIN 1 to `count`, the key sets in turn: 001010000000001 and so on."""
    if not 1 <= count <= 9999:
        raise LocalError(f"{count} phones cannot be simulated.", remedy="Choose 1 to 9999.")
    prefix = home.mcc + home.mnc
    return [Card(f"{prefix}{number:0{15 - len(prefix)}d}", f"{1000 + number}", *_SETS[(number - 1) % len(_SETS)])
            for number in range(1, count + 1)]


def as_csv(cards: list[Card]) -> str:
    """For `dialtone subscriber import`."""
    lines = [f"{card.imsi},{card.msisdn},{card.k.hex()},{card.opc.hex()}" for card in cards]
    return "\n".join(["imsi,msisdn,k,opc", *lines]) + "\n"
