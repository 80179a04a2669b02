# SPDX-License-Identifier: Apache-2.0
"""Sets of SAs in the kernel of this network namespace, and what the kernel counts about them.

A protected port is closed to plain text first (`protect`); a set then is six messages in one datagram: four SAs, and
a policy for each of the two that we send on, which names it. Two sets of one phone may live side by side: where both
have the same pair of ports (a phone that keeps its port), the older one is sent on until `keep` confirms the newer.
"""

import contextlib
import logging
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

from dialtone.crypto.ipsec_keys import ENCRYPTION, INTEGRITY, Sa, SaSet, encryption_key, integrity_key
from dialtone.errors import LocalError
from dialtone.kernel import xfrm

log = logging.getLogger("dialtone.kernel.ipsec")

PRIORITY_SET, PRIORITY_PORT = 1000, 5000  # the lower one wins
_BUFFER = 1 << 16
_AT_ONCE = 64  # acknowledgements must find room in the socket's buffer
_GONE = (2, 3)  # ENOENT, ESRCH: what is to go is gone already
_WARM = Sa("192.0.2.1", 1, "192.0.2.2", 1, 0x1001)  # addresses of documentation (RFC 5737): nothing is ever sent there

COUNTERS = {
    "XfrmInNoStates": "ESP with an SPI that nobody here has: the phone uses an SA that is gone, or never was",
    "XfrmInStateProtoError": "ESP whose integrity check or format is wrong: the two ends have different keys or "
                             "algorithms",
    "XfrmInStateModeError": "ESP in tunnel mode, where transport mode was agreed",
    "XfrmInStateSeqError": "ESP that came before, or too late: replayed",
    "XfrmInStateExpired": "ESP on an SA whose life is over",
    "XfrmInStateMismatch": "ESP from or to another port or address than the SA is for",
    "XfrmInStateInvalid": "ESP on an SA that is being removed",
    "XfrmInTmplMismatch": "plain text to a protected port",
    "XfrmInNoPols": "ESP where none is expected",
    "XfrmInPolBlock": "a packet to a port that is closed",
    "XfrmInHdrError": "ESP too short to be read",
    "XfrmInError": "ESP that could not be taken in",
    "XfrmOutNoStates": "nothing could be sent: the SA for it is gone",
    "XfrmOutPolBlock": "a packet from a protected port without an SA: not sent in plain text",
    "XfrmOutStateExpired": "nothing could be sent: the life of the SA is over",
}
"""What the kernel counts in /proc/net/xfrm_stat, and what it means here."""


def statistics() -> dict[str, int]:
    """The counters of this namespace that are not zero; empty where the kernel keeps none."""
    try:
        lines = Path("/proc/thread-self/net/xfrm_stat").read_text().splitlines()
    except OSError:
        return {}
    return {name: int(count) for name, count in (line.split() for line in lines) if count != "0"}


class Ipsec:
    """The SAs of one address of ours: a P-CSCF's, or that of a simulated phone. Belongs to the network namespace that
    it is made in."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = _open()
        self.listener: socket.socket | None = None
        self._sending: dict[tuple[int, str, int], Sa] = {}  # our port, their address and port: the SA that is sent on

    def close(self) -> None:
        """Take everything of ours out of the kernel."""
        self.clear()
        self._socket.close()
        if self.listener is not None:
            self.listener.close()

    def clear(self) -> None:
        """Remove what bears our address: our own, or what an earlier run that was killed left behind."""
        states = self.states()
        policies = [found for said in self._ask(xfrm.dump(xfrm.GETPOLICY))
                    if (found := xfrm.policy_of(said.body, self.address))]
        self._do([*(xfrm.delete_sa(state.destination, state.spi) for state in states), *policies], _GONE)
        self._sending.clear()

    def protect(self, ports: Iterable[int]) -> None:
        """Close ports of ours to plain text, both ways. Raises LocalError."""
        self._do([message for port in ports for message in xfrm.only_esp(self.address, port, PRIORITY_PORT)])

    def unprotect(self, ports: Iterable[int]) -> None:
        """The reverse."""
        self._do([message for port in ports for message in xfrm.no_more_only_esp(self.address, port)], _GONE)

    def install(self, sas: SaSet, seconds: float) -> None:
        """Four SAs and how we send on two of them. Raises LocalError, and then none of it stands."""
        fresh = [sa for sa in sas.sent_by(self.address) if _pair(sa) not in self._sending]
        try:
            self._do([*self._sas(sas, seconds), *(xfrm.send_by(sa, PRIORITY_SET) for sa in fresh)])
        except LocalError:
            self.remove(sas)
            raise
        self._sending.update((_pair(sa), sa) for sa in fresh)

    def keep(self, sas: SaSet, seconds: float) -> None:
        """The set is in use: it lives for so long, counted from when it was added, and is sent on from now on. Raises
        LocalError."""
        ours = sas.sent_by(self.address)
        self._do([*self._sas(sas, seconds, update=True), *(xfrm.send_by(sa, PRIORITY_SET) for sa in ours)])
        self._sending.update((_pair(sa), sa) for sa in ours)

    def remove(self, sas: SaSet) -> None:
        """Take a set away; what of it is gone already is no error."""
        gone = [sa for sa in sas.sent_by(self.address) if self._sending.get(_pair(sa)) == sa]
        self._do([*(xfrm.stop_sending_by(sa) for sa in gone),
                  *(xfrm.delete_sa(sa.destination, sa.spi) for sa in sas.sas())], _GONE)
        for sa in gone:
            del self._sending[_pair(sa)]

    def states(self) -> list[xfrm.SaState]:
        """All SAs from or to our address, with what they have carried and refused."""
        found = (xfrm.sa_state(said.body) for said in self._ask(xfrm.dump(xfrm.GETSA)) if said.kind == xfrm.NEWSA)
        return [state for state in found if self.address in (state.source, state.destination)]

    def listen(self) -> socket.socket:
        """A socket to wait on: `expired` reads what it has. Raises LocalError."""
        self.listener = listener = _open(xfrm.GROUP_EXPIRE)
        listener.setblocking(False)
        return listener

    def expired(self) -> list[tuple[str, int]]:
        """Destination and SPI of the SAs whose life has ended since."""
        assert self.listener is not None
        gone = []
        with contextlib.suppress(BlockingIOError, OSError):  # ENOBUFS: so many ended at once that some were not told
            while True:
                for said in xfrm.messages(self.listener.recv(_BUFFER)):
                    if said.kind == xfrm.EXPIRE and xfrm.expired_hard(said.body):
                        state = xfrm.sa_state(said.body)
                        gone.append((state.destination, state.spi))
        return gone

    def _sas(self, sas: SaSet, seconds: float, *, update: bool = False) -> list[bytes]:
        return [xfrm.new_sa(sa, sas.alg, sas.integrity, sas.ealg, sas.encryption, max(1, round(seconds)),
                            update=update) for sa in sas.sas()]

    def _do(self, requests: list[bytes], unless: tuple[int, ...] = ()) -> None:
        """All of them in one datagram. Raises LocalError for the first that the kernel refuses, `unless` so."""
        _do(self._socket, requests, unless)

    def _ask(self, request: bytes) -> list[xfrm.Said]:
        self._socket.send(request)
        answers: list[xfrm.Said] = []
        while True:
            for said in xfrm.messages(self._socket.recv(_BUFFER)):
                if said.kind in (xfrm.NLMSG_DONE, xfrm.NLMSG_ERROR):
                    return answers
                answers.append(said)


def warm_up() -> None:
    """Use every pair of algorithms once, so that no phone waits for the kernel to find its modules."""
    with contextlib.closing(_open()) as netlink:
        for alg in INTEGRITY:
            for ealg in ENCRYPTION:
                keys = integrity_key(alg, bytes(range(16))), encryption_key(ealg, bytes(range(16)))
                try:
                    _do(netlink, [xfrm.new_sa(_WARM, alg, keys[0], ealg, keys[1], 60),
                                  xfrm.delete_sa(_WARM.destination, _WARM.spi)])
                except LocalError as error:
                    log.warning("%s with %s: %s", alg, ealg, error)


def performer(call: Callable[[], None], done: Callable[[Exception | None], None]) -> None:
    """Do it, and tell how it went."""
    try:
        call()
    except LocalError as error:
        done(error)
    else:
        done(None)


def _do(netlink: socket.socket, requests: list[bytes], unless: tuple[int, ...] = ()) -> None:
    refused = 0
    for first in range(0, len(requests), _AT_ONCE):
        some = requests[first:first + _AT_ONCE]
        netlink.send(b"".join(some))
        left = len(some)
        while left:
            for said in xfrm.messages(netlink.recv(_BUFFER)):
                if said.kind == xfrm.NLMSG_ERROR:
                    left -= 1
                    number, _ = xfrm.refusal(said.body)
                    refused = refused or (number if number not in unless else 0)
    if refused:
        raise LocalError(f"The kernel's IPsec refuses: {xfrm.error_text(refused)}.", remedy="See `dialtone doctor`.")


def _open(groups: int = 0) -> socket.socket:
    try:
        netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, xfrm.NETLINK_XFRM)
    except OSError as error:
        raise LocalError(f"This kernel has no IPsec for us: {error.strerror}.",
                         remedy="Load the module xfrm_user; see `dialtone doctor`.") from None
    netlink.bind((0, groups))
    return netlink


def _pair(sa: Sa) -> tuple[int, str, int]:
    return sa.source_port, sa.destination, sa.destination_port
