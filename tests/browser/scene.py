"""A small regional office as these tests find it: people trained, claims about them, news, two members."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt
from django.contrib.auth.models import Group

from resguardo.tell.listing import read_listing
from resguardo_server.actions.allow import import_sheet
from resguardo_server.actions.members import make_institution, operator_of
from resguardo_server.actions.tell import check_news, import_claims, import_listing, publish_checked
from resguardo_server.actions.tell.newsroom import PRESS, prepare_newsroom
from resguardo_server.models import Institution, Member, Membership

NOW = datetime(2022, 9, 1, 15, 0, tzinfo=UTC)
PASSWORD = "tejido-azul-de-Quetzaltenango"
TRAINED = {"MX": 15, "GT": 14, "HN": 13, "SV": 12, "CR": 11, "PA": 10}
"""People who finished the edition of August 2022, by country: 75 in six countries."""

SHEET = (
    "participant_code,completed_on,course_code,edition_code,topic,mode,country,sex,institution_type,"
    "planned_minutes,attended_minutes,attended_share,certified"
)

CLAIMS = """
[[claim]]
id = "trained-total"
kind = "exact"
number = 75
indicator = "training.people_trained"
by = ["country"]
period = "2022-08"
coverage.es = "Edición cerrada en agosto de 2022"
coverage.en = "Edition closed in August 2022"
wording.es = "{number}"
wording.en = "{number}"

[[claim]]
id = "trained-countries"
kind = "countries_number"
number = 6
indicator = "training.people_trained"
by = ["country"]
period = "2022-08"
coverage.es = "Edición cerrada en agosto de 2022"
coverage.en = "Edition closed in August 2022"
wording.es = "{number_word} países"
wording.en = "{number_word} countries"

[[claim]]
id = "trained-too-many"
kind = "exact"
number = 76
indicator = "training.people_trained"
by = ["country"]
period = "2022-08"
coverage.es = "Edición cerrada en agosto de 2022"
coverage.en = "Edition closed in August 2022"
wording.es = "{number}"
wording.en = "{number}"
"""

NEWS = """
30 de agosto de 2022

[75](claim:trained-total) comunicadores aprendieron a contar la migración sin dañar a nadie

El curso regional cerró con [75](claim:trained-total) personas de [seis países](claim:trained-countries).

Las redacciones recibieron una guía para hablar de la niñez migrante.

12 de agosto de 2022

Una guía para hablar de la niñez migrante

La oficina regional publicó una guía breve para periodistas.
"""


def write_completions(path: Path, trained: Mapping[str, int]) -> Path:
    """The sheet of those who finished the edition, as an institution would hand it in."""
    lines = [SHEET]
    for country, people in trained.items():
        lines += [
            f"{country}-{number:03},2022-08-26,ETICA,ETICA-2022,ethical_coverage,online,{country},"
            f"{'female' if number % 2 else 'male'},radio,600,540,90,no"
            for number in range(people)
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def receive_completions(path: Path, trained: Mapping[str, int]) -> None:
    """A sheet comes in by the way that every sheet takes; those it names already are not counted twice."""
    received = import_sheet(
        operator_of("oficina-regional"),
        "training",
        write_completions(path, trained),
        form_name="completion",
        language="es",
        advance=lambda done, total: None,
        now=NOW,
    )
    assert (received.kept + received.known, received.refused) == (sum(trained.values()), 0)


def set_the_scene(folder: Path) -> None:
    """The newsroom, its records counted, its claims checked, and two items published that say true things."""
    prepare_newsroom()
    make_institution("oficina-regional", "Oficina regional (ejemplo)", "regional_office", "CR")
    receive_completions(folder / "cierre.csv", TRAINED)
    import_claims(CLAIMS, file="afirmaciones.toml", now=NOW)
    import_listing(read_listing(NEWS, file="noticias.txt"), file="noticias.txt", now=NOW)
    check_news(now=NOW)
    assert publish_checked(now=NOW) == (2, 0)


def make_press_officer(email: str, name: str, *, with_factor: bool) -> Member:
    """A member of the regional office who writes and publishes news."""
    member: Member = Member.objects.create_user(email, PASSWORD, first_name=name)
    Membership.objects.create(
        member=member, institution=Institution.objects.get(slug="oficina-regional"), role="press_officer"
    )
    member.groups.add(Group.objects.get(name=PRESS))
    if with_factor:
        TOTP.activate(member, generate_totp_secret())
        RecoveryCodes.activate(member)
    return member


def code_of(member: Member) -> str:
    """The six digits that the member's telephone shows now."""
    kept = Authenticator.objects.get(user=member, type=Authenticator.Type.TOTP)
    return code_from(decrypt(kept.data["secret"]))


def code_from(secret: str) -> str:
    """The six digits that an application shows now for that key."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
