# SPDX-License-Identifier: Apache-2.0
"""`dialtone sim`: the simulated phones."""

import sys
from typing import Any

import click

from dialtone.cli.common import client, json_option, show, url_option

PATH = click.Choice(["auto", "ip", "nas"])


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
    show(client(url).get("/sim/phones"), as_json, ("imsi", "emm", "ip", "enb", "ims", "netns", "last"),
         "There are none.")


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
@click.argument("to")
@click.argument("text")
@click.option("--report", is_flag=True, help="Ask for a status report.")
@click.option("--over", type=PATH, default="auto", show_default=True,
              help="auto: over IP where the phone is registered to IMS.")
@json_option
@url_option
def sms(imsi: str, to: str, text: str, report: bool, over: str, as_json: bool, url: str) -> None:
    """A phone sends TEXT as a short message. Example: dialtone sim sms 001010000000001 +15550102 "Hello" --report

    `dialtone sim sent` shows what became of it, `dialtone sim inbox` what a phone has got.
    """
    done = client(url).post(f"/sim/phones/{imsi}:sms", {"to": to, "text": text, "report": report, "over": over})
    _done(done, as_json)


@sim.command()
@click.argument("imsi")
@click.option("--full/--free", required=True, help="No room for a further text, or room again.")
@click.option("--over", type=PATH, default="auto", show_default=True, help="How the network is told (RP-SMMA).")
@json_option
@url_option
def memory(imsi: str, full: bool, over: str, as_json: bool, url: str) -> None:
    """Fill or empty a phone's memory for short messages. Example: dialtone sim memory 001010000000001 --full"""
    _done(client(url).post(f"/sim/phones/{imsi}:memory", {"full": full, "over": over}), as_json)


def _done(line: Any, as_json: bool) -> None:
    """What a phone did; exits with 1 where it failed."""
    show(line if as_json else {"phone": line["imsi"], "last": line.get("in_ims", line)["last"]}, as_json)
    if not line["ok"]:
        sys.exit(1)


@sim.command()
@click.argument("imsi")
@json_option
@url_option
def sent(imsi: str, as_json: bool, url: str) -> None:
    """The short messages a phone sent, and their status reports. Example: dialtone sim sent 001010000000001"""
    show(client(url).get(f"/sim/phones/{imsi}/sms/sent"), as_json, ("to", "reference", "state"), "It has sent none.")


@sim.command()
@click.argument("imsi")
@json_option
@url_option
def inbox(imsi: str, as_json: bool, url: str) -> None:
    """The short messages that came to a phone. Example: dialtone sim inbox 001010000000001"""
    show(client(url).get(f"/sim/phones/{imsi}/sms"), as_json, ("from", "over", "text"), "It has none.")


@sim.command("open")
@click.argument("imsi")
@click.argument("apn")
@json_option
@url_option
def open_pdn(imsi: str, apn: str, as_json: bool, url: str) -> None:
    """Connect a phone to an APN, besides those it has. Example: dialtone sim open 001010000000001 ims"""
    show(client(url).post(f"/sim/phones/{imsi}:open", apn=apn), as_json)


@sim.command("close")
@click.argument("imsi")
@click.argument("apn")
@json_option
@url_option
def close_pdn(imsi: str, apn: str, as_json: bool, url: str) -> None:
    """Disconnect a phone from an APN; from the last one only a detach does.

    Example: dialtone sim close 001010000000001 ims
    """
    show(client(url).post(f"/sim/phones/{imsi}:close", apn=apn), as_json)


@sim.command()
@click.argument("imsi")
@click.option("--apn", default="internet", show_default=True, help="Beside the connection to this APN.")
@click.option("--qci", default=8, show_default=True, help="QoS class: 1 to 4 have a guaranteed rate.")
@click.option("--gbr", default=0, help="Guaranteed both ways, kbit/s.")
@click.option("--mbr", default=0, help="At most both ways, kbit/s; as guaranteed if not given.")
@click.option("--filter", "filters", multiple=True, required=True, help="A flow, as an IPFilterRule.")
@json_option
@url_option
def ask(imsi: str, apn: str, qci: int, gbr: int, mbr: int, filters: tuple[str, ...], as_json: bool, url: str) -> None:
    """Let a phone ask for a dedicated bearer.

    Example: dialtone sim ask 001010000000001 --filter "permit out 17 from 192.0.2.7 5000 to assigned"
    """
    show(client(url).post(f"/sim/phones/{imsi}:ask", {
        "apn": apn, "qci": qci, "gbr": gbr, "mbr": mbr, "filters": list(filters)}), as_json)


@sim.command()
@click.argument("imsi")
@click.argument("ebi", type=int)
@json_option
@url_option
def drop(imsi: str, ebi: int, as_json: bool, url: str) -> None:
    """Let a phone give a dedicated bearer back. Example: dialtone sim drop 001010000000001 6"""
    show(client(url).post(f"/sim/phones/{imsi}:drop", ebi=ebi), as_json)


@sim.command()
@click.argument("imsi")
@url_option
def power(imsi: str, url: str) -> None:
    """Switch a phone off without a word and on again: it forgets what it held against the network.

    Example: dialtone sim power 001010000000001
    """
    show(client(url).post(f"/sim/phones/{imsi}:power"), False)


@sim.command()
@click.argument("imsi")
@json_option
@url_option
def idle(imsi: str, as_json: bool, url: str) -> None:
    """Release a phone's connection, as an eNB does with a quiet one. Example: dialtone sim idle 001010000000001"""
    show(client(url).post(f"/sim/phones/{imsi}:idle"), as_json)


@sim.command()
@click.argument("imsi")
@click.option("--extended", is_flag=True, help="By an Extended service request.")
@click.option("--call", is_flag=True, help="For a call in a 2G or 3G network, which is refused here.")
@json_option
@url_option
def service(imsi: str, extended: bool, call: bool, as_json: bool, url: str) -> None:
    """Let an idle phone ask for its bearers. Example: dialtone sim service 001010000000001"""
    show(client(url).post(f"/sim/phones/{imsi}:service", extended=extended, call=call), as_json)


@sim.command()
@click.argument("imsi")
@click.option("--active", is_flag=True, help="And ask for the bearers.")
@click.option("--periodic", is_flag=True, help="As if T3412 had expired.")
@json_option
@url_option
def update(imsi: str, active: bool, periodic: bool, as_json: bool, url: str) -> None:
    """Let a phone update its tracking area. Example: dialtone sim update 001010000000001"""
    show(client(url).post(f"/sim/phones/{imsi}:update", active=active, periodic=periodic), as_json)


@sim.command()
@click.argument("imsi")
@click.argument("enb")
@click.option("--s1", is_flag=True, help="By way of the MME instead of X2.")
@click.option("--forward/--no-forward", default=True, help="Whether data that still comes to the old eNB goes along.")
@click.option("--direct/--indirect", default=True, help="With --s1: between the eNBs, or by way of the gateway.")
@json_option
@url_option
def handover(imsi: str, enb: str, s1: bool, forward: bool, direct: bool, as_json: bool, url: str) -> None:
    """Hand a phone over to another eNB. Example: dialtone sim handover 001010000000001 sim-enb2 --s1"""
    show(client(url).post(f"/sim/phones/{imsi}:handover", enb=enb, s1=s1, forward=forward, direct=direct), as_json)


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


@sim.command()
@json_option
def faults(as_json: bool) -> None:
    """The faults that a phone can be given, and the rows of docs/diagnosis.md that they show.

    Example: dialtone sim faults
    """
    from dataclasses import asdict

    from dialtone.sim.faults import Faults

    show([asdict(fault) for fault in Faults.table()], as_json, ("name", "row", "text"), "There are none.")


from dialtone.cli import sim_ims  # noqa: E402, F401  its commands hang below `sim`
