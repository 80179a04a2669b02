# SPDX-License-Identifier: Apache-2.0
"""`dialtone ue`: the phones that are registered."""

import click

from dialtone.cli.common import client, json_option, show, url_option


@click.group()
def ue() -> None:
    """The phones that are registered."""


@ue.command("list")
@json_option
@url_option
def list_all(as_json: bool, url: str) -> None:
    """Who is here, and how much went through. Example: dialtone ue list --json"""
    found = client(url).get("/ues")
    if as_json:
        show(found, True)
        return
    rows = []
    for phone in found:
        for bearer in phone["bearers"] or [{}]:
            rows.append({**phone, "apn": bearer.get("apn", ""), "ip": bearer.get("ue_ip", ""),
                         "up": bearer.get("up_bytes", 0), "down": bearer.get("down_bytes", 0)})
    show(rows, False, ("imsi", "msisdn", "emm", "ecm", "enb", "apn", "ip", "up", "down"), "No phone is here.")


@ue.command()
@click.argument("imsi")
@click.option("--reattach", is_flag=True, help="Ask the phone to come back at once.")
@click.option("--page", is_flag=True, help="Call an idle phone first, so that it knows.")
@url_option
def detach(imsi: str, reattach: bool, page: bool, url: str) -> None:
    """Detach a phone. Example: dialtone ue detach 001010000000001"""
    client(url).post(f"/ues/{imsi}:detach", reattach=reattach, page=page)
    click.echo(f"{imsi} is being detached.")


@ue.command()
@click.argument("imsi")
@click.option("--follow", is_flag=True, help="Report each change of cell from now on.")
@click.option("--stop", is_flag=True, help="Report no longer.")
@url_option
def locate(imsi: str, follow: bool, stop: bool, url: str) -> None:
    """Ask the eNB in which cell a phone is; the trace has the answer. Example: dialtone ue locate 001010000000001"""
    client(url).post(f"/ues/{imsi}:locate", follow=follow, stop=stop)
    click.echo(f"The eNB of {imsi} is asked.")


@ue.command()
@click.argument("imsi")
@url_option
def guti(imsi: str, url: str) -> None:
    """Give a phone another temporary identity. Example: dialtone ue guti 001010000000001"""
    client(url).post(f"/ues/{imsi}:guti")
    click.echo(f"{imsi} gets a new GUTI.")
