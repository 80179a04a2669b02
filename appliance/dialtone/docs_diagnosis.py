# SPDX-License-Identifier: Apache-2.0
"""docs/diagnosis.md, out of the tables of faults and rules, with the tests that play each fault."""

from collections.abc import Iterator

from dialtone.sim.faults import Fault, Faults
from dialtone.sim.network_faults import FAULTS
from dialtone.trace.diagnose import RULES, Rule
from dialtone.trace.diagnose.catalogue import ROWS
from dialtone.where import ROOT

_HEAD = """# The diagnosis catalogue

Why a phone does not register, call or text, row by row: how it looks in a trace, what `dialtone diagnose` says is to
be done, and by whom, and the faults by which each row is shown. Every fault is played twice, by the first phone of a
fresh network and by another one after a healthy day, and the verdict has to be the same; of a healthy network and of
the other phones all is said to be well, and nothing else.

Faults of *phones* are given by `dialtone sim break IMSI FAULT`; `dialtone sim faults` lists them. Faults of *networks*
are those of other cores: `lab.simulate.break_network("FAULT")` in a sandbox, and `Tampering(loop, "FAULT")` in a test,
change or lose what an element of ours sends. A rule looks at the trace alone, so a capture of a foreign network is
judged alike.
"""
_LIMITS = """
## What is shown otherwise, or in part

No row is left out. Four are worth a word:

* **D10** is seen where the trace has the phone's side, as in a sandbox: our own trace begins at SIP, and a TCP RST of
  this machine's kernel is not in it. Without it the verdict is that of D9, which names the firewall and routes, too.
* **D18, D19, D25** need the kernel's ESP. The flows stand in for the kernel's checks;
  `tests/kernel/test_pcscf_gm.py` has the counters of a real one.
* **D28** has one more fault that is no phone's and no message's: an eNB that refuses QCI 1 (`refused_qcis` of the
  simulated one).
* **D38** is no fault at all but a card of another PLMN; its verdict is a note, since calls work.
"""


def diagnosis() -> str:
    """The page."""
    parts = ["<!-- Made by `python -m dialtone.docs_index`. Do not edit: edit the code. -->\n", _HEAD, "\n",
             "| Row | Seen in the trace | Remedy | Who changes | Shown by |\n", "| --- | --- | --- | --- | --- |\n"]
    parts += [f"| {' | '.join(_row(row, seen))} |\n" for row, seen in ROWS.items()]
    parts += ["\n## Faults of phones\n\n", *_faults(Faults.table()), "\n## Faults of networks\n\n",
              *_faults(list(FAULTS.values())), _LIMITS]
    return "".join(parts)


def _row(row: str, seen: str) -> Iterator[str]:
    rules = [rule for rule in RULES if rule.row == row]
    yield row
    yield f"{seen}<br>" + ", ".join(f"`{rule.name}`" for rule in rules)
    yield "<br>".join(dict.fromkeys(text for rule in rules for text in (rule.network, rule.phone) if text)) or "—"
    yield "<br>".join(dict.fromkeys(_who(rule) for rule in rules if _who(rule)))
    faults = [fault.name for fault in (*Faults.table(), *FAULTS.values()) if fault.row == row]
    yield "<br>".join([*(f"`{fault}`" for fault in faults), *_tests(row, faults)])


def _who(rule: Rule) -> str:
    return " or ".join(who for who, text in (("network", rule.network), ("phone", rule.phone)) if text)


def _tests(row: str, faults: list[str]) -> Iterator[str]:
    for file in sorted((ROOT / "tests" / "flows").glob("test_*.py")):
        text = file.read_text()
        if (file.name.startswith("test_catalogue") and any(f'"{fault}"' in text for fault in faults)) or (
                f"{row}:" in text or f'"{row}"' in text):
            yield f"[{file.name}](../tests/flows/{file.name})"


def _faults(faults: list[Fault]) -> Iterator[str]:
    yield "| Fault | Where | What is wrong | Row |\n| --- | --- | --- | --- |\n"
    for fault in faults:
        yield f"| `{fault.name}` | {fault.where} | {fault.text} | {fault.row or '—'} |\n"
