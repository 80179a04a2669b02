# SPDX-License-Identifier: Apache-2.0
"""TP-Status of a status report (TS 23.040, 9.2.3.15) in words."""

_KNOWN = {
    0x00: "received by the phone", 0x01: "handed on, and nobody knows whether it was received",
    0x02: "replaced by a later text",
    0x20: "congestion, still tried", 0x21: "the phone is busy, still tried", 0x22: "the phone is silent, still tried",
    0x40: "refused", 0x41: "the network does not fit", 0x42: "the phone's connection was refused",
    0x43: "the phone is not to be had", 0x45: "no interworking", 0x46: "it expired",
    0x47: "deleted by its sender", 0x48: "deleted by the service centre", 0x49: "the text is not there",
}
_CLASSES = ("done", "still tried", "failed", "failed, tried no longer")


def words(status: int) -> str:
    """What became of the text; values that are reserved mean what their class does."""
    return _KNOWN.get(status, _CLASSES[status >> 5 & 3])
