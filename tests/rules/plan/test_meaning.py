"""What a programme says of its questions is checked: consent, searching, recognising, origin, words."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.rules.plan.test_programme import CONSENT, HELP, VISIT, edit, place, refused, with_questions

from resguardo.plan.condition import Condition
from resguardo.plan.declaration import Index, SearchIndex
from resguardo.plan.programme import cautions, load_programme, new_programme
from resguardo.values import InstitutionKind, Sensitivity

SEARCH = "form visit, search 1"
RIGHTS = "purpose rights"
FIELDS = 'fields = ["full_name", "birth_date"]'
GROUP = "[form.groups.identifier]"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A programme whose form also asks what consent, origin and asylum need."""
    made = new_programme(tmp_path, "visits")
    with_questions(
        made,
        "integer | years | Edad | Age | yes | | | | quasi |",
        "integer | years_guessed | Edad | Age | | | | | quasi |",
        "select_one yes_no | under_18 | Menor | Minor | yes | | | | quasi |",
        "select_one yes_no | guardian_says | Tutor | Guardian | | | | | plain |",
        "select_one yes_no | child_says | Niña | Child | | | | | plain |",
        "select_one yes_no | asks_asylum | Asilo | Asylum | | | | | sensitive |",
        "select_one country | born_in | Origen | Origin | | | | | quasi |",
        "select_one service | may_receive | Recibe | Receives | | | | | plain |",
        "date | says_until | Hasta | Until | | | | | plain |",
        "text | document | Documento | Document | | | | | identifier |",
        "text | phone | Teléfono | Telephone | | | | | identifier |",
        "begin_repeat | child | Niño | Child | | | | | |",
        "text | child_name | Nombre | Name | | | | | identifier |",
        "end_repeat | | | | | | | | |",
    )
    return made


def consent(folder: Path, *lines: str) -> Path:
    """The consent says this in place of who receives."""
    old = next(
        line
        for line in (folder / "programme.toml").read_text(encoding="utf-8").splitlines()
        if line.startswith("receiver_kinds = ")
    )
    return edit(folder, f"{old}\n", "".join(f"{line}\n" for line in lines))


MINOR = ('age = "years"', 'guardian = "guardian_says"', 'assent = "child_says"')


# What loads


def test_a_consent_may_say_who_answers_for_whom_and_until_when(folder: Path) -> None:
    consent(folder, *MINOR, 'until = "says_until"', 'receiver_kinds = ["shelter"]')
    (asked,) = load_programme(folder).form("visit").consents
    assert (asked.age, asked.guardian, asked.assent) == ("years", "guardian_says", "child_says")
    assert (asked.until, asked.receiver_kinds) == ("says_until", (InstitutionKind.SHELTER,))
    assert asked.withdrawn is asked.language is asked.manner is asked.receiver is None


def test_a_consent_that_says_nothing_more_is_one_of_an_adult_to_the_institution_that_asks(
    folder: Path,
) -> None:
    consent(folder)
    (asked,) = load_programme(folder).form("visit").consents
    assert (asked.receiver, asked.receiver_kinds, asked.age, asked.guardian) == (None, (), None, None)


def test_a_minor_may_be_known_by_an_answer(folder: Path) -> None:
    consent(folder, 'minor = "under_18 = yes"', 'guardian = "guardian_says"')
    (asked,) = load_programme(folder).form("visit").consents
    assert asked.minor == Condition("under_18", "=", ("yes",))


def test_a_form_says_by_what_its_records_are_found_and_people_recognised(folder: Path) -> None:
    edit(folder, FIELDS, f'{FIELDS}\n[[form.search]]\nindex = "phone"\nfields = ["phone"]')
    form = load_programme(folder).form("visit")
    assert form.searches == (
        SearchIndex(Index.NAME, ("full_name", "birth_date")),
        SearchIndex(Index.PHONE, ("phone",)),
    )
    assert form.recognise == ("full_name", "birth_date")


def test_a_form_says_where_the_person_comes_from(folder: Path) -> None:
    edit(folder, "recognise = ", 'origin = "born_in"\nasylum = "asks_asylum = yes"\nrecognise = ')
    form = load_programme(folder).form("visit")
    assert form.origin == "born_in"
    assert form.asylum == Condition("asks_asylum", "=", ("yes",))


def test_the_person_reads_the_words_of_the_programme_or_those_of_the_house(folder: Path) -> None:
    form = load_programme(folder).form("visit")
    assert form.group_title(Sensitivity.IDENTIFIER, "ht") == "Kiyès ou ye: non"
    assert form.group_title(Sensitivity.SENSITIVE, "en") == "What could hurt you if others knew it"
    assert form.group_title(Sensitivity.SENSITIVE, "fr").startswith("Ce qui pourrait")


def test_a_purpose_is_tied_to_the_forms_that_it_names(folder: Path) -> None:
    programme = load_programme(folder)
    assert programme.purpose("help").forms == ("visit",)
    assert programme.purpose("help").covers("visit")
    assert not programme.purpose("help").covers("another")
    assert programme.purpose("rights").covers("another")


def test_a_purpose_without_consent_that_opens_every_form_is_a_caution(folder: Path) -> None:
    assert cautions(load_programme(folder)) == ()
    edit(folder, 'basis = "consent" ', 'basis = "public_task" ')
    edit(folder, 'forms = ["visit"] ', "")
    text = (folder / "programme.toml").read_text(encoding="utf-8")
    text = text.replace("         # the forms whose records it may open; left out, all of them\n", "\n")
    (folder / "programme.toml").write_text(text, encoding="utf-8")
    (caution,) = cautions(load_programme(folder))
    assert place(caution) == ("caution.purpose_wide", HELP, "forms")


# What does not


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (['receiver = "may_receve"'], ("programme.field_unknown_misspelt", "receiver")),
        (['receiver = "years"'], ("programme.field_kind", "receiver")),
        (['receiver = "asks_asylum"'], ("programme.field_sensitive", "receiver")),
        (['receiver = "child_name"'], ("programme.field_repeated", "receiver")),
        (['receiver_kinds = ["police"]'], ("programme.consent_receiver", "receiver_kinds")),
        (['receiver_kinds = ["bank"]'], ("toml.code", "receiver_kinds")),
        (
            ['receiver = "may_receive"', 'receiver_kinds = ["shelter"]'],
            ("programme.consent_receivers", "receiver_kinds"),
        ),
        (['guardian = "guardian_says"'], ("programme.consent_no_age", "guardian")),
        (['age = "years"'], ("programme.consent_no_guardian", "age")),
        (['assent = "child_says"', 'age = "years"'], ("programme.consent_no_guardian", "age")),
        ([*MINOR[1:], 'age = "years_guessed"'], ("programme.consent_age_optional", "age")),
        ([*MINOR[1:], 'age = "sex"'], ("programme.consent_age_bands", "age")),
        ([*MINOR[1:], 'age = "full_name"'], ("programme.field_kind", "age")),
        ([*MINOR[1:], 'minor = "under_18"'], ("programme.answer", "minor")),
        ([*MINOR[1:], 'minor = "under_18 != yes"'], ("programme.answer", "minor")),
        ([*MINOR[1:], 'minor = "under_18 = perhaps"'], ("condition.value", "minor")),
        ([*MINOR[1:], 'minor = "years = yes"'], ("programme.field_kind", "minor")),
        ([*MINOR[1:], 'minor = "asks_asylum = yes"'], ("programme.field_sensitive", "minor")),
        ([MINOR[0], 'guardian = "sex"'], ("programme.consent_yes", "guardian")),
        ([*MINOR[:2], 'assent = "sex"'], ("programme.consent_yes", "assent")),
        ([*MINOR, 'authority = "guardian_says = judge"'], ("condition.value", "authority")),
        (['until = "years"'], ("programme.field_kind", "until")),
        (['withdrawn = "full_name"'], ("programme.field_kind", "withdrawn")),
        (['language = "none_such"'], ("programme.field_unknown", "language")),
        (['manner = "document"'], ("programme.field_kind", "manner")),
        (['guardiann = "guardian_says"'], ("toml.key_misspelt", "guardiann")),
    ],
)
def test_a_fault_of_a_consent_is_named_with_its_key(
    folder: Path, lines: list[str], expected: tuple[str, str]
) -> None:
    consent(folder, *lines)
    problems = refused(folder)
    assert (expected[0], CONSENT, expected[1]) in [place(problem) for problem in problems]
    text = (folder / "programme.toml").read_text(encoding="utf-8").splitlines()
    said = {text[int(problem.facts["line"]) - 1].partition(" ")[0] for problem in problems}
    assert expected[1] in said


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (FIELDS, 'fields = ["full_name"]', ("programme.search_alone", SEARCH, "fields")),
        (FIELDS, 'fields = ["full_name", "need"]', ("programme.field_kind", SEARCH, "fields")),
        (FIELDS, 'fields = ["need", "birth_date"]', ("programme.field_sensitive", SEARCH, "fields")),
        (FIELDS, 'fields = ["full_name", "asks_asylum"]', ("programme.field_sensitive", SEARCH, "fields")),
        (
            FIELDS,
            'fields = ["full_name", "birthdate"]',
            ("programme.field_unknown_misspelt", SEARCH, "fields"),
        ),
        (FIELDS, 'fields = ["child_name", "birth_date"]', ("programme.field_repeated", SEARCH, "fields")),
        (
            f'index = "name"\n{FIELDS}',
            'index = "phone"\nfields = ["phone", "document"]',
            ("programme.search_fields", SEARCH, "fields"),
        ),
        (
            f'index = "name"\n{FIELDS}',
            'index = "document"\nfields = ["born_in", "sex", "country", "document"]',
            ("programme.search_fields", SEARCH, "fields"),
        ),
        (
            f'index = "name"\n{FIELDS}',
            'index = "document"\nfields = ["document", "born_in"]',
            ("programme.field_kind", SEARCH, "fields"),
        ),
        ('index = "name"', 'index = "health"', ("toml.code", SEARCH, "index")),
        (
            '"full_name", "birth_date"]   #',
            '"visitor_code"]   #',
            ("programme.recognise_plain", VISIT, "recognise"),
        ),
        ('"full_name", "birth_date"]   #', '"need"]   #', ("programme.field_sensitive", VISIT, "recognise")),
        ('"full_name", "birth_date"]   #', '"sex"]   #', ("programme.field_kind", VISIT, "recognise")),
        ("recognise = ", 'origin = "sex"\nrecognise = ', ("programme.origin_codes", VISIT, "origin")),
        ("recognise = ", 'origin = "need"\nrecognise = ', ("programme.field_kind", VISIT, "origin")),
        ("recognise = ", 'asylum = "asks_asylum"\nrecognise = ', ("programme.answer", VISIT, "asylum")),
        ("recognise = ", 'asylum = "asks = yes"\nrecognise = ', ("programme.field_unknown", VISIT, "asylum")),
        ('ht = "Kiyès ou ye: non"', "", ("toml.language_missing", "form visit, groups, identifier", None)),
        ('ht = "Kiyès ou ye: non"', 'ht = ""', ("toml.words_empty", "form visit, groups, identifier", None)),
        (GROUP, "[form.groups.identifer]", ("toml.key_misspelt", "form visit, groups", "identifer")),
        ('forms = ["visit"]', 'forms = ["vist"]', ("programme.form_unknown_misspelt", HELP, "forms")),
        ('forms = ["visit"]', "forms = []", ("toml.empty", HELP, "forms")),
        (
            'retention_days = 1825\nopens = ["identifier", "quasi", "sensitive", "plain"]',
            'retention_days = 1825\nopens = ["identifier"]',
            ("programme.rights_narrow", RIGHTS, "opens"),
        ),
        (
            'roles = ["data_protection_officer"]',
            'roles = ["caseworker"]',
            ("programme.rights_narrow", RIGHTS, "roles"),
        ),
        (
            'roles = ["data_protection_officer"]',
            'roles = ["data_protection_officer"]\nforms = ["visit"]',
            ("programme.rights_narrow", RIGHTS, "forms"),
        ),
        (
            'basis = "legal_obligation"\nretention_days = 1825',
            'basis = "legal_obligation"\nretention_days = 365',
            ("programme.rights_short", RIGHTS, "retention_days"),
        ),
    ],
)
def test_a_fault_of_what_questions_mean_is_named_with_table_and_key(
    folder: Path, old: str, new: str, expected: tuple[str, str, str | None]
) -> None:
    edit(folder, old, new)
    problems = refused(folder)
    assert expected in [place(problem) for problem in problems]
    assert all("line" in problem.facts for problem in problems)


def test_words_for_answers_that_the_form_does_not_ask_are_refused(folder: Path) -> None:
    form = (folder / "forms/visit.md").read_text(encoding="utf-8")
    (folder / "forms/visit.md").write_text(form.replace("| sensitive |", "| quasi |"), encoding="utf-8")
    edit(folder, "| sensitive   |", "| quasi       |", "forms/visit.md")
    edit(folder, GROUP, '[form.groups.sensitive]\nes = "S"\nen = "S"\nfr = "S"\nht = "S"\n\n' + GROUP)
    (problem,) = refused(folder)
    assert place(problem) == ("programme.group_empty", "form visit, groups, sensitive", None)


def test_the_line_of_a_group_is_that_of_its_own_form(folder: Path) -> None:
    """The second form's table is meant, not the first one's of the same name."""
    form = (folder / "forms/visit.md").read_text(encoding="utf-8").replace("visits_visit", "visits_again")
    (folder / "forms/again.md").write_text(form, encoding="utf-8")
    with (folder / "programme.toml").open("a", encoding="utf-8") as file:
        file.write(
            '\n[[form]]\nname = "again"\nfile = "forms/again.md"\nmoment = "visited_on"\nabout = "person"\n'
            'key = ["visitor_code"]\nfollows = "visit"\ntitle.es = "Otra"\ntitle.en = "Again"\n'
            '[form.groups.identifier]\nes = "E"\nen = "E"\nfr = "E"\n'
        )
    (problem,) = refused(folder)
    assert place(problem) == ("toml.language_missing", "form again, groups, identifier", None)
    text = (folder / "programme.toml").read_text(encoding="utf-8").splitlines()
    assert int(problem.facts["line"]) == len(text) - 3
