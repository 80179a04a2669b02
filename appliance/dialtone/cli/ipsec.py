# SPDX-License-Identifier: Apache-2.0
"""`dialtone ipsec`: what protects the phones' signalling, and the keys to read it."""

from pathlib import Path

import click

from dialtone.cli.common import client, json_option, show, url_option


@click.group()
def ipsec() -> None:
    """IPsec between phones and P-CSCF."""


@ipsec.command("list")
@json_option
@url_option
def list_all(as_json: bool, url: str) -> None:
    """Who is there, as whom, and by which algorithms. Example: dialtone ipsec list"""
    found = client(url).get("/ipsec/phones")
    rows = found if as_json else [{**one, "first": next(iter(one["identities"]), "")} for one in found]
    show(rows, as_json, ("imsi", "state", "first", "contact", "ipsec"), "No phone is at the P-CSCF.")


@ipsec.command()
@click.argument("imsi")
@json_option
@url_option
def sas(imsi: str, as_json: bool, url: str) -> None:
    """Its security associations, live: SPIs, ports, packets, failures. Example: dialtone ipsec sas 001010000000001"""
    found = [one for one in client(url).get("/ipsec/phones") if one["imsi"] == imsi]
    rows = [{**sa, "use": each["use"], "algorithms": f"{each['alg']} {each['ealg']}"}
            for one in found for each in one["sets"] for sa in each["sas"]]
    show(rows, as_json, ("use", "spi", "from", "to", "algorithms", "packets", "bytes", "replayed", "integrity_failed"),
         f"{imsi} has no SAs.")


@ipsec.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@url_option
def keys(file: Path, url: str) -> None:
    """Write Wireshark's file of IPsec keys, `esp_sa`: in Wireshark's configuration folder it makes a capture of Gm
    readable. It holds keys: keep it to yourself. Example: dialtone ipsec keys ~/.config/wireshark/esp_sa"""
    lines = client(url).get("/ipsec/esp_sa")
    file.touch(mode=0o600)
    file.write_bytes(lines)
    click.echo(f"{len(lines.splitlines())} SAs in {file}.")
