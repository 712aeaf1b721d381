"""Every address that shows something of a person has asked first: a purpose, a decision, and a line.

All addresses of the service but the newsroom's are walked, with the ids of those who are kept filled in,
looked at and written to, by several kinds of members and by strangers. Where an answer holds a word of
theirs, the journal must have a new line of that moment that allowed it, with its purpose. An address that is
added is walked too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from tests.people import ROSA, YESENIA, House, bring, leaves, member, table
from tests.rules.collect.sheets import write_csv
from tests.server.test_addresses import EVERY, FILLED
from tests.signed_in import signed_in

from resguardo_server import models
from resguardo_server.actions.allow.receipts import IssuedReceipt, issue_receipt
from resguardo_server.actions.tell.newsroom import prepare_newsroom
from resguardo_server.languages_build import compile_messages

MARKERS = (
    "Yesenia", "Orellana", "La Maestra", "E-7741902", "7777 0155", "Tecún Umán",
    "Rosa Xiomara", "Cojtí", "rosa.cojti@correo.example", "5555 0143", "2456-71890-0901", "Radio Nahualá",
    "Silla cerca de la puerta", "Sin mariscos", "TAP-2026-014", "COM-1-2026",
)  # fmt: skip
LEAVES_IT = ("enter/logout/", "leave", "leave/")
"""Addresses that end the session: walked last."""

FORMS: tuple[dict[str, Any], ...] = (
    {},
    {"purpose": "assistance", "open": ["identifier", "quasi", "sensitive", "plain"], "add": "identifier"},
    {"purpose": "rights", "open": ["identifier", "quasi", "sensitive", "plain"], "add": "identifier"},
    {"purpose": "training", "open": ["identifier", "quasi", "sensitive", "plain"], "add": "identifier"},
    {"reason": "the roof is burning down and they must leave", "open": ["identifier", "sensitive"]},
    {"for": "training", "by": "phone", "value": "5555 0143", "year": ""},
    {"programme": "training", "code": "C-0001", "right": "access", "channel": "in_person", "language": "es"},
)


@pytest.fixture
def house_with_people(house: House, tmp_path: Path) -> tuple[House, IssuedReceipt]:
    compile_messages()
    cache.clear()
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    prepare_newsroom()
    models.Institution.objects.filter(id=house.shelter.id).update(
        address="3.ª Poniente 12, Tapachula", contact="datos@albergue.example"
    )
    told = {**YESENIA, "registered_on": (timezone.now() - timedelta(days=3)).date().isoformat()}
    bring(house.ana, write_csv(tmp_path / "r.csv", table(told)), "assistance", "registration")
    bring(house.ana, write_csv(tmp_path / "rosa.csv", table(ROSA)), now=timezone.now())
    member("olga@albergue.example", house.shelter, "supervisor")
    member("adan@albergue.example", house.shelter, "administrator")
    rosa = models.Subject.objects.get(institution=house.shelter, programme="training")
    return house, issue_receipt(house.ana, rosa.id, "es", now=timezone.now())


def examples(address: str, subjects: list[str]) -> Iterator[str]:
    """The address with its blanks filled: with each person's id where it takes one."""
    ids = subjects if "<uuid>" in address else [""]
    for one in ids:
        known = {**FILLED, "uuid": one, "slug": "albergue-tapachula", "right": "access"}
        yield "/" + re.sub(r"<(\w+)>", lambda blank: known.get(blank[1], "1"), address)  # noqa: B023


def turn(address: str) -> int:
    """First what opens, then what ends something, then what changes the account of whoever walks."""
    if address.startswith(("enter/", "me/")):
        return 2
    return int(any(word in address for word in ("erase", "withdraw", "correct")))


def forms_of(address: str) -> tuple[dict[str, Any], ...]:
    if address.startswith("people/"):
        return FORMS
    return (FORMS[0], FORMS[-1]) if address.startswith(("mine/", "protection/")) else FORMS[:1]


def walk(come_in: Callable[[], Client], house: House, subjects: list[str]) -> tuple[int, int, list[str]]:
    """How many answers, how many with words of a person, and those that showed one without a line."""
    answers = shown = 0
    wrong = []
    addresses = [one for one in EVERY if not one.startswith("edit/") and one not in LEAVES_IT]
    for address in sorted(addresses, key=turn):
        who = come_in()
        for path in examples(address, subjects):
            for form in (None, *forms_of(address)):
                before = len(leaves(house.shelter))
                answer = who.get(path) if form is None else who.post(path, form)
                answers += 1
                if answer.status_code >= 500:
                    wrong.append(f"{path} {form}: {answer.status_code}")
                octets = b"".join(answer) if getattr(answer, "streaming", False) else answer.content
                text = octets.decode("utf-8", "replace")
                # What she typed herself comes back in its own box: it is not from the records.
                typed = {value for value in (form or {}).values() if isinstance(value, str)}
                found = [word for word in MARKERS if word in text and word not in typed]
                if not found:
                    continue
                shown += 1
                new = leaves(house.shelter)[before:]
                if not any(line["dec"] in ("allow", "break_glass") and line.get("purpose") for line in new):
                    wrong.append(f"{path} {form}: {found}")
    return answers, shown, wrong


MEMBERS = ("ana@albergue.example", "bruno@albergue.example", "olga@albergue.example", "adan@albergue.example")


@pytest.mark.django_db
@pytest.mark.parametrize("email", MEMBERS)
def test_whatever_a_member_is_shown_of_a_person_has_its_line_and_its_purpose(
    house_with_people: tuple[House, IssuedReceipt], email: str
) -> None:
    house, _ = house_with_people
    subjects = [str(one) for one in models.Subject.objects.values_list("id", flat=True)]
    account = models.Member.objects.get(email=email)
    answers, shown, wrong = walk(lambda: signed_in(Client(), account), house, subjects)
    assert wrong == []
    assert answers > 100
    if email.startswith(("ana", "bruno")):
        assert shown, "the walk opens somebody: else it would prove nothing"
    if email.startswith("adan"):
        assert not shown


@pytest.mark.django_db
def test_a_member_of_another_institution_is_shown_nobody(
    house_with_people: tuple[House, IssuedReceipt],
) -> None:
    house, _ = house_with_people
    subjects = [str(one) for one in models.Subject.objects.values_list("id", flat=True)]
    account = models.Member.objects.get(email="carla@ministerio.example")
    answers, shown, wrong = walk(lambda: signed_in(Client(), account), house, subjects)
    assert (shown, wrong) == (0, [])
    assert answers > 100


@pytest.mark.django_db
def test_a_stranger_and_who_has_a_code_without_the_answer_are_shown_nobody(
    house_with_people: tuple[House, IssuedReceipt],
) -> None:
    house, issued = house_with_people
    subjects = [str(one) for one in models.Subject.objects.values_list("id", flat=True)]
    stranger, holder = Client(), Client()
    assert holder.get(f"/r/{issued.code.token_text}").status_code == 303
    for who in (stranger, holder):
        _, shown, wrong = walk(lambda: who, house, subjects)  # noqa: B023
        assert (shown, wrong) == (0, [])
