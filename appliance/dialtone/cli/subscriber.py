# SPDX-License-Identifier: Apache-2.0
"""`dialtone subscriber`: subscribers and their SIMs. Through the API of a running core, else on its database."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from dialtone.cli.common import json_option, show, url_option
from dialtone.control import Client as ControlClient
from dialtone.errors import LocalError
from dialtone.lab.client import Client, find

F = TypeVar("F", bound=Callable[..., Any])
_COLUMNS = ("imsi", "msisdn", "profile", "address", "impi", "tags")
_TEXTS = {
    "algorithm": "milenage or tuak; milenage by default.",
    "k": "K (Ki) of the card, 32 hexadecimal digits (with TUAK also 64); - asks for it unseen.",
    "opc": "OPc of the card, with TUAK its TOPc; - asks for it unseen.",
    "op": "OP (TUAK: TOP) of the operator, from which OPc is computed; - asks for it unseen.",
    "res": "Bits of RES with TUAK: 32, 64 or 128.",
    "iterations": "Iterations of Keccak with TUAK; 1 by default.",
    "amf": "AMF, 4 hexadecimal digits; 8000 by default.",
    "msisdn": "Telephone number, digits only; several with blanks between.",
    "impi": "Private identity; made from the IMSI by default.",
    "impu": "Public identities, with blanks between.",
    "isim_k": "K of a separate ISIM.",
    "isim_op": "OP of a separate ISIM.",
    "isim_opc": "OPc of a separate ISIM.",
    "ipsec": "required or optional: whether the phone must use IPsec for IMS; required by default.",
    "profile": "Subscription profile.",
    "address": "Fixed addresses: internet=10.45.0.9, or a prefix: internet=2001:db8:cafe:9::/64, or both.",
    "tags": "Words to find them by.",
}
_SECRET = {"k", "op", "opc", "isim_k", "isim_op", "isim_opc"}


def field_options(command: F) -> F:
    """One option for each field."""
    for name, text in reversed(_TEXTS.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, default=None, help=text)(command)
    return command


def where_option(command: F) -> F:
    """Where the database is, when no core runs."""
    place = os.environ.get("DIALTONE_STATE", "/var/lib/dialtone")
    option = click.option("--state", type=click.Path(file_okay=False, path_type=Path), default=Path(place),
                          show_default=True, help="The database's directory, when no core runs.")
    return url_option(option(command))


_PATHS: dict[str, tuple[str, str]] = {
    "list": ("GET", "/subscribers"), "get": ("GET", "/subscribers/{imsi}"), "add": ("POST", "/subscribers"),
    "edit": ("PATCH", "/subscribers/{imsi}"), "remove": ("DELETE", "/subscribers/{imsi}"),
    "seen": ("GET", "/subscribers/seen"),
}


def ask(url: str, state: Path, do: str, imsi: str = "", **args: Any) -> Any:
    """One command: to the running core, else on the database."""
    if url or find():
        method, path = _PATHS[do]
        body = {**args, **({"imsi": imsi} if do == "add" else {})} if method in ("POST", "PATCH") else None
        return Client(url).request(method, path.format(imsi=imsi), body=body)
    from dialtone.cli.direct import call

    return call(state, f"subscribers.{do}", **({"imsi": imsi} if imsi else {}), **args)


@click.group()
def subscriber() -> None:
    """Subscribers and their SIMs."""


@subscriber.command("list")
@json_option
@where_option
def list_all(as_json: bool, url: str, state: Path) -> None:
    """All subscribers. Example: dialtone subscriber list"""
    show(ask(url, state, "list"), as_json, _COLUMNS, "There is no subscriber yet: dialtone subscriber add.")


@subscriber.command("show")
@click.argument("imsi")
@click.option("--keys", is_flag=True, help="K and OPc too. Only on the machine itself, and never through the API.")
@json_option
@where_option
def show_one(imsi: str, keys: bool, as_json: bool, url: str, state: Path) -> None:
    """One subscriber. Example: dialtone subscriber show 001010000000001"""
    show(_with_keys(imsi, state) if keys else ask(url, state, "get", imsi), as_json)


def _with_keys(imsi: str, state: Path) -> Any:
    """Keys come from the core's own socket or the database, for who may read those."""
    for run in (Path.cwd() / ".state" / "run", Path("/run/dialtone")):
        if (run / "core.sock").is_socket():
            return ControlClient(run / "core.sock").call("subscribers.get", imsi=imsi, keys=True)
    if find():
        raise LocalError("Keys do not travel through the API.", remedy="Ask on the machine where the core runs.")
    from dialtone.cli.direct import call

    return call(state, "subscribers.get", imsi=imsi, keys=True)


@subscriber.command()
@click.argument("imsi")
@field_options
@where_option
def add(imsi: str, url: str, state: Path, **fields: str | None) -> None:
    """Add a subscriber; refused when the IMSI is there already.

    Example: dialtone subscriber add 001010000000004 --k - --opc - --msisdn 1004
    """
    found = ask(url, state, "add", imsi, **_given(fields))
    click.echo(f"{imsi} is added.")
    for doubt in found.get("doubts", []):
        click.echo(f"  Look again: {doubt}")


@subscriber.command()
@click.argument("imsi")
@field_options
@where_option
def edit(imsi: str, url: str, state: Path, **fields: str | None) -> None:
    """Change fields of a subscriber; an empty value clears one.

    Example: dialtone subscriber edit 001010000000004 --msisdn 1005
    """
    if not (given := _given(fields)):
        raise click.UsageError("Name at least one field to change.")
    ask(url, state, "edit", imsi, **given)
    click.echo(f"{imsi} is changed: {', '.join(given)}.")


def _given(fields: dict[str, str | None]) -> dict[str, str]:
    """The fields that were named; `-` for a key asks without showing it, so that no shell keeps it."""
    return {name: click.prompt(name, hide_input=True) if value == "-" and name in _SECRET else value
            for name, value in fields.items() if value is not None}


@subscriber.command()
@click.argument("imsi")
@click.option("--yes", is_flag=True, help="Do not ask.")
@where_option
def remove(imsi: str, yes: bool, url: str, state: Path) -> None:
    """Take a subscriber out. Example: dialtone subscriber remove 001010000000004"""
    if not yes:
        click.confirm(f"Remove {imsi} with its keys?", abort=True)
    ask(url, state, "remove", imsi)
    click.echo(f"{imsi} is removed.")


@subscriber.command()
@click.argument("imsi")
@click.option("--reattach", is_flag=True, help="Have the phone come back at once.")
@url_option
def cancel(imsi: str, reattach: bool, url: str) -> None:
    """Have the MME that serves the phone let it go. Example: dialtone subscriber cancel 001010000000004 --reattach"""
    found = Client(url).post(f"/subscribers/{imsi}:cancel", reattach=reattach)
    click.echo(f"{found['mme']} is told to let {imsi} go.")


@subscriber.command()
@click.argument("imsi")
@click.option("--again", is_flag=True, help="Let the phone register anew at once.")
@url_option
def deregister(imsi: str, again: bool, url: str) -> None:
    """End the IMS registration of a phone. Example: dialtone subscriber deregister 001010000000004 --again"""
    found = Client(url).post(f"/subscribers/{imsi}:deregister", again=again)
    click.echo(f"{found['scscf']} is told to let {imsi} go.")


@subscriber.command()
@url_option
def reset(url: str) -> None:
    """Have every MME tell the HSS again where its phones are. Example: dialtone subscriber reset"""
    mmes = Client(url).post("/hss:reset")["mmes"]
    click.echo(f"Asked: {', '.join(mmes)}." if mmes else "No MME serves anybody.")


@subscriber.command()
@json_option
@where_option
def seen(as_json: bool, url: str, state: Path) -> None:
    """IMSIs that tried to attach and are nobody's. Example: dialtone subscriber seen"""
    found = ask(url, state, "seen")
    show(found, as_json, ("imsi", "count", "first", "last", "reason"), "Nobody unknown has tried.")
    if found and not as_json:
        click.echo(f"\nOne step: dialtone subscriber add {found[-1]['imsi']} --k - --opc -")


@subscriber.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--write", is_flag=True, help="Do it; without this only what would happen is said.")
@click.option("--overwrite", is_flag=True, help="Change subscribers that are there and differ.")
@json_option
@where_option
def import_csv(file: Path, write: bool, overwrite: bool, as_json: bool, url: str, state: Path) -> None:
    """Read subscribers from a CSV file, with the column names of pySim or sysmocom.

    Example: dialtone subscriber import cards.csv, then again with --write
    """
    octets = file.read_bytes()
    if url or find():
        found = Client(url).post("/subscribers:import", octets, dry_run=not write, overwrite=overwrite)
    else:
        from dialtone.cli.direct import call

        text = octets.decode("utf-8-sig", "replace")
        found = call(state, "subscribers.import", csv=text, dry_run=not write, overwrite=overwrite)
    if as_json:
        show(found, True)
        return
    click.echo(found["summary"])
    for one in found["conflicts"]:
        verb = "is changed" if write and overwrite else "differs and stays as it is"
        click.echo(f"  line {one['line']}: {one['imsi']} {verb} ({', '.join(one['differs'])})")
    for word in ("errors", "doubts"):
        for text in found[word]:
            click.echo(f"  {'!!' if word == 'errors' else '--'} {text}")
    if not write and found["add"]:
        click.echo("Nothing is written yet: say it again with --write.")
