"""The rulebook: what the files say, what a correction may change, and what is refused with its reason."""

from __future__ import annotations

import shutil
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resguardo.allow import rulebook as book
from resguardo.allow.calendar import HolidayCorrection, Unit
from resguardo.allow.rulebook import (
    BUILT_IN,
    STRICTEST,
    ControllerType,
    Correction,
    Length,
    Rulebook,
    Threshold,
    ValueStatus,
    load,
)
from resguardo.plan.languages import explain
from resguardo.values import Refused

RULEBOOK = load()
COUNTRIES = {
    "MEX-PRIV": "MX", "MEX-PUB": "MX", "GTM": "GT", "HND": "HN", "SLV": "SV", "NIC": "NI", "CRI": "CR",
    "PAN": "PA", "DOM": "DO", "BLZ": "BZ", "GUY": "GY", "DMA": "DM", "HTI": "HT", "JAM": "JM", "TTO": "TT",
    "BRB": "BB",
}  # fmt: skip
FIXED = Correction(
    "HND",
    "response_deadlines.access",
    {"value": 10, "unit": "business_days"},
    "sourced",
    "La Gaceta, read by counsel",
    "elena",
    date(2027, 2, 1),
)


def refused(*corrections: Correction) -> list[str]:
    """The codes of the problems for which the corrections are refused."""
    with pytest.raises(Refused) as caught:
        load(corrections=corrections)
    for problem in caught.value.problems:
        for language in ("es", "en"):
            assert explain(problem, language)
    return [problem.code for problem in caught.value.problems]


# What the files say


def test_there_are_nineteen_records_and_the_strictest_common_rule() -> None:
    assert set(RULEBOOK.jurisdictions) == {*COUNTRIES, "IOM", "UN", "GDPR"}
    assert {name: one.territory for name, one in RULEBOOK.jurisdictions.items() if one.territory} == COUNTRIES
    assert RULEBOOK.strictest.hold_cap == Length(10, Unit.YEARS)


def test_of_95_deadlines_18_are_sourced_and_the_rest_say_why_not() -> None:
    statuses = Counter(
        period.status for one in RULEBOOK.jurisdictions.values() for period in one.response_deadlines.values()
    )
    assert statuses == {
        ValueStatus.SOURCED: 18,
        ValueStatus.FROM_MEMORY: 26,
        ValueStatus.UNKNOWN: 22,
        ValueStatus.NOT_IN_LAW: 25,
        ValueStatus.NOT_IN_FORCE: 4,
    }


@pytest.mark.parametrize(
    ("jurisdiction", "right", "value", "unit", "status"),
    [
        ("CRI", "access", 5, "business_days", "sourced"),
        ("CRI", "objection", 5, "business_days", "sourced"),
        ("SLV", "portability", 20, "business_days", "sourced"),
        ("MEX-PRIV", "erasure", 20, "business_days", "sourced"),
        ("MEX-PUB", "rectification", 20, "business_days", "sourced"),
        ("PAN", "access", 10, "business_days", "from_memory"),
        ("PAN", "erasure", 5, "business_days", "from_memory"),
        ("DOM", "access", 5, "business_days", "from_memory"),
        ("GTM", "rectification", 30, "business_days", "from_memory"),
        ("JAM", "access", 30, "calendar_days", "sourced"),
        ("JAM", "objection", 21, "calendar_days", "from_memory"),
        ("BRB", "access", 1, "months", "from_memory"),
        ("GDPR", "access", 1, "months", "from_memory"),
        ("HND", "access", None, None, "unknown"),
        ("GTM", "erasure", None, None, "not_in_law"),
        ("TTO", "access", None, None, "not_in_force"),
        ("IOM", "access", None, None, "not_in_law"),
    ],
)
def test_each_period_stands_as_it_was_found(
    jurisdiction: str, right: str, value: int | None, unit: str | None, status: str
) -> None:
    period = RULEBOOK.jurisdictions[jurisdiction].response_deadlines[right]
    assert (period.length and period.length.value, period.length and period.length.unit) == (value, unit)
    assert period.status == status


def test_the_extensions_and_the_time_to_carry_out_stand_beside_the_period() -> None:
    private, public = (RULEBOOK.jurisdictions[name].response_deadlines for name in ("MEX-PRIV", "MEX-PUB"))
    assert private["access"].extension == Length(20, Unit.BUSINESS_DAYS)
    assert public["access"].extension == Length(10, Unit.BUSINESS_DAYS)
    assert private["access"].made_effective == Length(15, Unit.BUSINESS_DAYS)
    assert RULEBOOK.jurisdictions["CRI"].response_deadlines["access"].extension is None


def test_a_breach_has_its_recipients_and_thresholds() -> None:
    salvador = RULEBOOK.jurisdictions["SLV"].breach
    assert (salvador.authority.length, salvador.person.length) == (Length(72, Unit.HOURS),) * 2
    assert salvador.person.threshold is Threshold.NONE
    assert RULEBOOK.strictest.also_notify == {"SLV": "Fiscalía General"}
    mexico = RULEBOOK.jurisdictions["MEX-PRIV"].breach.person
    assert (mexico.length, mexico.status) == (None, ValueStatus.SOURCED)
    assert mexico.threshold is Threshold.SIGNIFICANT_EFFECT


def test_every_record_says_its_sources_its_day_and_that_nobody_signed_it() -> None:
    for one in RULEBOOK.jurisdictions.values():
        assert one.sources
        assert one.as_of == date(2026, 11, 24)
        assert not one.is_signed
        assert set(one.title) == {"es", "en", "fr", "ht"}
    assert "counsel" in RULEBOOK.about.warning
    for path in BUILT_IN.glob("*-*.toml"):
        assert "signature of counsel" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("right", ["access", "rectification", "erasure", "objection", "portability"])
def test_the_strictest_rule_is_not_looser_than_any_law_in_working_days(right: str) -> None:
    written = RULEBOOK.strictest.rights_response[right]
    assert written.unit is Unit.BUSINESS_DAYS
    for one in RULEBOOK.national_in_force:
        period = one.response_deadlines[right]
        if period.counts and period.length and period.length.unit is Unit.BUSINESS_DAYS:
            assert written.value <= period.length.value, one.id


@pytest.mark.parametrize(
    ("jurisdiction", "controller", "standing"),
    [
        ("MEX-PRIV", ControllerType.PRIVATE_OR_NGO, None),
        ("MEX-PRIV", ControllerType.STATE, ValueStatus.NOT_IN_LAW),
        ("GTM", ControllerType.STATE, None),
        ("GTM", ControllerType.PRIVATE_OR_NGO, ValueStatus.UNKNOWN),  # only with public money
        ("TTO", ControllerType.STATE, None),  # in force in part
        ("TTO", ControllerType.PRIVATE_OR_NGO, ValueStatus.NOT_IN_FORCE),
        ("HTI", ControllerType.STATE, ValueStatus.UNKNOWN),
        ("BLZ", ControllerType.STATE, ValueStatus.UNKNOWN),  # no commencement order was found
        ("GUY", ControllerType.PRIVATE_OR_NGO, ValueStatus.UNKNOWN),
        ("DMA", ControllerType.STATE, ValueStatus.NOT_IN_LAW),
        ("NIC", ControllerType.STATE, None),  # in force, though nobody applies it
        ("IOM", ControllerType.INTERNATIONAL_ORG, None),
        ("CRI", ControllerType.INTERNATIONAL_ORG, ValueStatus.NOT_IN_LAW),
    ],
)
def test_a_law_binds_by_controller_and_by_whether_it_is_in_force(
    jurisdiction: str, controller: ControllerType, standing: ValueStatus | None
) -> None:
    assert RULEBOOK.jurisdictions[jurisdiction].standing(controller) is standing


def test_the_controller_is_asked_before_the_country() -> None:
    def found(controller: ControllerType, territory: str) -> str | None:
        one = RULEBOOK.of_controller(controller, territory)
        return None if one is None else one.id

    assert found(ControllerType.STATE, "MX") == "MEX-PUB"
    assert found(ControllerType.PRIVATE_OR_NGO, "MX") == "MEX-PRIV"
    assert found(ControllerType.INTERNATIONAL_ORG, "MX") == "IOM"
    assert found(ControllerType.STATE, "US") is None


# Corrections


def test_a_correction_counts_and_what_it_replaced_stays_visible() -> None:
    corrected = load(corrections=[FIXED]).jurisdictions["HND"]
    period = corrected.response_deadlines["access"]
    assert (period.length, period.status) == (Length(10, Unit.BUSINESS_DAYS), ValueStatus.SOURCED)
    change = corrected.changes[0]
    assert (change.correction, change.old_status) == (FIXED, "unknown")
    assert RULEBOOK.jurisdictions["HND"].response_deadlines["access"].length is None


def test_a_single_value_is_corrected_in_its_place() -> None:
    found = load(
        corrections=[
            replace(FIXED, jurisdiction="CRI", path="response_deadlines.access.value", value=3),
            replace(FIXED, jurisdiction="CRI", path="law.in_force", value="partial"),
            replace(FIXED, jurisdiction="SLV", path="pending_change", value=None),
            replace(FIXED, jurisdiction="CRI", path="sensitive_categories.list", value=["health"]),
        ]
    )
    costa_rica = found.jurisdictions["CRI"]
    assert costa_rica.response_deadlines["access"].length == Length(3, Unit.BUSINESS_DAYS)
    assert costa_rica.law.in_force == "partial"
    assert costa_rica.sensitive_categories.categories == ("health",)
    assert [(change.old_value, change.old_status) for change in costa_rica.changes][:2] == [
        (5, "sourced"),
        ("yes", None),
    ]
    assert found.jurisdictions["SLV"].pending_change is None


def test_the_newest_correction_counts_in_whichever_order_they_are_kept() -> None:
    newer = replace(FIXED, value={"value": 8, "unit": "business_days"}, on=datetime(2027, 3, 1, 9))
    for given_order in ([FIXED, newer], [newer, FIXED]):
        found = load(corrections=given_order).jurisdictions["HND"]
        assert found.response_deadlines["access"].length == Length(8, Unit.BUSINESS_DAYS)
        assert [change.correction for change in found.changes] == [FIXED, newer]
        assert found.changes[1].old_value == {
            "value": 10,
            "unit": "business_days",
            "status": "sourced",
            "note": RULEBOOK.jurisdictions["HND"].response_deadlines["access"].note,
        }


def test_a_value_is_taken_away_with_its_unit_and_the_reason() -> None:
    gone = replace(
        FIXED, jurisdiction="PAN", path="response_deadlines.access.value", value=None, status="unknown"
    )
    period = load(corrections=[gone]).jurisdictions["PAN"].response_deadlines["access"]
    assert (period.length, period.status) == (None, ValueStatus.UNKNOWN)


def test_counsel_signs_a_jurisdiction() -> None:
    signed = load(
        corrections=[
            replace(FIXED, jurisdiction="CRI", path="sign_off.by", value="Lcda. Mora, col. 1234"),
            replace(FIXED, jurisdiction="CRI", path="sign_off.on", value="2027-02-01"),
        ]
    ).jurisdictions["CRI"]
    assert (signed.is_signed, signed.signed_on) == (True, date(2027, 2, 1))


def test_the_strictest_common_rule_is_corrected_too() -> None:
    found = load(
        corrections=[
            replace(FIXED, jurisdiction=STRICTEST, path="retention.share_cap.value", value=5),
            replace(FIXED, jurisdiction=STRICTEST, path="breach.person.value", value=48),
        ]
    )
    assert found.strictest.share_cap == Length(5, Unit.YEARS)
    assert found.strictest.breach_person == Length(48, Unit.HOURS)
    assert [change.old_value for change in found.strictest.changes] == [7, 72]


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"jurisdiction": "ATL"}, ["no_jurisdiction"]),
        ({"jurisdiction": "about"}, ["no_jurisdiction"]),
        ({"path": "response_deadlines.acces"}, ["no_place"]),
        ({"path": "response_deadlines.access.valeu", "value": 5}, ["no_place"]),
        ({"path": "response_deadlines"}, ["no_place"]),
        ({"path": ""}, ["no_place"]),
        ({"path": "id", "value": "HN"}, ["fixed_place"]),
        ({"path": "territory", "value": "GT"}, ["fixed_place"]),
        ({"value": 10}, ["not_period"]),
        ({"value": {"value": "ten", "unit": "business_days"}}, ["not_number"]),
        ({"value": {"value": True, "unit": "business_days"}}, ["not_number"]),
        ({"value": {"value": 0, "unit": "business_days"}}, ["not_number"]),
        ({"value": {"value": 10, "unit": "weeks"}}, ["not_unit"]),
        ({"value": {"value": 10, "unit": "hours"}}, ["not_unit"]),
        ({"value": {"value": 10, "unit": "business_days", "kind": 1}}, ["no_place"]),
        ({"value": {"value": 10}}, ["half_period"]),
        ({"path": "response_deadlines.access.value", "value": 10}, ["half_period"]),
        ({"path": "response_deadlines.access.unit", "value": "months"}, ["half_period"]),
        ({"status": "certain"}, ["not_status"]),
        ({"status": "unknown"}, ["value_without_ground"]),
        ({"value": None}, ["status_without_value"]),
        ({"source": "  "}, ["no_source"]),
        ({"by": ""}, ["no_editor"]),
        ({"path": "law.in_force", "value": "perhaps"}, ["not_word"]),
        ({"path": "law.name", "value": ""}, ["not_text"]),
        ({"path": "law.name", "value": None}, ["missing"]),
        ({"path": "has_general_law", "value": "yes"}, ["not_flag"]),
        ({"path": "as_of", "value": "tomorrow"}, ["not_day"]),
        ({"path": "other_rules", "value": ["a", 1]}, ["not_texts"]),
        ({"path": "sources", "value": [{"title": "a"}]}, ["not_sources"]),
        ({"jurisdiction": STRICTEST, "path": "retention.hold_cap.value", "value": None},
         ["missing", "missing", "half_period"]),
        ({"source": "", "by": "", "status": "x", "path": "y"},
         ["no_source", "no_editor", "not_status", "no_place"]),
    ],
)  # fmt: skip
def test_a_wrong_correction_is_refused_with_every_reason(
    changes: dict[str, object], codes: list[str]
) -> None:
    found = refused(replace(FIXED, **changes))  # type: ignore[arg-type]
    if changes.get("jurisdiction") == STRICTEST:
        assert set(found) <= {f"allow.rulebook.{code}" for code in codes}
        assert "allow.rulebook.missing" in found
    else:
        assert found == [f"allow.rulebook.{code}" for code in codes]


def test_one_wrong_correction_leaves_nothing_half_done() -> None:
    with pytest.raises(Refused):
        load(corrections=[FIXED, replace(FIXED, path="nowhere")])
    assert load().jurisdictions["HND"].response_deadlines["access"].length is None


PLACES = st.sampled_from(sorted(book._PLACES))
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5000), st.text(max_size=12),
    st.lists(st.text(max_size=3), max_size=2),
    st.sampled_from(["yes", "no", "business_days", "hours", "years", "sourced", "unknown", "2027-01-01"]),
    st.dictionaries(st.sampled_from(["value", "unit", "x"]), st.one_of(st.integers(), st.text()), max_size=3),
)  # fmt: skip
STATUSES = st.sampled_from([*ValueStatus, "certain", ""])


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(COUNTRIES)), PLACES, VALUES, STATUSES)
def test_any_correction_is_either_taken_whole_or_refused_with_reasons(
    jurisdiction: str, path: str, value: object, status: str
) -> None:
    correction = replace(FIXED, jurisdiction=jurisdiction, path=path, value=value, status=status)
    try:
        found = load(corrections=[correction])
    except Refused as refusal:
        said = [explain(problem, "es") for problem in refusal.problems]
    else:
        said = []
        assert [change.correction for change in found.jurisdictions[jurisdiction].changes] == [correction]
        assert {name for name, one in found.jurisdictions.items() if one.changes} == {jurisdiction}
    assert all(said)


def test_holidays_travel_with_the_rulebook() -> None:
    decreed = HolidayCorrection("GT", date(2026, 11, 20), working=False, name="Asueto")
    assert not load(holidays=[decreed]).calendar.is_working_day(date(2026, 11, 20), "GT")
    assert load().calendar.is_working_day(date(2026, 11, 20), "GT")


# Another folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the rulebook that may be spoilt."""
    return Path(shutil.copytree(BUILT_IN, tmp_path / "rulebook"))


def spoil(folder: Path, name: str, old: str, new: str) -> list[tuple[str, str | None]]:
    """The problems and their files when one text in one file is replaced."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Refused) as caught:
        load(folder)
    assert all(explain(problem, "en") for problem in caught.value.problems)
    return [(problem.code.removeprefix("allow.rulebook."), problem.file) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('unit = "business_days"', 'unit = "fortnights"', "not_unit"),
        ("value = 5\n", 'value = "five"\n', "not_number"),
        ("value = 5\n", "", "half_period"),
        ('status = "sourced"', 'status = "sure"', "not_status"),
        ('confidence = "high"', 'confidence = "high"\nopinion = "none"', "no_place"),
        ('confidence = "high"', "", "missing"),
        ('id = "CRI"', 'id = "COS"', "other_name"),
        ('id = "CRI"', "id = CRI", "not_toml"),
    ],
)
def test_a_wrong_file_is_refused_by_name(folder: Path, old: str, new: str, code: str) -> None:
    assert (code, "CRI.toml") in spoil(folder, "CRI.toml", old, new)


def test_a_folder_without_the_baseline_is_refused(folder: Path) -> None:
    (folder / "IOM.toml").unlink()
    with pytest.raises(Refused) as caught:
        load(folder)
    assert [problem.code for problem in caught.value.problems] == ["allow.rulebook.file_missing"]


def test_another_country_is_another_file(folder: Path) -> None:
    text = (folder / "CRI.toml").read_text(encoding="utf-8")
    text = text.replace('id = "CRI"', 'id = "COL"').replace('territory = "CR"', 'territory = "CO"')
    (folder / "COL.toml").write_text(text, encoding="utf-8")
    found: Rulebook = load(folder)
    assert [one.id for one in found.in_territory("CO")] == ["COL"]


def texts_in(value: object) -> set[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        return {str(value)}
    if isinstance(value, Mapping):
        return {text for one in value.values() for text in texts_in(one)}
    if isinstance(value, list | tuple):
        return {text for one in value for text in texts_in(one)}
    if is_dataclass(value):
        return {text for part in fields(value) for text in texts_in(getattr(value, part.name))}
    return set()


def test_no_text_of_any_file_is_lost() -> None:
    read = texts_in(RULEBOOK)
    for path in sorted(BUILT_IN.glob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        lost = texts_in(content) - read - {"hours_running", "SLV: Fiscalía General"}
        assert lost == set(), path.name


def test_lengths_and_names_are_said_in_four_languages() -> None:
    assert [Length(1, Unit.MONTHS).words(language) for language in ("es", "en", "fr", "ht")] == [
        "1 mes",
        "1 month",
        "1 mois",
        "1 mwa",
    ]
    assert Length(5, Unit.BUSINESS_DAYS).words("es") == "5 días hábiles"
    assert RULEBOOK.name("HTI", "ht") == "Ayiti"
    assert RULEBOOK.name(STRICTEST, "fr") == "la règle la plus stricte de la région"
    assert RULEBOOK.name("ATL", "es") == "ATL"
