# SPDX-License-Identifier: Apache-2.0
"""`dialtone doctor`: what this machine has of what Dialtone needs, and what to do about the rest."""

import json
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import click

from dialtone.lab_kernel import kernel

# program -> (what for, its Debian package)
PROGRAMS = {
    "ip": ("interfaces and namespaces", "iproute2"),
    "nft": ("masquerade and firewall", "nftables"),
    "unbound": ("the phones' DNS resolver", "unbound"),
    "ping": ("looking after a bearer", "iputils-ping"),
    "tshark": ("tests: a foreign decoder", "tshark"),
    "chromium": ("tests: notebooks in a real browser", "chromium"),
    "strace": ("tests: the order of fsync and answer", "strace"),
    "osmo-auc-gen": ("tests: a foreign Milenage", "libosmocore-utils"),
}
# port -> who of ours listens there, on the loopback address
PORTS = {8000: "the API", 8888: "JupyterLab"}
MEMORY_MIB = 1500


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `remedy` is empty when it is well."""

    name: str
    well: bool
    text: str
    remedy: str = ""


def findings() -> Iterator[Finding]:
    """Everything beside the kernel's features."""
    root = os.geteuid() == 0
    yield Finding("root", root, "root" if root else "not root", "" if root else "demo and kernel tests need sudo")
    for program, (use, package) in PROGRAMS.items():
        there = shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin") is not None
        yield Finding(program, there, use, "" if there else f"apt-get install {package} (./build.sh setup does it)")
    for port, user in PORTS.items():
        free = _is_free(port)
        yield Finding(f"port {port}", free, f"for {user}", "" if free else "another program has it: stop that one")
    free_mib = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    enough = free_mib >= MEMORY_MIB
    yield Finding("memory", enough, f"{free_mib} MiB free", "" if enough else f"the demo likes {MEMORY_MIB} MiB")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The same for scripts.")
def doctor(as_json: bool) -> None:
    """Say what this machine has, where the lab runs and why, and how to get what is missing.

    The exit code is 0 when the lab can run here.
    """
    report = kernel.probe()
    found = list(findings())
    if as_json:
        both = {"kernel": json.loads(report.to_json()), "findings": [asdict(finding) for finding in found]}
        click.echo(json.dumps(both, indent=2))
    else:
        click.echo(report.to_text())
        for finding in found:
            line = f"  {'yes' if finding.well else 'no '}  {finding.name:<13} {finding.text}"
            click.echo(line + (f": {finding.remedy}" if finding.remedy else ""))
    if report.mode is kernel.Mode.NONE:
        raise SystemExit(1)
