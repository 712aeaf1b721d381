"""A file is sealed until a purpose opens a part of it; every refusal names a rule and holds no datum."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from tests.people import NOW, YESENIA, House, bring, leaves, member, table
from tests.rules.collect.sheets import write_csv
from tests.signed_in import signed_in

from resguardo_keyholder.asked import Ceilings
from resguardo_keyholder.budget import Spent
from resguardo_server import models
from resguardo_server.actions.allow.finding import case_code
from resguardo_server.keyholders import keyholder
from resguardo_server.languages_build import compile_messages

SECRETS = ("Yesenia", "Orellana", "La Maestra", "E-7741902", "7777 0155", "Tecún Umán")
KEPT_HIDDEN = (*SECRETS, "34")


@pytest.fixture(autouse=True, scope="module")
def _ready() -> None:
    """The sentences are compiled and the folder of collected files is there."""
    compile_messages()
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def yesenia(house: House, tmp_path: Path) -> models.Record:
    """Registered yesterday: consents run by the real clock in these tests."""
    told = {**YESENIA, "registered_on": (timezone.now() - timedelta(days=3)).date().isoformat()}
    kept = bring(house.ana, write_csv(tmp_path / "registro.csv", table(told)), "assistance", "registration")
    assert (kept.kept, kept.refused) == (1, 0), kept.problems
    return models.Record.objects.get(institution=house.shelter)


@pytest.fixture
def ana(house: House, client: Client) -> Client:
    return signed_in(client, models.Member.objects.get(email="ana@albergue.example"))


def as_member(email: str) -> Client:
    return signed_in(Client(), models.Member.objects.get(email=email))


def address(record: models.Record, more: str = "") -> str:
    return f"/people/{record.subject_id}/{more}"


def opened(who: Client, record: models.Record, purpose: str, *groups: str, **more: str) -> Any:
    return who.post(address(record, "open/"), {"purpose": purpose, "open": list(groups), **more})


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def nothing_of_her(answer: Any) -> str:
    text = text_of(answer)
    assert not [secret for secret in SECRETS if secret in text]
    return text


# The list and the search


@pytest.mark.django_db
def test_the_list_shows_codes_and_no_name(ana: Client, yesenia: models.Record) -> None:
    answer = ana.get("/people/")
    text = nothing_of_her(answer)
    assert case_code(yesenia.subject_id) in text
    assert "TAP-2026-014" not in text
    assert answer["Cache-Control"] == "no-store"


def test_a_case_code_is_read_back_whatever_sign_was_taken_for_another() -> None:
    subject = UUID("12345678-9abc-4def-8123-456789abcdef")
    assert re.fullmatch("[0-9CFHJKMNPRTWXY]{4}-[0-9CFHJKMNPRTWXY]{4}", case_code(subject))


@pytest.mark.django_db
def test_a_telephone_finds_the_case_and_leaves_one_line_that_names_nobody(
    ana: Client, house: House, yesenia: models.Record
) -> None:
    answer = ana.post("/people/", {"by": "phone", "value": "7777-0155", "for": "assistance:assistance"})
    text = text_of(answer)
    assert case_code(yesenia.subject_id) in text
    assert "Su búsqueda quedó anotada." in text
    line = leaves(house.shelter)[-1]
    assert (line["act"], line["purpose"], line["dec"]) == ("search", "assistance", "allow")
    assert "subj" not in line


@pytest.mark.django_db
@pytest.mark.parametrize(
    "asked",
    [
        {"by": "document", "value": "E7741902", "for": "assistance:assistance"},
        {"by": "name", "value": "orellana yesenia", "year": "AGE", "for": "assistance:assistance"},
        {"by": "code", "value": "CODE"},
    ],
)
def test_she_is_found_by_document_by_name_and_year_and_by_code(
    ana: Client, yesenia: models.Record, asked: Mapping[str, str]
) -> None:
    told = {
        **asked,
        "value": asked["value"].replace("CODE", case_code(yesenia.subject_id).lower()),
        "year": asked.get("year", "").replace("AGE", str(timezone.now().year - 34)),
    }
    assert f'href="{address(yesenia)}"' in text_of(ana.post("/people/", told))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"by": "phone", "value": "7777-0155"}, "Elija para qué lo necesita"),
        ({"by": "phone", "value": "12", "for": "assistance:assistance"}, "seis cifras o más"),
        ({"by": "name", "value": "Yesenia", "for": "assistance:assistance"}, "el año de nacimiento"),
        ({"by": "code", "value": "hola"}, "ocho letras y cifras"),
        ({"by": "spell", "value": "hola"}, "por qué va a buscar"),
        ({"by": "phone", "value": "7777-0155", "for": "assistance:nothing"}, "no puede usar registros"),
    ],
)
def test_a_search_that_cannot_be_made_says_what_to_do(
    ana: Client, yesenia: models.Record, asked: Mapping[str, str], sentence: str
) -> None:
    text = text_of(ana.post("/people/", dict(asked)))
    assert sentence in text
    assert case_code(yesenia.subject_id) not in text


@pytest.mark.django_db
def test_who_is_not_there_gives_the_next_thing_to_do(ana: Client, yesenia: models.Record) -> None:
    answer = ana.post("/people/", {"by": "phone", "value": "5555 0000", "for": "assistance:assistance"})
    assert "No se encontró a nadie" in text_of(answer)


# The file


@pytest.mark.django_db
def test_a_file_is_sealed_until_a_purpose_is_chosen_and_to_look_at_it_opens_nothing(
    ana: Client, house: House, yesenia: models.Record
) -> None:
    before = leaves(house.shelter)
    text = nothing_of_her(ana.get(address(yesenia)))
    assert text.count('class="sealed-box"') == 4
    assert "Se abre solo para" in text
    assert leaves(house.shelter) == before
    assert case_code(yesenia.subject_id) not in re.search("<title>(.*)</title>", text).group(1)  # type: ignore[union-attr]


@pytest.mark.django_db
def test_a_purpose_opens_the_plain_facts_and_each_further_group_is_one_more_line(
    ana: Client, house: House, yesenia: models.Record
) -> None:
    before = len(leaves(house.shelter))
    text = nothing_of_her(opened(ana, yesenia, "assistance"))
    assert "TAP-2026-014" in text
    assert leaves(house.shelter)[-1]["fields"] == [4]
    answer = opened(ana, yesenia, "assistance", "plain", add="identifier")
    text = text_of(answer)
    assert "Yesenia Maribel Orellana" in text
    assert "Tecún Umán" not in text
    assert leaves(house.shelter)[-1]["fields"] == [1, 4]
    assert len(leaves(house.shelter)) == before + 2
    assert f"línea {len(leaves(house.shelter)) - 1}" in text
    assert answer["Cache-Control"] == "no-store"
    assert answer["Refresh"].endswith(address(yesenia))


@pytest.mark.django_db
def test_a_document_is_masked_and_labels_stand_for_codes(ana: Client, yesenia: models.Record) -> None:
    text = text_of(opened(ana, yesenia, "assistance", "identifier", add="quasi"))
    assert "•••• 902" in text
    assert "<details><summary>Ver completo" in text
    assert "El Salvador" in text
    assert ">SV<" not in text


@pytest.mark.django_db
def test_a_repeat_is_a_list_inside_the_answers(ana: Client, yesenia: models.Record) -> None:
    text = text_of(opened(ana, yesenia, "assistance", add="sensitive"))
    assert text.count("<li><dl") == 2
    assert "Tecún Umán, junto al río" in text


@pytest.mark.django_db
def test_what_is_sealed_again_is_in_no_later_answer(ana: Client, yesenia: models.Record) -> None:
    opened(ana, yesenia, "assistance", "plain", add="identifier")
    nothing_of_her(opened(ana, yesenia, "assistance", "plain", "identifier", seal="identifier"))
    nothing_of_her(ana.get(address(yesenia)))


@pytest.mark.django_db
def test_a_group_says_for_which_purpose_it_opens_and_not_what_is_in_it(
    ana: Client, yesenia: models.Record
) -> None:
    text = nothing_of_her(opened(ana, yesenia, "consular_contact"))
    assert "Se abre solo para" in text
    models.SealedGroup.objects.filter(record=yesenia, group=3).delete()
    again = nothing_of_her(opened(ana, yesenia, "consular_contact"))
    same = re.compile('<section class="group" id="sensitive">.*?</section>', re.DOTALL)
    assert same.search(text).group(0) == same.search(again).group(0)  # type: ignore[union-attr]


def test_nobody_may_use_a_group_that_the_purpose_does_not_open(
    db: None, ana: Client, house: House, yesenia: models.Record
) -> None:
    answer = opened(ana, yesenia, "consular_contact", add="sensitive")
    text = nothing_of_her(answer)
    assert "no cubre todas las respuestas" in text
    assert "Su intento quedó anotado." in text
    assert leaves(house.shelter)[-1]["dec"] == "deny"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "purpose", "sentence"),
    [
        ("consent", "assistance", "No hay un consentimiento válido"),
        ("restricted", "assistance", "está limitado"),
        ("objection", "assistance", "se opuso"),
        ("", "made_up", "no tiene la finalidad"),
        ("", "rights", "no puede usar registros"),
    ],
)
def test_a_refusal_names_its_rule_and_nothing_of_her(
    ana: Client, house: House, yesenia: models.Record, change: str, purpose: str, sentence: str
) -> None:
    subject = yesenia.subject
    if change == "consent":
        subject.consents.update(withdrawn_on=timezone.now().date())
    elif change == "restricted":
        models.Subject.objects.filter(id=subject.id).update(restricted=True)
    elif change == "objection":
        models.Objection.objects.create(subject=subject, purpose="assistance", made_on=NOW.date())
    text = nothing_of_her(opened(ana, yesenia, purpose, add="identifier"))
    assert sentence in text
    assert leaves(house.shelter)[-1]["dec"] == "deny"


@pytest.mark.django_db
def test_another_institution_learns_not_even_that_there_is_a_file(
    house: House, yesenia: models.Record
) -> None:
    carla = as_member("carla@ministerio.example")
    for more in ("", "correct/", "erase/", "emergency/", "withdraw/1/"):
        assert carla.get(address(yesenia, more)).status_code == 404
        assert carla.get(f"/people/{uuid4()}/{more}").status_code == 404
    assert opened(carla, yesenia, "assistance").status_code == 404


@pytest.mark.django_db
def test_a_role_that_works_with_nobody_is_turned_away(house: House, yesenia: models.Record) -> None:
    member("paula@albergue.example", house.shelter, "press_officer")
    paula = as_member("paula@albergue.example")
    assert paula.get("/people/").status_code == 403
    assert paula.get(address(yesenia)).status_code == 404


@pytest.mark.django_db
def test_a_suspended_role_opens_nothing(ana: Client, yesenia: models.Record) -> None:
    models.Membership.objects.filter(member__email="ana@albergue.example").update(
        suspended_on=timezone.now().date()
    )
    assert ana.get("/people/").status_code == 403
    assert opened(ana, yesenia, "assistance").status_code == 403


@pytest.mark.django_db
def test_what_happened_says_you_to_whom_it_was_and_a_role_to_others(
    ana: Client, house: House, yesenia: models.Record
) -> None:
    opened(ana, yesenia, "assistance", add="identifier")
    assert re.search(
        'Se abrió · Identidad</strong><span class="when">Usted ·', text_of(ana.get(address(yesenia)))
    )
    member("beto@albergue.example", house.shelter, "caseworker")
    beto = text_of(as_member("beto@albergue.example").get(address(yesenia)))
    assert "Se abrió · Identidad" in beto
    assert "Usted ·" not in beto
    assert "ana@" not in beto


@pytest.mark.django_db
def test_no_address_of_a_file_is_kept_by_a_browser(ana: Client, yesenia: models.Record) -> None:
    for more in ("", "correct/", "erase/"):
        assert ana.get(address(yesenia, more))["Cache-Control"] == "no-store"


# Correcting, consents, erasing


def corrected(who: Client, record: models.Record, **more: str) -> Any:
    told = {"record": str(record.id), "question": "phone", "value": "+503 7777 0166", "purpose": "assistance"}
    return who.post(address(record, "correct/"), told | more)


@pytest.mark.django_db
def test_a_telephone_is_corrected_for_a_purpose_and_the_file_says_so(
    ana: Client, yesenia: models.Record
) -> None:
    asking = text_of(ana.get(address(yesenia, f"correct/?record={yesenia.id}&question=phone")))
    assert "7777 0155" not in asking
    assert corrected(ana, yesenia).status_code == 302
    text = text_of(opened(ana, yesenia, "assistance", add="identifier"))
    assert "+503 7777 0166" in text
    assert "Se corrigió" in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"purpose": ""}, "Elija para qué lo necesita"),
        ({"purpose": "consular_contact"}, "no cubre todas las respuestas"),
        ({"question": "age", "value": "hola"}, "edad"),
    ],
)
def test_a_correction_that_cannot_be_made_says_why_and_changes_nothing(
    ana: Client, yesenia: models.Record, more: dict[str, str], sentence: str
) -> None:
    answer = corrected(ana, yesenia, **more)
    assert answer.status_code == 200
    assert sentence in text_of(answer).lower() or sentence in text_of(answer)
    yesenia.refresh_from_db()
    assert yesenia.version == 1


@pytest.mark.django_db
def test_a_consent_is_taken_back_and_its_purpose_opens_nothing_more(
    ana: Client, yesenia: models.Record
) -> None:
    page = text_of(ana.get(address(yesenia)))
    number = re.search(r"withdraw/(\d+)/", page)
    assert number is not None
    asking = ana.get(address(yesenia, f"withdraw/{number.group(1)}/"))
    assert "Lo que no cambia" in text_of(asking)
    assert ana.post(address(yesenia, f"withdraw/{number.group(1)}/")).status_code == 302
    assert "Retirado" in text_of(ana.get(address(yesenia)))
    assert "No hay un consentimiento" in nothing_of_her(opened(ana, yesenia, "assistance"))


@pytest.mark.django_db
def test_to_erase_asks_who_it_is_again_then_says_two_dates(house: House, yesenia: models.Record) -> None:
    stale = signed_in(Client(), models.Member.objects.get(email="ana@albergue.example"), fresh=False)
    asked = stale.post(address(yesenia, "erase/"), {"understood": "1"})
    assert "Confirme que es usted" in text_of(asked)
    assert models.Record.objects.filter(id=yesenia.id).exists()
    ana = as_member("ana@albergue.example")
    assert "Marque que la persona" in text_of(ana.post(address(yesenia, "erase/")))
    text = text_of(ana.post(address(yesenia, "erase/"), {"understood": "1"}))
    assert "Quedó borrado" in text
    assert ana.get(address(yesenia)).status_code == 404
    assert not models.SubjectKey.objects.filter(subject_id=yesenia.subject_id).exists()


@pytest.mark.django_db
def test_what_an_order_keeps_is_not_erased_and_it_is_said(
    ana: Client, house: House, yesenia: models.Record
) -> None:
    models.LegalHold.objects.create(
        subject=yesenia.subject, order="Juzgado 3, 114/2026", since=NOW.date(),
        placed_by=models.Member.objects.get(email="bruno@albergue.example"),
    )  # fmt: skip
    text = text_of(ana.post(address(yesenia, "erase/"), {"understood": "1"}))
    assert "Una orden obliga" in text
    assert models.Record.objects.filter(id=yesenia.id).exists()


@pytest.mark.django_db
def test_who_opened_too_many_people_is_told_the_ceiling_and_not_the_person(
    ana: Client, house: House, yesenia: models.Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk: Any = keyholder()
    monkeypatch.setitem(desk._budget._told, house.shelter.id, Ceilings(member_hour=3))
    who = desk.pseudonym(house.shelter.id, house.ana.name)
    for number in range(3):
        desk._budget.spend(Spent(timezone.now(), house.shelter.id, who, "-", f"{number:032x}"))
    text = nothing_of_her(opened(ana, yesenia, "assistance", add="identifier"))
    assert "personas distintas en una hora" in text
    assert models.Alarm.objects.get().kind == "budget_member_hour"
