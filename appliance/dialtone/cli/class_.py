# SPDX-License-Identifier: Apache-2.0
"""`dialtone class`: open and close it, see who does what."""

import click

from dialtone.cli.common import client, json_option, show, url_option


@click.group()
def class_() -> None:
    """The class: its code, students and answers."""


@class_.command("show")
@json_option
@url_option
def show_class(as_json: bool, url: str) -> None:
    """The class code, and each student's progress. Example: dialtone class show"""
    found = client(url).get("/class")
    if as_json:
        show(found, True)
        return
    click.echo(f"Class code: {found['code']}" if found["open"] else "The class is closed.")
    rows = [{"student": one["nickname"], "right": one["right"], "answered": one["answered"],
             "of": len(found["questions"])} for one in found["students"]]
    show(rows, False, empty="Nobody has joined yet.")


@class_.command("open")
@url_option
def open_class(url: str) -> None:
    """Open the class and print its code. Example: dialtone class open"""
    click.echo(client(url).post("/class:open")["code"])


@class_.command("close")
@click.option("--yes", is_flag=True, help="Do not ask.")
@url_option
def close_class(yes: bool, url: str) -> None:
    """Close the class: its code is worth nothing any more, and all answers are deleted.

    Example: dialtone class answers > answers.csv; dialtone class close
    """
    if not yes:
        click.confirm("All answers of the class will be deleted. Close it?", abort=True)
    client(url).post("/class:close")
    click.echo("The class is closed.")


@class_.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@url_option
def reset(yes: bool, url: str) -> None:
    """Begin anew with the same students: texts, answers and the trace are deleted, simulated phones switched off.

    SIM cards stay. Example: dialtone class reset
    """
    if not yes:
        click.confirm("All texts, all answers and the trace will be deleted. Reset?", abort=True)
    done = client(url).post("/class:reset")
    click.echo(f"Deleted {done['events']} messages and {done['texts']} texts; "
               f"{done['phones']} simulated phones are off.")


@class_.command()
@click.argument("nickname")
@url_option
def expel(nickname: str, url: str) -> None:
    """Take a student out, with the answers; the name is free again. Example: dialtone class expel ann"""
    client(url).request("DELETE", f"/class/students/{nickname}")
    click.echo(f"{nickname} is out.")


@class_.command()
@url_option
def answers(url: str) -> None:
    """All answers as CSV. Example: dialtone class answers > answers.csv"""
    click.echo(client(url).get("/class/answers.csv"), nl=False)
