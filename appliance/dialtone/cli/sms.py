# SPDX-License-Identifier: Apache-2.0
"""`dialtone sms`: texts."""

import time

import click

from dialtone.cli.common import client, json_option, show, url_option

STATES = ("delivered", "waiting", "expired", "failed", "cancelled")


@click.group()
def sms() -> None:
    """Texts: send, broadcast, take back, and what became of them."""


@sms.command()
@click.argument("to")
@click.argument("text")
@click.option("--from", "sender", default=None, help="Who it is from: a number, or a name of 11 characters.")
@json_option
@url_option
def send(to: str, text: str, sender: str | None, as_json: bool, url: str) -> None:
    """Send TEXT to a number or an IMSI. Example: dialtone sms send +15550101 "Hello"

    It is kept until the phone takes it, or for as long as `validity` in [sms] says.
    """
    done = client(url).post("/sms", {"to": to, "text": text, "sender": sender})
    if as_json:
        show(done, True)
    else:
        parts = f" in {done['parts']} parts" if done["parts"] > 1 else ""
        click.echo(f"Taken for {done['to']}{parts}. `dialtone sms progress {done['batch']}` shows what becomes of it.")


@sms.command()
@click.argument("text")
@click.option("--tag", default="", help="To subscribers with this tag only.")
@click.option("--from", "sender", default=None, help="Who it is from.")
@click.option("--yes", is_flag=True, help="Send it; without it the command only says to whom.")
@json_option
@url_option
def broadcast(text: str, tag: str, sender: str | None, yes: bool, as_json: bool, url: str) -> None:
    """Send TEXT to all phones, or to those with a tag. Example: dialtone sms broadcast "Class is on" --tag lab --yes"""
    done = client(url).post("/sms:broadcast", {"text": text, "tag": tag, "sender": sender, "dry_run": not yes})
    if as_json:
        show(done, True)
        return
    show(done["to"], False, ("imsi", "msisdn"))
    if done["dry_run"]:
        click.echo(f"Would go to {len(done['to'])} phones. Say --yes to send it.")
    else:
        click.echo(f"Goes to {len(done['to'])} phones. `dialtone sms progress {done['batch']}` shows how far it is, "
                   f"`dialtone sms cancel {done['batch']}` takes back what has not gone.")


@sms.command()
@click.argument("batch")
@click.option("--wait", default=0.0, metavar="SECONDS", help="Show it until nothing waits any more, or so long.")
@json_option
@url_option
def progress(batch: str, wait: float, as_json: bool, url: str) -> None:
    """How far texts are that were sent together. Example: dialtone sms progress 17-216 --wait 60"""
    end, shown = time.monotonic() + wait, None
    while True:
        now = client(url).get("/sms/progress", batch=batch)
        going = now["waiting"] and time.monotonic() < end
        if now != shown and not (as_json and going):
            if as_json:
                show(now, True)
            else:
                click.echo(f"{now['texts']} texts: " + ", ".join(
                    f"{now[state]} {state}" for state in STATES if now[state]))
        if not going:
            return
        shown = now
        time.sleep(1)


@sms.command()
@click.argument("batch")
@json_option
@url_option
def cancel(batch: str, as_json: bool, url: str) -> None:
    """Take back texts that wait for their phones. Example: dialtone sms cancel 17-216"""
    done = client(url).post("/sms:cancel", {"batch": batch})
    if as_json:
        show(done, True)
    else:
        click.echo(f"{done['cancelled']} texts will not go out any more.")


@sms.command("list")
@click.option("--imsi", default="", help="From or to this subscriber only.")
@click.option("--limit", default=100, show_default=True, help="How many at most.")
@json_option
@url_option
def list_all(imsi: str, limit: int, as_json: bool, url: str) -> None:
    """The latest texts and what became of them. Example: dialtone sms list --json"""
    show(client(url).get("/sms", imsi=imsi, limit=limit), as_json, ("id", "from", "to", "state", "text", "why"),
         "There is no text.")
