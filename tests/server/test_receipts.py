"""A receipt says what was allowed and refused, is signed, and its code is kept nowhere."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from tests.people import JEAN, NOW, ROSA, House, codes, leaves, record_about, ring_of

from resguardo.allow.receipt import (
    EventState,
    InstitutionKind,
    StatedPurpose,
    read_receipt,
    receipt_hash,
    verify_receipt,
)
from resguardo.allow.receipt_code import read_code
from resguardo.allow.rights import Right
from resguardo.values import Refused
from resguardo_keyholder.asked import Recognised, Withheld
from resguardo_server import models
from resguardo_server.actions.allow import NotAllowed
from resguardo_server.actions.allow.asking import ask_right, deadline_for, requests_of
from resguardo_server.actions.allow.erasing import erase_record
from resguardo_server.actions.allow.opening import SealedText, open_texts
from resguardo_server.actions.allow.receipts import IssuedReceipt, issue_receipt
from resguardo_server.actions.keep import verify_journals
from resguardo_server.keyholders import keyholder


@pytest.fixture
def shelter(kept: House) -> House:
    """The shelter says where it is and who answers for the data."""
    models.Institution.objects.filter(id=kept.shelter.id).update(
        address="3.ª Poniente 12\nTapachula, Chiapas", contact="datos@albergue.example"
    )
    return kept


def subject_of(house: House, code: str) -> UUID:
    found: UUID = record_about(house.ana, code).subject_id
    return found


@pytest.fixture
def rosa(shelter: House) -> UUID:
    return subject_of(shelter, "C-0001")


@pytest.fixture
def issued(shelter: House, rosa: UUID) -> IssuedReceipt:
    return issue_receipt(shelter.ana, rosa, "es", now=NOW)


def findings() -> list[str]:
    """What is wrong with any journal."""
    return [one for journal in verify_journals(None, language="es") for one in journal["findings"]]


def stated(issued: IssuedReceipt, purpose: str) -> StatedPurpose:
    return next(one for one in read_receipt(issued.text).purposes if one.name == purpose)


def everything_stored() -> str:
    """Every value of every table, as text and in hexadecimal."""
    told = []
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{name}"')  # noqa: S608
            for row in cursor.fetchall():
                told += [
                    bytes(one).hex() + bytes(one).decode("latin-1")
                    if isinstance(one, bytes | memoryview)
                    else str(one)
                    for one in row
                ]
    return "\n".join(told)


def test_an_institution_that_does_not_say_where_it_is_hands_no_receipt_over(kept: House) -> None:
    with pytest.raises(Refused) as refused:
        issue_receipt(kept.ana, subject_of(kept, "C-0001"), "es", now=NOW)
    assert codes(refused.value.problems) == ["server.mine.no_address", "server.mine.no_contact"]
    assert not models.Receipt.objects.exists()


def test_a_receipt_says_each_yes_each_no_and_what_needs_neither(issued: IssuedReceipt) -> None:
    assert stated(issued, "training").events[-1].state is EventState.GIVEN
    assert stated(issued, "image_publication").events[-1].state is EventState.REFUSED
    assert stated(issued, "certification").events == ()
    assert read_receipt(issued.text).controller.address == "3.ª Poniente 12, Tapachula, Chiapas"


def test_a_receipt_is_signed_by_its_institution(shelter: House, issued: IssuedReceipt) -> None:
    assert verify_receipt(issued.text, keyholder().signature_key(shelter.shelter.id))
    assert not verify_receipt(issued.text, keyholder().signature_key(shelter.ministry.id))


def test_no_receipt_names_the_person_and_no_table_has_its_code(issued: IssuedReceipt) -> None:
    for answer in (ROSA["full_name"], ROSA["phone"], ROSA["email"], ROSA["identity_document"]):
        assert answer not in issued.text + issued.spoken
    stored = everything_stored()
    for form in (
        issued.code.text,
        issued.code.token_text,
        *("".join(issued.code.groups[:n]) for n in (2, 3)),
    ):
        assert form not in stored
    assert issued.code.token_text not in issued.text
    assert issued.code.token_text not in repr(issued)


def test_the_journal_has_the_receipts_hash_and_the_receipt_the_line_before(
    shelter: House, issued: IssuedReceipt
) -> None:
    line = leaves(shelter.shelter)[-1]
    assert (line["act"], line["dec"], line["consent"]) == ("consent", "allow", receipt_hash(issued.text))
    held = read_receipt(issued.text).held
    assert held is not None
    assert (held.subj, held.sn, held.hash) == (line["subj"], line["sn"] - 1, line["sp"])
    assert findings() == []


def test_the_code_and_one_answer_open_it_and_neither_alone(rosa: UUID, issued: IssuedReceipt) -> None:
    typed = read_code(issued.address)
    assert typed == issued.code
    right = keyholder().recognise(typed.token_text, "phone", "55550143", now=NOW)
    assert isinstance(right, Recognised)
    assert (right.subject, right.receipt) == (rosa, issued.id)
    for question, answer in (("phone", "55550144"), ("phone", ""), ("country", "GT"), ("nothing", "x")):
        assert isinstance(keyholder().recognise(typed.token_text, question, answer, now=NOW), Withheld)


def test_a_new_receipt_names_the_one_before_whose_code_opens_nothing_from_then_on(
    shelter: House, rosa: UUID, issued: IssuedReceipt
) -> None:
    later = issue_receipt(shelter.ana, rosa, "ht", now=NOW + timedelta(days=1))
    assert later.replaces == issued.id
    assert read_receipt(later.text).replaces == (issued.id, receipt_hash(issued.text))
    old = keyholder().recognise(issued.code.token_text, "phone", "55550143", now=NOW + timedelta(days=1))
    assert isinstance(old, Withheld)
    new = keyholder().recognise(later.code.token_text, "phone", "55550143", now=NOW + timedelta(days=1))
    assert isinstance(new, Recognised)


def test_who_may_open_nothing_of_a_person_gives_her_no_receipt(shelter: House) -> None:
    jean = subject_of(shelter, "C-0002")  # he agreed to nothing: certificates are a contract
    issue_receipt(shelter.ana, jean, "fr", now=NOW)
    with pytest.raises(Refused) as refused:
        issue_receipt(shelter.carla, jean, "fr", now=NOW)
    assert codes(refused.value.problems) == ["server.said.unknown_record"]
    only = models.Membership.objects.get(member__email=shelter.ana.name, role="caseworker")
    caseworker = type(shelter.ana)(shelter.ana.name, shelter.ana.institution, frozenset({only.role}))
    with pytest.raises(NotAllowed):
        issue_receipt(caseworker, jean, "fr", now=NOW)
    assert leaves(shelter.shelter)[-1]["dec"] == "deny"
    assert models.Receipt.objects.count() == 1
    assert JEAN["consent_training"] == "no"


def test_a_receiver_that_is_a_kind_of_institution_is_named_as_one(shelter: House, rosa: UUID) -> None:
    models.ConsentGiven.objects.create(
        subject_id=rosa, purpose="training", receiver="consulate", given=True, said_on=NOW.date()
    )
    models.ConsentGiven.objects.create(
        subject_id=rosa, purpose="training", receiver=shelter.ministry.slug, given=True, said_on=NOW.date()
    )
    text = issue_receipt(shelter.ana, rosa, "es", now=NOW).text
    receivers = [one.receivers for one in read_receipt(text).purposes if one.name == "training"]
    assert (InstitutionKind.CONSULATE,) in receivers
    assert [
        one[0].name for one in receivers if one and hasattr(one[0], "name") and hasattr(one[0], "id")
    ] == ["Ministerio de la Mujer"]


# Asking


def test_a_request_has_a_number_a_day_by_the_rulebook_and_a_line(shelter: House, rosa: UUID) -> None:
    promised = deadline_for(shelter.bruno.institution, Right.ACCESS, now=NOW)
    asked = ask_right(shelter.bruno, rosa, Right.ACCESS, "es", channel="in_person", now=NOW)
    row = models.RightsRequest.objects.get(id=asked.id)
    assert (asked.number, row.due_on, row.state) == (1, promised.due, "received")
    assert row.due_on > NOW.date()
    line = leaves(shelter.shelter)[-1]
    assert (line["act"], line["purpose"], line["role"], line["obj"]) == (
        "receive", "rights", "data_protection_officer", str(asked.id),
    )  # fmt: skip
    assert findings() == []


def test_her_own_words_are_sealed_and_end_with_her(shelter: House, rosa: UUID) -> None:
    words = "Mi apellido es Cojtí, con tilde; y ya no vivo en Nahualá."
    asked = ask_right(shelter.bruno, rosa, Right.RECTIFICATION, "es", channel="letter", words=words, now=NOW)
    sealed = bytes(models.RightsRequest.objects.get(id=asked.id).words)
    assert "Nahualá" not in everything_stored().replace(ROSA["employer"], "")
    assert open_texts(shelter.bruno, rosa, "rights", [SealedText(asked.id, sealed)], now=NOW) == [words]
    with pytest.raises(NotAllowed):
        open_texts(shelter.ana, rosa, "rights", [SealedText(asked.id, sealed)], now=NOW)
    erase_record(shelter.bruno, record_about(shelter.ana, "C-0001").id, now=NOW)
    assert bytes(models.RightsRequest.objects.get(id=asked.id).words) == b""


def test_the_same_right_is_not_asked_for_twice_while_it_waits(shelter: House, rosa: UUID) -> None:
    first = ask_right(shelter.bruno, rosa, Right.ERASURE, "es", channel="letter", now=NOW)
    with pytest.raises(Refused) as refused:
        ask_right(shelter.bruno, rosa, Right.ERASURE, "es", channel="letter", now=NOW)
    assert codes(refused.value.problems) == ["server.mine.asked_before"]
    models.RightsRequest.objects.filter(id=first.id).update(state="refused")
    again = ask_right(shelter.bruno, rosa, Right.ERASURE, "es", channel="letter", now=NOW)
    assert [one.number for one in requests_of(rosa, "MX", now=NOW)] == [again.number, first.number]


def test_nobody_asks_about_a_person_of_another_institution(shelter: House, rosa: UUID) -> None:
    with pytest.raises(Refused):
        ask_right(shelter.carla, rosa, Right.ACCESS, "es", channel="letter", now=NOW)
    assert not models.RightsRequest.objects.exists()
    assert json.dumps(leaves(shelter.ministry)) == "[]"
    assert ring_of(shelter.shelter.id) is not None
