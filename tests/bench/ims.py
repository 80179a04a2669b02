# SPDX-License-Identifier: Apache-2.0
"""The IMS of a core that does all its work: P-CSCF, S-CSCF, HSS and SMS centre with real octets on their points
with transactions, authentication, what must be durable on the disk, trace on. Its phones are on paper, in this process.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from timeit import repeat

from dialtone.crypto.ipsec_keys import End, SaSet
from dialtone.errors import LocalError
from dialtone.kernel import xfrm
from dialtone.kernel.ipsec import PRIORITY_SET, Ipsec
from tests.bench.gm import Gm, PaperPhone, Work
from tests.bench.network import Network
from tests.bench.rows import Row

CALLERS = 16
WHERE = "CPU of the core in a process of its own, all threads; Gm over a socket pair, no IPsec in the kernel"
LATENCY = "waits of a phone for all answers of a procedure, summed; phones come at half of the rate above"
SAS = SaSet.make(End("10.46.0.2", 42_306, 44_596, 5000, 5001), End("10.46.0.1", 6101, 6100, 7000, 7001),
                 "hmac-sha-1-96", "aes-cbc", bytes(16), bytes(16))
SET_SECONDS = 240


def rows(quick: bool) -> Iterator[Row]:
    """Registrations, texts and calls a second; what phones wait at half load; the SAs of a phone."""
    count = 400 if quick else 2000
    with tempfile.TemporaryDirectory(prefix="dialtone-bench-") as folder, Network(
            CALLERS, Path(folder), subscribers=count) as network:
        network.attach(*network.phones)
        for phone in network.phones:
            network.connect_to(phone, "ims")
        gm = Gm(network)
        callers = [gm.add(place, _address(network, place)) for place in range(CALLERS)]
        others = [gm.add(place) for place in range(CALLERS, count)]
        gm.closed((phone, phone.register()) for phone in callers)
        network.settle()
        half = (count - CALLERS) // 2
        rate = yield from _rate(network, gm, "IMS registration", _registrations(others[:half]), 2000)
        yield _latency(gm, "IMS registration", _registrations(others[half:]), rate)
        rate = yield from _rate(network, gm, "IMS re-registration, challenged", _registrations(others), None)
        yield _latency(gm, "IMS re-registration", _registrations(others), rate)
        rate = yield from _rate(network, gm, "MESSAGE from phone to phone", _texts(others, 2 * count), 4000)
        yield _latency(gm, "MESSAGE", _texts(others, 2 * count), rate)
        yield from _rate(network, gm, "call: set up with QCI 1 bearers, and hung up", _calls(callers, count // 5), None)
    yield from _sas()


def _address(network: Network, place: int) -> str:
    return next(str(pdn.address) for pdn in network.phones[place].pdns.values() if pdn.apn == "ims")


def _registrations(phones: list[PaperPhone]) -> list[Work]:
    return [(phone, phone.register()) for phone in phones]


def _texts(phones: list[PaperPhone], count: int) -> list[Work]:
    return [(one, one.text(phones[number % len(phones) - 1])) for number in range(count)
            for one in [phones[number % len(phones)]]]


def _calls(phones: list[PaperPhone], count: int) -> list[Work]:
    """Half of the phones call the other half."""
    half = len(phones) // 2
    return [(one, one.call(phones[number % half + half])) for number in range(count) for one in [phones[number % half]]]


def _rate(network: Network, gm: Gm, what: str, work: list[Work], target: int | None) -> Iterator[Row]:
    """By the CPU that the core took, the median of several parts; returns it."""
    parts = 5
    size, costs = len(work) // parts, []
    for number in range(parts):
        cpu = network.cpu()
        gm.closed(work[number * size:(number + 1) * size])
        costs.append((network.cpu() - cpu) / size)
    cost = median(costs)
    met, aim = (None, "") if target is None else (1 / cost >= target, f">= {target}/s")
    yield Row(what, f"{1 / cost:.0f}/s, {1000 * cost:.2f} ms (best {1000 * min(costs):.2f})", met, aim, where=WHERE)
    return 1 / cost


def _latency(gm: Gm, what: str, work: list[Work], rate: float) -> Row:
    waits = sorted(gm.open(work, rate / 2))
    p50, p99 = (1000 * waits[int(len(waits) * share)] for share in (0.5, 0.99))
    return Row(f"{what} at half load: p50, p99", f"{p50:.2f}, {p99:.2f} ms", p99 < 5, "p99 < 5 ms", where=LATENCY)


def _sas() -> Iterator[Row]:
    """Where this kernel has ESP, the datagram and its six acknowledgements; what we write ourselves in any case."""
    ours = SAS.sent_by("10.46.0.1")

    def write() -> bytes:
        return b"".join([*(xfrm.new_sa(sa, SAS.alg, SAS.integrity, SAS.ealg, SAS.encryption, SET_SECONDS)
                           for sa in SAS.sas()), *(xfrm.send_by(sa, PRIORITY_SET) for sa in ours)])

    cost = min(repeat(write, number=200, repeat=5)) / 200
    kernel, where = _installed(lambda ipsec: ipsec.install(SAS, SET_SECONDS))
    yield Row("the SAs of a phone, written for the kernel", f"{1000 * cost:.3f} ms", where=where)
    if kernel is not None:
        yield Row("the SAs of a phone, in the kernel", f"{1000 * kernel:.3f} ms", kernel < 1e-3, "< 1 ms", where=where)


def _installed(install: Callable[[Ipsec], None]) -> tuple[float | None, str]:
    """Seconds, the median; and where."""
    try:
        ipsec = Ipsec("10.46.0.1")
    except LocalError as error:
        return None, f"not measured in this kernel: {error}"
    try:
        waits = []
        for _ in range(100):
            began = time.perf_counter()
            install(ipsec)
            waits.append(time.perf_counter() - began)
            ipsec.remove(SAS)
        return median(waits), "this machine's kernel"
    except LocalError as error:
        return None, f"the kernel's part is measured in the lab's only (tests/kernel/test_gm_ipsec.py): {error}"
    finally:
        ipsec.close()
