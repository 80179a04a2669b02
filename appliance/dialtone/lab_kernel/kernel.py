# SPDX-License-Identifier: Apache-2.0
"""Which of the kernel features that Dialtone needs are here, found by using each one, and where the lab can run.

The standard library and Debian's ip, tc, nft are all it needs, so that it can speak before anything is installed. The
tries happen in a throw-away network and mount namespace, in a process of their own. `python3 -m
dialtone.lab_kernel.kernel` prints the report.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from dialtone.lab_kernel import tries


class Mode(StrEnum):
    """Where the lab runs."""

    NAMESPACES = "namespaces"
    UML = "uml"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Feature:
    """One kernel feature: `why` is the kernel's own refusal, empty where the feature is there.

    A feature that does not decide where the lab runs is used on the host in either mode.
    """

    name: str
    use: str
    modules: tuple[str, ...]
    decides: bool
    present: bool
    why: str


@dataclass(frozen=True, slots=True)
class KernelReport:
    """What this kernel has, the mode it leads to, and the reason in one sentence."""

    release: str
    machine: str
    features: tuple[Feature, ...]
    mode: Mode
    why: str

    @property
    def missing(self) -> tuple[Feature, ...]:
        """The features that are not here."""
        return tuple(feature for feature in self.features if not feature.present)

    @property
    def lacking(self) -> tuple[Feature, ...]:
        """The missing ones for which the lab must leave this kernel."""
        return tuple(feature for feature in self.missing if feature.decides)

    def to_text(self) -> str:
        """A line for each feature, and where the lab runs."""
        lines = [f"Kernel {self.release}, {self.machine}:"]
        for feature in self.features:
            mark = "yes" if feature.present else "no "
            lines.append(f"  {mark}  {feature.name:<8} {feature.use}" + (f" ({feature.why})" if feature.why else ""))
        return "\n".join([*lines, f"Lab: {self.why}."])

    def to_json(self) -> str:
        """The same as JSON, for scripts."""
        return json.dumps(asdict(self), indent=2)


# Used by the host alone: user-mode Linux has no nft for IP, so the masquerade stands outside of the lab in both modes.
HOST_ONLY = {"nft"}

# name -> what Dialtone uses it for, and the modules that bring it
FEATURES: dict[str, tuple[str, tuple[str, ...]]] = {
    "netns": ("a network namespace for each simulated phone", ()),
    "veth": ("cables between namespaces", ("veth",)),
    "sctp": ("S1-MME, and Diameter over SCTP", ("sctp",)),
    "tun": ("the phones' packets", ("tun",)),
    "esp": ("IPsec between phone and P-CSCF", ("xfrm_user", "esp4", "esp6", "authenc", "cbc", "crypto_null")),
    "cls_bpf": ("the user plane's fast path", ("cls_bpf", "sch_ingress", "act_mirred")),
    "nft": ("the firewall and the masquerade to the uplink", ("nf_tables", "nft_ct", "nft_chain_nat", "nft_masq")),
}


def probe() -> KernelReport:
    """Try every feature and choose. Needs no root where the kernel allows user namespaces."""
    if os.geteuid() == 0 and shutil.which("modprobe"):
        modules = [module for _, needed in FEATURES.values() for module in needed]
        subprocess.run(["modprobe", "-q", "-a", *modules], check=False, capture_output=True)
    answers = _try_apart()
    features = tuple(
        Feature(name, use, modules, name not in HOST_ONLY, answers[name] == "", answers[name])
        for name, (use, modules) in FEATURES.items()
    )
    mode, why = _choose(features, platform.machine())
    return KernelReport(platform.release(), platform.machine(), features, mode, why)


def _try_apart() -> dict[str, str]:
    """The refusal of each feature by name (empty: it works), from a process in namespaces of its own."""
    privilege = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = ["unshare", *privilege, "--net", "--mount", sys.executable, "-m", tries.__name__]
    environment = dict(os.environ, PYTHONPATH=str(Path(__file__).parents[2]))
    environment["PATH"] = f"{environment.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    except FileNotFoundError:
        return dict.fromkeys(FEATURES, "the program unshare is missing (package util-linux)")
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no namespaces here"])[-1]
        return dict.fromkeys(FEATURES, f"{said} (are you root?)" if privilege else said)
    answers: dict[str, str] = json.loads(done.stdout)
    return answers


def _choose(features: tuple[Feature, ...], machine: str) -> tuple[Mode, str]:
    lacking = [feature for feature in features if feature.decides and not feature.present]
    if not lacking:
        return Mode.NAMESPACES, "this kernel has everything: the lab runs in network namespaces on it"
    names = ", ".join(feature.name for feature in lacking)
    if machine != "x86_64":
        modules = sorted({module for feature in lacking for module in feature.modules})
        return Mode.NONE, (
            f"this kernel lacks {names}, and user-mode Linux exists for amd64 only: boot a kernel with the modules "
            f"{' '.join(modules)} (package linux-image-arm64, on Raspberry Pi OS linux-image-rpi-v8; cloud kernels "
            "and containers lack them)"
        )
    if shutil.which("linux.uml") is None:
        return Mode.NONE, f"this kernel lacks {names}, and user-mode-linux is not installed: ./build.sh setup does it"
    return Mode.UML, f"this kernel lacks {names}: the lab runs in user-mode Linux, on this machine's own files"


def main(arguments: list[str]) -> None:
    """Print the report: as text, or for build.sh `--lacking` the names, `--why` the reason, `--json` all of it."""
    report = probe()
    match arguments:
        case ["--json"]:
            print(report.to_json())
        case ["--lacking"]:
            print(" ".join(feature.name for feature in report.lacking))
        case ["--why"]:
            print(report.why)
        case _:
            print(report.to_text())


if __name__ == "__main__":
    main(sys.argv[1:])
