"""Ana keeps records, Bruno answers for them in the same institution, Carla belongs elsewhere and is refused.

With them the people that the records are about, all invented, and the files in which their answers come.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from resguardo.keep.keys import KeyRing
from resguardo_server import models
from resguardo_server.actions.allow import Received, import_sheet
from resguardo_server.actions.members import Asker, asker, make_institution

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
"""The moment at which most tests happen."""

PURPOSE = "training"
"""Why Ana opens an enrolment; its basis is consent."""
RIGHTS = "rights"
"""Why Bruno opens one; its basis is a legal obligation."""

ROSA: Mapping[str, str] = {
    "participant_code": "C-0001",
    "enrolled_on": "2026-03-02",
    "full_name": "Rosa Xiomara Cojtí Ixcoy",
    "email": "rosa.cojti@correo.example",
    "phone": "+502 5555 0143",
    "document_needed": "yes",
    "identity_document": "2456-71890-0901",
    "country": "GT",
    "sex": "female",
    "institution_type": "radio",
    "age_band": "30-59",
    "employer": "Radio Nahualá",
    "position": "Locutora",
    "course_code": "COM-1",
    "edition_code": "COM-1-2026",
    "topic": "terminology",
    "mode": "in_person",
    "language": "es",
    "planned_minutes": "960",
    "disability_need": "Silla cerca de la puerta",
    "diet": "Sin mariscos",
    "consent_training": "yes",
    "consent_contact": "no",
    "consent_image": "no",
}
"""A reporter who enrolled and agreed to be kept for the training, and to nothing else."""

JEAN: Mapping[str, str] = {
    **ROSA,
    "participant_code": "C-0002",
    "full_name": "Jean-Baptiste Étienne Désir",
    "email": "jb.desir@correo.example",
    "phone": "+509 3411 0199",
    "document_needed": "no",
    "identity_document": "",
    "country": "HT",
    "sex": "male",
    "institution_type": "print",
    "employer": "Le Matin de Jacmel",
    "position": "Rédacteur",
    "disability_need": "",
    "diet": "",
    "consent_training": "no",
}
"""Somebody who enrolled and agreed to nothing."""

MARTA: Mapping[str, str] = {
    **ROSA,
    "participant_code": "C-0003",
    "full_name": "Marta Iveth Núñez Zelaya",
    "email": "marta.nunez@correo.example",
    "phone": "+504 9999 0122",
    "identity_document": "0801-1988-04321",
    "country": "HN",
    "institution_type": "public_institution",
    "employer": "Alcaldía de Choluteca",
    "position": "Portavoz",
    "disability_need": "",
    "diet": "Ninguna",
    "consent_contact": "yes",
}

LABELS: Mapping[str, str] = {
    "document_needed": "Sí",
    "country": "Guatemala",
    "sex": "Mujer",
    "institution_type": "Radio",
    "age_band": "30 a 59 años",
    "topic": "Terminología",
    "mode": "Presencial",
    "language": "Español",
    "consent_training": "Sí",
    "consent_contact": "No",
    "consent_image": "No",
    "enrolled_on": "02/03/2026",
}
"""Rosa's answers as her spreadsheet shows them."""

YESENIA: Mapping[str, Any] = {
    "case_code": "TAP-2026-014",
    "registered_on": "2026-05-20",
    "country": "MX",
    "age": "34",
    "consent_assistance": "yes",
    "consent_referral": "no",
    "name": "Yesenia Maribel Orellana",
    "alias": "La Maestra",
    "id_doc_type": "passport",
    "id_doc_no": "E-7741902",
    "phone": "+503 7777 0155",
    "sex": "female",
    "nationality": "SV",
    "language": "es",
    "migration_status": "irregular",
    "route[1]/route_place": "Tecún Umán, junto al río",
    "route[1]/route_date": "2026-05-18",
    "route[2]/route_place": "Ciudad Hidalgo, casa de la parroquia",
    "route[2]/route_date": "2026-05-19",
    "screening_indicators": "none",
    "asylum_wish": "yes",
}
"""Somebody whom a shelter looks after; her way is a repeat."""


@dataclass(frozen=True)
class House:
    """The two institutions and who acts for them."""

    shelter: models.Institution
    ministry: models.Institution
    ana: Asker
    """Trainer and caseworker of the shelter: she keeps its records."""
    bruno: Asker
    """Its data protection officer."""
    carla: Asker
    """Trainer, caseworker and data protection officer of another institution."""


def member(email: str, institution: models.Institution, *roles: str) -> models.Member:
    """Somebody who acts for the institution in these roles."""
    made = models.Member.objects.create_user(email=email, password="una-frase-larga-y-rara")
    for role in roles:
        models.Membership.objects.create(member=made, institution=institution, role=role)
    return made


def make_house() -> House:
    """The institutions and their members, in the tables."""
    shelter = make_institution("albergue-tapachula", "Albergue de Tapachula", "shelter", "MX")
    ministry = make_institution("ministerio-tegucigalpa", "Ministerio de la Mujer", "ministry", "HN")
    return House(
        shelter,
        ministry,
        asker(member("ana@albergue.example", shelter, "caseworker", "trainer")),
        asker(member("bruno@albergue.example", shelter, "data_protection_officer")),
        asker(
            member("carla@ministerio.example", ministry, "caseworker", "data_protection_officer", "trainer")
        ),
    )


def table(*people: Mapping[str, Any], columns: Sequence[str] = ()) -> list[list[Any]]:
    """A header of names and a row for each person."""
    names = list(columns or dict.fromkeys(name for person in people for name in person))
    return [names, *([person.get(name, "") for name in names] for person in people)]


def quietly(done: int, total: int | None) -> None:
    """Nobody watches."""


def bring(
    who: Asker,
    path: Path,
    programme: str = "training",
    form: str | None = "enrolment",
    *,
    now: datetime = NOW,
) -> Received:
    """The file is imported, as the command line does it."""
    return import_sheet(who, programme, path, form_name=form, language="es", advance=quietly, now=now)


def only_record(institution: models.Institution) -> models.Record:
    """The one record that the institution keeps."""
    return models.Record.objects.get(institution=institution)


def ring_of(institution: UUID) -> KeyRing:
    """The institution's keys: the tests look over the shoulder of the keyholder in this process."""
    from resguardo_server.keyholders import keyholder

    ring: KeyRing = keyholder()._rings.of(institution)  # type: ignore[attr-defined]
    return ring


def record_about(who: Asker, code: str, programme: str = "training", about: str = "person") -> models.Record:
    """The record whose subject has that code at the institution."""
    token = ring_of(who.institution.id).subject_code_token(programme, about, code).token
    return models.Record.objects.get(
        subject__tokens__token=token, subject__tokens__institution_id=who.institution.id
    )


def counted(institution: models.Institution) -> list[dict[str, Any]]:
    """The rows of facts that count for the institution now."""
    from resguardo_server.actions.keep.records import read_segment

    found: list[dict[str, Any]] = []
    for row in institution.segments.order_by("id"):
        found += read_segment(row).to_pylist()
    return found


def octets_of(path: Path) -> bytes:
    """What the file holds, read by another process.

    Whoever opens and closes a SQLite file beside SQLite, in its own process, lets go of SQLite's locks: then
    two processes write in it at once.
    """
    return subprocess.run(["cat", str(path)], capture_output=True, check=True).stdout


def leaves(institution: models.Institution) -> list[dict[str, Any]]:
    """The entries of the institution's journal, in their order."""
    import json

    return [json.loads(bytes(entry.leaf)) for entry in institution.journal.order_by("position")]


def codes(problems: Iterable[Any]) -> list[str]:
    """The codes of problems: what is wrong, without words."""
    return [problem.code for problem in problems]


VISITS = """
| survey |
|  | type                  | name         | label::Español (es)   | label::English (en)  | required | constraint   | calculation                 | sensitivity |
|  | text                  | visitor_code | Código                | Code                 | yes      |              |                             | plain       |
|  | date                  | visited_on   | Fecha                 | Date                 | yes      | . <= today() |                             | plain       |
|  | select_one yes_no     | consent_help | ¿Acepta?              | Do you agree?        | yes      |              |                             | plain       |
|  | date                  | birth_date   | Nacimiento            | Date of birth        |          |              |                             | quasi       |
|  | calculate             | years        |                       |                      |          |              | int((${visited_on} - ${birth_date}) div 365.25) | quasi |
|  | begin_repeat          | child        | Hija o hijo           | Child                |          |              |                             |             |
|  | text                  | child_name   | Nombre                | Name                 | yes      |              |                             | identifier  |
|  | integer               | child_age    | Edad                  | Age                  |          |              |                             | quasi       |
|  | begin_repeat          | illness      | Enfermedad            | Illness              |          |              |                             |             |
|  | text                  | illness_name | Cuál                  | Which                |          |              |                             | sensitive   |
|  | date                  | seen_on      | Cuándo                | When                 |          |              |                             | plain       |
|  | end_repeat            |              |                       |                      |          |              |                             |             |
|  | end_repeat            |              |                       |                      |          |              |                             |             |

| choices |
|  | list_name | name | label::Español (es) | label::English (en) |
|  | yes_no    | yes  | Sí                  | Yes                 |
|  | yes_no    | no   | No                  | No                  |

| settings |
|  | form_title | form_id       | version    | default_language |
|  | Visita     | visits_visit | 2026112401 | Español (es)     |
"""  # noqa: E501

YEARS = """[[form.fact]]
name = "years"
from = "years"
as = "number"

"""

ANTONIA: Mapping[str, str] = {
    "visitor_code": "V-1",
    "visited_on": "2026-06-01",
    "consent_help": "yes",
    "birth_date": "1990-05-01",
    "child[1]/child_name": "Lucía",
    "child[1]/child_age": "4",
    "child[1]/illness[1]/illness_name": "asma",
    "child[1]/illness[1]/seen_on": "2026-05-01",
    "child[1]/illness[2]/illness_name": "anemia",
    "child[1]/illness[2]/seen_on": "2026-05-02",
    "child[2]/child_name": "Ovidio",
    "child[2]/child_age": "7",
}
"""Somebody with two children, one of whom was ill twice: a repeat in a repeat, with answers of all levels."""


def visits_folder(folder: Path) -> Path:
    """An eleventh programme, in a folder of its own, with a repeat in a repeat and a calculation."""
    from resguardo.plan.programme import new_programme

    made = new_programme(folder, "visits")
    (made / "forms" / "visit.md").write_text(VISITS, encoding="utf-8")
    text = (made / "programme.toml").read_text(encoding="utf-8")
    text = text.replace('country = "country"', "").replace("[[form.fact]]", YEARS + "[[form.fact]]", 1)
    text = text.replace('where = ["service != none"]', "").replace(
        '"country", "sex", "age_band", "service"', '"age_band"'
    )
    # The form asks no name of the visitor.
    text = text.replace('recognise = ["full_name", "birth_date"]', 'recognise = ["birth_date"]')
    start = text.index("[[form.search]]")
    text = text[:start] + text[text.index("[form.groups") :]
    (made / "programme.toml").write_text(text, encoding="utf-8")
    return made
