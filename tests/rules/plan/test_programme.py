"""A programme's folder loads complete, or every fault is named with table, key, line and cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from resguardo.plan.languages import explain_all
from resguardo.plan.programme import (
    cautions,
    find_programmes,
    load_programme,
    new_programme,
    programme_called,
)
from resguardo.values import Basis, Population, Problem, Refused, Sensitivity, SubjectKind

VISIT = "form visit"
CONSENT = "form visit, consent 1"
FACT = "form visit, fact age_band"
HELP = "purpose help"
INDICATOR = "indicator people_helped"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_programme(tmp_path, "visits")


def edit(folder: Path, old: str, new: str, file: str = "programme.toml") -> Path:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text, old
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


def refused(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(Refused) as caught:
        load_programme(folder)
    for language in ("es", "en"):
        assert all(explain_all(caught.value, language))
    return caught.value.problems


def place(problem: Problem) -> tuple[str, str | None, str | None]:
    return problem.code.removeprefix("plan."), problem.sheet, problem.column


# What loads


def test_a_new_programme_loads_from_any_folder_without_touching_the_package(folder: Path) -> None:
    programme = load_programme(folder)
    assert (programme.name, programme.folder) == ("visits", folder)
    assert programme.title["es"] == "Visitas a un centro de atención"
    assert programme.population is Population.PROTECTED
    assert set(programme.notices) == {"es", "en", "fr", "ht"}
    assert programme.purpose("help").basis is Basis.CONSENT
    assert programme.purpose("help").retention_days == 730
    assert programme.method is None
    assert cautions(programme) == ()


def test_a_form_says_what_its_answers_mean(folder: Path) -> None:
    form = load_programme(folder).form("visit")
    assert (form.about, form.key, form.moment, form.country) == (
        SubjectKind.PERSON,
        ("visitor_code",),
        "visited_on",
        "country",
    )
    assert (form.form_id, form.version, form.programme) == ("visits_visit", "2026112401", "visits")
    assert form.field("full_name").sensitivity is Sensitivity.IDENTIFIER
    assert [field.name for field in form.in_group(Sensitivity.QUASI)] == ["birth_date", "sex"]
    assert [(consent.field, consent.yes, consent.purposes) for consent in form.consents] == [
        ("consent_help", "yes", ("help",))
    ]
    with pytest.raises(KeyError):
        form.field("nothing")


def test_a_form_has_the_facts_that_its_indicators_need_and_no_others(folder: Path) -> None:
    form = load_programme(folder).form("visit")
    assert [(fact.name, fact.source, fact.derivation, fact.type) for fact in form.facts] == [
        ("age_band", "birth_date", "age_band", "age_band"),
        ("sex", "sex", "code", "code"),
        ("service", "service", "code", "code"),
    ]
    assert form.fact_names == (
        "country",
        "institution",
        "institution_kind",
        "institution_country",
        "month",
        "year",
        "age_band",
        "sex",
        "service",
    )
    assert form.codes("sex") == ("female", "male", "other", "unknown")
    assert form.codes("country") == ("GT", "HN", "MX", "SV")
    assert form.codes("institution") is None
    assert form.code_label("country", "MX", "es") == "México"
    assert form.code_label("service", "legal", "en") == "Legal advice"
    assert form.code_label("age_band", "0-4", "en") == "0-4"


def test_an_indicator_is_read_with_its_conditions(folder: Path) -> None:
    indicator = load_programme(folder).indicator("people_helped")
    assert [str(condition) for condition in indicator.where] == ["service != none"]
    assert indicator.population is Population.PROTECTED
    assert indicator.measured is None


def test_the_digest_changes_with_any_declared_file_and_with_no_other(folder: Path) -> None:
    first = load_programme(folder).digest
    (folder / "remarks.txt").write_text("not declared")
    assert load_programme(folder).digest == first
    edit(folder, "Dos años", "Tres años", "notices/es.md")
    second = load_programme(folder).digest
    assert second != first
    (folder / "method.py").write_text("raise SystemExit('never run by loading')")
    programme = load_programme(folder)
    assert programme.digest not in (first, second)
    assert programme.method == folder / "method.py"


def test_a_follow_up_form_shares_the_subjects_of_its_opener(folder: Path) -> None:
    follow(folder)
    programme = load_programme(folder)
    assert programme.opener(programme.form("again")).name == "visit"
    assert programme.opener(programme.form("visit")).name == "visit"


def follow(folder: Path, **changes: str) -> None:
    keys = {"about": '"person"', "key": '["visitor_code"]', "follows": '"visit"'} | changes
    text = (folder / "forms" / "visit.md").read_text(encoding="utf-8")
    (folder / "forms" / "again.md").write_text(text.replace("visits_visit", "visits_again"), encoding="utf-8")
    with (folder / "programme.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[form]]\nname = "again"\nfile = "forms/again.md"\nmoment = "visited_on"\n')
        file.writelines(f"{key} = {value}\n" for key, value in keys.items())
        file.write('title.es = "Otra vez"\ntitle.en = "Again"\n')


# What does not


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('name = "visits"', 'name = "visitas"', ("programme.name", None, "name")),
        ('population = "protected"', 'population = "public"', ("toml.code", None, "population")),
        ('population = "protected"', 'population = "protcted"', ("toml.code_misspelt", None, "population")),
        ('population = "protected"', "population = 1", ("toml.not_text", None, "population")),
        ('population = "protected"', 'popluation = "protected"', ("toml.missing", None, "population")),
        ('en = "Visits to a help centre"', "", ("toml.language_missing", None, "title")),
        ('en = "Visits to a help centre"', 'en = ""', ("toml.words_empty", None, "title")),
        ('en = "Visits to a help centre"', 'en = "V"\nde = "B"', ("toml.language", None, "title")),
        ('basis = "consent"', "", ("programme.no_basis", HELP, "basis")),
        ('basis = "consent"', 'basis = "habit"', ("toml.code", HELP, "basis")),
        ("retention_days = 730", "", ("programme.no_retention", HELP, "retention_days")),
        ("retention_days = 730", "retention_days = 0", ("toml.not_positive", HELP, "retention_days")),
        ("retention_days = 730", 'retention_days = "2"', ("toml.not_number", HELP, "retention_days")),
        ("retention_days = 730", "retention_day = 730", ("programme.no_retention", HELP, "retention_days")),
        ('opens = ["identifier", ', 'opens = ["names", ', ("toml.code", HELP, "opens")),
        ('roles = ["intake_worker", "caseworker"]', "", ("toml.missing", HELP, "roles")),
        ('roles = ["intake_worker", "caseworker"]', "roles = []", ("toml.empty", HELP, "roles")),
        ('roles = ["intake_worker", ', 'roles = ["Dr Who", ', ("toml.name", HELP, "roles")),
        ('name = "rights"', 'name = "help"', ("programme.name_twice", HELP, "name")),
        ('name = "rights"', 'name = "answers"', ("programme.no_rights", None, "purpose")),
        (
            'basis = "legal_obligation"',
            'basis = "consent"',
            ("programme.consent_never_asked", "purpose rights", "basis"),
        ),
        (
            'institution_kind = "shelter"',
            'institution_kind = "bank"',
            ("toml.code", "recipient 1", "institution_kind"),
        ),
        ('file = "forms/visit.md"', 'file = "forms/none.md"', ("programme.no_file", VISIT, "file")),
        ('file = "forms/visit.md"', 'file = "../../x.md"', ("programme.outside", VISIT, "file")),
        ('about = "person"', 'about = "people"', ("toml.code", VISIT, "about")),
        ('key = ["visitor_code"]', "", ("toml.missing", VISIT, "key")),
        ('key = ["visitor_code"]', 'key = "visitor_code"', ("toml.not_list", VISIT, "key")),
        (
            'key = ["visitor_code"]',
            'key = ["visitor_cod"]',
            ("programme.field_unknown_misspelt", VISIT, "key"),
        ),
        ('key = ["visitor_code"]', 'key = ["zzz"]', ("programme.field_unknown", VISIT, "key")),
        ('key = ["visitor_code"]', 'key = ["full_name"]', ("programme.field_optional", VISIT, "key")),
        ('moment = "visited_on"', 'moment = "sex"', ("programme.field_kind", VISIT, "moment")),
        ('moment = "visited_on"', 'moment = "birth_date"', ("programme.field_optional", VISIT, "moment")),
        ('country = "country"', 'country = "sex"', ("programme.country_codes", VISIT, "country")),
        ('country = "country"', 'country = "need"', ("programme.field_kind", VISIT, "country")),
        ('field = "consent_help"', 'field = "need"', ("programme.consent_kind", CONSENT, "field")),
        ('field = "consent_help"', 'field = "none"', ("programme.field_unknown", CONSENT, "field")),
        ('yes = "yes"', 'yes = "si"', ("programme.consent_yes", CONSENT, "yes")),
        (
            'purposes = ["help"]',
            'purposes = ["helps"]',
            ("programme.purpose_unknown_misspelt", CONSENT, "purposes"),
        ),
        ("[[form.consent]]", "[form.consent]", ("toml.not_tables", VISIT, "consent")),
        ('from = "birth_date"', 'from = "full_name"', ("fact.identifier", FACT, "from")),
        ('from = "birth_date"', 'from = "need"', ("fact.not_an_age", FACT, "from")),
        ('from = "birth_date"', 'from = "birthday"', ("programme.field_unknown_misspelt", FACT, "from")),
        ('as = "age_band"', 'as = "age_bands"', ("fact.as_misspelt", FACT, "as")),
        ('as = "age_band"', 'as = "day"', ("fact.day", FACT, "as")),
        ('as = "age_band"', 'as = "number"', ("fact.not_a_number", FACT, "from")),
        ('as = "age_band"', 'as = "code"', ("fact.code", FACT, "from")),
        ('name = "age_band"', 'name = "month"', ("fact.reserved", "form visit, fact month", "name")),
        ('fr = "notices/fr.md"', "", ("programme.notice_missing", "notice", "fr")),
        ('ht = "notices/ht.md"', "", ("programme.notice_missing", "notice", "ht")),
        ('es = "notices/es.md"', 'es = "notices/xx.md"', ("programme.no_file", "notice", "es")),
        ('es = "notices/es.md"', 'es = "notices/es.md"\nde = "x.md"', ("toml.key", "notice", "de")),
        ('form = "visit"', 'form = "visits"', ("programme.form_unknown_misspelt", INDICATOR, "form")),
        ('unit = "person"', 'unit = "site"', ("indicator.unit", INDICATOR, "unit")),
        ('measure = "count"', 'measure = "total"', ("indicator.measure", INDICATOR, "measure")),
        ('measure = "count"', 'measure = "first"', ("fact.day", INDICATOR, "measure")),
        ('measure = "count"', 'measure = "share"', ("indicator.no_part", INDICATOR, "part")),
        (
            'measure = "count"',
            'measure = "count"\npart = ["sex = male"]',
            ("indicator.part", INDICATOR, "part"),
        ),
        ('measure = "count"', 'measure = "sum:sex"', ("indicator.not_a_number", INDICATOR, "measure")),
        ('measure = "count"', 'measure = "sum:money"', ("fact.unknown", INDICATOR, "measure")),
        (
            'measure = "count"',
            'measure = "count"\npopulation = "open"',
            ("indicator.looser", INDICATOR, "population"),
        ),
        ('"service != none"', '"service is none"', ("condition.grammar", INDICATOR, "where")),
        ('"service != none"', '"service = a|b"', ("condition.several", INDICATOR, "where")),
        ('"service != none"', '"service = foood"', ("condition.value_misspelt", INDICATOR, "where")),
        ('"service != none"', '"service > food"', ("condition.order", INDICATOR, "where")),
        ('"service != none"', '"month = enero"', ("condition.value_shape", INDICATOR, "where")),
        ('"service != none"', '"institution_kind = bank"', ("condition.value", INDICATOR, "where")),
        ('"service != none"', '"day = 2022-05-04"', ("fact.day", INDICATOR, "where")),
        ('"age_band", "service"', '"need"', ("fact.text", INDICATOR, "dimensions")),
        ('"age_band", "service"', '"full_name"', ("fact.identifier", INDICATOR, "dimensions")),
        ('"age_band", "service"', '"birth_date"', ("fact.date", INDICATOR, "dimensions")),
        ('"age_band", "service"', '"day"', ("fact.day", INDICATOR, "dimensions")),
        ('"age_band", "service"', '"sexo"', ("fact.unknown_misspelt", INDICATOR, "dimensions")),
        ('"age_band", "service"', '"sex"', ("toml.twice", INDICATOR, "dimensions")),
        ('silent.en = "It', 'silentt.en = "It', ("toml.language_missing", INDICATOR, "silent")),
        ("[[recipient]]", "[[recipients]]", ("toml.key_misspelt", None, "recipients")),
        ('when.es = "El día de la visita."', 'when = "El día"', ("toml.grammar", None, None)),
        ('unit = "person"', "unit = person", ("toml.grammar", None, None)),
    ],
)
def test_a_fault_of_the_programme_is_named_with_table_and_key(
    folder: Path, old: str, new: str, expected: tuple[str, str | None, str | None]
) -> None:
    edit(folder, old, new)
    problems = refused(folder)
    assert expected in [place(problem) for problem in problems]
    assert all(problem.file == "visits/programme.toml" for problem in problems)


def test_a_fault_of_the_programme_says_the_line_of_the_file(folder: Path) -> None:
    edit(folder, "retention_days = 1825", "retention_days = -1")
    problem = refused(folder)[0]
    text = (folder / "programme.toml").read_text(encoding="utf-8").splitlines()
    assert "retention_days = -1" in text[int(problem.facts["line"]) - 1]


def test_a_key_that_nobody_asked_for_is_refused_so_that_a_slip_does_not_pass(folder: Path) -> None:
    edit(folder, 'country = "country"', 'contry = "country"')
    edit(folder, 'unit = "person"', 'unit = "person"\ncolour = "red"')
    edit(folder, '"country", "sex"', '"sex"')
    assert [(*place(problem), problem.facts.get("meant")) for problem in refused(folder)] == [
        ("toml.key_misspelt", VISIT, "contry", "country"),
        ("toml.key", INDICATOR, "colour", ""),
    ]


def test_faults_of_all_files_are_said_together(folder: Path) -> None:
    edit(folder, "retention_days = 730", "")
    edit(folder, "identifier  |", "            |", "forms/visit.md")
    (folder / "notices" / "fr.md").write_text(" ")
    assert {(problem.file, problem.code.rpartition(".")[2]) for problem in refused(folder)} == {
        ("visits/programme.toml", "no_retention"),
        ("visits/forms/visit.md", "sensitivity_missing"),
        ("visits/notices/fr.md", "notice_empty"),
    }


def test_a_field_without_sensitivity_keeps_the_programme_from_loading(folder: Path) -> None:
    edit(folder, "identifier  |", "            |", "forms/visit.md")
    (problem,) = refused(folder)
    assert (problem.file, problem.sheet, problem.row, problem.column) == (
        "visits/forms/visit.md",
        "survey",
        5,
        "sensitivity",
    )


@pytest.mark.parametrize(
    ("old", "new", "code", "sheet"),
    [
        ("visits_visit", "visits_other", "form_id", "settings"),
        ("visits_visit", "            ", "no_form_id", "settings"),
        ("2026112401", "          ", "no_version", "settings"),
        ("| GT ", "| Gt ", "country_code", "choices"),
        ("| female ", "| woman  ", "catalogue_code", "choices"),
    ],
)
def test_what_all_forms_share_is_checked(folder: Path, old: str, new: str, code: str, sheet: str) -> None:
    edit(folder, old, new, "forms/visit.md")
    problem = next(p for p in refused(folder) if p.code == f"plan.form.{code}")
    assert problem.sheet == sheet


@pytest.mark.parametrize(
    ("kind", "condition", "code"), [("repeat", "", "field_repeated"), ("group", "1 = 1", "field_optional")]
)
def test_a_key_that_may_be_many_or_missing_is_refused(
    folder: Path, kind: str, condition: str, code: str
) -> None:
    row = "|        | text               | visitor_code |"
    edit(
        folder,
        "| constraint   | constraint_message::Español (es)  |",
        "| relevant | hint |",
        "forms/visit.md",
    )
    edit(folder, row, f"| | begin_{kind} | g | G | G | | {condition} |\n{row}", "forms/visit.md")
    edit(
        folder,
        "|        | date               | visited_on",
        f"| | end_{kind} |\n| | date | visited_on",
        "forms/visit.md",
    )
    assert f"plan.programme.{code}" in [problem.code for problem in refused(folder)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"follows": '"none"'}, "programme.form_unknown"),
        ({"follows": '"again"'}, "programme.form_unknown"),
        ({"about": '"site"'}, "programme.follows_other"),
        ({"key": '["visitor_code", "sex"]'}, "programme.follows_key"),
    ],
)
def test_a_follow_up_that_cannot_share_its_subjects_is_refused(
    folder: Path, changes: dict[str, str], code: str
) -> None:
    follow(folder, **changes)
    assert code in [place(problem)[0] for problem in refused(folder)]


def test_a_follow_up_of_a_follow_up_is_refused(folder: Path) -> None:
    follow(folder)
    edit(folder, 'follows = "visit"', 'follows = "visit"\n')
    text = (folder / "programme.toml").read_text(encoding="utf-8")
    third = text[text.rindex("[[form]]") :].replace('"again"', '"third"').replace('"visit"', '"again"')
    (folder / "programme.toml").write_text(
        text + third.replace("forms/again", "forms/third"), encoding="utf-8"
    )
    form = (folder / "forms/again.md").read_text(encoding="utf-8").replace("visits_again", "visits_third")
    (folder / "forms/third.md").write_text(form, encoding="utf-8")
    assert [place(problem) for problem in refused(folder)] == [
        ("programme.follows_follower", "form third", "follows")
    ]


def with_questions(folder: Path, *rows: str) -> None:
    edit(
        folder,
        "\n\n| choices |",
        "".join(f"\n| | {row}" for row in rows) + "\n\n| choices |",
        "forms/visit.md",
    )


def test_only_whole_numbers_lists_and_derived_dates_become_facts(folder: Path) -> None:
    with_questions(
        folder,
        "decimal | weight | Peso | Weight | | | | | plain |",
        "geopoint | where | Lugar | Where | | | | | quasi |",
        "integer | size | Personas | People | | | | | plain |",
        "select_multiple service | wanted | Pide | Wants | | | | | plain |",
        "begin_repeat | child | Niño | Child | | | | | |",
        "select_one sex | child_sex | Sexo | Sex | | | | | quasi |",
        "integer | child_age | Edad | Age | | | | | quasi |",
        "end_repeat | | | | | | | | |",
    )
    edit(folder, '"age_band", "service"', '"wanted", "child_sex"')
    edit(folder, '"service != none"', '"size >= 2"')
    facts = {fact.name: (fact.type, fact.codes) for fact in load_programme(folder).form("visit").facts}
    assert facts["wanted"] == ("set", ("food", "shelter", "health", "legal", "none"))
    assert facts["child_sex"][0] == "set"
    assert facts["size"] == ("number", None)
    edit(folder, '"wanted", "child_sex"', '"weight", "where", "size", "child_age"')
    assert [place(problem)[0] for problem in refused(folder)] == [
        "fact.decimal",
        "fact.kind",
        "indicator.number_dimension",
        "fact.repeat",
    ]


def test_a_code_may_be_a_text_that_a_pattern_checks(folder: Path) -> None:
    with_questions(
        folder, "text | pcode | Código | Code | | regex(., '^[A-Z]{2}[0-9]{2}$') | No | No | quasi |"
    )
    edit(
        folder,
        "[[purpose]]",
        '[[form.fact]]\nname = "admin1"\nfrom = "pcode"\nas = "code"\n\n[[purpose]]',
    )
    fact = load_programme(folder).form("visit").fact("admin1")
    assert (fact.type, fact.codes) == ("code", None)


def test_a_question_named_like_a_fact_that_all_records_have_is_not_counted_by_mistake(folder: Path) -> None:
    with_questions(folder, "integer | year | Año de llegada | Year of arrival | | | | | plain |")
    edit(folder, '"age_band", "service"', '"year"')
    assert place(refused(folder)[0]) == ("fact.two_meanings", INDICATOR, "dimensions")


def test_a_sensitive_answer_about_a_person_is_never_counted_in_the_open_class(folder: Path) -> None:
    text = (folder / "forms/visit.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if "select_one service" in line)
    (folder / "forms/visit.md").write_text(
        text.replace(row, row.replace("plain    ", "sensitive")), encoding="utf-8"
    )
    load_programme(folder)
    edit(folder, 'population = "protected"', 'population = "open"')
    assert {place(problem)[0] for problem in refused(folder)} == {"fact.sensitive_open"}


def test_too_many_dimensions_are_refused(folder: Path) -> None:
    names = [f"extra{number}" for number in range(9)]
    with_questions(folder, *(f"select_one sex | {name} | X | X | | | | | plain |" for name in names))
    edit(folder, '"age_band", "service"', ", ".join(f'"{name}"' for name in names))
    assert place(refused(folder)[0]) == ("indicator.dimensions", INDICATOR, "dimensions")


# Reference tables, open data, notices


def table(folder: Path, octets: bytes, status: str = "confirmed") -> Path:
    (folder / "rates.csv").write_bytes(octets)
    with (folder / "programme.toml").open("a", encoding="utf-8") as file:
        file.write(
            f'\n[[table]]\nname = "rates"\nfile = "rates.csv"\nstatus = "{status}"\n'
            'source = "S"\nversion = "1"\n'
        )
    return folder


def test_a_reference_table_is_read_with_its_rows(folder: Path) -> None:
    table(
        folder, b'\xef\xbb\xbfcode,meaning,status\n1,"one, or so",confirmed\n\n2,two,own design\n', "per row"
    )
    rates = load_programme(folder).table("rates")
    assert rates.header == ("code", "meaning", "status")
    assert rates.rows[0]["meaning"] == "one, or so"
    assert len(rates.rows) == 2


@pytest.mark.parametrize(
    ("octets", "status", "expected"),
    [
        (b"", "confirmed", ("plan.table.empty", None, None)),
        (b"code\n", "confirmed", ("plan.table.empty", None, None)),
        (b"code,code\n1,2\n", "confirmed", ("plan.table.header", 1, "code")),
        (b"code,name\n1,a\n2,b,c\n", "confirmed", ("plan.table.width", 3, None)),
        (b"code,status\n1,confirmed\n2,sure\n", "per row", ("plan.table.status", 3, "status")),
        ("code\naño\n".encode("latin-1"), "confirmed", ("plan.file.encoding", None, None)),
    ],
)
def test_a_reference_table_with_a_fault_is_refused(
    folder: Path, octets: bytes, status: str, expected: tuple[str, int | None, str | None]
) -> None:
    (problem,) = refused(table(folder, octets, status))
    assert problem.file == "visits/rates.csv"
    assert (problem.code, problem.row, problem.column) == expected


def test_the_status_of_a_table_is_one_of_the_catalogue(folder: Path) -> None:
    assert place(refused(table(folder, b"a\n1\n", "sure"))[0]) == ("toml.code", "table rates", "status")


GROUPS = """[form.groups.identifier]   # what the visitor reads for the sealed answers of one sensitivity
es = "Quién es usted: nombre"
en = "Who you are: name"
fr = "Qui vous êtes : nom"
ht = "Kiyès ou ye: non"
"""

SOURCE = """
[form.source]
title = "T"
publisher = "P"
licence = "CC BY 4.0"
address = "https://example.org"
as_of = 2025-12-31
note.es = "N"
note.en = "N"

[[form.fact]]
"""


def test_open_data_are_not_records_of_persons(folder: Path) -> None:
    edit(folder, "[[form.fact]]", SOURCE)
    assert place(refused(folder)[0]) == ("programme.open_source_of_people", VISIT, "source")


def test_open_data_about_incidents_keep_their_source(folder: Path) -> None:
    edit(folder, "[[form.fact]]", SOURCE)
    edit(folder, 'about = "person"', 'about = "incident"')
    edit(folder, 'unit = "person"', 'unit = "incident"')
    edit(folder, "identifier  |", "quasi       |", "forms/visit.md")
    edit(folder, GROUPS, "")
    source = load_programme(folder).form("visit").source
    assert source is not None
    assert (source.licence, source.as_of.isoformat()) == ("CC BY 4.0", "2025-12-31")
    edit(folder, "as_of = 2025-12-31", 'as_of = "2025"')
    assert place(refused(folder)[0]) == ("toml.not_date", "form visit, source", "as_of")


def test_a_programme_without_personal_data_needs_neither_notice_nor_rights(folder: Path) -> None:
    text = (folder / "programme.toml").read_text(encoding="utf-8")
    start, end = text.index("[notice]"), text.index("[[form]]")
    text = text[:start] + text[end:]
    start, end = text.index("[[form.consent]]"), text.index("[[indicator]]")
    text = text[:start] + text[end:]
    text = text.replace('recognise = ["full_name", "birth_date"]', "")
    text = text.replace('"person"', '"event"').replace(', "age_band", "service"', ', "service"')
    (folder / "programme.toml").write_text(text, encoding="utf-8")
    form = (folder / "forms/visit.md").read_text(encoding="utf-8")
    for sensitivity in ("identifier", "quasi", "sensitive"):
        form = form.replace(f"| {sensitivity} ", "| plain ")
    (folder / "forms/visit.md").write_text(form, encoding="utf-8")
    programme = load_programme(folder)
    assert (programme.notices, programme.purposes) == ({}, ())
    edit(folder, 'population = "protected"', 'population = "open"')
    assert "day" in load_programme(folder).form("visit").fact_names


def test_a_programme_with_personal_data_needs_a_purpose_and_a_notice(folder: Path) -> None:
    text = (folder / "programme.toml").read_text(encoding="utf-8")
    text = text[: text.index("[[form.consent]]")] + text[text.index("[[form.fact]]") :]
    text = text[: text.index("[[purpose]]")] + text[text.index("[[indicator]]") :]
    text = text[: text.index("[notice]")] + text[text.index("[[form]]") :]
    (folder / "programme.toml").write_text(text, encoding="utf-8")
    assert [place(problem)[0] for problem in refused(folder)] == [
        "programme.no_purpose",
        "programme.no_rights",
        "programme.no_notice",
    ]


# Cautions, finding, making


def test_an_indicator_that_its_class_keeps_from_being_published_is_a_caution(folder: Path) -> None:
    edit(folder, 'measure = "count"', 'measure = "records"')
    (caution,) = cautions(load_programme(folder))
    assert place(caution) == ("caution.too_close", INDICATOR, "measure")


def test_a_question_that_lacks_spanish_or_english_is_a_caution(folder: Path) -> None:
    edit(folder, "Full name", "         ", "forms/visit.md")
    (caution,) = cautions(load_programme(folder))
    assert (caution.code, caution.row, caution.facts["language"]) == ("plan.caution.label", 5, "en")


def test_programmes_are_found_by_name_and_by_folder(folder: Path) -> None:
    other = new_programme(folder.parent, "another")
    assert find_programmes((folder.parent, folder)) == (other, folder)
    assert find_programmes((folder / "nowhere",)) == ()
    assert programme_called("visits", (folder.parent,)).folder == folder
    assert programme_called(str(other)).name == "another"
    assert programme_called("training").name == "training"


def test_an_unknown_programme_is_refused_with_the_ones_that_exist(folder: Path) -> None:
    for name, code in (("vist", "unknown_misspelt"), ("zzz", "unknown")):
        with pytest.raises(Refused) as caught:
            programme_called(name, (folder.parent,))
        assert caught.value.problems[0].code == f"plan.programme.{code}"
        assert "training" in caught.value.problems[0].facts["known"]
    with pytest.raises(Refused) as caught:
        programme_called(str(folder / "nowhere"))
    assert caught.value.problems[0].code == "plan.programme.no_folder"


def test_nothing_is_overwritten_and_a_bad_name_is_refused(folder: Path) -> None:
    for name, code in (("visits", "new_exists"), ("Mis Visitas", "new_name"), ("../up", "new_name")):
        with pytest.raises(Refused) as caught:
            new_programme(folder.parent, name)
        assert caught.value.problems[0].code == f"plan.programme.{code}"


def test_a_folder_without_a_programme_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path)[0].code == "plan.file.missing"
