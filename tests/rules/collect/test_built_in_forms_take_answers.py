"""The forms of the built-in programmes can be filled from files, whatever style they have."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from tests.rules.collect.sheets import TODAY, read, write_csv

from resguardo.collect.check import Checks
from resguardo.collect.fact import facts_of
from resguardo.collect.header import columns_of
from resguardo.collect.sheet import open_sheet
from resguardo.collect.submission import Rejected, form_for, needed_columns
from resguardo.plan.languages import explain
from resguardo.plan.programme import Form, load_programme
from resguardo.values import PACKAGE, Institution, InstitutionKind

FOLDERS = sorted(path.parent for path in (PACKAGE / "programmes").glob("*/programme.toml"))
FORMS = [form for folder in FOLDERS for form in load_programme(folder).forms]
OFFICE = Institution(UUID(int=1), "oficina", "Oficina", InstitutionKind.REGIONAL_OFFICE, "CR")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.programme}.{form.name}")
class TestBuiltInForm:
    def test_every_rule_of_it_is_evaluated(self, form: Form) -> None:
        for place in (None, *form.repeats):
            assert Checks(form, place, today=TODAY).not_evaluated == []

    def test_its_columns_are_found_by_name_and_by_path(self, form: Form) -> None:
        questions = [question for question in form.fields if question.repeat is None]
        for separator in (None, "/", "-"):
            header = [
                separator.join((*question.path, question.name)) if separator else question.name
                for question in questions
            ]
            columns = columns_of(form, header)
            assert [columns.answers[at].question.name for at in range(len(header))] == [
                question.name for question in questions
            ]
            assert columns.unknown == ()

    def test_an_empty_row_under_its_columns_is_rejected_for_what_is_missing(
        self, form: Form, tmp_path: Path
    ) -> None:
        header = [question.name for question in form.fields if question.repeat is None]
        path = write_csv(tmp_path / "a.csv", [[*header, "_id"], [*("" for _ in header), "1"]])
        found = read(form, path)
        if needed := [question for question in needed_columns(form) if question.required]:
            (rejected,) = found
            assert isinstance(rejected, Rejected)
            missing = {problem.column for problem in rejected.problems}
            assert missing >= {question.name for question in needed}
            assert all(explain(problem, "es") for problem in rejected.problems)

    def test_facts_of_nothing_are_all_there_and_all_unknown(self, form: Form) -> None:
        found = facts_of(form, {form.moment: date(2024, 3, 15)}, institution=OFFICE)
        assert set(found) == set(form.fact_names)
        assert found["month"] == "2024-03"

    def test_it_is_found_by_its_columns_among_the_forms_of_its_programme(
        self, form: Form, tmp_path: Path
    ) -> None:
        header = [question.name for question in form.fields if question.repeat is None]
        sheet = open_sheet(write_csv(tmp_path / "a.csv", [header, ["x"] * len(header)]))
        siblings = [other for other in FORMS if other.programme == form.programme]
        assert form_for(siblings, sheet) in (form, None)
