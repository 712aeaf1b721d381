"""A programme's folder, read into values: every fault is noted before anything is refused."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import get_args

from resguardo.plan.condition import Condition, parse_condition
from resguardo.plan.declaration import (
    MOST_DIMENSIONS,
    Form,
    Indicator,
    OpenSource,
    Programme,
    ReferenceTable,
    Status,
    Unit,
)
from resguardo.plan.fact import (
    AGE_BANDS,
    ALWAYS,
    DAY,
    Derivation,
    FactSource,
    FactType,
    automatic_fact,
    codes_of_always,
    derived_fact,
    has_day,
)
from resguardo.plan.meaning import FormMeaning
from resguardo.plan.purposes import RIGHTS, read_purposes, read_recipients, refuse_twice
from resguardo.plan.toml_table import Table, TomlFile, refuse_unknown
from resguardo.plan.xlsform import FieldKind, FormText, read_form
from resguardo.values import (
    LANGUAGES,
    Basis,
    Language,
    Population,
    Problem,
    Refused,
    Sensitivity,
    SubjectKind,
    Words,
)

_PERSONAL = frozenset({Sensitivity.IDENTIFIER, Sensitivity.QUASI, Sensitivity.SENSITIVE})
_ABOUT_PEOPLE = frozenset({SubjectKind.PERSON, SubjectKind.BUSINESS})
_CATALOGUE: Mapping[str, tuple[str, ...]] = {
    "sex": ("female", "male", "other", "unknown"),
    "yes_no": ("yes", "no"),
    "age_band": AGE_BANDS,
}
"""Lists whose codes are the same in every programme, so that their figures can be compared."""


class Loading:
    """One folder being loaded: gathers everything that is wrong before it refuses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        if not self.folder.is_dir():
            raise Refused(Problem("plan.programme.no_folder", {}, str(folder)))
        self.label = f"{self.folder.name}/programme.toml"
        self.toml = TomlFile(self.folder / "programme.toml", self.label)
        self.other_problems: list[Problem] = []
        self.declared: dict[str, bytes] = {"programme.toml": self.toml.text.encode()}

    def programme(self) -> Programme:
        root = Table(self.toml, self.toml.root)
        name, written = self.folder.name, root.snake("name")
        if written is not None and written != name:
            root.refuse("plan.programme.name", "name", name=written, folder=name)
        population = root.code("population", Population) or Population.STRICT
        title, description, question = root.words("title"), root.words("description"), root.words("question")
        purposes = list(read_purposes(root))
        forms = self._forms(root, name, population)
        recipients = list(read_recipients(root))
        tables = self._tables(root)
        indicators = self._indicators(root, forms)
        forms = [self._with_facts(form, indicators) for form in forms]
        self._check_purposes(root, forms)
        notices = self._notices(root, forms)
        method = self.folder / "method.py"
        if method.is_file():
            self.declared["method.py"] = method.read_bytes()
        root.close()
        problems = (*self.toml.problems, *self.other_problems)
        if problems:
            raise Refused(*problems)
        return Programme(
            name=name,
            folder=self.folder,
            title=title,
            description=description,
            question=question,
            population=population,
            forms=tuple(forms),
            purposes=tuple(purposes),
            recipients=tuple(recipients),
            tables=tuple(tables),
            indicators=tuple(indicators),
            notices=notices,
            method=method if method.is_file() else None,
            digest=self._digest(),
        )

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for name in sorted(self.declared):
            octets = self.declared[name]
            digest.update(f"{len(name.encode())} {len(octets)}\n{name}\n".encode() + octets)
        return digest.hexdigest()

    def _tables(self, root: Table) -> list[ReferenceTable]:
        tables: list[ReferenceTable] = []
        taken: set[str] = set()
        for table in root.tables("table"):
            name = table.snake("name")
            refuse_twice(table, name, taken)
            read = self._reference_table(table, name)
            table.close()
            if read is not None:
                tables.append(read)
        return tables

    def _octets(self, table: Table, key: str, written: str | None) -> tuple[Path, bytes] | None:
        """The file that a key names, if it lies in the folder and can be read."""
        if written is None:
            return None
        path = (self.folder / written).resolve()
        if not path.is_relative_to(self.folder):
            table.refuse("plan.programme.outside", key, path=written)
            return None
        if not path.is_file():
            table.refuse("plan.programme.no_file", key, path=written)
            return None
        try:
            octets = path.read_bytes()
        except OSError as failure:
            table.refuse("plan.file.unreadable", key, reason=failure.strerror or "")
            return None
        self.declared[path.relative_to(self.folder).as_posix()] = octets
        return path, octets

    # Purposes

    def _check_purposes(self, root: Table, forms: Iterable[Form]) -> None:
        forms = list(forms)
        personal = any(question.sensitivity in _PERSONAL for form in forms for question in form.fields)
        of_persons = any(form.about is SubjectKind.PERSON for form in forms)
        names = {item.get("name") for item in self.toml.root.get("purpose", []) if isinstance(item, dict)}
        if personal and not names:
            root.refuse("plan.programme.no_purpose", "purpose")
        if of_persons and RIGHTS not in names:
            root.refuse("plan.programme.no_rights", "purpose")
        asked = {name for form in forms for consent in form.consents for name in consent.purposes}
        for table in Table(self.toml, self.toml.root).tables("purpose"):
            name = table.content.get("name")
            if personal and table.content.get("basis") == Basis.CONSENT and name not in asked:
                table.refuse("plan.programme.consent_never_asked", "basis", name=str(name))

    # Reference tables and notices

    def _reference_table(self, table: Table, name: str | None) -> ReferenceTable | None:
        found = self._octets(table, "file", table.text("file"))
        status = table.code("status", Status)
        source, version = table.text("source"), table.text("version")
        if found is None or name is None or status is None or source is None or version is None:
            return None
        path, octets = found
        rows = self._csv(path, octets, status)
        if rows is None:
            return None
        return ReferenceTable(name, path, status, source, version, *rows)

    def _csv(
        self, path: Path, octets: bytes, status: Status
    ) -> tuple[tuple[str, ...], tuple[Mapping[str, str], ...]] | None:
        label = self._label(path)
        try:
            text = octets.decode("utf-8-sig")
        except UnicodeDecodeError as failure:
            line = octets[: failure.start].count(b"\n") + 1
            self.other_problems.append(Problem("plan.file.encoding", {"line": str(line)}, label))
            return None
        reader = csv.reader(StringIO(text, newline=""))
        try:
            lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
        except csv.Error:
            self.other_problems.append(Problem("plan.table.not_csv", {}, label, row=reader.line_num))
            return None
        if len(lines) < 2:
            self.other_problems.append(Problem("plan.table.empty", {}, label))
            return None
        header = tuple(column.strip() for column in lines[0][1])
        before = len(self.other_problems)
        for column in header:
            if not column or header.count(column) > 1:
                self.other_problems.append(
                    Problem("plan.table.header", {"name": column}, label, row=1, column=column or None)
                )
                break
        rows: list[Mapping[str, str]] = []
        for number, cells in lines[1:]:
            if len(cells) != len(header):
                facts = {"cells": str(len(cells)), "columns": str(len(header))}
                self.other_problems.append(Problem("plan.table.width", facts, label, row=number))
                continue
            rows.append(dict(zip(header, (cell.strip() for cell in cells), strict=True)))
            if status is Status.PER_ROW:
                self._check_row_status(rows[-1], label, number)
        return (header, tuple(rows)) if len(self.other_problems) == before else None

    def _check_row_status(self, row: Mapping[str, str], label: str, number: int) -> None:
        allowed = [code.value for code in Status if code is not Status.PER_ROW]
        if row.get("status") not in allowed:
            facts = {"written": row.get("status", ""), "allowed": ", ".join(allowed)}
            self.other_problems.append(
                Problem("plan.table.status", facts, label, row=number, column="status")
            )

    def _label(self, path: Path) -> str:
        return f"{self.folder.name}/{path.relative_to(self.folder).as_posix()}"

    def _notices(self, root: Table, forms: Iterable[Form]) -> Words:
        forms = list(forms)
        table = root.table("notice")
        personal = any(question.sensitivity in _PERSONAL for form in forms for question in form.fields)
        of_persons = any(form.about is SubjectKind.PERSON for form in forms)
        if table is None:
            if personal:
                root.refuse("plan.programme.no_notice", "notice")
            return {}
        texts: dict[Language, str] = {}
        for language in LANGUAGES:
            needed = language in ("es", "en") or of_persons
            if language not in table:
                table.known.add(language)
                if needed:
                    table.refuse("plan.programme.notice_missing", language, language=language)
                continue
            found = self._octets(table, language, table.text(language))
            if found is None:
                continue
            try:
                text = found[1].decode("utf-8-sig").strip()
            except UnicodeDecodeError:
                self.other_problems.append(Problem("plan.file.encoding", {}, self._label(found[0])))
                continue
            if not text:
                self.other_problems.append(Problem("plan.programme.notice_empty", {}, self._label(found[0])))
            texts[language] = text
        table.close()
        return MappingProxyType(texts)

    # Forms

    def _forms(self, root: Table, programme: str, population: Population) -> list[Form]:
        forms: list[Form] = []
        taken: set[str] = set()
        tables = list(root.tables("form"))
        if not tables:
            root.refuse("plan.programme.no_form", "form")
        for table in tables:
            name = table.snake("name")
            refuse_twice(table, name, taken)
            form = self._form(table, name, programme, population)
            table.close()
            if form is not None:
                forms.append(form)
        for table in tables:
            self._check_follow_up(table, forms, taken)
        return forms

    def _form(self, table: Table, name: str | None, programme: str, population: Population) -> Form | None:
        title = table.words("title")
        about = table.code("about", SubjectKind)
        own = table.code("population", Population, needed=False) or population
        key, moment = table.texts("key"), table.text("moment")
        country, follows = table.text("country", needed=False), table.text("follows", needed=False)
        found = self._octets(table, "file", table.text("file"))
        source = self._open_source(table)
        facts = list(table.tables("fact"))
        meaning = FormMeaning(table)
        text: FormText | None = None
        if found is not None:
            try:
                text = read_form(found[0], name=name or "form", file_label=self._label(found[0]))
            except Refused as refused:
                self.other_problems.extend(refused.problems)
        if text is None or about is None or name is None:
            for inner in (*meaning.tables, *facts):
                self._pass_over(inner)
            return None
        self._check_settings(text, programme, name)
        self._check_catalogue(text)
        self._check_places(table, text, key, moment, country)
        if source is not None:
            self._check_open_source(table, text, about)
        form = Form(
            name=name,
            title=title,
            about=about,
            key=key,
            moment=moment or "",
            country=country,
            follows=follows,
            population=own,
            consents=meaning.consents(text),
            facts=tuple(self._declared_facts(facts, text, about, own)),
            source=source,
            programme=programme,
            text=text,
            searches=meaning.searches(text),
            recognise=meaning.recognise(text),
            origin=meaning.origin(text),
            asylum=meaning.asylum(text),
            groups=meaning.groups(text, about),
        )
        return form

    def _pass_over(self, table: Table) -> None:
        """A table whose form could not be read is not judged further."""
        table.known.update(table.content)

    def _open_source(self, table: Table) -> OpenSource | None:
        source = table.table("source")
        if source is None:
            return None
        title, publisher = source.text("title"), source.text("publisher")
        licence, address = source.text("licence"), source.text("address")
        as_of, note = source.day("as_of"), source.words("note")
        source.close()
        if title is None or publisher is None or licence is None or address is None or as_of is None:
            return None
        return OpenSource(title, publisher, licence, address, as_of, note)

    def _check_open_source(self, table: Table, text: FormText, about: SubjectKind) -> None:
        if about is SubjectKind.PERSON or any(
            question.sensitivity is Sensitivity.IDENTIFIER for question in text.fields
        ):
            table.refuse("plan.programme.open_source_of_people", "source")

    def _check_settings(self, text: FormText, programme: str, name: str) -> None:
        wanted = f"{programme}_{name}"
        for key, fine in (("form_id", text.settings.get("form_id") == wanted), ("version", True)):
            written = text.settings.get(key, "")
            if not written:
                facts = {"wanted": wanted}
                code = "plan.form.no_form_id" if key == "form_id" else "plan.form.no_version"
            elif not fine:
                facts = {"written": written, "wanted": wanted}
                code = "plan.form.form_id"
            else:
                continue
            self.other_problems.append(Problem(code, facts, text.file, "settings", 2, key))

    def _check_catalogue(self, text: FormText) -> None:
        """The lists that all programmes share have the codes that all programmes share."""
        for list_name, choices in text.choices.items():
            for choice in choices:
                if list_name == "country" and not re.fullmatch(r"[A-Z]{2}", choice.name):
                    code, allowed = "plan.form.country_code", ""
                elif list_name in _CATALOGUE and choice.name not in _CATALOGUE[list_name]:
                    code, allowed = "plan.form.catalogue_code", ", ".join(_CATALOGUE[list_name])
                else:
                    continue
                facts = {"list": list_name, "code": choice.name, "allowed": allowed}
                self.other_problems.append(Problem(code, facts, text.file, "choices", column="name"))

    def _check_places(
        self, table: Table, text: FormText, key: tuple[str, ...], moment: str | None, country: str | None
    ) -> None:
        questions = {question.name: question for question in text.fields}
        places: list[tuple[str, str, frozenset[FieldKind]]] = [
            ("key", name, frozenset({"text", "integer", "select_one", "date"})) for name in key
        ]
        if moment:
            places.append(("moment", moment, frozenset({"date"})))
        if country:
            places.append(("country", country, frozenset({"select_one"})))
        for place, name, kinds in places:
            question = questions.get(name)
            if question is None:
                refuse_unknown(table, place, "plan.programme.field_unknown", name, questions)
                continue
            facts = {"name": name, "row": str(question.row)}
            if question.kind not in kinds:
                table.refuse(
                    "plan.programme.field_kind",
                    place,
                    kind=question.kind,
                    allowed=", ".join(sorted(kinds)),
                    **facts,
                )
            elif question.repeat is not None:
                table.refuse("plan.programme.field_repeated", place, **facts)
            elif not question.required or question.conditional:
                table.refuse("plan.programme.field_optional", place, **facts)
            elif place == "country" and not all(
                re.fullmatch(r"[A-Z]{2}", choice.name) for choice in text.choices[question.list_name or ""]
            ):
                table.refuse("plan.programme.country_codes", place, list=question.list_name or "", **facts)

    def _declared_facts(
        self, tables: Iterable[Table], text: FormText, about: SubjectKind, population: Population
    ) -> Iterable[FactSource]:
        questions = {question.name: question for question in text.fields}
        taken: set[str] = set()
        for table in tables:
            name, source, written = table.snake("name"), table.text("from"), table.text("as")
            table.close()
            refuse_twice(table, name, taken)
            if name is None or source is None or written is None:
                continue
            derivation = next((code for code in get_args(Derivation) if code == written), None)
            if derivation is None:
                refuse_unknown(table, "as", "plan.fact.as", written, get_args(Derivation))
                continue
            if name in ALWAYS or name == DAY:
                table.refuse("plan.fact.reserved", "name", name=name)
                continue
            if source not in questions:
                refuse_unknown(table, "from", "plan.programme.field_unknown", source, questions)
                continue
            if derivation == "day" and not has_day(about, population):
                table.refuse("plan.fact.day", "as", name=name)
                continue
            try:
                yield derived_fact(text, questions[source], name, derivation)
            except Refused as refused:
                table.pass_on(refused, "from")

    def _check_follow_up(self, table: Table, forms: Iterable[Form], names: Iterable[str]) -> None:
        read = {form.name: form for form in forms}
        form = read.get(str(table.content.get("name")))
        if form is None or form.follows is None:
            return
        if form.follows not in set(names) or form.follows == form.name:
            refuse_unknown(
                table,
                "follows",
                "plan.programme.form_unknown",
                form.follows,
                [name for name in names if name != form.name],
            )
            return
        opener = read.get(form.follows)
        if opener is None:
            return
        if opener.follows is not None:
            table.refuse(
                "plan.programme.follows_follower", "follows", name=opener.name, opener=opener.follows
            )
        elif opener.about is not form.about:
            table.refuse(
                "plan.programme.follows_other",
                "follows",
                name=opener.name,
                theirs=opener.about,
                ours=form.about,
            )
        elif len(opener.key) != len(form.key):
            table.refuse("plan.programme.follows_key", "key", name=opener.name, key=", ".join(opener.key))

    # Indicators and their facts

    def _indicators(self, root: Table, forms: list[Form]) -> list[Indicator]:
        indicators: list[Indicator] = []
        taken: set[str] = set()
        named = {
            item["name"]
            for item in self.toml.root.get("form", [])
            if isinstance(item, dict) and isinstance(item.get("name"), str)
        }
        read = {form.name: form for form in forms}
        for table in root.tables("indicator"):
            name = table.snake("name")
            refuse_twice(table, name, taken)
            form_name = table.text("form")
            form = read.get(form_name or "")
            if form is None:
                if form_name is not None and form_name not in named:
                    refuse_unknown(table, "form", "plan.programme.form_unknown", form_name, named)
                self._pass_over(table)
                continue
            indicator = self._indicator(table, name or "", form)
            table.close()
            if indicator is not None:
                indicators.append(indicator)
        return indicators

    def _indicator(self, table: Table, name: str, form: Form) -> Indicator | None:
        words = [table.words(key) for key in ("title", "counts", "when", "silent")]
        unit, measure = table.code("unit", Unit), table.text("measure")
        population = table.code("population", Population, needed=False) or form.population
        if population.care < form.population.care:
            table.refuse(
                "plan.indicator.looser", "population", ours=population, theirs=form.population, form=form.name
            )
        where = self._conditions(table, "where", form, population)
        part = self._conditions(table, "part", form, population)
        dimensions = self._dimensions(table, form, population)
        if measure is not None:
            self._check_measure(table, measure, form, population)
            if (measure == "share") != bool(part):
                table.refuse("plan.indicator.part" if part else "plan.indicator.no_part", "part")
            if unit is not None:
                self._check_unit(table, unit, measure, form)
        if unit is None or measure is None:
            return None
        return Indicator(name, form.name, unit, measure, part, where, dimensions, population, *words)

    def _check_unit(self, table: Table, unit: Unit, measure: str, form: Form) -> None:
        if measure.startswith("sum:"):
            return
        allowed = {Unit(form.about.value)}
        if form.about is SubjectKind.PERSON:
            allowed.add(Unit.CASE)
            if measure == "records":
                allowed.add(Unit.EVENT)
        else:
            allowed.add(Unit.FIGURE)
            if measure == "records":
                allowed |= {Unit.EVENT, Unit.INCIDENT}
        if unit not in allowed:
            table.refuse(
                "plan.indicator.unit",
                "unit",
                unit=unit,
                about=form.about,
                form=form.name,
                allowed=", ".join(sorted(allowed)),
            )

    def _check_measure(self, table: Table, measure: str, form: Form, population: Population) -> None:
        kind, colon, fact = measure.partition(":")
        if kind in ("sum", "mean") and fact:
            kind_of_fact = self._fact_type(table, "measure", fact, form, population)
            if kind_of_fact is not None and kind_of_fact != "number":
                table.refuse("plan.indicator.not_a_number", "measure", fact=fact)
        elif colon or kind not in ("count", "records", "share", "first"):
            table.refuse("plan.indicator.measure", "measure", measure=measure)
        elif kind == "first" and not has_day(form.about, population):
            table.refuse("plan.fact.day", "measure", name="first")

    def _dimensions(self, table: Table, form: Form, population: Population) -> tuple[str, ...]:
        dimensions = table.texts("dimensions", needed=False)
        counted = [name for name in dimensions if name not in ("month", "year", DAY)]
        if len(counted) > MOST_DIMENSIONS:
            table.refuse(
                "plan.indicator.dimensions", "dimensions", number=str(len(counted)), most=str(MOST_DIMENSIONS)
            )
        for name in dimensions:
            if self._fact_type(table, "dimensions", name, form, population) == "number":
                table.refuse("plan.indicator.number_dimension", "dimensions", fact=name)
        return dimensions

    def _conditions(
        self, table: Table, key: str, form: Form, population: Population
    ) -> tuple[Condition, ...]:
        conditions: list[Condition] = []
        for text in table.texts(key, needed=False):
            try:
                condition = parse_condition(text)
            except Refused as refused:
                table.pass_on(refused, key)
                continue
            fact_type = self._fact_type(table, key, condition.fact, form, population)
            if fact_type is not None:
                self._check_values(table, key, condition, fact_type, form)
            conditions.append(condition)
        return tuple(conditions)

    def _check_values(
        self, table: Table, key: str, condition: Condition, fact_type: FactType, form: Form
    ) -> None:
        ordered = fact_type in ("number", "month", "year", "day")
        if condition.operator in ("<", "<=", ">", ">=") and not ordered:
            table.refuse("plan.condition.order", key, fact=condition.fact, operator=condition.operator)
        shape = {"number": r"-?\d+", "month": r"\d{4}-\d{2}", "year": r"\d{4}", "day": r"\d{4}-\d{2}-\d{2}"}
        codes = self._codes_of(condition.fact, form)
        for value in condition.values:
            if fact_type in shape and not re.fullmatch(shape[fact_type], value):
                table.refuse(
                    "plan.condition.value_shape", key, fact=condition.fact, value=value, type=fact_type
                )
            elif not ordered and codes is not None and value not in codes:
                refuse_unknown(table, key, "plan.condition.value", value, codes, fact=condition.fact)

    def _codes_of(self, fact: str, form: Form) -> tuple[str, ...] | None:
        if fact == "country" and form.country is not None and form.has_field(form.country):
            return tuple(
                choice.name for choice in form.choices.get(form.field(form.country).list_name or "", ())
            )
        if fact in ALWAYS or fact == DAY:
            return codes_of_always(fact)
        try:
            return self._fact_of(fact, form).codes
        except (Refused, KeyError):
            return None

    def _fact_type(
        self, table: Table, key: str, name: str, form: Form, population: Population
    ) -> FactType | None:
        """The type of a fact that an indicator names, or None after saying why it cannot be counted."""
        if name == DAY and not has_day(form.about, population):
            table.refuse("plan.fact.day", key, name=name)
            return None
        if name in ALWAYS or name == DAY:
            if form.has_field(name) and not (name == "country" and form.country == name):
                table.refuse("plan.fact.two_meanings", key, name=name, form=form.name)
            return ALWAYS.get(name, "day")
        try:
            fact = self._fact_of(name, form)
        except KeyError:
            known = [*ALWAYS, *(fact.name for fact in form.facts), *(field.name for field in form.fields)]
            refuse_unknown(table, key, "plan.fact.unknown", name, known, form=form.name)
            return None
        except Refused as refused:
            table.pass_on(refused, key)
            return None
        sensitive = fact.sensitivity is Sensitivity.SENSITIVE and form.about in _ABOUT_PEOPLE
        if sensitive and population is Population.OPEN:
            table.refuse("plan.fact.sensitive_open", key, name=name, field=fact.source)
        return fact.type

    def _fact_of(self, name: str, form: Form) -> FactSource:
        for declared in form.facts:
            if declared.name == name:
                return declared
        return automatic_fact(form.text, form.field(name))

    def _with_facts(self, form: Form, indicators: Iterable[Indicator]) -> Form:
        """The form with every fact that its indicators need."""
        needed: dict[str, None] = {}
        for indicator in indicators:
            if indicator.form == form.name:
                conditions = (*indicator.where, *indicator.part)
                named = (*indicator.dimensions, *(condition.fact for condition in conditions))
                needed.update(dict.fromkeys((*named, *filter(None, [indicator.measured]))))
        facts = {fact.name: fact for fact in form.facts}
        for name in needed:
            if name not in ALWAYS and name != DAY and name not in facts:
                try:
                    facts[name] = self._fact_of(name, form)
                except (Refused, KeyError):  # already said where the indicator names it
                    continue
        return replace(form, facts=tuple(facts.values()))
