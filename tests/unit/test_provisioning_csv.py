# SPDX-License-Identifier: Apache-2.0
"""CSV import: dry run, aliases, encodings, what spreadsheets do, collisions, and one transaction."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialtone.errors import LocalError
from dialtone.hss import csv_import
from dialtone.hss.csv_import import plan_import
from dialtone.hss.store import Store
from dialtone.hss.subscriber import Apn, Profile
from dialtone.hss.writer import commit_now
from dialtone.ids import Plmn

PROFILES = {"default": Profile("default", (Apn("internet"), Apn("ims", qci=5)))}
# TS 35.208, sets 1 and 3
K1, OPC1 = "465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf"
K2, OPC2 = "fec86ba6eb707ed08905757b1bb44b8f", "1006020f0a478bf6b699f15c062e42b3"
OP2 = "dbc59adcb6f9a0ef735477b7fadf8374"
IMSI1, IMSI2 = "001010000000001", "001010000000002"
SIMPLE = f"imsi,ki,opc\n{IMSI1},{K1},{OPC1}\n{IMSI2},{K2},{OPC2}\n"


def plan(text, present=(), home=None):
    data = text if isinstance(text, bytes) else text.encode()
    return plan_import(data, present=present, profiles=PROFILES, home=home)


def subscribers(text):
    done = plan(text)
    assert done.errors == []
    return [row.subscriber for row in done.add]


def errors(text, present=()):
    return [(f.line, f.problem.column, f"{f.problem.text} {f.problem.remedy}") for f in plan(text, present).errors]


def test_a_simple_file():
    done = plan(SIMPLE)
    assert [(row.line, row.subscriber.imsi, row.subscriber.k.hex()) for row in done.add] == [
        (2, IMSI1, K1),
        (3, IMSI2, K2),
    ]
    assert done.summary().startswith("2 to add, 0 unchanged")
    assert done.doubts == []


@pytest.mark.parametrize(
    "text",
    [
        SIMPLE.replace(",", ";"),
        SIMPLE.replace(",", "\t"),
        SIMPLE.replace(",", " , "),
        SIMPLE.replace("\n", "\r\n"),
        SIMPLE.replace("\n", "\n\n  \n# a comment, with a comma\n"),
        SIMPLE.replace("imsi,ki,opc", '"IMSI","Ki","OPC"'),
        SIMPLE.replace(IMSI1, f'"{IMSI1}"').replace(K1, f'"{K1}"'),
        SIMPLE.replace(IMSI1, f'"=""{IMSI1}"""'),
        SIMPLE.encode("utf-8-sig"),
        SIMPLE.encode("utf-16"),
        (SIMPLE.replace("ki", "ki,name").replace(K1, K1 + ",Zoë").replace(K2, K2 + ",x")).encode("cp1252"),
        SIMPLE.rstrip("\n"),
        SIMPLE.replace("\n", ",,\n"),
    ],
)
def test_however_it_was_exported(text):
    assert subscribers(text) == subscribers(SIMPLE)


def test_columns_of_card_lists():
    sysmocom = (
        "IMSI;ICCID;ACC;PIN1;PUK1;PIN2;PUK2;Ki;OPC;ADM1;KIC1;KID1;KIK1;SCP02_ENC\n"
        f"{IMSI1};8988211000000000001;0001;1234;1;2;3;{K1};{OPC1};12345678;a;b;c;d\n"
    )
    pysim = (
        "name,iccid,mcc,mnc,imsi,smsp,ki,opc,adm1\n"
        f"Magic,8988211000000000001,001,01,{IMSI1},,{K1},{OPC1},12345678\n"
    )
    for text in (sysmocom, pysim):
        done = plan(text)
        assert done.errors == done.doubts == []
        assert [row.subscriber for row in done.add] == subscribers(SIMPLE)[:1]
        assert {"imsi", "k", "opc"} == set(done.columns.values())


def test_all_fields():
    text = (
        "imsi,K,OP,AMF,MSISDN,IMPI,IMPUs,ISIM_Ki,ISIM OPc,tags,profile,address\n"
        f'{IMSI2},{K2},{OP2},9001,"+41791234567;1001",me@x,sip:me@x tel:1,'
        f"{K1},{OPC1},class-a lab,default,ims=10.46.0.7 ims=2001:db8:cafe:8007::/64\n"
    )
    (s,) = subscribers(text)
    assert (s.opc.hex(), s.amf.hex(), s.msisdns) == (OPC2, "9001", ("41791234567", "1001"))
    assert (s.impi, s.impus) == ("me@x", ("sip:me@x", "tel:1"))
    assert (s.isim_k.hex(), s.isim_opc.hex()) == (K1, OPC1)
    assert (*s.tags, *map(str, s.addresses_at("ims"))) == (
        "class-a", "lab", "10.46.0.7", "2001:db8:cafe:8007::/64")


def test_errors_name_line_column_and_remedy():
    text = (
        "imsi,ki,opc,msisdn\n"
        f"1.01E+14,{K1},{OPC1},\n"
        f"{IMSI2},4.65E+31,{OPC2},\n"
        "\n"
        f"001010000000003,{K1},{OPC1},0791234567\n"
        f"1010000000004,{K1},{OPC1},1004\n"
    )
    found = errors(text)
    assert [(line, column) for line, column, _ in found] == [(2, "imsi"), (3, "k"), (5, "msisdn"), (6, "imsi")]
    assert "1.01E+14 is what a spreadsheet makes of a long number" in found[0][2]
    assert "Mark the column as text" in found[0][2]
    assert "4.65E+31" not in found[1][2], "what is left of a key is still part of a key"
    assert "zeros at the front" in found[3][2]
    with pytest.raises(LocalError, match=r"4 errors, the first at line 2.*nothing of it was imported"):
        plan(text).writes(now=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SIMPLE + f"{IMSI1},{K1},{OPC1}\n", [(4, "imsi", "on line 2 already")]),
        (
            f"imsi,ki,opc,msisdn\n{IMSI1},{K1},{OPC1},1001\n{IMSI2},{K2},{OPC2},1001\n",
            [(3, "msisdn", f"1001 belongs to IMSI {IMSI1} (on line 2)")],
        ),
        (
            f"imsi,ki,opc,impu\n{IMSI1},{K1},{OPC1},sip:a@x\n{IMSI2},{K2},{OPC2},sip:a@x\n",
            [(3, "impu", "sip:a@x belongs")],
        ),
        (
            f"imsi,ki,opc,ip\n{IMSI1},{K1},{OPC1},10.45.0.9\n{IMSI2},{K2},{OPC2},internet=10.45.0.9\n",
            [(3, "address", "10.45.0.9 at internet belongs")],
        ),
        (SIMPLE + f"001010000000003,{K1},{OPC1},more\n", [(4, "", "more cells than there are titles")]),
        (f'imsi,ki,opc\n"{IMSI1},{K1},{OPC1}\n{IMSI2},{K2},{OPC2}\n', [(2, "", "quotation mark is not closed")]),
    ],
)
def test_what_collides_inside_the_file(text, expected):
    found = errors(text)
    assert [(line, column) for line, column, _ in found] == [(line, column) for line, column, _ in expected]
    for (_, _, sentence), (_, _, words) in zip(found, expected, strict=True):
        assert words in sentence


def test_present_subscribers_are_unchanged_or_conflict():
    present = subscribers(f"imsi,ki,opc,tags\n{IMSI1},{K1},{OPC1},old\n{IMSI2},{K2},{OPC2},old\n")
    done = plan(f"imsi,ki,op,tags\n{IMSI1},{K1},,\n{IMSI2},{K2},{OP2},new\n", present)
    assert [row.subscriber for row in done.unchanged] == present[:1], "a column that is empty changes nothing"
    assert [(row.line, row.differs) for row in done.conflicts] == [(3, ("tags",))]
    assert done.writes(now=1) == []
    (write,) = done.writes(now=1, overwrite=True)
    assert write.overwrite
    assert write.subscriber.tags == ("new",)
    keys = plan(f"imsi,ki,opc\n{IMSI1},{K2},{OPC2}\n", present)
    assert keys.conflicts[0].differs == ("k", "opc")


def test_a_number_that_somebody_has():
    present = subscribers(f"imsi,ki,opc,msisdn\n{IMSI1},{K1},{OPC1},1001\n")
    ((line, column, text),) = errors(f"imsi,ki,opc,msisdn\n{IMSI2},{K2},{OPC2},1001\n", present)
    assert (line, column) == (2, "msisdn")
    assert f"belongs to IMSI {IMSI1} (in the store)" in text


def test_an_op_in_the_column_of_opc_is_suspected():
    done = plan(f"imsi,ki,opc\n{IMSI1},{K1},{OP2}\n{IMSI2},{K2},{OP2}\n")
    assert done.errors == []
    (doubt,) = done.doubts
    assert doubt.line == 2
    assert "very likely an OP" in str(doubt)


def test_doubts_about_cards_and_titles():
    done = plan(f"imsi,ki,opc,msidsn,banana\n{IMSI1},{K1},{OPC1},1,2\n", home=Plmn("999", "70"))
    texts = [str(doubt) for doubt in done.doubts]
    assert any("msidsn" in text and "Is msisdn meant?" in text for text in texts)
    assert any("banana" in text for text in texts)
    assert any(text.startswith("line 2: imsi") and "999/70" in text for text in texts)
    assert done.ignored == ["msidsn", "banana"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no title imsi"),
        (f"{IMSI1},{K1},{OPC1}\n".encode(), "no title imsi"),
        (b"ki,opc\n", "no title imsi"),
        (b"imsi,ki,key\n", "Two columns are k"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"imsi\x00ki", "no text file"),
    ],
)
def test_what_is_no_card_list(data, words):
    with pytest.raises(LocalError, match=words) as caught:
        plan(data)
    assert K1 not in str(caught.value)


def test_huge_files_are_refused(monkeypatch):
    monkeypatch.setattr(csv_import, "MAX_ROWS", 3)
    row = f"{IMSI1},{K1},{OPC1}\n"
    with pytest.raises(LocalError, match="more than 3 lines"):
        plan("imsi,ki,opc\n" + row * 4)
    monkeypatch.setattr(csv_import, "MAX_BYTES", 100)
    with pytest.raises(LocalError, match="MB"):
        plan("imsi,ki,opc\n" + row * 2)


def test_a_quotation_mark_that_is_never_closed_in_a_long_file():
    row = f"{IMSI1},{K1},{OPC1}\n"
    with pytest.raises(LocalError, match="Line 2"):
        plan('imsi,ki,opc\n"' + row * 3000)


def test_the_apply_is_one_transaction(tmp_path):
    store = Store(tmp_path / "dialtone.db")
    done = plan_import(SIMPLE.encode(), present=store.subscribers(), profiles=store.profiles())
    commit_now(store.path, done.writes(now=1))
    assert [s.imsi for s in store.subscribers()] == [IMSI1, IMSI2]
    # Somebody takes a number between the dry run and the commit: nothing of the file is imported.
    text = f"imsi,ki,opc,msisdn\n001010000000003,{K1},{OPC1},1003\n001010000000004,{K2},{OPC2},1004\n"
    done = plan_import(text.encode(), present=store.subscribers(), profiles=store.profiles())
    meanwhile = plan_import(
        f"imsi,msisdn\n{IMSI2},1004\n".encode(), present=store.subscribers(), profiles=store.profiles()
    )
    commit_now(store.path, meanwhile.writes(now=1, overwrite=True))
    with pytest.raises(LocalError, match="1004"):
        commit_now(store.path, done.writes(now=1))
    assert [s.imsi for s in store.subscribers()] == [IMSI1, IMSI2]
    again = plan_import(SIMPLE.encode(), present=store.subscribers(), profiles=store.profiles())
    assert (len(again.add), len(again.unchanged), len(again.conflicts)) == (0, 2, 0)
    store.close()


@settings(max_examples=150)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda t: ("imsi,ki,opc\n" + t).encode())))
def test_any_file_ends_in_a_plan_or_an_error_in_words(data):
    with contextlib.suppress(LocalError):
        assert plan_import(data, present=(), profiles=PROFILES).add == []
