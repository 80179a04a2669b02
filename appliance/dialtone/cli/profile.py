# SPDX-License-Identifier: Apache-2.0
"""`dialtone profile`: subscription profiles: which APNs, how fast, where. Through the API, else on the database."""

from pathlib import Path
from typing import Any

import click

from dialtone.cli.common import json_option, show
from dialtone.cli.subscriber import where_option
from dialtone.lab.client import Client, find

_APN = "An APN, with what deviates: ims,qci=5,arp=1,preempt=no,preemptable=no,ambr=10M/10M,type=IPv4v6."


def ask(url: str, state: Path, do: str, name: str = "", *, dry_run: bool = False, **change: Any) -> Any:
    """One command: to the running core, else on the database."""
    given = {key: list(value) if isinstance(value, tuple) else value for key, value in change.items()
             if value not in (None, ())}
    if not (url or find()):
        from dialtone.cli.direct import call

        tried = {"dry_run": True} if dry_run else {}
        return call(state, f"profiles.{do}", **({"name": name} if name else {}), **given, **tried)
    api = Client(url)
    if do in ("list", "get"):
        return api.get(f"/profiles/{name}" if name else "/profiles")
    if do == "undo":
        return api.post(f"/profiles/{name}:undo", dry_run=dry_run)
    method, path, body = {
        "add": ("POST", "/profiles", {"name": name, **given}), "edit": ("PATCH", f"/profiles/{name}", given),
        "remove": ("DELETE", f"/profiles/{name}", None)}[do]
    return api.request(method, path, {"dry_run": dry_run}, body)


def _criteria(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """A word as it is, else what is in the file of that name."""
    return Path(value).read_text(encoding="utf-8") if value and Path(value).is_file() else value


def change_options(command: Any) -> Any:
    """What can be said of a profile."""
    for option in reversed((
        click.option("--ambr", help="Down and up for all of a phone's traffic: 50M/10M."),
        click.option("--apn", "apns", multiple=True, help=_APN),
        click.option("--restrict", help="Radios it may not use: e-utran, nb-iot, utran, geran, nr; '' for none."),
        click.option("--roaming/--no-roaming", default=None, help="Whether other networks may serve it."),
        click.option("--ifc", callback=_criteria, help="Filter criteria: sms, none, or a file (IMSSubscription)."),
        dry_run_option,
    )):
        command = option(command)
    return command


dry_run_option = click.option("--dry-run", is_flag=True, help="Only say what would happen.")


@click.group()
def profile() -> None:
    """Subscription profiles: which APNs, how fast, where."""


@profile.command("list")
@json_option
@where_option
def list_all(as_json: bool, url: str, state: Path) -> None:
    """All profiles. Example: dialtone profile list"""
    rows = ask(url, state, "list")
    if not as_json:
        for row in rows:
            row["apns"] = " ".join(apn.partition(",")[0] for apn in row["apns"])
    show(rows, as_json, ("name", "ambr", "apns", "subscribers"))


@profile.command("show")
@click.argument("name")
@json_option
@where_option
def show_one(name: str, as_json: bool, url: str, state: Path) -> None:
    """One profile; its first APN is the default one. Example: dialtone profile show default"""
    show(ask(url, state, "get", name), as_json)


@profile.command()
@click.argument("name")
@change_options
@where_option
def add(name: str, url: str, state: Path, dry_run: bool, **change: Any) -> None:
    """Add a profile. Example: dialtone profile add slow --ambr 2M/1M --apn internet --apn ims,qci=5,arp=1"""
    _say(ask(url, state, "add", name, dry_run=dry_run, **change))


@profile.command()
@click.argument("name")
@change_options
@click.option("--drop-apn", "drop", multiple=True, help="An APN that goes.")
@click.option("--default-apn", "default", help="The APN of phones that ask for none.")
@where_option
def edit(name: str, url: str, state: Path, dry_run: bool, **change: Any) -> None:
    """Change a profile; phones that are here get it at once. Example: dialtone profile edit slow --ambr 4M/1M"""
    _say(ask(url, state, "edit", name, dry_run=dry_run, **change))


@profile.command()
@click.argument("name")
@dry_run_option
@where_option
def remove(name: str, dry_run: bool, url: str, state: Path) -> None:
    """Take a profile out that no subscriber has. Example: dialtone profile remove slow"""
    _say(ask(url, state, "remove", name, dry_run=dry_run))


@profile.command()
@click.argument("name")
@dry_run_option
@where_option
def undo(name: str, dry_run: bool, url: str, state: Path) -> None:
    """Take the last change of a profile back, or its removal. Example: dialtone profile undo slow"""
    _say(ask(url, state, "undo", name, dry_run=dry_run))


def _say(report: dict[str, Any]) -> None:
    """What changed, whom it concerns, and how to take it back."""
    name = report["name"]
    if not report["changes"]:
        click.echo(f"{name} stays as it is.")
        return
    for line in report["changes"]:
        click.echo(f"  {line}")
    concerned = f"{report['subscribers']} subscribers have it, {report['live']} of them are here"
    if report["written"]:
        click.echo(f"{name} is changed: {concerned}. Take it back: dialtone profile undo {name}")
    else:
        click.echo(f"Nothing is written: {concerned}. Say it again without --dry-run.")
