# SPDX-License-Identifier: Apache-2.0
"""`dialtone sim`: the simulated phones."""

import sys

import click

from dialtone.cli.common import client, json_option, show, url_option


class Phones(click.Group):
    """`run` is the simulation itself: its file is imported only by who runs it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "run"])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name == "run":
            from dialtone.sim.process import sim_run

            return sim_run
        return super().get_command(ctx, name)


@click.group(cls=Phones)
def sim() -> None:
    """The simulated eNB and phones."""


@sim.command("list")
@json_option
@url_option
def list_all(as_json: bool, url: str) -> None:
    """The simulated phones. Example: dialtone sim list"""
    show(client(url).get("/sim/phones"), as_json, ("imsi", "emm", "ip", "enb", "netns", "last"), "There are none.")


@sim.command()
@json_option
@url_option
def enbs(as_json: bool, url: str) -> None:
    """The simulated eNBs. Example: dialtone sim enbs"""
    show(client(url).get("/sim/enbs"), as_json, ("name", "plmn", "tac", "address", "s1", "phones", "refusal"),
         "There are none.")


@sim.command()
@click.argument("imsi")
@url_option
def attach(imsi: str, url: str) -> None:
    """Switch a phone on. Example: dialtone sim attach 001010000000001"""
    show(client(url).post(f"/sim/phones/{imsi}:attach"), False)


@sim.command()
@click.argument("imsi")
@click.option("--switch-off", is_flag=True, help="As when its power goes: nobody answers.")
@url_option
def detach(imsi: str, switch_off: bool, url: str) -> None:
    """Detach a phone. Example: dialtone sim detach 001010000000001"""
    show(client(url).post(f"/sim/phones/{imsi}:detach", switch_off=switch_off), False)


@sim.command()
@click.argument("imsi")
@url_option
def power(imsi: str, url: str) -> None:
    """Switch a phone off without a word and on again: it forgets what it held against the network.

    Example: dialtone sim power 001010000000001
    """
    show(client(url).post(f"/sim/phones/{imsi}:power"), False)


@sim.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("imsi")
@click.argument("argv", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--timeout", default=30.0, show_default=True, help="Seconds.")
@url_option
def execute(imsi: str, argv: tuple[str, ...], timeout: float, url: str) -> None:
    """Run a program on a phone, through its LTE bearer.

    Example: dialtone sim exec 001010000000001 -- ping -c 3 10.45.0.1
    """
    done = client(url).post(f"/sim/phones/{imsi}:exec", {"argv": list(argv), "timeout": timeout})
    click.echo(done["stdout"], nl=False)
    click.echo(done["stderr"], nl=False, err=True)
    sys.exit(min(int(done["code"]), 255) if done["code"] >= 0 else 1)


@sim.command("break")
@click.argument("imsi")
@click.argument("fault", required=False)
@url_option
def break_it(imsi: str, fault: str | None, url: str) -> None:
    """Give a phone a fault for its next attach; without FAULT mend it.

    Example: dialtone sim break 001010000000001 op_as_opc
    """
    client(url).post(f"/sim/phones/{imsi}:break", {"fault": fault})
    click.echo(f"{imsi}: {fault or 'mended'}.")
