"""A claim is what a sentence says about a figure, and `check` tells whether the records bear it out.

A claim is judged on what is published, never on a protected value: it is true when it holds for every number
that the published figure allows, false when it holds for none of them, and otherwise the figure cannot decide
it, and the verdict says what may be said instead. `docs/claims.md` explains each kind to a press officer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil

from resguardo.count.disclosure import DifferenceRisk, ExactNotAllowed, TooManyBreakdowns
from resguardo.count.indicator import NOT_STATED
from resguardo.plan.languages import say
from resguardo.tell.change import (
    Direction,
    Trial,
    TrialResult,
    comparability,
    period_results,
    share_results,
)
from resguardo.tell.figure import CountRecipe, Figure, Group, Recipe, Source, figure_of, is_zero
from resguardo.tell.interval import (
    Interval,
    Predicate,
    change_between,
    holds,
    interval_of,
    percentage_of,
)
from resguardo.tell.wording import (
    Clauses,
    Countries,
    Listed,
    Number,
    Percentage,
    Probability,
    Remark,
    at_sentence_start,
    joined,
    rounded,
)
from resguardo.values import Language, Refused, Words


class ClaimKind(StrEnum):
    """The kinds of claim. What each demands of the figure stands in `docs/claims.md`."""

    EXACT = "exact"
    MORE_THAN = "more_than"
    AT_LEAST = "at_least"
    ALMOST = "almost"
    ABOUT = "about"
    PERCENT = "percent"
    COUNTRIES_ARE = "countries_are"
    COUNTRIES_NUMBER = "countries_number"
    FIRST = "first"
    INCREASE = "increase"
    DECREASE = "decrease"
    DAY_IS = "day_is"
    YEARS_ARE = "years_are"


@dataclass(frozen=True)
class Base:
    """What a figure is a part of, where its own table does not hold it: a population, a product."""

    number: Decimal
    title: Words = field(default_factory=dict, hash=False)
    source: Source | None = None
    least: Decimal | None = None
    """Percent of the base under which the figure is not plausible."""
    most: Decimal | None = None
    """Percent of the base above which the figure is not plausible."""


@dataclass(frozen=True)
class Claim:
    """What a sentence says: a number, countries, a day, a change; and the recipe that decides it."""

    id: str
    kind: ClaimKind
    recipe: Recipe
    number: Decimal | None = None
    """For a change, its size in percent, where the sentence says one."""
    decimals: int = 0
    predicate: Predicate = Predicate.EXACT
    """For `percent` and `countries_number`; the other kinds carry it in their name."""
    before: Recipe | None = None
    """For a change: the recipe of the earlier figure."""
    of: Recipe | None = None
    """For a percentage whose indicator is no share: the recipe of the whole."""
    of_before: Recipe | None = None
    """The whole of `before`."""
    trial: Trial = Trial.TWO_PERIODS
    alpha: Decimal = Decimal("0.05")
    countries: tuple[str, ...] = ()
    """ISO 3166-1 alpha-2 codes in the order of the sentence."""
    years: tuple[int, int] | None = None
    """First and last year, both included."""
    dateline: date | None = None
    day: date | None = None
    """The day said. A relative one ("yesterday") was resolved from the dateline."""
    relative_day: str | None = None
    """``yesterday``, ``today`` or ``tomorrow``, when the sentence says it so."""
    base: Base | None = None
    source: Source | None = None
    wording: Words = field(default_factory=dict, hash=False)
    """The sentence's own words per language, with blanks: ``más de {number}``."""

    @property
    def coverage(self) -> Words:
        """Where and when it counts, in words for a reader."""
        return self.recipe.coverage

    @property
    def compares(self) -> Predicate:
        """How its number compares with the records."""
        try:
            return Predicate(self.kind.value)
        except ValueError:
            return self.predicate


class VerdictKind(StrEnum):
    """What the records say about a claim."""

    TRUE = "true"
    FALSE = "false"
    NOT_COMPUTABLE = "not_computable"
    WOULD_EXPOSE = "would_expose"

    def word(self, language: Language) -> str:
        """The kind as a word for a person."""
        return say(f"tell.kind.{self.value}", language)


@dataclass(frozen=True)
class Note(Remark):
    """A warning beside a verdict. One that `stops` keeps the item from being published."""

    stops: bool = False


@dataclass(frozen=True)
class Verdict:
    """What the records say about a claim, why, and what may be said instead."""

    claim: Claim
    kind: VerdictKind
    reason: Remark
    figure: Figure | None = None
    before: Figure | None = None
    test: TrialResult | None = None
    notes: tuple[Note, ...] = ()
    proposals: tuple[Remark, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the claim is true and no note stops it: only then may it be published."""
        return self.kind is VerdictKind.TRUE and not any(note.stops for note in self.notes)

    def sentence(self, language: Language) -> str:
        """The verdict in words that a press officer understands, with what may be said instead."""
        offer = ""
        if self.proposals:
            said = [f"«{one}»" if language != "en" else f"“{one}”" for one in self.proposed(language)]
            offer = say("tell.verdict.proposals", language, proposals=_alternatives(said, language))
        return joined(
            [
                at_sentence_start(self.reason.sentence(language)),
                offer,
                *(at_sentence_start(note.sentence(language)) for note in self.notes),
            ]
        )

    def proposed(self, language: Language) -> tuple[str, ...]:
        """What may be said instead, each as words for the text."""
        return tuple(proposal.sentence(language) for proposal in self.proposals)


def _alternatives(said: list[str], language: Language) -> str:
    if len(said) == 1:
        return said[0]
    return f"{', '.join(said[:-1])} {say('tell.verdict.or', language)} {said[-1]}"


def check(claim: Claim, count: CountRecipe, *, own_records: bool = False) -> Verdict:
    """The verdict on `claim`, judged on the published figures that `count` gives.

    `own_records` says that they were collected in the network, whose journal knows by whom and when: only a
    figure that others published must say its source and its date itself.

    What `count` refuses is not computable, or would expose somebody when a rule of disclosure refused it.
    """
    tables: dict[str, Figure] = {}
    try:
        for name in ("recipe", "before", "of", "of_before"):
            recipe: Recipe | None = getattr(claim, name)
            if recipe is not None:
                tables[name] = figure_of(recipe, count(recipe), source=claim.source)
    except Refused as refused:
        return _not_counted(claim, refused, tables)
    counted = _Counted(
        claim,
        tables["recipe"],
        tables.get("before"),
        tables.get("of"),
        tables.get("of_before"),
        published_elsewhere=tables["recipe"].unit == "figure" and not own_records,
    )
    finding = _JUDGES[claim.kind](counted)
    return Verdict(
        claim=claim,
        kind=finding.kind,
        reason=finding.reason,
        figure=counted.figure,
        before=counted.before,
        test=finding.test,
        notes=(*finding.notes, *_notes(counted)),
        proposals=finding.proposals,
    )


@dataclass(frozen=True)
class _Counted:
    """A claim with the figures of its recipes."""

    claim: Claim
    figure: Figure
    before: Figure | None
    of: Figure | None
    of_before: Figure | None
    published_elsewhere: bool


@dataclass(frozen=True)
class _Finding:
    """What a judge of one kind of claim found."""

    kind: VerdictKind
    reason: Remark
    proposals: tuple[Remark, ...] = ()
    notes: tuple[Note, ...] = ()
    test: TrialResult | None = None


def _true(code: str, /, **facts: object) -> _Finding:
    return _Finding(VerdictKind.TRUE, Remark(f"tell.{code}", facts))


def _false(code: str, /, **facts: object) -> _Finding:
    return _Finding(VerdictKind.FALSE, Remark(f"tell.{code}", facts))


def _not_computable(code: str, /, **facts: object) -> _Finding:
    return _Finding(VerdictKind.NOT_COMPUTABLE, Remark(f"tell.not_computable.{code}", facts))


def _would_expose(code: str, /, **facts: object) -> _Finding:
    return _Finding(VerdictKind.WOULD_EXPOSE, Remark(f"tell.would_expose.{code}", facts))


def _not_counted(claim: Claim, refused: Refused, tables: Mapping[str, Figure]) -> Verdict:
    """The verdict when a recipe was refused: its reasons, in the words of the room that refused."""
    reasons = Clauses(refused.problems)
    exposes = isinstance(refused, DifferenceRisk | ExactNotAllowed | TooManyBreakdowns)
    finding = (_would_expose if exposes else _not_computable)("refused", reasons=reasons)
    return Verdict(claim, finding.kind, finding.reason, tables.get("recipe"), tables.get("before"))


# Numbers


def _number(counted: _Counted) -> _Finding:
    if counted.figure.measure == "share":
        return _not_computable("is_share")
    interval = interval_of(counted.figure.whole)
    return _not_computable("is_day") if interval is None else _judge_number(counted.claim, interval)


def _percentage(counted: _Counted) -> _Finding:
    claim, figure = counted.claim, counted.figure
    interval = percentage_of(figure, counted.of)
    if interval is None and claim.base is not None and claim.base.number:
        part = interval_of(figure.whole)
        interval = None if part is None else part.scaled(100 / Fraction(claim.base.number))
    if interval is None:
        return replace(_not_computable("base_missing"), notes=(Note("tell.note.base_missing", stops=True),))
    return _judge_number(claim, interval)


def _judge_number(claim: Claim, interval: Interval) -> _Finding:
    """The finding on a number or a percentage: exact, more than, at least, almost, about."""
    if claim.number is None:
        return _not_computable("no_number")
    said = _said(claim)
    shown = said.facts["number"]
    decimals = claim.decimals or None
    facts: dict[str, object] = {"value": interval.shown(decimals), "said": said, "number": shown}
    proposals = _sayable(interval, claim)
    known = "exactly" if interval.is_plain else "between"
    match holds(claim.compares, interval, Fraction(claim.number), decimals=claim.decimals):
        case True:
            name: str = claim.compares
            if claim.compares is Predicate.EXACT and _is_shown_finer(interval, claim):
                name = "rounded"
            facts["relation"] = Remark(f"tell.relation.{name}", {"number": shown})
            return _true(f"verdict.true_{known}", **facts)
        case False:
            return replace(_false(f"verdict.false_{known}", **facts), proposals=proposals)
    if interval.is_plain:
        return replace(_not_computable("coarse", **facts), proposals=proposals)
    return replace(_would_expose("number" if proposals else "too_few", **facts), proposals=proposals)


def _is_shown_finer(interval: Interval, claim: Claim) -> bool:
    """Whether a reader sees more decimals of the value than the sentence says, and must be told of it."""
    if interval.decimals is not None:
        return interval.published != claim.number
    if interval.exact is None:
        return False
    seen = max(2, claim.decimals) if interval.is_percent else 4
    return Fraction(rounded(interval.exact, seen)) != claim.number


def _said(claim: Claim) -> Remark:
    """What the claim says about its number: ``más de 160``."""
    name: str = claim.compares
    if claim.kind is ClaimKind.COUNTRIES_NUMBER:
        name = f"countries_{name}"
    return Remark(f"tell.said.{name}", {"number": _shown(Fraction(claim.number or 0), claim)})


def _shown(number: Fraction, claim: Claim) -> Number | Percentage:
    if claim.kind is ClaimKind.PERCENT:
        return Percentage(number, claim.decimals)
    return Number(number, claim.decimals)


def _sayable(interval: Interval, claim: Claim) -> tuple[Remark, ...]:
    """What the published figure lets one say for certain."""
    if interval.exact is not None:
        exact = Fraction(rounded(interval.exact, claim.decimals))
        return (Remark("tell.said.exact", {"number": _shown(exact, claim)}),)
    if interval.decimals is not None and interval.published is not None:
        known = replace(claim, decimals=interval.decimals)
        return (Remark("tell.said.exact", {"number": _shown(interval.published, known)}),)
    proposals = []
    if interval.low is not None:
        step = Fraction(1, 10**claim.decimals)
        below = (ceil(interval.low / step) - 1) * step
        if below > 0:
            proposals.append(Remark("tell.said.more_than", {"number": _shown(below, claim)}))
    if interval.published is not None:
        number = Fraction(rounded(interval.published, claim.decimals))
        if holds(Predicate.ABOUT, interval, number, decimals=claim.decimals):
            proposals.append(Remark("tell.said.about", {"number": _shown(number, claim)}))
    return tuple(proposals)


# Countries and years


def _codes(figure: Figure, place: int) -> tuple[frozenset[str], frozenset[str]]:
    """The codes that certainly have somebody or something, and those that perhaps have."""
    sure = frozenset(group.key[place] for group in figure.groups if _is_some(group))
    perhaps = frozenset(group.key[place] for group in figure.groups if not is_zero(group)) - sure
    return sure - {NOT_STATED}, perhaps - {NOT_STATED}


def _is_some(group: Group) -> bool:
    return isinstance(group.low, date) or (group.low is not None and group.low > 0)


def _country_place(figure: Figure) -> int | None:
    """Where a group's key names a country."""
    for place, name in enumerate(figure.dimensions):
        if name == "country" or name.endswith("_country"):
            return place
    return None


def _countries(codes: Iterable[str], claim: Claim) -> Countries:
    """The countries in the order of the sentence, others after them."""
    order = {code: place for place, code in enumerate(claim.countries)}
    return Countries(tuple(sorted(codes, key=lambda code: (order.get(code, len(order)), code))))


def _countries_sayable(sure: frozenset[str], figure: Figure, perhaps: frozenset[str]) -> tuple[Remark, ...]:
    """How many countries one may say."""
    if not sure:
        return ()
    name = "countries_exact" if figure.is_complete and not perhaps else "countries_at_least"
    return (Remark(f"tell.said.{name}", {"number": Number(Fraction(len(sure)), 0)}),)


def _countries_are(counted: _Counted) -> _Finding:
    claim, figure = counted.claim, counted.figure
    place = _country_place(figure)
    if place is None:
        return _not_computable("not_by_country")
    said = frozenset(claim.countries)
    sure, perhaps = _codes(figure, place)
    absent = said - sure - perhaps if figure.is_complete else frozenset()
    differences = Clauses(
        tuple(
            Remark(f"tell.countries.{name}", {"countries": _countries(codes, claim)})
            for name, codes in (("extra", sure - said), ("absent", absent))
            if codes
        )
    )
    proposals = _countries_sayable(sure, figure, perhaps)
    if differences.facts:
        return replace(_false("countries.false", differences=differences), proposals=proposals)
    if said - sure:
        finding = _would_expose("countries_hidden", countries=_countries(said - sure, claim))
        return replace(finding, proposals=proposals)
    if perhaps or not figure.is_complete:
        finding = _would_expose("countries_others", countries=_countries(sure, claim))
        return replace(finding, proposals=proposals)
    return _true("countries.true", countries=_countries(said, claim))


def _countries_number(counted: _Counted) -> _Finding:
    claim, figure = counted.claim, counted.figure
    place = _country_place(figure)
    if place is None:
        return _not_computable("not_by_country")
    if claim.number is None:
        return _not_computable("no_number")
    sure, perhaps = _codes(figure, place)
    most = Fraction(len(sure) + len(perhaps)) if figure.is_complete else None
    interval = Interval(Fraction(len(sure)), most)
    facts = {
        "value": Number(Fraction(len(sure)), 0),
        "said": _said(claim),
        "found": _countries(sure, claim) if sure else Remark("tell.countries.none"),
    }
    proposals = _countries_sayable(sure, figure, perhaps)
    known = "exactly" if interval.exact is not None else "at_least"
    match holds(claim.compares, interval, Fraction(claim.number)):
        case True:
            return _true(f"countries.number_true_{known}", **facts)
        case False:
            return replace(_false(f"countries.number_false_{known}", **facts), proposals=proposals)
    return replace(_would_expose("countries_number", **facts), proposals=proposals)


def _years_are(counted: _Counted) -> _Finding:
    claim, figure = counted.claim, counted.figure
    if "year" not in figure.dimensions or claim.years is None:
        return _not_computable("not_by_year")
    first, last = claim.years
    said = frozenset(str(year) for year in range(first, last + 1))
    sure, perhaps = _codes(figure, figure.dimensions.index("year"))
    facts = {"first": str(first), "last": str(last), "found": Listed(tuple(sorted(sure)))}
    if not sure and not perhaps:
        return _not_computable("nothing_counted")
    if sure - said or (figure.is_complete and said - sure - perhaps):
        return _false("years.false", **facts)
    if said - sure or perhaps or not figure.is_complete:
        return _would_expose("years", **facts)
    return _true("years.true", **facts)


# Days


def _days(figure: Figure) -> tuple[date, ...] | VerdictKind:
    """The days on which something was counted, in order; or why the figure does not tell them."""
    if "day" in figure.dimensions:
        sure, perhaps = _codes(figure, figure.dimensions.index("day"))
        if perhaps or not figure.is_complete:
            return VerdictKind.WOULD_EXPOSE
        return tuple(sorted(date.fromisoformat(day) for day in sure))
    if figure.measure == "first":
        day = figure.whole.exact
        if figure.whole.status == "C" or figure.whole.low != figure.whole.high:
            return VerdictKind.WOULD_EXPOSE
        return (day,) if isinstance(day, date) else ()
    return VerdictKind.NOT_COMPUTABLE


def _about_days(
    counted: _Counted, judge: Callable[[Claim, Figure, date, tuple[date, ...]], _Finding]
) -> _Finding:
    """What `judge` finds when the figure tells its days."""
    days = _days(counted.figure)
    if days is VerdictKind.WOULD_EXPOSE:
        return _would_expose("days")
    if isinstance(days, VerdictKind) or counted.claim.day is None:
        return _not_computable("not_by_day")
    if not days:
        return _not_computable("nothing_counted")
    return judge(counted.claim, counted.figure, counted.claim.day, days)


def _judge_first(claim: Claim, figure: Figure, day: date, days: tuple[date, ...]) -> _Finding:
    if days[0] != day:
        return _false(f"first.{'earlier' if days[0] < day else 'later'}", day=day, found=days[0])
    finding = _true("first.true", day=day)
    that_day = [interval_of(group) for group in figure.groups if day.isoformat() in group.key]
    if sum((interval.low or 0 for interval in that_day if interval), start=Fraction(0)) > 1:
        return replace(finding, notes=(Note("tell.note.several_that_day", {"day": day}),))
    return finding


def _judge_day(claim: Claim, figure: Figure, day: date, days: tuple[date, ...]) -> _Finding:
    said: object = day
    if claim.relative_day and claim.dateline:
        said = Remark(f"tell.day.{claim.relative_day}", {"day": day, "dateline": claim.dateline})
    if days == (day,):
        return _true("day.true", said=said)
    return _false(f"day.{'several' if day in days else 'false'}", said=said, days=Listed(days))


def _first(counted: _Counted) -> _Finding:
    return _about_days(counted, _judge_first)


def _day_is(counted: _Counted) -> _Finding:
    return _about_days(counted, _judge_day)


# Changes


def _change(counted: _Counted) -> _Finding:
    """The finding on an increase or a decrease: comparable, in that direction, and more than chance."""
    claim, figure, before = counted.claim, counted.figure, counted.before
    if before is None:
        return _not_computable("before_missing")
    new, old = _changing(figure, counted.of), _changing(before, counted.of_before)
    if new is None or old is None:
        return _not_computable("is_day")
    size = change_between(old, new)
    facts: dict[str, object] = {"after": new.shown(), "before": old.shown(), "change": _shown_size(size)}
    compared = comparability(figure, before, facts)
    notes = (
        *(Note(each.code, each.facts) for each in compared.cautions),
        *(Note(each.code, each.facts, stops=True) for each in compared.stopping),
    )
    if compared.obstacle is not None:
        return _Finding(VerdictKind.NOT_COMPUTABLE, compared.obstacle, notes=notes)
    direction = Direction.ROSE if claim.kind is ClaimKind.INCREASE else Direction.FELL
    if claim.trial is Trial.TWO_PERIODS:
        results = period_results(old, new, direction, alpha=claim.alpha)
    elif counted.of is None or counted.of_before is None:
        return replace(_not_computable("whole_missing", **facts), notes=notes)
    else:
        results = share_results(old, counted.of_before, new, counted.of, alpha=claim.alpha)
    if not results:
        return replace(_would_expose("change", **facts), notes=notes)
    # The corner that supports the sentence least: against its direction first, then the weakest.
    weakest = max(results, key=lambda result: (not result.supports(direction), result.p))
    facts |= {"chance": Probability(weakest.p), "limit": Number(Fraction(claim.alpha) * 100)}
    shown = [result.is_significant and result.supports(direction) for result in results]
    if all(shown):
        finding = _sized(claim, size, direction, facts)
    elif any(shown):
        finding = _would_expose("change", **facts)
    elif any(result.supports(direction) for result in results):
        finding = _false(f"change.{direction}_by_chance", **facts)
    else:
        finding = _false(f"change.{direction}_not", **facts)
    return replace(finding, test=weakest, notes=notes)


def _changing(figure: Figure, of: Figure | None) -> Interval | None:
    """What changes: a share in percent, or a number."""
    if figure.measure == "share" or of is not None:
        return percentage_of(figure, of)
    return interval_of(figure.whole)


def _shown_size(size: Interval | None) -> object:
    return Remark("tell.change.without_size") if size is None else size.shown()


def _sized(
    claim: Claim, size: Interval | None, direction: Direction, facts: Mapping[str, object]
) -> _Finding:
    """The finding on a change that is more than chance: its size, where the sentence says one."""
    if claim.number is None:
        return _true(f"change.{direction}", **facts)
    if size is None:
        return _not_computable("no_size", **facts)
    number = Fraction(claim.number)
    magnitude = size if direction is Direction.ROSE else size.mirrored()
    said = {**facts, "number": Percentage(number, claim.decimals)}
    match holds(claim.predicate, magnitude, number, decimals=claim.decimals):
        case True:
            return _true(f"change.{direction}", **facts)
        case False:
            return _false("change.wrong_size", **said)
    return _would_expose("change_size", **said)


# Warnings


def _notes(counted: _Counted) -> tuple[Note, ...]:
    """Warnings that any kind of claim may need."""
    claim, figure = counted.claim, counted.figure
    notes = []
    if claim.recipe.as_of is None:
        if counted.published_elsewhere:
            notes.append(Note("tell.note.as_of_missing", {"as_of": figure.as_of}, stops=True))
    elif claim.recipe.as_of != figure.as_of:
        notes.append(Note("tell.note.as_of_differs", {"said": claim.recipe.as_of, "as_of": figure.as_of}))
    if counted.published_elsewhere and claim.source is None:
        notes.append(Note("tell.note.source_missing", stops=True))
    if implausible := _implausible(claim):
        notes.append(implausible)
    if _says_countries(claim) and _has_unstated_country(figure):
        notes.append(Note("tell.note.country_not_stated"))
    return tuple(notes)


def _implausible(claim: Claim) -> Note | None:
    """The note on a number that cannot be right beside what it is a part of: often a wrong unit."""
    base = claim.base
    if base is None or not base.number or claim.number is None or claim.kind is ClaimKind.PERCENT:
        return None
    percent = 100 * Fraction(claim.number) / Fraction(base.number)
    too_small = base.least is not None and percent < base.least
    too_large = base.most is not None and percent > base.most
    if not (too_small or too_large):
        return None
    facts = {
        "number": Number(Fraction(claim.number)),
        "base": Number(Fraction(base.number)),
        "title": base.title,
        "percent": Percentage(percent, 4 if percent < 1 else 1),
        "limit": Percentage(Fraction((base.least if too_small else base.most) or 0), 2),
    }
    return Note(f"tell.note.{'too_small' if too_small else 'too_large'}", facts, stops=True)


def _says_countries(claim: Claim) -> bool:
    return claim.kind in (ClaimKind.COUNTRIES_ARE, ClaimKind.COUNTRIES_NUMBER)


def _has_unstated_country(figure: Figure) -> bool:
    place = _country_place(figure)
    return place is not None and any(
        group.key[place] == NOT_STATED and not is_zero(group) for group in figure.groups
    )


_JUDGES: Mapping[ClaimKind, Callable[[_Counted], _Finding]] = {
    ClaimKind.EXACT: _number,
    ClaimKind.MORE_THAN: _number,
    ClaimKind.AT_LEAST: _number,
    ClaimKind.ALMOST: _number,
    ClaimKind.ABOUT: _number,
    ClaimKind.PERCENT: _percentage,
    ClaimKind.COUNTRIES_ARE: _countries_are,
    ClaimKind.COUNTRIES_NUMBER: _countries_number,
    ClaimKind.FIRST: _first,
    ClaimKind.INCREASE: _change,
    ClaimKind.DECREASE: _change,
    ClaimKind.DAY_IS: _day_is,
    ClaimKind.YEARS_ARE: _years_are,
}
