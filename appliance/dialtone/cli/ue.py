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
@json_option
@url_option
def bearers(imsi: str, as_json: bool, url: str) -> None:
    """Its bearers: addresses, packet filters, bit rates, counters. Example: dialtone ue bearers 001010000000001"""
    found = [bearer for phone in client(url).get("/ues") if phone["imsi"] == imsi for bearer in phone["bearers"]]
    if as_json:
        show(found, True)
        return
    rows = [{**bearer, "address": " ".join(filter(None, (bearer["ue_ip"], bearer["ue_prefix"]))),
             "mbr": _rates(bearer["mbr"]), "ambr": _rates(bearer["ambr"]),
             "up": f"{bearer['up_packets']} ({bearer['up_bytes']})",
             "down": f"{bearer['down_packets']} ({bearer['down_bytes']})",
             "dropped": bearer["up_policed"] + bearer["down_policed"]} for bearer in found]
    show(rows, False, ("ebi", "apn", "qci", "address", "mbr", "ambr", "up", "down", "dropped"),
         f"{imsi} has no bearer.")
    for bearer in found:
        for one in bearer["filters"]:
            click.echo(f"EBI {bearer['ebi']}, filter {one}")


def _rates(rates: list[int]) -> str:
    """Down and up in kbit/s."""
    return "/".join(map(str, rates)) if any(rates) else ""


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


@ue.command()
@click.argument("imsi")
@click.argument("apn")
@click.option("--again", is_flag=True, help="Ask the phone to connect anew, to learn what changed.")
@url_option
def close(imsi: str, apn: str, again: bool, url: str) -> None:
    """End a phone's PDN connection. Example: dialtone ue close 001010000000001 ims"""
    client(url).post(f"/ues/{imsi}:close", apn=apn, again=again)
    click.echo(f"{apn} of {imsi} is being closed.")


@ue.group()
def bearer() -> None:
    """Dedicated bearers of a phone."""


@bearer.command()
@click.argument("imsi")
@click.option("--name", default="command", show_default=True, help="Its rule; one that is there is changed.")
@click.option("--apn", default="internet", show_default=True, help="Beside the connection to this APN.")
@click.option("--qci", default=8, show_default=True, help="QoS class: 1 to 4 have a guaranteed rate.")
@click.option("--gbr", default=0, help="Guaranteed both ways, kbit/s.")
@click.option("--mbr", default=0, help="At most both ways, kbit/s; as guaranteed if not given.")
@click.option("--filter", "filters", multiple=True, required=True, help="A flow, as an IPFilterRule.")
@json_option
@url_option
def add(imsi: str, name: str, apn: str, qci: int, gbr: int, mbr: int, filters: tuple[str, ...], as_json: bool,
        url: str) -> None:
    """Give a phone a dedicated bearer.

    Example: dialtone ue bearer add 001010000000001 --qci 1 --gbr 80 --filter "permit out 17 from 192.0.2.7 to any"
    """
    show(client(url).post(f"/ues/{imsi}:add-bearer", {
        "name": name, "apn": apn, "qci": qci, "gbr_up": gbr, "gbr_down": gbr, "mbr_up": mbr, "mbr_down": mbr,
        "filters": list(filters)}), as_json)


@bearer.command()
@click.argument("imsi")
@click.argument("name")
@json_option
@url_option
def remove(imsi: str, name: str, as_json: bool, url: str) -> None:
    """Take a dedicated bearer away. Example: dialtone ue bearer remove 001010000000001 command"""
    show(client(url).post(f"/ues/{imsi}:remove-bearer", name=name), as_json)
