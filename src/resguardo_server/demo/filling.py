"""Fills forms as people would: the story's answers are kept, the rest is drawn until the form accepts it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from openpyxl import Workbook

from resguardo.collect.expression import Expression, NotEvaluated, take_apart
from resguardo.plan.languages import in_language
from resguardo.plan.programme import Form
from resguardo.plan.xlsform import Field
from resguardo.values import Sensitivity
from resguardo_server.demo.people import Person

TRIES = 60
Answers = dict[str, Any]

SENTENCES = (
    "Sin novedad.",
    "Se revisó con el equipo.",
    "Queda pendiente de confirmar.",
    "Se acordó dar seguimiento.",
    "Lo pidió la institución.",
    "Se explicó con calma.",
)
_LEAST = re.compile(r"\.\s*>=\s*(-?\d+(?:\.\d+)?)")
_MOST = re.compile(r"\.\s*<=\s*(-?\d+(?:\.\d+)?)")
_MORE = re.compile(r"\.\s*>\s*(-?\d+(?:\.\d+)?)")


class CannotFill(Exception):
    """No answer was found that the form accepts: the story and the form do not fit."""


class Filler:
    """Fills one form, row after row, from one seeded generator."""

    def __init__(self, form: Form, chance: Random, *, today: date) -> None:
        self.form, self.chance, self.today = form, chance, today
        self._number = 0
        self._rules: dict[str, Expression | None] = {}

    def fill(self, given: Mapping[str, Any], *, person: Person | None = None, day: date) -> Answers:
        """A row with what is given; `day` is around when it happens, `person` whom it is about."""
        self._number += 1
        answers: Answers = {}
        for question in self.form.fields:
            if question.repeat is not None:
                continue
            if not self._is_asked(question, answers):
                continue
            if question.name in given:
                if given[question.name] is not None:
                    answers[question.name] = given[question.name]
                continue
            if question.kind in ("calculate", "file", "geopoint", "hidden"):
                continue
            if not self._is_needed(question, answers) and self.chance.random() > self._readiness(question):
                continue
            value = self._answer(question, answers, person, day)
            if value is not None:
                answers[question.name] = value
            elif self._is_needed(question, answers):
                raise CannotFill(f"{self.form.programme}.{self.form.name}: {question.name}")
        return answers

    # Inside

    def _rule(self, text: str | None) -> Expression | None:
        if not text:
            return None
        if text not in self._rules:
            places: dict[str, tuple[str, ...]] = {question.name: () for question in self.form.fields}
            try:
                self._rules[text] = take_apart(text, inside=(), places=places, today=self.today)
            except NotEvaluated:
                self._rules[text] = None
        return self._rules[text]

    def _is_asked(self, question: Field, answers: Answers) -> bool:
        groups = self.form.text.groups
        around = [groups.get("/".join(question.path[: end + 1])) for end in range(len(question.path))]
        for text in (*around, question.relevant):
            rule = self._rule(text)
            if rule is not None and rule.holds((answers,)) is not True:
                return False
        return True

    def _is_needed(self, question: Field, answers: Answers) -> bool:
        if question.required:
            return True
        rule = self._rule(question.required_when)
        return rule is not None and rule.holds((answers,)) is True

    def _readiness(self, question: Field) -> float:
        """How often somebody answers what need not be answered."""
        if question.kind == "text":
            return 0.75 if question.sensitivity is Sensitivity.IDENTIFIER else 0.12
        return {Sensitivity.SENSITIVE: 0.45, Sensitivity.QUASI: 0.9}.get(question.sensitivity, 0.8)

    def _answer(self, question: Field, answers: Answers, person: Person | None, day: date) -> Any:
        rule = self._rule(question.constraint)
        for _ in range(TRIES):
            value = self._draw(question, person, day)
            if value is None or rule is None or rule.holds((answers,), value) is not False:
                return value
        return None

    def _draw(self, question: Field, person: Person | None, day: date) -> Any:
        name, kind, chance = question.name, question.kind, self.chance
        if kind == "select_one":
            codes = [choice.name for choice in self.form.choices[question.list_name or ""]]
            if set(codes) == {"yes", "no"} and name.startswith("consent"):
                return "yes" if chance.random() < 0.93 else "no"
            known = (
                {"sex": person.sex, "nationality": person.nationality, "language": person.language}
                if person
                else {}
            )
            return known[name] if known.get(name) in codes else chance.choice(codes)
        if kind == "select_multiple":
            codes = [choice.name for choice in self.form.choices[question.list_name or ""]]
            return tuple(
                sorted(chance.sample(codes, k=min(len(codes), chance.choice((1, 1, 2)))), key=codes.index)
            )
        if kind == "integer":
            if person and name == "age":
                return person.age_on(day)
            low, high = self._bounds(question, 12)
            return chance.randint(int(low), int(high))
        if kind == "decimal":
            low, high = self._bounds(question, 50)
            return Decimal(str(round(chance.uniform(low, high), 1)))
        if kind in ("date", "datetime"):
            if person and name == "birth_date":
                return person.born
            return min(self.today, day + timedelta(days=chance.choice((0, 0, 1, 3, 7, 14, 30, -1, -7))))
        return self._text(question, person)

    def _bounds(self, question: Field, usual: int) -> tuple[float, float]:
        rule = question.constraint or ""
        least, most, more = _LEAST.search(rule), _MOST.search(rule), _MORE.search(rule)
        low = float(least[1]) if least else float(more[1]) + 1 if more else 0.0
        high = float(most[1]) if most else low + usual
        return low, min(high, max(low + usual, low)) if high - low > 1000 else high

    def _text(self, question: Field, person: Person | None) -> str | None:
        name = question.name
        coded = "regex(" in (question.constraint or "") and not {"phone", "email"} & set(name.split("_"))
        if person is not None and question.sensitivity is Sensitivity.IDENTIFIER and not coded:
            if "phone" in name or "contact" in name:
                return person.phone
            if "doc" in name or "passport" in name:
                return person.document
            if "mail" in name:
                return f"{person.given.split()[0].lower()}.{self._number}@example.org".encode(
                    "ascii", "ignore"
                ).decode()
            if "guardian" in name or "representative" in name:
                return f"Familiar de {person.given}"
            return person.name
        if coded:
            stem = "".join(part[0] for part in name.split("_")).upper()
            return self.chance.choice(
                (
                    f"{stem}-{self._number:04d}",
                    f"{stem}{self._number:04d}",
                    f"{self._number:04d}",
                    f"{stem.lower()}{self._number}",
                )
            )
        return self.chance.choice(SENTENCES)


# The sheet, as the tools of the field write it


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " ".join(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _columns(form: Form, rows: Iterable[Mapping[str, Any]]) -> list[Field]:
    used = {name for row in rows for name in row}
    return [question for question in form.fields if question.name in used and question.repeat is None]


def write_csv(path: Path, form: Form, rows: list[Answers]) -> None:
    """The rows as CSV, the names of the form as headers."""
    columns = _columns(form, rows)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([question.name for question in columns])
        writer.writerows([_cell(row.get(question.name)) for question in columns] for row in rows)
    path.chmod(0o600)


def write_kobo(path: Path, form: Form, rows: list[Answers]) -> None:
    """The rows as KoboToolbox exports them to XLSX: group paths, one column for each choice of several."""
    columns = _columns(form, rows)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(form.name[:31])
    header: list[str] = []
    for question in columns:
        place = "/".join((*question.path, question.name))
        header.append(place)
        if question.kind == "select_multiple":
            header += [f"{place}/{choice.name}" for choice in form.choices[question.list_name or ""]]
    sheet.append(header)
    for row in rows:
        cells: list[Any] = []
        for question in columns:
            value = row.get(question.name)
            cells.append(value if isinstance(value, date | int) else _cell(value))
            if question.kind == "select_multiple":
                chosen = value or ()
                cells += [
                    ("" if value is None else int(choice.name in chosen))
                    for choice in form.choices[question.list_name or ""]
                ]
        sheet.append(cells)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    book.save(path)
    path.chmod(0o600)


def write_labels(path: Path, form: Form, rows: list[Answers], language: str) -> None:
    """The rows as CSV with the questions and choices in words, where those are unique."""
    columns = _columns(form, rows)
    labels = [in_language(question.label, language) for question in form.fields]
    heads = [
        label if label and labels.count(label) == 1 else question.name
        for question in columns
        for label in (in_language(question.label, language),)
    ]
    words = {
        name: {choice.name: in_language(choice.label, language) for choice in choices}
        for name, choices in form.choices.items()
    }

    def said(question: Field, value: Any) -> Any:
        if question.kind == "select_one" and value is not None:
            label = words[question.list_name or ""].get(value, value)
            return label if list(words[question.list_name or ""].values()).count(label) == 1 else value
        return _cell(value)

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(heads)
        writer.writerows([said(question, row.get(question.name)) for question in columns] for row in rows)
    path.chmod(0o600)
