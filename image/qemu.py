#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`./build.sh boot [--check]`: the image in QEMU, its notebooks and API on ports of this machine.

The disk stays as it was built: what the guest writes is thrown away at the end. With --check the guest attaches
simulated phones, registers them, texts and calls; this side asks API and JupyterLab over the forwarded ports.
"""

import argparse
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

PATIENCE = 900.0  # seconds from power-on to the verdict: without KVM a boot takes minutes
QEMU = "qemu-system-x86_64"
KVM, EMULATED = ["-accel", "kvm", "-cpu", "host"], ["-accel", "tcg,thread=multi", "-cpu", "max"]
KERNEL = "root=LABEL=root ro net.ifnames=0 console=ttyS0 quiet systemd.default_device_timeout_sec=300"
API, LAB = 8000, 8888  # in the guest
SPOKEN = "systemd.journald.forward_to_console=1 systemd.journald.max_level_console=info"
PASS, FAIL = "selftest: pass", "selftest: fail"
TOKEN = re.compile(r"lab\?token=(\S+)")


def free_port(wanted: int) -> int:
    """`wanted`, or the next port that nobody has."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit(f"no free port from {wanted} on")


def usable(accelerator: list[str]) -> bool:
    """Whether a machine starts with it: KVM may be there and refuse all the same, as in nested virtual machines."""
    probe = [QEMU, *accelerator, "-display", "none", "-S", "-nodefaults", "-monitor", "stdio"]
    return subprocess.run(probe, input=b"quit\n", capture_output=True, check=False).returncode == 0


class Machine:
    """A running guest: what its console says, and its ports here."""

    def __init__(self, built: Path, options: str, memory: int) -> None:
        self.api, self.lab = free_port(API), free_port(LAB)
        self.lines: list[str] = []
        self.started = time.monotonic()
        forward = f"hostfwd=tcp:127.0.0.1:{self.api}-:{API},hostfwd=tcp:127.0.0.1:{self.lab}-:{LAB}"
        self._process = subprocess.Popen(
            [QEMU, "-machine", "q35", "-smp", "2", "-m", str(memory), "-nographic", "-nodefaults",
             "-serial", "stdio", "-no-reboot",
             *(KVM if usable(KVM) else EMULATED),
             "-kernel", str(built / "vmlinuz"), "-initrd", str(built / "initrd"),
             "-append", f"{KERNEL} {options}".strip(),
             "-drive", f"file={built / 'dialtone.img'},format=raw,if=virtio,snapshot=on",
             "-netdev", f"user,id=uplink,{forward}", "-device", "virtio-net-pci,netdev=uplink",
             "-device", "virtio-rng-pci"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            line = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", raw.decode(errors="replace")).strip()
            self.lines.append(line)
            if line:
                print(f"{time.monotonic() - self.started:7.1f} s  {line}", flush=True)

    def says(self, *words: str) -> str:
        """The first line that has one of these words, once it is there; raises SystemExit when it never comes."""
        while time.monotonic() - self.started < PATIENCE:
            for line in list(self.lines):
                if any(word in line for word in words):
                    return line
            if self._process.poll() is not None:
                raise SystemExit(f"QEMU ended with code {self._process.returncode}")
            time.sleep(0.3)
        raise SystemExit(f"after {PATIENCE:.0f} s the console has not said {' or '.join(words)!r}")

    def answers(self, port: int, path: str) -> float:
        """Seconds after power-on when a page is there; raises SystemExit when it never is."""
        why: object = None
        while time.monotonic() - self.started < PATIENCE:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
                    if answer.status == 200:
                        return time.monotonic() - self.started
            except (OSError, urllib.error.URLError) as error:
                why = error
            time.sleep(1)
        raise SystemExit(f"http://127.0.0.1:{port}{path.partition('?')[0]} does not answer: {why}")

    def stop(self) -> None:
        """Pull the plug."""
        self._process.kill()
        self._process.wait()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="./build.sh boot", description=__doc__)
    parser.add_argument("built", type=Path, help="folder of the built image")
    parser.add_argument("--check", action="store_true", help="try everything, say pass or fail, and end")
    parser.add_argument("--memory", type=int, default=2048, help="MiB of the guest")
    arguments = parser.parse_args()
    machine = Machine(arguments.built, f"dialtone.selftest {SPOKEN}" if arguments.check else "", arguments.memory)
    try:
        found = TOKEN.search(machine.says("lab?token="))
        token = found[1] if found else ""
        if not arguments.check:
            print(f"API: http://127.0.0.1:{machine.api}/watch\n"
                  f"open http://127.0.0.1:{machine.lab}/lab?token={token}\nCtrl-C pulls the plug", flush=True)
            while True:
                time.sleep(3600)
        good = PASS in machine.says(PASS, FAIL)
        print(f"the API answers {machine.answers(machine.api, '/watch'):.0f} s after power-on")
        print(f"JupyterLab answers {machine.answers(machine.lab, f'/lab?token={token}'):.0f} s after power-on")
        print("pass" if good else "fail")
        sys.exit(0 if good else 1)
    except KeyboardInterrupt:
        print("ended")
    finally:
        machine.stop()


if __name__ == "__main__":
    main()
