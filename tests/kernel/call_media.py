# SPDX-License-Identifier: Apache-2.0
"""RTP from phone to phone, by real packets: before, during and after a call. With the firewall and without."""

import asyncio
import socket
from collections.abc import Callable

from userplane_lab import Lab, Phone, lab

from dialtone.codec.ipfilter import FilterRule
from dialtone.effects import OpenMedia
from dialtone.kernel import nft
from dialtone.kernel.media import MediaSet

A, B = 49120, 50000
"""RTP ports of the two phones."""


def flows(own: Phone, port: int, far: Phone, far_port: int) -> OpenMedia:
    """What the call of one phone has open."""
    return OpenMedia(own.ue, b"", (
        FilterRule.from_text(f"permit out 17 from {far.address} {far_port} to {own.address} {port}"),
        FilterRule.from_text(f"permit in 17 from {own.address} {port} to {far.address} {far_port}")))


async def heard(sender: Phone, port: int, to: Phone, far_port: int) -> bool:
    """Whether a packet arrives."""
    def socket_of(phone: Phone, own: int) -> socket.socket:
        with phone.namespace.enter():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((phone.address, own))
        return sock

    def try_it() -> bool:
        with socket_of(sender, port) as source, socket_of(to, far_port) as sink:
            sink.settimeout(1.0)
            for _ in range(3):
                source.sendto(b"RTP", (to.address, far_port))
            try:
                return sink.recvfrom(100) == (b"RTP", (sender.address, port))
            except TimeoutError:
                return False

    return await asyncio.to_thread(try_it)


async def a_call(*, filtered: bool) -> None:
    """The same packets before, during and after it."""
    async with lab(filtered=filtered) as it:
        first, second = it.attach(Phone(1)), it.attach(Phone(2))
        if filtered:
            it.plane.media = MediaSet(_in(it)).put
        assert not await heard(first, A, second, B)
        for effect in (flows(first, A, second, B), flows(second, B, first, A)):
            it.perform(effect)
        await asyncio.sleep(0.5)  # the sets are written in another thread
        assert await heard(first, A, second, B)
        assert await heard(second, B, first, A)
        assert not await heard(first, A, second, B + 2)
        assert not await heard(first, A + 2, second, B)
        for phone in (first, second):
            it.perform(OpenMedia(phone.ue, b"", ()))
        await asyncio.sleep(0.5)
        assert not await heard(first, A, second, B)
        assert it.forwarder.drops["to another phone without a call"] >= 3


def _in(it: Lab) -> Callable[[str], None]:
    def run(rules: str) -> None:
        with it.core.enter():
            nft.run(rules)

    return run
