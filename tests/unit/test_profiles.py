# SPDX-License-Identifier: Apache-2.0
"""Profiles from text and back, what of a change is said, tried, pushed to live phones and taken back."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dialtone.cli import main
from dialtone.errors import LocalError
from dialtone.hss import profiles, subscription
from dialtone.hss.profiles import Change, changed, differences, parse_apn, parse_rates
from dialtone.hss.store import Store
from dialtone.hss.subscriber import Apn, Profile, Subscriber
from dialtone.lab import client

INTERNET = Apn("internet", context=1)
IMS = Apn("ims", qci=5, arp_priority=1, arp_preemptable=False, ambr_dl=10_000_000, ambr_ul=10_000_000, context=2)
DEFAULT = Profile("default", (INTERNET, IMS))


@pytest.mark.parametrize("apn", [INTERNET, IMS, replace(IMS, pdn_type="IPv4_OR_IPv6", ambr_dl=1234, ambr_ul=5000)])
def test_an_apn_survives_text(apn: Apn) -> None:
    assert parse_apn(profiles.apn_text(apn)) == apn


@pytest.mark.parametrize(("text", "rates"), [
    ("50M/10M", (50_000_000, 10_000_000)), ("1.5m", (1_500_000, 1_500_000)), ("64k / 32k", (64_000, 32_000)),
    ("4294967295", (4294967295, 4294967295)), ("0", (0, 0)), ("1Gbit/s", None)])
def test_bit_rates(text: str, rates: tuple[int, int] | None) -> None:
    if rates is None:  # the slash of bit/s is not one between down and up
        with pytest.raises(LocalError):
            parse_rates(text)
    else:
        assert parse_rates(text) == rates


@pytest.mark.parametrize("text", ["", "5G", "-1", "fast", "1M/", "1M/2X"])
def test_what_is_no_bit_rate(text: str) -> None:
    if text == "1M/":
        assert parse_rates(text) == (1_000_000, 1_000_000)
        return
    with pytest.raises(LocalError, match="no pair of bit rates"):
        parse_rates(text)


@pytest.mark.parametrize(("text", "word"), [
    ("ims,qci=0", "qci=0"), ("ims,qci=255", "1 to 254"), ("ims,arp=16", "1 to 15"), ("ims,colour=red", "Known"),
    ("ims,type=ppp", "IPv4v6"), ("ims,preempt=perhaps", "yes or no"), ("im s", "no APN"), ("", "no APN")])
def test_what_is_no_apn(text: str, word: str) -> None:
    with pytest.raises(LocalError) as caught:
        parse_apn(text)
    assert word in f"{caught.value.text} {caught.value.remedy}"


def test_changes_of_a_profile() -> None:
    after = changed(DEFAULT, Change(ambr="5M/1M", apns=["IMS,qci=6", "corp"], drop=["internet"], default="corp",
                                    restrict="utran, geran", roaming=False))
    assert [apn.name for apn in after.apns] == ["corp", "ims"] or [apn.name for apn in after.apns] == ["corp", "IMS"]
    assert after.apns[1].qci == 6
    assert after.apns[1].arp_priority == 1, "what is not named stays"
    assert (after.ambr_dl, after.ambr_ul, after.access_restriction, after.roaming) == (5_000_000, 1_000_000, 3, False)
    assert differences(DEFAULT, after) == [
        "ambr: 1G/1G -> 5M/1M", "restrict: none -> utran, geran", "roaming: yes -> no",
        f"APN {profiles.apn_text(INTERNET)} is gone", f"APN {profiles.apn_text(Apn('corp'))} is new",
        f"APN {profiles.apn_text(IMS)} -> {profiles.apn_text(after.apns[1])}", "default APN: internet -> corp"]
    assert differences(DEFAULT, DEFAULT) == []


@pytest.mark.parametrize("change", [
    Change(drop=["internet", "ims"]), Change(drop=["nothing"]), Change(default="nothing"), Change(restrict="5g"),
    Change(ambr="fast"), Change(apns=["in ternet"])])
def test_a_change_that_cannot_be(change: Change) -> None:
    with pytest.raises(LocalError) as caught:
        changed(DEFAULT, change)
    assert caught.value.remedy


# ---- what is pushed ------------------------------------------------------------------------------------


def difference(after: Profile, **fields: object) -> subscription.Difference:
    before = Subscriber("001010000000001", bytes(16), bytes(16), DEFAULT)
    return subscription.difference(before, replace(before, profile=after, **fields))  # type: ignore[arg-type]


def test_nothing_changed() -> None:
    assert difference(replace(DEFAULT, name="the same by another name")) == subscription.Difference(None)


def test_only_the_ambr() -> None:
    found = difference(replace(DEFAULT, ambr_dl=5))
    assert found.inserted is not None
    assert found.inserted.ambr is not None
    assert (found.inserted.ambr.max_requested_bandwidth_dl, found.inserted.apn_configuration_profile) == (5, None)
    assert found.dsr_flags == 0


def test_one_apn_of_two() -> None:
    found = difference(replace(DEFAULT, apns=(INTERNET, replace(IMS, qci=6))))
    assert found.inserted is not None
    profile = found.inserted.apn_configuration_profile
    assert profile is not None
    assert (profile.context_identifier, profile.all_apn_configurations_included_indicator) == (1, 1)
    assert [apn.context_identifier for apn in profile.apn_configuration] == [2]
    assert found.inserted.ambr is None


def test_an_apn_that_is_gone() -> None:
    assert difference(replace(DEFAULT, apns=(INTERNET,))) == subscription.Difference(None, 1 << 3, (2,))


def test_the_default_apn_goes_after_the_new_one_is_there() -> None:
    found = difference(replace(DEFAULT, apns=(IMS,)))
    assert found.inserted is not None
    profile = found.inserted.apn_configuration_profile
    assert profile is not None
    assert profile.context_identifier == 2
    assert [apn.context_identifier for apn in profile.apn_configuration] == [2]
    assert (found.dsr_flags, found.contexts) == (1 << 3, (1,))


def test_a_restriction_is_taken_back_with_a_zero() -> None:
    restricted = replace(DEFAULT, access_restriction=16)
    before = Subscriber("001010000000001", bytes(16), bytes(16), restricted)
    found = subscription.difference(before, replace(before, profile=DEFAULT))
    assert found.inserted is not None
    assert found.inserted.access_restriction_data == 0


# ---- the command line, on the database --------------------------------------------------------------------


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Runner":
    monkeypatch.setattr(client, "_run_directories", list)
    monkeypatch.delenv("DIALTONE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    return Runner(tmp_path)


class Runner:
    """`dialtone profile ...` on a database of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(main, ["profile", *words, "--state", str(self.path)])

    def profile(self, name: str) -> Profile | None:
        store = Store(self.path / "dialtone.db")
        try:
            return store.profiles().get(name)
        finally:
            store.close()


def test_a_profile_from_its_making_to_its_end(run: Runner) -> None:
    made = run("add", "slow", "--ambr", "2M/1M", "--apn", "internet", "--apn", "ims,qci=5,arp=1")
    assert "slow is changed: 0 subscribers have it, 0 of them are here." in made.output
    assert run("add", "slow", "--apn", "internet").exit_code == 1
    assert json.loads(run("show", "slow", "--json").output)["ambr"] == "2M/1M"
    assert {row["name"] for row in json.loads(run("list", "--json").output)} == {"default", "slow"}
    assert "slow" in run("list").output
    tried = run("edit", "slow", "--ambr", "4M", "--dry-run")
    assert tried.output == ("  ambr: 2M/1M -> 4M/4M\nNothing is written: 0 subscribers have it, 0 of them are here. "
                            "Say it again without --dry-run.\n")
    assert run.profile("slow").ambr_dl == 2_000_000  # type: ignore[union-attr]
    assert "ambr: 2M/1M -> 4M/4M" in run("edit", "slow", "--ambr", "4M").output
    assert run.profile("slow").ambr_dl == 4_000_000  # type: ignore[union-attr]
    assert "ambr: 4M/4M -> 2M/1M" in run("undo", "slow").output
    assert "stays as it is" in run("edit", "slow", "--ambr", "2M/1M").output
    assert "is gone" in run("remove", "slow").output
    assert run.profile("slow") is None
    assert run("undo", "slow").exit_code == 0
    assert run.profile("slow").apns[1].qci == 5  # type: ignore[union-attr]
    assert run("undo", "nothing").exit_code == 1


def test_a_profile_with_subscribers_stays(run: Runner) -> None:
    CliRunner().invoke(main, ["subscriber", "add", "001010000000001", "--k", "0" * 31 + "1", "--opc", "1" * 32,
                              "--state", str(run.path)])
    refused = run("remove", "default")
    assert refused.exit_code == 1
    assert "has 1 subscribers" in refused.output
    assert "1 subscribers have it" in run("edit", "default", "--no-roaming").output
    assert run.profile("default").roaming is False  # type: ignore[union-attr]
