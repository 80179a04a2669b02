# SPDX-License-Identifier: Apache-2.0
"""The phones' resolver: unbound at their gateway, as an unprivileged child of ours.

The home domain (`epc|ims.mncXXX.mccYYY.3gppnetwork.org`, TS 23.003, 13.2 and 19.2) is answered from here
and never asked of the Internet; the rest goes to the uplink's resolvers and fails within a second or so when
there is no uplink.
"""

import asyncio
import contextlib
import logging
import os
import pwd
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path

from dialtone.errors import LocalError
from dialtone.ids import Plmn

log = logging.getLogger("dialtone.kernel.dns")

_READY = "start of service"
_START_SECONDS = 15.0
_RETRY = (1.0, 30.0)  # first and longest pause before a resolver that died is started again
_TTL = 300
_STAMP = re.compile(r"^\[\d+\] unbound\[[^]]*\] ")


@dataclass(frozen=True, slots=True)
class Zones:
    """What the resolver says. `addresses`: host name inside the home domain -> its addresses
    (`pcscf.ims` -> 10.46.0.1, 2001:db8:cafe:8000::1); `services`: SRV name -> (host, port), e.g. `_sip._udp.ims`."""

    plmn: Plmn
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    services: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        """`mnc001.mcc001.3gppnetwork.org`."""
        return self.plmn.domain

    @classmethod
    def home(cls, plmn: Plmn, *pcscf: str, port: int = 5060) -> "Zones":
        """The records that a phone may ask for to find our P-CSCF, and the names that it meets in Route and Path."""
        return cls(plmn, {f"{name}.ims": pcscf for name in ("pcscf", "scscf", "sms")},
                   {f"_sip._{proto}.{name}": ("pcscf.ims", port)
                    for proto in ("udp", "tcp") for name in ("ims", "pcscf.ims")})


def config(gateways: Sequence[str], pools: Sequence[IPv4Network | IPv6Network], zones: Zones, forwarders: Sequence[str],
           port: int = 53) -> str:
    """The configuration as unbound reads it. It must not change its identity: `Resolver` did that."""
    server = [
        "server:", "do-daemonize: no", 'chroot: ""', 'pidfile: ""', "use-syslog: no", 'logfile: ""',
        "log-time-ascii: no", "verbosity: 1", 'username: ""', f"port: {port}", "num-threads: 1", "do-ip6: yes",
        'module-config: "iterator"', "prefer-ip4: yes",
        *(f"interface: {gateway}" for gateway in gateways),
        "access-control: 0.0.0.0/0 refuse", "access-control: ::/0 refuse",
        *(f"access-control: {net} allow" for net in (*pools, *gateways)),
        "msg-cache-size: 2m", "rrset-cache-size: 4m", "key-cache-size: 64k", "neg-cache-size: 64k",
        "outgoing-range: 256", "num-queries-per-thread: 256", "prefetch: yes", "minimal-responses: yes",
        "hide-identity: yes", "hide-version: yes", "do-not-query-localhost: no",
        # Fails fast: two tries of under half a second each, and the resolver is asked again as soon as it is back.
        "outbound-msg-retry: 1", "unknown-server-time-limit: 250", "infra-cache-max-rtt: 500",
        "infra-host-ttl: 5", "infra-keep-probing: yes",
    ]
    lines = [*server, *_home(zones)]
    if forwarders:
        lines += ["forward-zone:", 'name: "."', *(f"forward-addr: {address}" for address in forwarders)]
    else:
        lines += ['local-zone: "." always_refuse']
    return "\n".join([*lines, ""])


def _home(zones: Zones) -> list[str]:
    """The home domain, `pub` included (where phones look for an ePDG): what is not listed does not exist."""
    domain = zones.domain
    public = domain.replace("3gppnetwork.org", "pub.3gppnetwork.org")
    lines = [f'local-zone: "{name}." static' for name in (domain, public)]
    for name, addresses in zones.addresses.items():
        for address in addresses:
            kind = "AAAA" if ":" in address else "A"
            lines.append(f"local-data: \"{name}.{domain}. {_TTL} IN {kind} {address}\"")
    for name, (host, port) in zones.services.items():
        lines.append(f"local-data: \"{name}.{domain}. {_TTL} IN SRV 10 10 {port} {host}.{domain}.\"")
    return lines


def system_resolvers(files: Sequence[Path] = (Path("/run/systemd/resolve/resolv.conf"),
                                              Path("/etc/resolv.conf"))) -> list[str]:
    """The resolvers this machine uses; systemd-resolved's stub on 127.0.0.53 is looked through to its own list."""
    for path in files:
        found = []
        with contextlib.suppress(OSError):
            for line in path.read_text(errors="replace").splitlines():
                words = line.split()
                if len(words) > 1 and words[0] == "nameserver":
                    with contextlib.suppress(ValueError):
                        found.append(str(ip_address(words[1])))
        if found:
            return found
    return []


class Resolver:
    """One unbound child. It cannot outlive us, and is started again when it dies; `restarts` counts that."""

    def __init__(self, text: str, directory: Path) -> None:
        self.text = text
        self.path = directory / "unbound.conf"
        self.restarts = 0
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._said: list[str] = []

    async def start(self) -> None:
        """Start, and return when it answers. Raises LocalError with its last words."""
        # For people to read; the child gets it by a pipe, since AppArmor shows unbound no files but its own.
        self.path.write_text(self.text)
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Stop, and wait for the end."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        await self._end()
        self.path.unlink(missing_ok=True)

    async def change(self, text: str) -> None:
        """Take a new configuration (other resolvers at the uplink); raises LocalError."""
        if text != self.text:
            await self.close()
            self.text = text
            await self.start()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stderr is not None
        if process.returncode is None and not process.stderr.at_eof():  # silence means that it is ending by itself
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _spawn(self) -> None:
        self._said.clear()
        command, owner = _command()
        with _pipe(self.text.encode(), owner) as stdin:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=stdin, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE)
        try:
            await asyncio.wait_for(self._listen(until=_READY), _START_SECONDS)
        except TimeoutError:
            self._said.append(f"not ready after {_START_SECONDS:g} s")
        if not (self._said and _READY in self._said[-1]):
            await self._end()
            said = "; ".join(self._said[-3:]) or "no word"
            held = "already in use" in said
            raise LocalError(f"The resolver unbound does not start: {said}.",
                             remedy="Stop what holds port 53 there: `ss -lnup`." if held else "")

    async def _listen(self, until: str = "") -> None:
        """Read what it says, to our log, until the end or a line with `until`."""
        assert self._process is not None
        assert self._process.stderr is not None
        while line := await self._process.stderr.readline():
            said = _STAMP.sub("", line.decode(errors="replace").strip())
            log.debug("unbound: %s", said)
            self._said = [*self._said[-9:], said]
            if until and until in said:
                return

    async def _keep(self) -> None:
        pause, longest = _RETRY
        while True:
            await self._listen()
            self.restarts += 1
            log.error("the resolver died (%s), restarting it in %g s", "; ".join(self._said[-1:]), pause)
            await self._end()
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)
            with contextlib.suppress(LocalError):
                await self._spawn()
                pause = _RETRY[0]


@contextlib.contextmanager
def _pipe(data: bytes, owner: int) -> Iterator[int]:
    """The reading end of a pipe that holds `data` (less than its 64 KiB), openable again by `owner`."""
    reader, writer = os.pipe()
    try:
        os.write(writer, data)
        os.close(writer)
        if owner != os.geteuid():
            os.fchown(reader, owner, -1)
        yield reader
    finally:
        os.close(reader)


def _command() -> tuple[list[str], int]:
    """unbound with nothing but the right to bind port 53, killed when we die; and its uid.

    It must not change its own identity: the kernel forgets the parent-death signal when it does.
    """
    unbound = shutil.which("unbound", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
    if unbound is None:
        raise LocalError("The resolver unbound is missing.", remedy="apt install unbound")
    drop = ["--inh-caps=-all,+net_bind_service", "--ambient-caps=-all,+net_bind_service"]
    owner = os.geteuid()
    if owner == 0:
        names = {entry.pw_name: entry for entry in pwd.getpwall()}
        entry = names.get("unbound") or names["nobody"]
        owner = entry.pw_uid
        drop += [f"--reuid={owner}", f"--regid={entry.pw_gid}", "--clear-groups",
                 "--bounding-set=-all,+net_bind_service"]
    return ["setpriv", "--no-new-privs", *drop, "--pdeathsig=KILL", "--", unbound, "-d", "-c", "/dev/stdin"], owner
