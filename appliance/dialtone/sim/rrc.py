# SPDX-License-Identifier: Apache-2.0
"""The one RRC message that a handover needs on the wire: the target's order to the phone (TS 36.331, 5.3.5.4, 10.2.2).

A HandoverCommand with an RRCConnectionReconfiguration: mobilityControlInfo of the same frequency, minimal common
configuration, securityConfigHO within LTE without a change of K_ASME. All but three fields is always the same.
"""

from typing import NamedTuple

from dialtone.errors import ProtocolError

_SIZE = 15
_SAME = 0x690048000A000000000000000000
"""Everything but the fields; UPER has no octet boundaries, so they are counted in bits from the end."""
_CRNTI, _PCI, _NCC = 57, 76, 7
PREPARATION = bytes(2)
"""A HandoverPreparationInformation without anything optional, which the source puts into its container."""


class Order(NamedTuple):
    """Where to go: the physical cell, the name the phone has there, and the chaining count of the new key."""

    pci: int
    crnti: int
    ncc: int


def encode(order: Order) -> bytes:
    """The octets of the HandoverCommand."""
    return (_SAME | order.pci << _PCI | order.crnti << _CRNTI | order.ncc << _NCC).to_bytes(_SIZE)


def decode(octets: bytes) -> Order:
    """The fields. Raises ProtocolError for any other message: this phone knows no other configuration."""
    bits = int.from_bytes(octets)
    order = Order(bits >> _PCI & 0x1FF, bits >> _CRNTI & 0xFFFF, bits >> _NCC & 7)
    if len(octets) != _SIZE or encode(order) != octets:
        raise ProtocolError(f"{octets.hex()} is no handover command that is known here", clause="TS 36.331, 5.3.5.4")
    return order
