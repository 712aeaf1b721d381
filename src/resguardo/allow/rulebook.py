"""What the law of each country says about personal data, as figures with their source and their doubt.

The rulebook is data: one TOML file per jurisdiction in the folder `rulebook` beside this file, the strictest
common rule, and a page about all of them. Each value says how sure it is (`ValueStatus`). An editor corrects
a value without a release: a `Correction` is laid over the files, checked like them, and the value that it
replaced stays visible. Nothing here is legal advice: until counsel of the country signed a jurisdiction,
`Jurisdiction.is_signed` is false and whoever shows a value says so.

docs/rulebook.md describes the files, the corrections and what has no value.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from resguardo.allow.calendar import Calendar, HolidayCorrection, Unit
from resguardo.plan.languages import in_language, say
from resguardo.values import LANGUAGES, PACKAGE, Language, Problem, Refused, Words

BUILT_IN: Final = PACKAGE / "allow" / "rulebook"
"""The rulebook that comes with the program."""

STRICTEST: Final = "strictest_common"
"""What the strictest common rule is called among the jurisdictions."""

BASELINE: Final = "IOM"
"""The jurisdiction whose rules count where a law sets none."""


class ValueStatus(StrEnum):
    """How sure a value is."""

    SOURCED = "sourced"
    FROM_MEMORY = "from_memory"
    UNKNOWN = "unknown"
    NOT_IN_LAW = "not_in_law"
    NOT_IN_FORCE = "not_in_force"


class ControllerType(StrEnum):
    """Who answers for the records; which law binds hangs on it before it hangs on the country."""

    STATE = "state"
    PRIVATE_OR_NGO = "private_or_ngo"
    INTERNATIONAL_ORG = "international_org"


class Threshold(StrEnum):
    """From what danger to the people on a law wants a breach told."""

    NONE = "none"
    RISK = "risk"
    HIGH_RISK = "high_risk"
    SIGNIFICANT_EFFECT = "significant_effect"


@dataclass(frozen=True)
class Length:
    """A length of time, as the law counts it."""

    value: int
    unit: Unit

    def words(self, language: Language) -> str:
        """“5 business days”, in the language of the reader."""
        number = "one" if self.value == 1 else "many"
        return say(f"allow.rulebook.{self.unit}_{number}", language, value=self.value)


@dataclass(frozen=True)
class Period:
    """Within which time something must be done, from which event on, and whether it may be prolonged."""

    status: ValueStatus
    length: Length | None = None
    start: str | None = None
    extension: Length | None = None
    made_effective: Length | None = None
    """What may pass between the answer and its being carried out."""
    threshold: Threshold | None = None
    """For a breach: from what danger on it must be told; None where the text is not known."""
    article: str | None = None
    note: str | None = None

    @property
    def counts(self) -> bool:
        """Whether it gives a length of time that can be counted: a law in force says so, or is said to."""
        return self.length is not None and self.status in (ValueStatus.SOURCED, ValueStatus.FROM_MEMORY)


@dataclass(frozen=True)
class Law:
    """The text, and since when and how far it is in force."""

    name: str
    in_force: str
    number: str | None = None
    year_enacted: int | None = None
    year_in_force: int | None = None
    note: str | None = None


@dataclass(frozen=True)
class Authority:
    """Who watches over the law, and whether there is anybody."""

    name: str
    operational: str
    note: str | None = None

    @property
    def can_be_told(self) -> bool:
        """Whether there is anybody to whom a notice could be sent."""
        return self.operational not in ("no", "n/a")


@dataclass(frozen=True)
class BreachRule:
    """Whom the law wants told of a breach, when, and of what."""

    authority: Period
    person: Period
    trigger: str
    content: str | None = None


@dataclass(frozen=True)
class TransferRule:
    """Under which condition records may go abroad."""

    rule: str
    consent_required: str
    adequacy_required: str
    written_agreement_required: str
    status: ValueStatus
    article: str | None = None


@dataclass(frozen=True)
class SensitiveCategories:
    """What the law protects more than the rest."""

    categories: tuple[str, ...]
    status: ValueStatus
    article: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class ConsentRule:
    """How consent must be given."""

    general: str
    sensitive: str
    status: ValueStatus
    special: str | None = None
    article: str | None = None


@dataclass(frozen=True)
class ChildrenRule:
    """Until which age, and who acts for a child."""

    rule: str
    status: ValueStatus
    age: int | None = None
    article: str | None = None


@dataclass(frozen=True)
class Longest:
    """The longest that a law lets data be kept, and which data."""

    scope: str
    status: ValueStatus
    length: Length | None = None


@dataclass(frozen=True)
class RetentionRule:
    """How long data are kept, and what is done with them in the end."""

    rule: str
    action_at_end: str
    status: ValueStatus
    longest: Longest | None = None
    blocking: Period | None = None
    """For how long records stay blocked before they are deleted; no law in the files says a number."""
    article: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Source:
    """Where a value was seen."""

    title: str
    articles: str
    where: str
    kind: str


@dataclass(frozen=True)
class Correction:
    """A value that an editor enters over the files, with its source.

    `path` names the place as the file does: ``response_deadlines.access.value``. A whole period can be
    entered at once: ``response_deadlines.access`` with ``{"value": 10, "unit": "business_days"}``. `value`
    None takes the value away; `status` says why there is none. The newest correction of a place counts.
    """

    jurisdiction: str
    path: str
    value: object
    status: str
    source: str
    by: str
    on: date | datetime


@dataclass(frozen=True)
class Change:
    """A correction that counts or counted, and what stood there before."""

    correction: Correction
    old_value: object
    old_status: str | None


@dataclass(frozen=True)
class Jurisdiction:
    """What is known about the rules of one country, of one of its regimes, or of an organisation."""

    id: str
    title: Words
    level: str
    """``national``, ``baseline`` or ``comparison``; only national rules make the strictest common one."""
    as_of: date
    has_general_law: bool
    iso3: str | None
    territory: str | None
    """ISO 3166-1 alpha-2 code of the country; None for an organisation or a union."""
    law: Law
    applies_to: Mapping[ControllerType, str]
    authority: Authority
    constitutional_basis: str
    rights: Mapping[str, str]
    response_deadlines: Mapping[str, Period]
    breach: BreachRule
    cross_border_transfer: TransferRule
    sensitive_categories: SensitiveCategories
    consent: ConsentRule
    children: ChildrenRule
    retention: RetentionRule
    sanctions: str
    other_rules: tuple[str, ...]
    pending_change: str | None
    sources: tuple[Source, ...]
    confidence: str
    from_memory: bool
    from_memory_fields: tuple[str, ...]
    signed_by: str | None = None
    """The counsel who signed these rules, and when; None until somebody did."""
    signed_on: date | None = None
    changes: tuple[Change, ...] = ()

    @property
    def is_signed(self) -> bool:
        """Whether counsel of the country answers for these values."""
        return self.signed_by is not None and self.signed_on is not None

    @property
    def is_in_force(self) -> bool:
        """Whether the law is known to be in force, at least in part."""
        return self.law.in_force in _IN_FORCE

    @property
    def is_extension_from_memory(self) -> bool:
        """Whether the prolongation of its periods was not seen in a source."""
        return any("extension" in said for said in self.from_memory_fields)

    def standing(self, controller: ControllerType) -> ValueStatus | None:
        """None when its law binds that kind of controller; otherwise as what its values count.

        A law whose commencement is not known, or that binds only those who manage public money, is unknown.
        """
        applies = self.applies_to[controller]
        if applies == "no" or self.law.in_force == "no":
            return ValueStatus.NOT_IN_LAW
        if applies == "principles_only":
            return ValueStatus.NOT_IN_FORCE
        if applies != "yes" or not self.is_in_force:
            return ValueStatus.UNKNOWN
        return None

    def name(self, language: Language) -> str:
        """What a reader calls it."""
        return in_language(self.title, language) or self.id


@dataclass(frozen=True)
class StrictestRule:
    """The rule for a record that two or more countries share, as it was found on a day.

    `resguardo.allow.rights` and `.breach` hold it against the records at run time and take what ends first.
    """

    as_of: date
    purpose: str
    rights_response: Mapping[str, Length]
    drivers: Mapping[str, str]
    """By path, the jurisdictions that a value comes from."""
    breach_authority: Length
    breach_person: Length
    breach_threshold: str
    breach_clock_start: str
    breach_target: str
    also_notify: Mapping[str, str]
    """By jurisdiction, who besides the authority must be told."""
    transfer_all_of: tuple[str, ...]
    transfer_override: str
    sensitive_union: tuple[str, ...]
    consent: str
    children: str
    deceased: str
    retention_rule: str
    retention_exceptions: str
    keep_evidence: str
    share_cap: Length
    hold_cap: Length
    evidence: Length
    """How long the proof of a consent or notice is kept."""
    precedence: tuple[str, ...]
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class About:
    """What the rulebook is, and the warning that goes with it."""

    title: str
    version: str
    as_of: date
    warning: str
    how_to_use: tuple[str, ...]
    value_status: Mapping[str, str]
    confidence_scale: Mapping[str, str]
    enums: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Rulebook:
    """Every jurisdiction, the strictest common rule and the holidays, with the corrections laid over them."""

    about: About
    jurisdictions: Mapping[str, Jurisdiction]
    strictest: StrictestRule
    calendar: Calendar

    def in_territory(self, territory: str) -> tuple[Jurisdiction, ...]:
        """The jurisdictions of a country; Mexico has two."""
        return tuple(one for one in self.jurisdictions.values() if one.territory == territory)

    def of_controller(self, controller: ControllerType, territory: str) -> Jurisdiction | None:
        """Whose rules to look at for that kind of controller there; None where nothing is known.

        An international organisation has its own principles, wherever it works. Among several regimes of a
        country it is the one that binds; when none does, the first of them says why not.
        """
        if controller is ControllerType.INTERNATIONAL_ORG:
            return self.jurisdictions.get(BASELINE)
        found = self.in_territory(territory)
        binding = (one for one in found if one.standing(controller) is None)
        possible = (one for one in found if one.standing(controller) is not ValueStatus.NOT_IN_LAW)
        return next(binding, None) or next(possible, None) or next(iter(found), None)

    @property
    def national_in_force(self) -> tuple[Jurisdiction, ...]:
        """The jurisdictions that make the strictest common rule."""
        return tuple(
            one for one in self.jurisdictions.values() if one.level == "national" and one.is_in_force
        )

    def name(self, jurisdiction: str, language: Language) -> str:
        """What a reader calls a jurisdiction, the strictest common rule among them."""
        if jurisdiction == STRICTEST:
            return say("allow.rulebook.strictest_common", language)
        found = self.jurisdictions.get(jurisdiction)
        return jurisdiction if found is None else found.name(language)


def load(
    folder: Path = BUILT_IN,
    corrections: Iterable[Correction] = (),
    holidays: Iterable[HolidayCorrection] = (),
) -> Rulebook:
    """The rulebook of the folder with the corrections over it.

    Refuses files and corrections with every problem found: a place that does not exist, a value of the wrong
    kind, a unit or a status that is none, a number without a unit, a correction without a source.
    """
    texts = copy.deepcopy(dict(_files(folder)))
    problems: list[Problem] = []
    for name, content in texts.items():
        problems += _wrong_in(name, content, f"{name}.toml")
    if problems:
        raise Refused(*problems)
    changes: dict[str, list[Change]] = {}
    for correction in sorted(corrections, key=_when):
        found = _wrong_with(correction, texts)
        problems += found
        if not found:
            changes.setdefault(correction.jurisdiction, []).append(
                _lay_over(texts[correction.jurisdiction], correction)
            )
    for name in changes:
        problems += _wrong_in(name, texts[name], None)
    if problems:
        raise Refused(*problems)
    about = texts.pop(_ABOUT)
    strictest = texts.pop(STRICTEST)
    return Rulebook(
        _about(about),
        MappingProxyType(
            {name: _jurisdiction(content, changes.get(name, ())) for name, content in texts.items()}
        ),
        _strictest(strictest, changes.get(STRICTEST, ())),
        Calendar(tuple(holidays)),
    )


def _when(correction: Correction) -> str:
    return correction.on.isoformat()


_ABOUT: Final = "about"


@cache
def _files(folder: Path) -> Mapping[str, dict[str, Any]]:
    """Every file of the folder by the name of what it is about; reads each once."""
    found: dict[str, dict[str, Any]] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            found[path.stem] = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as failure:
            problems.append(Problem("allow.rulebook.not_toml", {"detail": str(failure)}, path.name))
    problems += [
        Problem("allow.rulebook.file_missing", {"name": f"{name}.toml"})
        for name in (_ABOUT, STRICTEST, BASELINE)
        if name not in found and not problems
    ]
    if problems:
        raise Refused(*problems)
    return MappingProxyType(found)


# What may stand where


@dataclass(frozen=True)
class _Kind:
    """What a value must be, and the sentence that is said when it is not."""

    code: str
    fits: Callable[[object], bool]
    allowed: tuple[str, ...] = ()


def _one_of(*words: str) -> _Kind:
    return _Kind("allow.rulebook.not_word", lambda value: value in words, words)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _LARGEST


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


def _is_day(value: object) -> bool:
    if isinstance(value, str):
        try:
            date.fromisoformat(value)
        except ValueError:
            return False
        return True
    return isinstance(value, date) and not isinstance(value, datetime)


def _are_sources(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and set(item) == {"title", "articles", "where", "kind"} for item in value
    )


_LARGEST: Final = 4000
"""No period of a law is longer than so many of its units, nor a year later."""

_TEXT: Final = _Kind("allow.rulebook.not_text", lambda value: isinstance(value, str) and bool(value.strip()))
_TEXTS: Final = _Kind("allow.rulebook.not_texts", _is_texts)
_NUMBER: Final = _Kind("allow.rulebook.not_number", _is_number)
_FLAG: Final = _Kind("allow.rulebook.not_flag", lambda value: isinstance(value, bool))
_DAY: Final = _Kind("allow.rulebook.not_day", _is_day)
_SOURCES: Final = _Kind("allow.rulebook.not_sources", _are_sources)
_STATUS: Final = _Kind(
    "allow.rulebook.not_status", lambda value: value in tuple(ValueStatus), (*ValueStatus,)
)
_DAY_UNITS: Final = ("business_days", "calendar_days", "months")
_ANSWER_UNIT: Final = _Kind("allow.rulebook.not_unit", lambda value: value in _DAY_UNITS, _DAY_UNITS)
_BREACH_UNITS: Final = ("hours", "hours_running", "business_days", "calendar_days")
_BREACH_UNIT: Final = _Kind("allow.rulebook.not_unit", lambda value: value in _BREACH_UNITS, _BREACH_UNITS)
_KEEPING_UNITS: Final = ("calendar_days", "months", "years")
_KEEPING_UNIT: Final = _Kind("allow.rulebook.not_unit", lambda value: value in _KEEPING_UNITS, _KEEPING_UNITS)
_LONG_UNITS: Final = ("months", "years")
_LONG_UNIT: Final = _Kind("allow.rulebook.not_unit", lambda value: value in _LONG_UNITS, _LONG_UNITS)

_IN_FORCE: Final = ("yes", "yes_not_enforced", "yes_except_registration", "partial")
RIGHTS: Final = (
    "access", "rectification", "erasure", "objection", "portability",
    "restriction", "revocation", "complaint",
)  # fmt: skip
"""The rights that a file may give a period for; the first five are in every file."""


def _period(place: str, unit: _Kind) -> dict[str, _Kind]:
    return {
        f"{place}.value": _NUMBER,
        f"{place}.unit": unit,
        f"{place}.status": _STATUS,
        f"{place}.from": _TEXT,
        f"{place}.article": _TEXT,
        f"{place}.note": _TEXT,
    }


def _answer(right: str) -> dict[str, _Kind]:
    place = f"response_deadlines.{right}"
    return {
        **_period(place, _ANSWER_UNIT),
        f"{place}.extension.value": _NUMBER,
        f"{place}.extension.unit": _ANSWER_UNIT,
        f"{place}.made_effective.value": _NUMBER,
        f"{place}.made_effective.unit": _ANSWER_UNIT,
    }


_PLACES: Final[Mapping[str, _Kind]] = {
    "id": _TEXT,
    "iso3": _TEXT,
    "territory": _TEXT,
    "as_of": _DAY,
    "level": _one_of("national", "baseline", "comparison"),
    "has_general_law": _FLAG,
    "constitutional_basis": _TEXT,
    "sanctions": _TEXT,
    "other_rules": _TEXTS,
    "pending_change": _TEXT,
    "confidence": _one_of("high", "medium", "low"),
    "from_memory": _FLAG,
    "from_memory_fields": _TEXTS,
    "sources": _SOURCES,
    "sign_off.by": _TEXT,
    "sign_off.on": _DAY,
    **{f"title.{language}": _TEXT for language in LANGUAGES},
    "law.name": _TEXT,
    "law.number": _TEXT,
    "law.year_enacted": _NUMBER,
    "law.year_in_force": _NUMBER,
    "law.in_force": _one_of(*_IN_FORCE, "partial_or_unclear", "unclear", "unknown", "no"),
    "law.note": _TEXT,
    **{
        f"applies_to.{kind}": _one_of("yes", "no", "if_public_funds", "principles_only", "unclear")
        for kind in ControllerType
    },
    "authority.name": _TEXT,
    "authority.operational": _one_of("yes", "no", "unknown", "being_established", "n/a"),
    "authority.note": _TEXT,
    **{
        f"rights.{right}": _one_of(
            "yes", "no", "partial", "by_revocation", "likely", "unclear", "unknown", "not_in_force"
        )
        for right in RIGHTS
    },
    **{place: kind for right in RIGHTS for place, kind in _answer(right).items()},
    **_period("breach.authority", _BREACH_UNIT),
    "breach.authority.threshold": _one_of(*Threshold),
    **_period("breach.person", _BREACH_UNIT),
    "breach.person.threshold": _one_of(*Threshold),
    "breach.trigger": _TEXT,
    "breach.content": _TEXT,
    "cross_border_transfer.rule": _TEXT,
    "cross_border_transfer.consent_required": _one_of(
        "express", "explicit", "express_or_contract", "yes", "yes_with_exceptions", "alternative",
        "derogation", "derogation_only", "no", "unknown",
    ),
    "cross_border_transfer.adequacy_required": _one_of(
        "yes", "yes_with_exceptions", "likely", "case_by_case", "principle", "disputed", "no", "unknown"
    ),
    "cross_border_transfer.written_agreement_required": _one_of(
        "yes", "yes_undertaking", "if_no_adequacy", "no", "unknown"
    ),
    "cross_border_transfer.status": _STATUS,
    "cross_border_transfer.article": _TEXT,
    "sensitive_categories.list": _TEXTS,
    "sensitive_categories.status": _STATUS,
    "sensitive_categories.article": _TEXT,
    "sensitive_categories.note": _TEXT,
    "consent.general": _TEXT,
    "consent.sensitive": _TEXT,
    "consent.special": _TEXT,
    "consent.status": _STATUS,
    "consent.article": _TEXT,
    "children.rule": _TEXT,
    "children.age": _NUMBER,
    "children.status": _STATUS,
    "children.article": _TEXT,
    "retention.rule": _TEXT,
    "retention.action_at_end": _one_of(
        "delete", "anonymise", "delete_or_anonymise", "destroy_or_anonymise", "block_then_delete", "archive",
        "stop_sharing_then_delete", "apply_baseline", "unknown",
    ),
    "retention.status": _STATUS,
    "retention.article": _TEXT,
    "retention.note": _TEXT,
    "retention.blocking.value": _NUMBER,
    "retention.blocking.unit": _KEEPING_UNIT,
    "retention.blocking.status": _STATUS,
    "retention.blocking.article": _TEXT,
    "retention.blocking.note": _TEXT,
    "retention.max.value": _NUMBER,
    "retention.max.unit": _LONG_UNIT,
    "retention.max.scope": _TEXT,
    "retention.max.status": _STATUS,
}  # fmt: skip
"""Every place of a jurisdiction's file and what may stand there."""

_NEEDED: Final = (
    "id", "as_of", "level", "has_general_law", "constitutional_basis", "sanctions", "other_rules",
    "confidence", "from_memory", "from_memory_fields", "sources", "title.es", "title.en",
    "law.name", "law.in_force", "authority.name", "authority.operational",
    *(f"applies_to.{kind}" for kind in ControllerType),
    *(f"rights.{right}" for right in RIGHTS[:5]),
    *(f"response_deadlines.{right}.status" for right in RIGHTS[:5]),
    "breach.authority.status", "breach.person.status", "breach.trigger",
    "cross_border_transfer.rule", "cross_border_transfer.status", "cross_border_transfer.consent_required",
    "cross_border_transfer.adequacy_required", "cross_border_transfer.written_agreement_required",
    "sensitive_categories.list", "sensitive_categories.status",
    "consent.general", "consent.sensitive", "consent.status", "children.rule", "children.status",
    "retention.rule", "retention.action_at_end", "retention.status",
)  # fmt: skip


def _fixed_length(place: str, unit: _Kind) -> dict[str, _Kind]:
    return {f"{place}.value": _NUMBER, f"{place}.unit": unit, f"{place}.driver": _TEXT}


_STRICTEST_PLACES: Final[Mapping[str, _Kind]] = {
    "as_of": _DAY,
    "purpose": _TEXT,
    **{
        place: kind
        for right in (*RIGHTS[:5], "propagate_to_recipients")
        for place, kind in _fixed_length(f"rights_response.{right}", _ANSWER_UNIT).items()
    },
    **_fixed_length("breach.authority", _BREACH_UNIT),
    "breach.authority.also_notify": _TEXTS,
    **_fixed_length("breach.person", _BREACH_UNIT),
    "breach.person.target": _TEXT,
    "breach.threshold": _TEXT,
    "breach.clock_start": _TEXT,
    "transfer.all_of": _TEXTS,
    "transfer.override": _TEXT,
    "transfer.driver": _TEXT,
    "sensitive_union": _TEXTS,
    "consent": _TEXT,
    "children": _TEXT,
    "deceased": _TEXT,
    "precedence": _TEXTS,
    "retention.rule": _TEXT,
    "retention.exceptions": _TEXT,
    "retention.keep_evidence": _TEXT,
    **_fixed_length("retention.share_cap", _LONG_UNIT),
    **_fixed_length("retention.hold_cap", _LONG_UNIT),
    **_fixed_length("retention.evidence", _LONG_UNIT),
}
"""Every place of the strictest common rule; none may be without a value."""

_ENUMS: Final = (
    "in_force", "rights", "consent_required", "adequacy_required", "written_agreement_required", "unit",
    "source_kind",
)  # fmt: skip
_ABOUT_PLACES: Final[Mapping[str, _Kind]] = {
    "title": _TEXT,
    "version": _TEXT,
    "as_of": _DAY,
    "warning": _TEXT,
    "how_to_use": _TEXTS,
    **{f"value_status.{status}": _TEXT for status in ValueStatus},
    **{f"confidence_scale.{word}": _TEXT for word in ("high", "medium", "low")},
    **{f"enums.{name}": _TEXTS for name in _ENUMS},
}


def _places_of(name: str) -> tuple[Mapping[str, _Kind], Iterable[str]]:
    if name == STRICTEST:
        return _STRICTEST_PLACES, _STRICTEST_PLACES
    if name == _ABOUT:
        return _ABOUT_PLACES, _ABOUT_PLACES
    return _PLACES, _NEEDED


def _leaves(content: Mapping[str, Any], stem: str = "") -> Iterator[tuple[str, object]]:
    """Every value of a file with its path."""
    for key, value in content.items():
        path = f"{stem}.{key}" if stem else key
        if isinstance(value, dict):
            yield from _leaves(value, path)
        else:
            yield path, value


def _wrong_in(name: str, content: Mapping[str, Any], file: str | None) -> list[Problem]:
    """What is wrong in a file, or in what the corrections made of it."""
    places, needed = _places_of(name)
    values = dict(_leaves(content))
    wrong: list[Problem] = []

    def refuse(code: str, path: str, **facts: str) -> None:
        wrong.append(Problem(code, {"jurisdiction": name, "path": path, **facts}, file))

    for path, value in values.items():
        if path not in places:
            refuse("allow.rulebook.no_place", path)
        elif not places[path].fits(value):
            refuse(places[path].code, path, allowed=", ".join(places[path].allowed))
    for path in needed:
        if path not in values:
            refuse("allow.rulebook.missing", path)
    if name not in (STRICTEST, _ABOUT) and values.get("id") != name:
        refuse("allow.rulebook.other_name", "id")
    for path in places:
        if path.endswith(".status") and path not in needed and path not in values:
            within = f"{path.removesuffix('.status')}."
            if any(place.startswith(within) for place in values):
                refuse("allow.rulebook.missing", path)
        if not path.endswith(".value"):
            continue
        stem = path.removesuffix(".value")
        has_value, has_unit = path in values, f"{stem}.unit" in values
        status = values.get(f"{stem}.status")
        if has_value != has_unit:
            refuse("allow.rulebook.half_period", stem)
        elif has_value and status in (ValueStatus.UNKNOWN, ValueStatus.NOT_IN_LAW):
            refuse("allow.rulebook.value_without_ground", stem, status=str(status))
        elif (
            not has_value
            and stem.startswith("response_deadlines.")
            and status in (ValueStatus.SOURCED, ValueStatus.FROM_MEMORY)
        ):
            refuse("allow.rulebook.status_without_value", stem, status=str(status))
    return wrong


# Corrections


def _wrong_with(correction: Correction, texts: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """What is wrong with a correction by itself."""
    facts = {"jurisdiction": correction.jurisdiction, "path": correction.path}
    if correction.jurisdiction not in texts or correction.jurisdiction == _ABOUT:
        return [Problem("allow.rulebook.no_jurisdiction", facts)]
    wrong: list[Problem] = []
    if not correction.source.strip():
        wrong.append(Problem("allow.rulebook.no_source", facts))
    if not correction.by.strip():
        wrong.append(Problem("allow.rulebook.no_editor", facts))
    if not _STATUS.fits(correction.status):
        wrong.append(Problem("allow.rulebook.not_status", {**facts, "allowed": ", ".join(_STATUS.allowed)}))
    places, _ = _places_of(correction.jurisdiction)
    entered = _entered(correction)
    if correction.path in _FIXED:
        return [*wrong, Problem("allow.rulebook.fixed_place", facts)]
    if not entered:
        code = "allow.rulebook.not_period" if f"{correction.path}.value" in places else None
        return [*wrong, Problem(code or "allow.rulebook.no_place", facts)]
    for path, value in entered.items():
        kind = places.get(path)
        if kind is None:
            wrong.append(Problem("allow.rulebook.no_place", {**facts, "path": path}))
        elif value is not None and not kind.fits(value):
            allowed = ", ".join(kind.allowed)
            wrong.append(Problem(kind.code, {**facts, "path": path, "allowed": allowed}))
    return wrong


_FIXED: Final = ("id", "level", "iso3", "territory")
"""Places that say what a file is; another file is needed to change them."""


def _entered(correction: Correction) -> dict[str, object]:
    """Each place that a correction touches, with what it puts there."""
    places, _ = _places_of(correction.jurisdiction)
    path = correction.path
    if path in places:
        return {path: correction.value}
    if f"{path}.value" not in places:
        return {}
    if correction.value is None:
        return {f"{path}.value": None, f"{path}.unit": None}
    if isinstance(correction.value, Mapping):
        return dict(_leaves({path: dict(correction.value)}))
    return {}


def _lay_over(content: dict[str, Any], correction: Correction) -> Change:
    """The correction is in the content; what stood there is in the change."""
    places, _ = _places_of(correction.jurisdiction)
    path = correction.path
    stem = path if path not in places else path.rpartition(".")[0]
    status_at = f"{stem}.status" if stem else "status"
    before = dict(_leaves(content))
    within = {place: value for place, value in before.items() if place.startswith(f"{path}.")}
    old = before.get(path) if path in places else {p.removeprefix(f"{path}."): v for p, v in within.items()}
    old_status = before.get(status_at)
    for place, value in _entered(correction).items():
        _put(content, place, value)
    if path.endswith(".value") and correction.value is None:
        _put(content, f"{stem}.unit", None)
    if status_at in places:
        _put(content, status_at, str(correction.status))
    return Change(correction, old or None, None if old_status is None else str(old_status))


def _put(content: dict[str, Any], path: str, value: object) -> None:
    """The value at its path; None takes it away, and with it the tables that are empty then."""
    key, _, rest = path.partition(".")
    if rest:
        inner = content.setdefault(key, {})
        _put(inner, rest, value)
        if not inner:
            del content[key]
    elif value is None:
        content.pop(key, None)
    else:
        content[key] = value


# From a checked file to the values


def _about(content: Mapping[str, Any]) -> About:
    return About(
        title=content["title"],
        version=content["version"],
        as_of=_day(content["as_of"]),
        warning=content["warning"],
        how_to_use=tuple(content["how_to_use"]),
        value_status=MappingProxyType(content["value_status"]),
        confidence_scale=MappingProxyType(content["confidence_scale"]),
        enums=MappingProxyType({name: tuple(words) for name, words in content["enums"].items()}),
    )


def _jurisdiction(content: Mapping[str, Any], changes: Iterable[Change]) -> Jurisdiction:
    retention, sensitive, signed = (
        content["retention"],
        content["sensitive_categories"],
        content.get("sign_off", {}),
    )
    longest = retention.get("max")
    return Jurisdiction(
        id=content["id"],
        title=MappingProxyType(content["title"]),
        level=content["level"],
        as_of=_day(content["as_of"]),
        has_general_law=content["has_general_law"],
        iso3=content.get("iso3"),
        territory=content.get("territory"),
        law=Law(**content["law"]),
        applies_to=MappingProxyType(
            {ControllerType(kind): word for kind, word in content["applies_to"].items()}
        ),
        authority=Authority(**content["authority"]),
        constitutional_basis=content["constitutional_basis"],
        rights=MappingProxyType(content["rights"]),
        response_deadlines=MappingProxyType(
            {right: _period_of(said) for right, said in content["response_deadlines"].items()}
        ),
        breach=BreachRule(
            _period_of(content["breach"]["authority"]),
            _period_of(content["breach"]["person"]),
            content["breach"]["trigger"],
            content["breach"].get("content"),
        ),
        cross_border_transfer=TransferRule(**_with_status(content["cross_border_transfer"])),
        sensitive_categories=SensitiveCategories(
            tuple(sensitive["list"]),
            ValueStatus(sensitive["status"]),
            sensitive.get("article"),
            sensitive.get("note"),
        ),
        consent=ConsentRule(**_with_status(content["consent"])),
        children=ChildrenRule(**_with_status(content["children"])),
        retention=RetentionRule(
            retention["rule"],
            retention["action_at_end"],
            ValueStatus(retention["status"]),
            None
            if longest is None
            else Longest(longest.get("scope", ""), ValueStatus(longest["status"]), _length(longest)),
            _period_of(retention["blocking"]) if "status" in retention.get("blocking", {}) else None,
            retention.get("article"),
            retention.get("note"),
        ),
        sanctions=content["sanctions"],
        other_rules=tuple(content["other_rules"]),
        pending_change=content.get("pending_change"),
        sources=tuple(Source(**source) for source in content["sources"]),
        confidence=content["confidence"],
        from_memory=content["from_memory"],
        from_memory_fields=tuple(content["from_memory_fields"]),
        signed_by=signed.get("by"),
        signed_on=_day(signed["on"]) if "on" in signed else None,
        changes=tuple(changes),
    )


def _strictest(content: Mapping[str, Any], changes: Iterable[Change]) -> StrictestRule:
    breach, transfer, retention = content["breach"], content["transfer"], content["retention"]
    also = (said.partition(": ") for said in breach["authority"]["also_notify"])
    return StrictestRule(
        as_of=_day(content["as_of"]),
        purpose=content["purpose"],
        rights_response=MappingProxyType(
            {right: _given_length(said) for right, said in content["rights_response"].items()}
        ),
        drivers=MappingProxyType(
            {
                path.removesuffix(".driver"): str(value)
                for path, value in _leaves(content)
                if path.endswith(".driver")
            }
        ),
        breach_authority=_given_length(breach["authority"]),
        breach_person=_given_length(breach["person"]),
        breach_threshold=breach["threshold"],
        breach_clock_start=breach["clock_start"],
        breach_target=breach["person"]["target"],
        also_notify=MappingProxyType({jurisdiction: name for jurisdiction, _, name in also}),
        transfer_all_of=tuple(transfer["all_of"]),
        transfer_override=transfer["override"],
        sensitive_union=tuple(content["sensitive_union"]),
        consent=content["consent"],
        children=content["children"],
        deceased=content["deceased"],
        retention_rule=retention["rule"],
        retention_exceptions=retention["exceptions"],
        keep_evidence=retention["keep_evidence"],
        share_cap=_given_length(retention["share_cap"]),
        hold_cap=_given_length(retention["hold_cap"]),
        evidence=_given_length(retention["evidence"]),
        precedence=tuple(content["precedence"]),
        changes=tuple(changes),
    )


def _period_of(said: Mapping[str, Any]) -> Period:
    threshold = said.get("threshold")
    return Period(
        status=ValueStatus(said["status"]),
        length=_length(said),
        start=said.get("from"),
        extension=_length(said.get("extension", {})),
        made_effective=_length(said.get("made_effective", {})),
        threshold=None if threshold is None else Threshold(threshold),
        article=said.get("article"),
        note=said.get("note"),
    )


def _with_status(said: Mapping[str, Any]) -> dict[str, Any]:
    return {**said, "status": ValueStatus(said["status"])}


def _length(said: Mapping[str, Any]) -> Length | None:
    return _given_length(said) if "value" in said else None


def _given_length(said: Mapping[str, Any]) -> Length:
    # Hours always run through nights and Sundays here; the strictest common rule says so in its unit.
    return Length(said["value"], Unit(said["unit"].removesuffix("_running")))


def _day(said: date | str) -> date:
    return date.fromisoformat(said) if isinstance(said, str) else said
