# SPDX-License-Identifier: Apache-2.0
"""Scripts for pySim-shell, which writes programmable SIM cards with a reader (TS 31.102, 4.2; card model sysmoISIM).

pySim is no package of the index and not part of this: with it installed, `write` runs a script, otherwise it says how.
"""

import json
import secrets
import shutil
import subprocess
from pathlib import Path

from dialtone.ids import Plmn
from dialtone.lab.show import Text
from dialtone.sim.cards import Card

PYSIM = "pySim-shell.py"
PATIENCE = 120.0  # seconds for a card


def fresh(count: int, home: Plmn, first: int = 1) -> list[Card]:
    """Cards with keys that nobody has, and numbers from 1001 on."""
    prefix = home.mcc + home.mnc
    return [Card(f"{prefix}{number:0{15 - len(prefix)}d}", f"{1000 + number}", secrets.token_bytes(16),
                 secrets.token_bytes(16)) for number in range(first, first + count)]


def imsi_file(imsi: str) -> bytes:
    """EF.IMSI: length, then the digits in swapped halves behind a nibble that says whether they are odd in number
    (TS 31.102, 4.2.2; TS 24.008, 10.5.1.4)."""
    nibbles = ("9" if len(imsi) % 2 else "1") + imsi
    nibbles += "f" * (len(nibbles) % 2)
    octets = bytes.fromhex("".join(nibbles[place + 1] + nibbles[place] for place in range(0, len(nibbles), 2)))
    return (bytes((len(octets),)) + octets).ljust(9, b"\xff")


def script(card: Card, adm: str, mnc_digits: int = 2) -> Text:
    """What pySim-shell is to do: IMSI, length of the MNC, K with OPc, and nothing that keeps the phone elsewhere."""
    key = {"cfg": {"only_4bytes_res_in_3g": False, "sres_deriv_func_in_2g": 1, "use_opc_instead_of_op": True,
                   "algorithm": "milenage"}, "key": card.k.hex(), "op_opc": card.opc.hex()}
    return Text("\n".join((
        f"verify_adm {adm}",
        "select MF/ADF.USIM/EF.IMSI", f"update_binary_decoded '{json.dumps({'imsi': card.imsi})}'",
        "select MF/ADF.USIM/EF.AD", f"update_binary 000000{mnc_digits:02x}",
        "select MF/ADF.USIM/EF.USIM_AUTH_KEY", f"update_binary_decoded '{json.dumps(key)}'",
        "select MF/ADF.USIM/EF.FPLMN", "update_binary ffffffffffffffffffffffff",
        "select MF/ADF.USIM/EF.LOCI", "update_binary ffffffffffffffffff0001ff", "")))


def write(path: Path | str, reader: int = 0) -> Text:
    """Run a script on the card in the reader; without pySim only say how."""
    command = [PYSIM, "-p", str(reader), "--noprompt", "--script", str(path)]
    if shutil.which(PYSIM) is None:
        return Text(f"pySim is not installed here. Where it is: {' '.join(command)}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return Text(done.stdout + done.stderr)
