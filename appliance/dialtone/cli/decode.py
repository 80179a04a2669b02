# SPDX-License-Identifier: Apache-2.0
"""`dialtone decode`: one message, every bit of it."""

import click

from dialtone.cli.common import client, json_option, show, url_option
from dialtone.errors import LocalError
from dialtone.trace.names import POINTS


@click.command()
@click.argument("what")
@click.option("--point", type=click.Choice(POINTS), help="WHAT are octets in hexadecimal, seen at this point.")
@click.option("--downlink", is_flag=True, help="With --point NAS: the network sent it.")
@json_option
@url_option
def decode(what: str, point: str | None, downlink: bool, as_json: bool, url: str) -> None:
    """Decode the message with id WHAT of the running trace, or the octets WHAT.

    Examples: dialtone decode 17; dialtone decode 0741710809101000000000 --point NAS
    """
    if point is not None:
        from dialtone.trace.decode import tree

        try:
            octets = bytes.fromhex(what)
        except ValueError:
            raise LocalError(f"{what!r} is not hexadecimal.", remedy="Two digits for each octet.") from None
        click.echo(tree(point, octets, downlink))
        return
    if not what.isdigit():
        raise LocalError(f"{what!r} is no id of a message.", remedy="For octets say where they were seen: --point NAS.")
    found = client(url).get(f"/trace/{what}")
    if as_json:
        show(found, True)
        return
    click.echo(f"{found['point']} {found['src']} -> {found['dst']}: {found['name']} ({found['clause']})")
    for part in (found["security"], found["explain"], found["decode"], found["hex"]):
        if part:
            click.echo(f"\n{part}")
