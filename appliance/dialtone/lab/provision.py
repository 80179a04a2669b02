# SPDX-License-Identifier: Apache-2.0
"""A form for one subscriber, and labels for many: what a notebook shows of provisioning."""

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from dialtone.errors import DialtoneError
from dialtone.lab import qr

FIELDS = {"imsi": "IMSI, 15 digits", "msisdn": "number", "k": "K, 32 hexadecimal digits",
          "opc": "OPc, likewise, or", "op": "OP, from which it is made"}
SECRETS = ("k", "opc", "op")


def form(add: Callable[..., Any]) -> Any:
    """Fields, a button, and what became of it. Keys are hidden as they are typed, and forgotten."""
    import ipywidgets

    fields = {name: (ipywidgets.Password if name in SECRETS else ipywidgets.Text)(description=name, placeholder=text)
              for name, text in FIELDS.items()}
    button, said = ipywidgets.Button(description="Add"), ipywidgets.HTML()

    def clicked(_: Any) -> None:
        given = {name: field.value.strip() for name, field in fields.items() if field.value.strip()}
        try:
            found = add(given.pop("imsi", ""), **given)
            said.value = escape(f"{found['imsi']} is added. {' '.join(found.get('doubts', ()))}")
            for name in SECRETS:
                fields[name].value = ""
        except DialtoneError as error:
            said.value = escape(str(error))

    button.on_click(clicked)
    return ipywidgets.VBox([*fields.values(), button, said])


class Labels:
    """A sheet to print and cut: number and IMSI as text and as QR code, never a key."""

    def __init__(self, subscribers: Iterable[dict[str, Any]]) -> None:
        self.texts = [(subscriber["imsi"], ", ".join(subscriber["msisdn"])) for subscriber in subscribers]

    def __repr__(self) -> str:
        return f"<{len(self.texts)} labels>"

    def _repr_html_(self) -> str:
        cards = "".join(
            f'<figure style="border:1px solid #999;padding:4px;margin:0;display:flex;gap:8px;align-items:center">'
            f'<span role="img" aria-label="QR code of IMSI {imsi}">{qr.svg(f"IMSI {imsi} {number}".strip(), 2)}</span>'
            f'<figcaption><b style="font-size:150%">{escape(number)}</b><br>{imsi}</figcaption></figure>'
            for imsi, number in self.texts)
        grid = "display:grid;grid-template-columns:repeat(auto-fill,minmax(19em,1fr));gap:6px"
        return f'<div style="{grid}">{cards}</div>'
