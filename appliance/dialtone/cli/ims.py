# SPDX-License-Identifier: Apache-2.0
"""`dialtone ims`: who is registered for calls and texts."""

from urllib.parse import quote

import click

from dialtone.cli.common import client, json_option, show, url_option


@click.group()
def ims() -> None:
    """Phones that are registered for calls and texts."""


@ims.command()
@json_option
@url_option
def registrations(as_json: bool, url: str) -> None:
    """Who is registered, with which contacts. Example: dialtone ims registrations --json"""
    found = client(url).get("/ims/registrations")
    if not as_json:
        for user in found:
            user["identities"] = " ".join(user["identities"])
            user["contacts"] = " ".join(contact["uri"] for contact in user["contacts"])
    show(found, as_json, ("imsi", "state", "identities", "contacts"), "No phone is registered for calls and texts.")


@ims.command()
@click.argument("who")
@json_option
@url_option
def deregister(who: str, as_json: bool, url: str) -> None:
    """End a registration, named by IMSI or identity. Example: dialtone ims deregister 001010000000001"""
    show([client(url).post(f"/ims/registrations/{quote(who, safe='')}:deregister")], as_json, ("impi",), "")
