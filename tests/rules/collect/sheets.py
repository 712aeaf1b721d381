"""A form about people, and files of answers to it as programs and people write them."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from resguardo.collect.sheet import open_sheet
from resguardo.collect.submission import Reading, Rejected, Submission, read_submissions
from resguardo.plan.fact import FactSource
from resguardo.plan.programme import Form
from resguardo.plan.xlsform import read_form
from resguardo.values import Population, Refused, SubjectKind

TODAY = date(2026, 11, 24)

PEOPLE = """
| survey |
|  | type                       | name       | label::Español (es)          | label::English (en)      | sensitivity | required | relevant            | constraint                       | constraint_message::Español (es)       | constraint_message::English (en) | calculation |
|  | text                       | code       | Código de la persona         | Code of the person       | plain       | yes      |                     | regex(., '^[A-Z]{2}-[0-9]{3,6}$') | Dos letras, guion y cifras: GT-001.    | Two letters, a dash and digits.  |             |
|  | date                       | seen_on    | Fecha                        | Date                     | plain       | yes      |                     | . <= today()                     | La fecha no puede ser futura.          | The date cannot be in the future. |            |
|  | begin_group                | personal   | Datos personales             | Personal details         |             |          |                     |                                  |                                        |                                  |             |
|  | text                       | name       | Nombre                       | Name                     | identifier  | yes      |                     |                                  |                                        |                                  |             |
|  | date                       | born_on    | Fecha de nacimiento          | Date of birth            | quasi       |          |                     | . <= ${seen_on}                  | Nació antes de la fecha.               | Born before the date.            |             |
|  | select_one sex             | sex        | Sexo                         | Sex                      | quasi       | yes      |                     |                                  |                                        |                                  |             |
|  | select_one yes_no          | pregnant   | ¿Está embarazada?            | Is she pregnant?         | sensitive   |          | ${sex} = 'female'   |                                  |                                        |                                  |             |
|  | end_group                  |            |                              |                          |             |          |                     |                                  |                                        |                                  |             |
|  | select_one country         | country    | País                         | Country                  | plain       | yes      |                     |                                  |                                        |                                  |             |
|  | select_multiple service    | services   | Servicios                    | Services                 | plain       |          |                     | not(selected(., 'none') and count-selected(.) > 1) | «Ninguno» va solo. | “None” stands alone. |             |
|  | integer                    | children   | Número de hijos              | Number of children       | plain       |          |                     | . >= 0 and . <= 20               | Entre 0 y 20.                          | Between 0 and 20.                |             |
|  | decimal                    | fee        | Pago en dólares              | Fee in dollars           | plain       |          |                     |                                  |                                        |                                  |             |
|  | select_one yes_no          | consent    | ¿Acepta?                     | Do you agree?            | plain       | yes      |                     |                                  |                                        |                                  |             |
|  | geopoint                   | place      | Lugar                        | Place                    | sensitive   |          |                     |                                  |                                        |                                  |             |
|  | text                       | story      | Relato                       | Account                  | sensitive   |          | ${consent} = 'yes'  |                                  |                                        |                                  |             |
|  | calculate                  | age        |                              |                          | quasi       |          |                     |                                  |                                        |                                  | int((${seen_on} - ${born_on}) div 365.25) |
|  | begin_repeat               | member     | Familiar                     | Family member            |             |          |                     |                                  |                                        |                                  |             |
|  | text                       | member_name | Nombre del familiar         | Name of the family member | identifier | yes      |                     |                                  |                                        |                                  |             |
|  | integer                    | member_age | Edad del familiar            | Age of the family member | quasi       |          |                     | . < 120                          |                                        |                                  |             |
|  | select_multiple service    | member_services | Servicios del familiar  | Services of the member   | plain       |          |                     |                                  |                                        |                                  |             |
|  | begin_repeat               | paper      | Documento                    | Document                 |             |          |                     |                                  |                                        |                                  |             |
|  | text                       | paper_kind | Tipo de documento            | Kind of document         | plain       |          |                     |                                  |                                        |                                  |             |
|  | end_repeat                 |            |                              |                          |             |          |                     |                                  |                                        |                                  |             |
|  | end_repeat                 |            |                              |                          |             |          |                     |                                  |                                        |                                  |             |
| choices |
|  | list_name | name    | label::Español (es) | label::English (en) |
|  | sex       | female  | Mujer               | Woman               |
|  | sex       | male    | Hombre              | Man                 |
|  | sex       | other   | Otro                | Other               |
|  | yes_no    | yes     | Sí                  | Yes                 |
|  | yes_no    | no      | No                  | No                  |
|  | country   | GT      | Guatemala           | Guatemala           |
|  | country   | HT      | Haití               | Haiti               |
|  | country   | MX      | México              | Mexico              |
|  | service   | food    | Alimentación        | Food                |
|  | service   | health  | Salud               | Health              |
|  | service   | legal   | Orientación legal   | Legal advice        |
|  | service   | shelter | Albergue            | Shelter             |
|  | service   | none    | Ninguno             | None                |
| settings |
|  | form_id       | version    | default_language |
|  | people_person | 2026112401 | Español (es)     |
"""  # noqa: E501

ROSA: Mapping[str, str] = {
    "code": "GT-001",
    "seen_on": "2024-03-15",
    "name": "María José Pérez Coc",
    "born_on": "1990-05-01",
    "sex": "female",
    "pregnant": "no",
    "country": "GT",
    "services": "food legal",
    "children": "2",
    "fee": "12.5",
    "consent": "yes",
    "place": "14.6349 -90.5069 0 0",
    "story": 'Llegó el martes.\nDijo: «no vuelvo», y "nada más".',
}

JEAN: Mapping[str, str] = {
    "code": "HT-002",
    "seen_on": "2024-03-16",
    "name": "Jean-Baptiste Étienne",
    "born_on": "1985-12-31",
    "sex": "male",
    "pregnant": "",
    "country": "HT",
    "services": "",
    "children": "0",
    "fee": "",
    "consent": "no",
    "place": "",
    "story": "",
}


def form_of(
    text: str,
    *,
    key: tuple[str, ...] = ("code",),
    moment: str = "seen_on",
    about: SubjectKind = SubjectKind.PERSON,
    population: Population = Population.PROTECTED,
    country: str | None = "country",
    facts: tuple[FactSource, ...] = (),
    name: str = "person",
) -> Form:
    """The form in a Markdown text, as a programme `people` would declare it."""
    return Form(
        name=name,
        title={"es": "Persona", "en": "Person"},
        about=about,
        key=key,
        moment=moment,
        country=country,
        follows=None,
        population=population,
        consents=(),
        facts=facts,
        source=None,
        programme="people",
        text=read_form(text.encode(), name=name, file_label=f"{name}.md"),
    )


def people() -> Form:
    return form_of(PEOPLE)


def csv_text(rows: Iterable[Sequence[Any]], delimiter: str = ",") -> str:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter).writerows(rows)
    return written.getvalue()


def write_csv(
    path: Path, rows: Iterable[Sequence[Any]], *, delimiter: str = ",", encoding: str = "utf-8"
) -> Path:
    path.write_bytes(csv_text(rows, delimiter).encode(encoding))
    return path


def write_workbook(path: Path, sheets: Mapping[str, Iterable[Sequence[Any]]]) -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(list(row))
    book.save(path)
    return path


def write_zip(path: Path, tables: Mapping[str, Iterable[Sequence[Any]]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, rows in tables.items():
            packed.writestr(name, csv_text(rows))
    return path


def table(*people: Mapping[str, Any]) -> list[list[Any]]:
    """A header of names and one row for each person."""
    names = list(people[0])
    return [names, *([person[name] for name in names] for person in people)]


def read(form: Form, path: Path, **options: Any) -> list[Submission | Rejected]:
    return list(reading(form, path, **options))


def reading(form: Form, path: Path, **options: Any) -> Reading:
    return read_submissions(form, open_sheet(path, **options), today=TODAY)


def kept(form: Form, path: Path, **options: Any) -> list[Submission]:
    """The submissions of a file in which no row is rejected."""
    found = read(form, path, **options)
    assert not [each.problems for each in found if isinstance(each, Rejected)]
    return [each for each in found if isinstance(each, Submission)]


def said(form: Form, **answers: Any) -> dict[str, Any]:
    """All answers of a form: those given, and nothing for the others."""
    every: dict[str, Any] = {field.name: None for field in form.fields if field.repeat is None}
    every.update({name: () for name, path in form.repeats.items() if len(path) == 1})
    return every | answers


def refused(error: Refused) -> list[str]:
    return [problem.code for problem in error.problems]
