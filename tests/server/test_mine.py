"""A person sees and does with her receipt what is hers to do, and nobody without the answer sees anything."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.utils import timezone
from tests.people import ROSA, House, bring, leaves, record_about, table
from tests.rules.collect.sheets import write_csv
from tests.server.test_receipts import everything_stored, findings

from resguardo.allow.receipt import EventState, read_receipt, verify_receipt
from resguardo.keep.checkpoint import VerifierKey
from resguardo.keep.proof import EntryProof
from resguardo_server import models
from resguardo_server.actions.allow import NotAllowed, correct_record, erase_record, open_record
from resguardo_server.actions.allow.asking import ANSWER, seal_text
from resguardo_server.actions.allow.person import in_iso, person_with, seen_of
from resguardo_server.actions.allow.receipts import IssuedReceipt, issue_receipt
from resguardo_server.actions.keep.journal import journal_key
from resguardo_server.keyholders import keyholder
from resguardo_server.pages.mine import receipt_page
from resguardo_server.session_store import SessionStore

PHONE = "5555 0143"


@pytest.fixture
def shelter(house: House, tmp_path: Any) -> House:
    """The shelter says where it is, and keeps Rosa's enrolment since today."""
    cache.clear()
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    models.Institution.objects.filter(id=house.shelter.id).update(
        address="3.ª Poniente 12, Tapachula", contact="datos@albergue.example"
    )
    told = {**ROSA, "consent_contact": "yes"}
    bring(house.ana, write_csv(tmp_path / "rosa.csv", table(told)), now=timezone.now())
    return house


@pytest.fixture
def rosa(shelter: House) -> UUID:
    found: UUID = record_about(shelter.ana, "C-0001").subject_id
    return found


@pytest.fixture
def issued(shelter: House, rosa: UUID) -> IssuedReceipt:
    return issue_receipt(shelter.ana, rosa, "es", now=timezone.now())


@pytest.fixture
def phone(client: Client, issued: IssuedReceipt) -> Client:
    """Rosa's telephone, after the code and the answer."""
    return entered(client, issued)


def entered(client: Client, issued: IssuedReceipt, answer: str = PHONE) -> Client:
    assert client.get(f"/r/{issued.code.token_text}").status_code == 303
    sent = client.post("/mine/enter/", {"question": "phone", "answer": answer})
    assert (sent.status_code, sent["Location"]) == (302, "/mine/")
    return client


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def is_closed(client: Client, address: str = "/mine/") -> bool:
    return "Esta página está cerrada" in text_of(client, address)


def session_of(client: Client) -> dict[str, Any]:
    return dict(SessionStore(client.session.session_key).load())


def permit_address(client: Client, title: str) -> str:
    """Where the switch of that permission leads."""
    found = re.search(
        rf'action="(/mine/allow/[0-9a-f]+/)"[^>]*><button[^>]*{title}', text_of(client, "/mine/")
    )
    assert found is not None
    return found[1]


# Coming in


def test_the_code_leaves_the_address_at_once_and_waits_in_the_session_for_minutes(
    client: Client, issued: IssuedReceipt
) -> None:
    answer = client.get(f"/r/{issued.code.token_text}/")
    assert (answer.status_code, answer["Location"]) == (303, "/mine/enter/")
    assert (answer["Referrer-Policy"], answer["Cache-Control"]) == ("no-referrer", "no-store")
    assert session_of(client)["mine_code"][0] == issued.code.token_text
    session = client.session
    session["mine_code"] = [issued.code.token_text, 1.0]
    session.save()
    assert "Escriba el código" in text_of(client, "/mine/enter/")


def test_after_the_answer_the_session_has_a_ticket_and_no_code(phone: Client, issued: IssuedReceipt) -> None:
    held = session_of(phone)
    assert "mine_code" not in held
    assert issued.code.token_text not in json.dumps(held)
    assert [key for key in held if key.startswith("mine_")] == ["mine_ticket", "mine_language"]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("phone", "+502 5555-0143"),
        ("full_name", "  cojti ixcoy ROSA xiomara"),
        ("email", "Rosa.Cojti@correo.example"),
        ("identity_document", "2456 71890 0901"),
    ],
)
def test_an_answer_may_be_written_in_any_way(
    client: Client, issued: IssuedReceipt, question: str, answer: str
) -> None:
    client.post("/mine/enter/", {"code": issued.code.text.lower().replace("-", " ")})
    assert client.post("/mine/enter/", {"question": question, "answer": answer})["Location"] == "/mine/"


def test_a_day_is_understood_as_people_here_write_it() -> None:
    assert in_iso("1/5/1990") == in_iso("01-05-1990") == "1990-05-01"
    assert in_iso("Rosa 1/5/1990") == "Rosa 1/5/1990"


def test_a_wrong_answer_gets_the_keyholders_sentence_and_five_of_them_a_rest(
    client: Client, issued: IssuedReceipt
) -> None:
    client.get(f"/r/{issued.code.token_text}")
    for _ in range(5):
        said = client.post("/mine/enter/", {"question": "phone", "answer": "7777 1111"}).content.decode()
        assert "El código o la respuesta no son correctos." in said
    said = client.post("/mine/enter/", {"question": "phone", "answer": PHONE}).content.decode()
    assert "Hubo varias respuestas equivocadas." in said
    assert is_closed(client)
    assert models.Alarm.objects.get(institution=issued_by(issued)).kind == "wrong_answers"


def issued_by(issued: IssuedReceipt) -> models.Institution:
    return models.Receipt.objects.get(id=issued.id).institution


def test_a_code_that_nobody_was_given_is_asked_like_any_other(client: Client, issued: IssuedReceipt) -> None:
    def asked(code: str) -> tuple[int, bool, list[str]]:
        other = Client()
        other.get(f"/r/{code}")
        names = re.findall(r'name="question"[^>]* value="([a-z_]+)"', text_of(other, "/mine/enter/"))
        answer = other.post("/mine/enter/", {"question": names[0], "answer": "7777 1111"})
        return answer.status_code, "no son correctos" in answer.content.decode(), names

    unknown, known = "0" * 20, issued.code.token_text
    assert asked(unknown)[:2] == asked(known)[:2] == (200, True)
    assert asked(unknown) == asked(unknown)
    assert asked(unknown)[2]


def test_a_mistyped_code_is_told_by_its_group(client: Client, issued: IssuedReceipt) -> None:
    first = issued.code.signs[0]
    wrong = ("1" if first != "1" else "2") + issued.code.signs[1:]
    assert "grupo 1" in client.post("/mine/enter/", {"code": wrong}).content.decode()
    assert client.get(f"/r/{wrong}").status_code == 303
    assert "grupo 1" in text_of(client, "/mine/enter/")


def test_one_network_cannot_try_without_end(client: Client, issued: IssuedReceipt) -> None:
    client.get(f"/r/{issued.code.token_text}")
    codes = [client.post("/mine/enter/", {"code": "x"}).status_code for _ in range(61)]
    assert codes == [200] * 60 + [429]


def test_without_a_ticket_or_after_its_quarter_of_an_hour_every_page_is_closed(
    phone: Client, issued: IssuedReceipt
) -> None:
    pages = ["/mine/", "/mine/seen/", "/mine/copy/", "/mine/ask/erasure/", permit_address(phone, "Organizar")]
    assert not any(is_closed(phone, page) for page in pages)
    assert all(is_closed(Client(), page) for page in pages)
    receipt, ticket, until = session_of(phone)["mine_ticket"]
    end = timezone.datetime.fromisoformat(until)
    assert end - timezone.now() <= timedelta(minutes=15)
    assert person_with(receipt, ticket, until, now=end - timedelta(seconds=1)) is not None
    assert person_with(receipt, ticket, until, now=end) is None
    session = phone.session
    session["mine_ticket"] = [receipt, ticket, timezone.now().isoformat()]
    session.save()
    assert all(is_closed(phone, page) for page in pages)


def test_a_ticket_that_the_keyholder_did_not_give_opens_no_answer(phone: Client) -> None:
    receipt, _ticket, until = session_of(phone)["mine_ticket"]
    session = phone.session
    session["mine_ticket"] = [receipt, "00" * 32, until]
    session.save()
    answer = phone.post("/mine/copy/", {"question": "phone", "answer": PHONE})
    assert answer["Content-Type"].startswith("text/html")
    assert "No se pudo hacer" in answer.content.decode()


def test_every_page_is_kept_by_no_browser_and_its_title_says_nothing(phone: Client) -> None:
    for page in ("/mine/", "/mine/seen/", "/mine/copy/", "/mine/ask/complaint/", "/mine/enter/"):
        answer = phone.get(page)
        assert answer["Cache-Control"] == "no-store"
        assert "<title>Información</title>" in answer.content.decode()


@pytest.mark.parametrize(
    ("language", "words"),
    [("es", "Qué guardamos"), ("en", "What we keep"), ("fr", "Ce que nous gardons"), ("ht", "Sa nou kenbe")],
)
def test_the_pages_speak_four_languages(phone: Client, language: str, words: str) -> None:
    page = text_of(phone, f"/mine/?lang={language}")
    assert f'<html lang="{language}">' in page
    assert words in page
    assert f'<html lang="{language}">' in text_of(phone, "/mine/seen/")


def test_the_page_to_hand_over_has_the_square_the_code_in_groups_and_the_workers_sheet(
    issued: IssuedReceipt, rf: RequestFactory
) -> None:
    answer = receipt_page(rf.get("/people/"), issued)
    page = answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert "<svg" in page
    assert all(f"<span>{group}</span>" in page for group in issued.code.groups)
    assert "Cómo entregar el comprobante" in page
    assert "Usted dijo que sí." in page
    assert ROSA["full_name"] not in page
    assert "<title>Información</title>" in page


# What she sees


def test_she_sees_what_is_kept_by_whom_and_until_when_and_nothing_was_opened(
    shelter: House, phone: Client
) -> None:
    before = len(leaves(shelter.shelter))
    page = text_of(phone, "/mine/")
    assert "Quién es usted: nombre, correo, teléfono y documento" in page
    assert "Albergue de Tapachula" in page
    kept = models.Record.objects.get()
    assert str(kept.keep_until.year) in page
    assert len(leaves(shelter.shelter)) == before
    for answer in (ROSA["full_name"], ROSA["phone"], ROSA["email"], ROSA["diet"]):
        assert answer not in page


def test_who_saw_it_is_what_happened(shelter: House, phone: Client, rosa: UUID) -> None:
    record = record_about(shelter.ana, "C-0001")
    now = timezone.now()
    open_record(shelter.ana, record.id, "training", ("identifier",), now=now)
    with pytest.raises(NotAllowed):
        open_record(shelter.ana, record.id, "image_publication", ("identifier",), now=now)
    open_record(shelter.bruno, record.id, "rights", now=now)
    correct_record(shelter.ana, record.id, {"diet": "Sin maní"}, "training", now=now)
    person = person_with(*session_of(phone)["mine_ticket"], now=now)
    assert person is not None
    seen = seen_of(person, "es")
    told = [(str(line.act), str(line.outcome), line.purpose, len(line.groups)) for line in seen.lines]
    training = "Organizar la formación y llevar la asistencia"
    rights = next(one.title["es"] for one in person.programme.purposes if one.name == "rights")
    assert told[::-1] == [
        ("create", "allow", training, 4),
        ("consent", "allow", training, 0),
        ("read", "allow", training, 1),
        ("read", "deny", "Publicar fotografías de la formación", 1),
        ("read", "allow", rights, 4),
        ("read", "allow", training, 4),
        ("update", "allow", training, 4),
    ]
    roles = [line.role for line in seen.lines if not line.refused]
    assert roles == ["Formación", "Formación", "Protección de datos", "Formación", "Formación", "Formación"]
    assert [line.entry for line in seen.lines] == sorted((line.entry for line in seen.lines), reverse=True)
    assert seen.whole
    ground_truth = [leaf for leaf in leaves(shelter.shelter) if "subj" in leaf]
    assert [(one["act"], one["dec"]) for one in ground_truth] == [one[:2] for one in told[::-1]]
    page = text_of(phone, "/mine/seen/")
    assert page.count('class="when"') == len(ground_truth)
    assert "No se permitió" in page
    for name in ("ana@", "bruno@", "Ana", "Bruno"):
        assert name not in page


def test_a_line_that_was_left_out_is_said(shelter: House, phone: Client, rosa: UUID) -> None:
    open_record(shelter.ana, record_about(shelter.ana, "C-0001").id, "training", now=timezone.now())
    assert "no falta ninguna" in text_of(phone, "/mine/seen/")
    entry = models.JournalEntry.objects.filter(institution=shelter.shelter).order_by("position")[1]
    models.JournalEntry.objects.filter(pk=entry.pk).update(leaf=b"{}")
    page = text_of(phone, "/mine/seen/")
    assert "En el registro falta una línea, o una fue cambiada." in page
    assert "no falta ninguna" not in page


def test_of_her_government_nothing_is_said_while_her_country_is_not_known(phone: Client) -> None:
    assert "gobierno de su país" not in text_of(phone, "/mine/")


def test_of_her_government_it_is_said_when_the_journal_proves_it(
    shelter: House, phone: Client, rosa: UUID
) -> None:
    from resguardo_keyholder.asked import WantedToken

    wanted = WantedToken("answer", ("origin", "hn"), subject=rosa)
    token = keyholder().tokens(shelter.shelter.id, [wanted])[0][0].token
    models.RecognisedAnswer.objects.create(
        subject_id=rosa, record=models.Record.objects.get(), question="origin", token=token
    )
    sentence = "En nuestro registro no aparece nadie del gobierno de su país."
    assert sentence in text_of(phone, "/mine/")
    models.Institution.objects.filter(id=shelter.shelter.id).update(kind="ministry")
    assert sentence in text_of(phone, "/mine/"), "a ministry of another country"
    models.Institution.objects.filter(id=shelter.shelter.id).update(country="HN")
    assert sentence not in text_of(phone, "/mine/"), "her own government keeps it"
    models.Institution.objects.filter(id=shelter.shelter.id).update(kind="consulate", country="MX")
    assert sentence not in text_of(phone, "/mine/"), "of which government a consulate is, is not said here"


# What she allows


def test_a_permission_is_taken_back_after_saying_what_changes(
    shelter: House, phone: Client, issued: IssuedReceipt, rosa: UUID
) -> None:
    address = permit_address(phone, "Organizar la formación")
    page = text_of(phone, address)
    assert "Lo que no cambia" in page
    assert models.ConsentGiven.objects.get(purpose="training").withdrawn_on is None
    before = models.Record.objects.get().keep_until
    assert phone.post(address)["Location"] == "/mine/"
    assert models.ConsentGiven.objects.get(purpose="training").withdrawn_on is not None
    with pytest.raises(NotAllowed):
        open_record(shelter.ana, record_about(shelter.ana, "C-0001").id, "training", now=timezone.now())
    line = next(leaf for leaf in reversed(leaves(shelter.shelter)) if leaf["act"] == "withdraw")
    row = models.Receipt.objects.get(id=issued.id)
    assert (line["role"], line["dec"], line["consent"]) == ("data_subject", "allow", row.digest)
    assert models.Record.objects.get().keep_until <= before
    page = text_of(phone, "/mine/")
    assert "Listo: quitó el permiso" in page
    assert "Retirado" in page
    assert "Listo: quitó el permiso" not in text_of(phone, "/mine/"), "said once"
    assert findings() == []


def test_the_receipt_after_a_withdrawal_is_signed_names_the_old_one_and_has_the_same_code(
    client: Client, shelter: House, phone: Client, issued: IssuedReceipt
) -> None:
    phone.post(permit_address(phone, "Organizar la formación"))
    row = models.Receipt.objects.get(id=issued.id)
    assert verify_receipt(row.text, keyholder().signature_key(shelter.shelter.id))
    receipt = read_receipt(row.text)
    assert receipt.replaces is not None
    assert receipt.replaces[0] == issued.id
    stated = {one.name: one.events[-1].state for one in receipt.purposes if one.events}
    assert stated["training"] is EventState.WITHDRAWN
    assert stated["follow_up"] is EventState.GIVEN
    assert row.replaces is not None
    assert row.replaces.text == issued.text
    entered(Client(), issued)


def test_nobody_takes_back_what_is_not_hers_or_twice(phone: Client) -> None:
    address = permit_address(phone, "Organizar la formación")
    phone.post(address)
    assert "ya no vale" in text_of(phone, address)
    assert "No se cambió nada." in phone.post(address).content.decode()
    assert "no está en su comprobante" in phone.post(f"/mine/allow/{'0' * 32}/").content.decode()


def test_a_permission_cannot_be_taken_back_by_looking(phone: Client) -> None:
    phone.get(permit_address(phone, "Organizar la formación"))
    assert models.ConsentGiven.objects.get(purpose="training").withdrawn_on is None


# What she asks for


@pytest.mark.parametrize(
    "right", ["access", "rectification", "erasure", "restriction", "objection", "portability", "complaint"]
)
def test_each_right_says_its_day_before_it_is_sent_and_is_on_file_after(
    shelter: House, phone: Client, issued: IssuedReceipt, right: str
) -> None:
    page = text_of(phone, f"/mine/ask/{right}/")
    promise = re.search(r"<strong>(Le respondemos a más tardar el [^<]*)</strong>", page)
    assert promise is not None
    assert not models.RightsRequest.objects.exists()
    words = "Escribieron mal mi apellido en Nahualá"
    sent = phone.post(f"/mine/ask/{right}/", {"words": words, "purpose": "statistics"})
    assert (sent.status_code, sent.get("Location")) == (302, "/mine/")
    row = models.RightsRequest.objects.get()
    assert (row.right, row.channel, row.receipt_id, row.state) == (
        right, "receipt", issued.id, "identity_confirmed",
    )  # fmt: skip
    assert row.purpose == ("statistics" if right == "objection" else "")
    page = text_of(phone, "/mine/")
    assert promise[1] in page
    assert "con el número 1" in page
    assert leaves(shelter.shelter)[-1]["role"] == "data_subject"
    assert "apellido en Nahualá" not in everything_stored()
    assert findings() == []


def test_a_mistake_is_not_sent_without_saying_which(phone: Client) -> None:
    said = phone.post("/mine/ask/rectification/", {"words": "  "}).content.decode()
    assert "con sus palabras" in said
    assert not models.RightsRequest.objects.exists()


def test_she_reads_her_words_and_the_answer_and_the_journal_says_so(shelter: House, phone: Client) -> None:
    phone.post("/mine/ask/complaint/", {"words": "¿Quién es la enfermera?"})
    row = models.RightsRequest.objects.get()
    row.answer = seal_text(row.subject, row.id, "Se lo decimos en persona.", version=ANSWER)
    row.state, row.answered_at = "answered", timezone.now()
    row.save()
    page = text_of(phone, f"/mine/requests/{row.id}/")
    assert "enfermera" not in page
    opened = phone.post(f"/mine/requests/{row.id}/").content.decode()
    assert "¿Quién es la enfermera?" in opened
    assert "Se lo decimos en persona." in opened
    last = leaves(shelter.shelter)[-1]
    assert (last["act"], last["role"], last["purpose"], last["fields"]) == (
        "read",
        "data_subject",
        "rights",
        [3],
    )


def test_a_request_of_somebody_else_is_not_there(phone: Client) -> None:
    assert phone.get("/mine/requests/00000000-0000-4000-8000-000000000000/").status_code == 404
    assert phone.get("/mine/ask/everything/").status_code == 404


# What she takes with her


def package(client: Client) -> zipfile.ZipFile:
    answer = client.post("/mine/copy/", {"question": "phone", "answer": PHONE})
    assert answer["Content-Type"] == "application/zip"
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Disposition"] == 'attachment; filename="informacion.zip"'
    return zipfile.ZipFile(io.BytesIO(answer.content))


def test_her_copy_has_every_answer_every_opening_with_its_proof_and_her_receipts(
    shelter: House, phone: Client, rosa: UUID
) -> None:
    open_record(shelter.ana, record_about(shelter.ana, "C-0001").id, "training", now=timezone.now())
    files = package(phone)
    rows = csv.reader(io.StringIO(files.read("datos.csv").decode("utf-8-sig")))
    answers = {row[3]: row[5] for row in rows}
    assert answers["full_name"] == ROSA["full_name"]
    assert answers["diet"] == ROSA["diet"]
    assert answers["sex"] == "Mujer"
    journal = json.loads(files.read("registro.json"))
    assert journal["whole"] is True
    assert [one["act"] for one in journal["openings"]] == ["create", "consent", "read", "read"]
    log = VerifierKey.read(journal_key(shelter.ana.institution))
    proofs = [name for name in files.namelist() if name.startswith("pruebas/")]
    assert len(proofs) == 4
    for name in proofs:
        proof = EntryProof.read(files.read(name).decode())
        assert proof.holds(log)
    assert len([name for name in files.namelist() if name.startswith("comprobantes/")]) == 1
    page = files.read("leame.html").decode()
    assert ROSA["full_name"] in page
    assert "ana@albergue" not in page


def test_a_copy_needs_the_answer_again_and_three_wrong_ones_close_the_page(phone: Client) -> None:
    for _ in range(2):
        said = phone.post("/mine/copy/", {"question": "phone", "answer": "1111 1111"}).content.decode()
        assert "no son correctos" in said
    assert not is_closed(phone)
    phone.post("/mine/copy/", {"question": "phone", "answer": "1111 1111"})
    assert is_closed(phone)


# Leaving, and after


def test_leaving_ends_the_session_and_the_browser_forgets(phone: Client) -> None:
    answer = phone.get("/leave")
    assert (answer.status_code, answer["Location"]) == (303, "/leave/days/?lang=es")
    assert answer["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert (answer["Referrer-Policy"], answer["Cache-Control"]) == ("no-referrer", "no-store")
    calendar = text_of(phone, answer["Location"])
    assert "Calendario" in calendar
    assert "esguardo" not in re.sub(r"<head>.*?</head>", "", calendar, flags=re.S)
    assert is_closed(phone)
    assert not Session.objects.exists() or "mine_ticket" not in session_of(phone)


def test_after_erasure_the_code_opens_nothing_and_says_since_when(
    client: Client, shelter: House, phone: Client, issued: IssuedReceipt
) -> None:
    now = timezone.now()
    erase_record(shelter.bruno, record_about(shelter.ana, "C-0001").id, now=now)
    assert is_closed(phone)
    other = Client()
    other.get(f"/r/{issued.code.token_text}")
    page = other.post("/mine/enter/", {"question": "phone", "answer": PHONE}).content.decode()
    assert "Este código ya no abre nada" in page
    erasure = models.Erasure.objects.get()
    assert erasure.entry in page
    assert "30 días después del próximo cambio de llaves" in page
    models.Erasure.objects.update(unrecoverable_on=now + timedelta(days=40))
    other.get(f"/r/{issued.code.token_text}")
    page = other.post("/mine/enter/", {"question": "phone", "answer": PHONE}).content.decode()
    assert "nadie puede recuperarlos" in page


def test_a_replaced_receipt_opens_nothing_also_where_its_page_is_open(
    shelter: House, phone: Client, rosa: UUID
) -> None:
    issue_receipt(shelter.ana, rosa, "es", now=timezone.now())
    assert is_closed(phone)


# What is nowhere in clear


def test_no_table_and_no_log_has_the_code_the_ticket_or_an_answer(
    phone: Client, issued: IssuedReceipt, caplog: pytest.LogCaptureFixture
) -> None:
    from resguardo_server.quiet_log import NoPersonalText

    phone.post("/mine/ask/complaint/", {"words": "No quiero que llamen a Nahualapa"})
    stored = everything_stored()
    ticket = session_of(phone)["mine_ticket"][1]
    for told in (issued.code.token_text, issued.code.text, ticket, "55550143", "Nahualapa"):
        assert told not in stored
    record = logging.LogRecord(
        "django.request", logging.WARNING, "", 0, "Not Found: /r/%s", (issued.code.token_text,), None
    )
    assert NoPersonalText().filter(record)
    assert issued.code.token_text not in record.getMessage()
    for line in caplog.records:
        NoPersonalText().filter(line)
        assert issued.code.token_text not in line.getMessage()


def test_odd_things_sent_to_these_pages_are_no_fault(phone: Client, issued: IssuedReceipt) -> None:
    odd = ("", "\x00", "\ud800".encode("utf-8", "replace").decode(), "ñ" * 3000, "<b>", "%", "'; --")
    other = Client()
    for one in odd:
        assert other.post("/mine/enter/", {"code": one}).status_code == 200
        assert phone.post("/mine/ask/complaint/", {"words": one}).status_code in (200, 302)
        assert phone.post("/mine/copy/", {"question": one, "answer": one}).status_code == 200
    other.get(f"/r/{issued.code.token_text}")
    for one in odd:
        assert other.post("/mine/enter/", {"question": one, "answer": one}).status_code == 200
