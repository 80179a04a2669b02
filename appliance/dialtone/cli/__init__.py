# SPDX-License-Identifier: Apache-2.0
"""`dialtone ...`: one file a noun in this package, loaded when it is asked for.

Exit codes: 0 done, 1 it did not work (the reason is on stderr), 2 the command line is wrong.
"""

import importlib
import keyword
import sys
from typing import Any

import click

from dialtone import __version__
from dialtone.errors import DialtoneError

COMMANDS = {
    "api": "Serve the HTTP API of a running core",
    "call": "Calls: who called whom, when and how it ended",
    "class": "The class: its code, students and answers",
    "config": "Check dialtone.toml",
    "core": "Run the core: MME, gateway, HSS",
    "decode": "Decode a message",
    "demo": "Run the whole lab: core, simulated eNB and phones, JupyterLab",
    "diagnose": "Say why a phone does not work",
    "diameter": "The Diameter peers outside",
    "gtp": "The GTPv2-C peers outside",
    "doctor": "Say what this machine has and lacks",
    "enb": "The eNBs",
    "ims": "Phones that are registered for calls and texts",
    "ipsec": "IPsec between phones and P-CSCF, and its keys",
    "notebooks": "JupyterLab, as a service",
    "profile": "Subscription profiles: APNs, bit rates, restrictions",
    "selftest": "Try the whole box with simulated phones",
    "sim": "The simulated eNB and phones",
    "sms": "Texts",
    "status": "Health in one look",
    "subscriber": "Subscribers and their SIMs",
    "token": "Tokens of teacher and students",
    "trace": "Watch, save and export messages",
    "ue": "The phones that are registered",
    "warning": "Public warnings by cell broadcast",
    "where": "Find the handler of a message",
}


class Lazy(click.Group):
    """Imports a command's file when the command is used: `dialtone where` need not load the API's client."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        place = f"{name}_" if keyword.iskeyword(name) else name
        command = getattr(importlib.import_module(f"dialtone.cli.{place}"), place)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """What goes wrong is a sentence, not a traceback."""
        try:
            return super().main(*args, **kwargs)
        except DialtoneError as error:
            click.echo(f"dialtone: {error}", err=True)
            sys.exit(1)


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """A private VoLTE network in a box."""
