# SPDX-License-Identifier: Apache-2.0
"""`dialtone sim ims-register|ims-deregister|text|texts|call|answer|hold|video|hangup`: simulated phones in IMS."""

from typing import Any

import click

from dialtone.cli.common import client, json_option, show, url_option
from dialtone.cli.sim import sim


def _do(url: str, imsi: str, what: str, as_json: bool, body: Any = None, **query: Any) -> None:
    """One action; exits with 1 where it failed."""
    done = client(url).post(f"/sim/phones/{imsi}:{what}", body, **query)
    show(done if as_json else {"phone": imsi, "ims": done["ims"], "last": done["last"]}, as_json)
    if not done["ok"]:
        raise SystemExit(1)


@sim.command("ims-register")
@click.argument("imsi")
@json_option
@url_option
def ims_register(imsi: str, as_json: bool, url: str) -> None:
    """Register a phone to IMS, or refresh that. Example: dialtone sim ims-register 001010000000001"""
    _do(url, imsi, "register", as_json)


@sim.command("ims-deregister")
@click.argument("imsi")
@json_option
@url_option
def ims_deregister(imsi: str, as_json: bool, url: str) -> None:
    """Let a phone leave IMS. Example: dialtone sim ims-deregister 001010000000001"""
    _do(url, imsi, "deregister", as_json)


@sim.command()
@click.argument("imsi")
@click.argument("to")
@click.argument("words", nargs=-1, required=True)
@json_option
@url_option
def text(imsi: str, to: str, words: tuple[str, ...], as_json: bool, url: str) -> None:
    """Send a text. Example: dialtone sim text 001010000000001 1002 Hello there"""
    _do(url, imsi, "text", as_json, {"to": to, "text": " ".join(words)})


@sim.command()
@click.argument("imsi")
@json_option
@url_option
def texts(imsi: str, as_json: bool, url: str) -> None:
    """The texts that came to a phone. Example: dialtone sim texts 001010000000002"""
    show(client(url).get(f"/sim/phones/{imsi}/texts"), as_json, ("from", "text"), "There are none.")


@sim.command()
@click.argument("imsi")
@click.argument("to")
@click.option("--video", is_flag=True, help="With video from the beginning.")
@json_option
@url_option
def call(imsi: str, to: str, video: bool, as_json: bool, url: str) -> None:
    """Call a number, until it is answered. Example: dialtone sim call 001010000000001 1002"""
    _do(url, imsi, "call", as_json, to=to, video=video)


@sim.command()
@click.argument("imsi")
@click.option("--off", is_flag=True, help="Go on without it instead.")
@json_option
@url_option
def video(imsi: str, off: bool, as_json: bool, url: str) -> None:
    """Add video to a call. Example: dialtone sim video 001010000000001"""
    _do(url, imsi, "video", as_json, off=off)


@sim.command()
@click.argument("imsi")
@json_option
@url_option
def answer(imsi: str, as_json: bool, url: str) -> None:
    """Take the call that rings. Example: dialtone sim answer 001010000000002"""
    _do(url, imsi, "answer", as_json)


@sim.command()
@click.argument("imsi")
@click.option("--resume", is_flag=True, help="Take it back instead.")
@json_option
@url_option
def hold(imsi: str, resume: bool, as_json: bool, url: str) -> None:
    """Put a call on hold. Example: dialtone sim hold 001010000000001"""
    _do(url, imsi, "hold", as_json, resume=resume)


@sim.command()
@click.argument("imsi")
@json_option
@url_option
def hangup(imsi: str, as_json: bool, url: str) -> None:
    """End a call, or refuse the one that rings. Example: dialtone sim hangup 001010000000001"""
    _do(url, imsi, "hangup", as_json)
