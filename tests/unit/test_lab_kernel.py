# SPDX-License-Identifier: Apache-2.0
"""Where the lab runs, and what the reason says; no kernel needed. The kernel itself: tests/kernel, tests/host."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from dialtone.cli import doctor as doctor_module
from dialtone.errors import LocalError
from dialtone.lab_kernel import init, kernel
from dialtone.lab_kernel.kernel import FEATURES, Mode
from dialtone.lab_kernel.run import guest_for


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the next probe finds: {feature: refusal}, and `machine` and `uml` beside them."""
    told = {"machine": "x86_64", "uml": "/usr/bin/linux.uml"}
    monkeypatch.setattr(kernel, "_try_apart", lambda: {name: told.get(name, "") for name in FEATURES})
    monkeypatch.setattr(kernel.platform, "machine", lambda: told["machine"])
    monkeypatch.setattr(kernel.shutil, "which", lambda name, **_: told["uml"] or None if name == "linux.uml" else None)
    return told


def test_a_kernel_with_everything_hosts_the_lab_itself(machine: dict[str, str]) -> None:
    report = kernel.probe()
    assert (report.mode, report.missing) == (Mode.NAMESPACES, ())


def test_one_missing_feature_moves_it_to_user_mode_linux_and_is_named(machine: dict[str, str]) -> None:
    machine["sctp"] = "Protocol not supported"
    report = kernel.probe()
    assert report.mode is Mode.UML
    assert "lacks sctp:" in report.why
    assert "(Protocol not supported)" in report.to_text()


def test_nft_is_the_hosts_business_in_either_mode(machine: dict[str, str]) -> None:
    machine["nft"] = "Operation not supported"
    report = kernel.probe()
    assert report.mode is Mode.NAMESPACES
    assert [feature.name for feature in report.missing] == ["nft"]
    assert report.lacking == ()


def test_without_user_mode_linux_the_remedy_is_the_set_up(machine: dict[str, str]) -> None:
    machine |= {"esp": "Requested type not found.", "uml": ""}
    report = kernel.probe()
    assert report.mode is Mode.NONE
    assert "./build.sh setup" in report.why
    with pytest.raises(LocalError, match="doctor"):
        guest_for(report.mode, ["true"])


def test_arm64_names_modules_and_package(machine: dict[str, str]) -> None:
    machine |= {"machine": "aarch64", "sctp": "x", "cls_bpf": "x"}
    report = kernel.probe()
    assert report.mode is Mode.NONE
    assert "modules act_mirred cls_bpf sch_ingress sctp " in report.why
    assert "linux-image-arm64" in report.why


def test_doctor_fails_only_where_the_lab_cannot_run(machine: dict[str, str]) -> None:
    good = CliRunner().invoke(doctor_module.doctor, ["--json"])
    assert good.exit_code == 0
    told = json.loads(good.output)
    assert told["kernel"]["mode"] == "namespaces"
    assert {"name": "unbound", "well": False}.items() <= next(
        finding for finding in told["findings"] if finding["name"] == "unbound"
    ).items()  # the fixture hides every program
    machine |= {"esp": "x", "uml": ""}
    bad = CliRunner().invoke(doctor_module.doctor)
    assert bad.exit_code == 1
    assert "no   esp" in bad.output


@pytest.mark.parametrize("word", ["", "it's", 'two "words"', "$HOME `id`", "über\nline"])
def test_the_guests_command_line_and_environment_arrive_as_they_are(word: str, tmp_path: Path) -> None:
    """The script is a shell's: read by a real one, with the lab's own control files taken away."""
    script = init.command_script(["printf", "%s|", word, "end"], tmp_path, {"WORD": word, "not a name": "x"})
    script = script.replace("echo $$ >/run/lab/pid\n", "").replace(" >/dev/tty2", " >/dev/null").replace("setsid ", "")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == f"{word}|end|"
    assert f"export WORD={shlex.quote(word)}\n" in script
    assert "not a name" not in script
