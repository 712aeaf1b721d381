"""The file in which the claims of a news item are written: TOML, one ``[[claim]]`` each.

The keys of each kind, with an example, stand in `docs/claims.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from babel import Locale

from resguardo.plan.condition import parse_condition
from resguardo.plan.toml_table import Table, TomlFile
from resguardo.tell.change import Trial
from resguardo.tell.claim import Base, Claim, ClaimKind
from resguardo.tell.figure import Recipe, Source, months_of
from resguardo.tell.interval import Predicate
from resguardo.tell.listing import typed_figures
from resguardo.tell.wording import BLANKS, blanks_of
from resguardo.values import Refused, Words

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_INDICATOR = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_RELATIVE = {"yesterday": -1, "today": 0, "tomorrow": 1}

_NUMBERS = frozenset(
    {
        ClaimKind.EXACT,
        ClaimKind.MORE_THAN,
        ClaimKind.AT_LEAST,
        ClaimKind.ALMOST,
        ClaimKind.ABOUT,
        ClaimKind.PERCENT,
        ClaimKind.COUNTRIES_NUMBER,
    }
)
_CHANGES = frozenset({ClaimKind.INCREASE, ClaimKind.DECREASE})
_DAYS = frozenset({ClaimKind.FIRST, ClaimKind.DAY_IS})
_OPEN_PREDICATE = frozenset({ClaimKind.PERCENT, ClaimKind.COUNTRIES_NUMBER, *_CHANGES})

_PHRASES: Mapping[Predicate, str] = {
    Predicate.MORE_THAN: (
        r"más de|mas de|super[aó]\w*|por encima de|more than|over|above|exceed\w*|plus de|plis pase"
    ),
    Predicate.AT_LEAST: r"al menos|por lo menos|como mínimo|at least|no less than|au moins|omwen",
    Predicate.ALMOST: r"casi|almost|nearly|presque|prèske",
    Predicate.ABOUT: (
        r"alrededor de|cerca de|unos|unas|aproximadamente|about|around|some|approximately|environ|anviwon"
    ),
}
"""Words right before a number by which a sentence says how it compares."""

_AT_LEAST_AFTER = r"o más|or more|ou plus|oswa plis"
_LESS = r"menos de|a lo sumo|como máximo|less than|fewer than|under|at most|up to|moins de|mwens pase"
"""Words of comparisons that no kind of claim has."""

_NUMBER_HERE = "\ufffc"


class _ClaimsText(TomlFile):
    """A claims file that was read already."""

    def __init__(self, text: str, label: str) -> None:
        self._given_text = text
        super().__init__(Path(label), label)

    def _read(self) -> str:
        return self._given_text.removeprefix("\ufeff")


def read_claims(text: str, *, file: str) -> tuple[Claim, ...]:
    """The claims of a claims file, in its order.

    Raises `Refused` with every problem found: file, line, claim, key, and what to write.
    """
    toml = _ClaimsText(text, file)
    root = Table(toml, toml.root)
    claims = [_claim(_named(table, place)) for place, table in enumerate(root.tables("claim"))]
    if not claims and "claim" not in root:
        root.refuse("tell.claims_file.no_claim")
    root.close()
    ids = [claim.id for claim in claims if claim is not None]
    for twice in dict.fromkeys(one for one in ids if ids.count(one) > 1):
        root.refuse("tell.claims_file.id_twice", id=twice)
    if toml.problems:
        raise Refused(*toml.problems)
    return tuple(claim for claim in claims if claim is not None)


def _named(table: Table, place: int) -> Table:
    """The table, called by the claim's id in what is said about it."""
    name = table.content.get("id")
    shown = f"claim {name if isinstance(name, str) and name else place + 1}"
    return Table(table.file, table.content, table.header, table.place, shown)


def _claim(table: Table) -> Claim | None:
    """The claim that a table says; None, with its problems noted, when it says none."""
    before_it = len(table.file.problems)
    name = table.text("id")
    if name is not None and not _ID.fullmatch(name):
        table.refuse("tell.claims_file.id", "id", written=name)
    kind = table.code("kind", ClaimKind)
    recipe = _recipe(table, None)
    wording = table.words("wording")
    number = _decimal(table, "number")
    decimals = _whole(table, "decimals") or 0
    predicate = table.code("predicate", Predicate, needed=False) or Predicate.EXACT
    dateline = _day(table, "dateline")
    day, relative_day = _said_day(table, dateline)
    countries = table.texts("countries", needed=kind is ClaimKind.COUNTRIES_ARE)
    _check_countries(table, countries)
    years = _years(table)
    before = _other_recipe(table, "before", recipe)
    of = _other_recipe(table, "of", recipe)
    of_before = _other_recipe(table, "of_before", of)
    trial = table.code("test", Trial, needed=False) or Trial.TWO_PERIODS
    alpha = _decimal(table, "alpha")
    base = _base(table)
    source = _source(table)
    table.close()
    if kind is None or recipe is None or name is None:
        return None
    claim = Claim(
        id=name,
        kind=kind,
        recipe=recipe,
        number=number,
        decimals=decimals,
        predicate=predicate,
        before=before,
        of=of,
        of_before=of_before,
        trial=trial,
        alpha=alpha if alpha is not None else Decimal("0.05"),
        countries=countries,
        years=years,
        dateline=dateline,
        day=day,
        relative_day=relative_day,
        base=base,
        source=source,
        wording=wording,
    )
    _check_parts(table, claim)
    _check_wording(table, claim)
    return claim if len(table.file.problems) == before_it else None


# Recipes


def _recipe(table: Table, like: Recipe | None) -> Recipe | None:
    """The recipe that the keys of a table say; what it leaves out is as in `like`."""
    indicator = table.text("indicator", needed=like is None)
    if indicator is not None and not _INDICATOR.fullmatch(indicator):
        table.refuse("tell.claims_file.indicator", "indicator", written=indicator)
    where = table.texts("where", needed=False)
    for condition in where:
        try:
            parse_condition(condition)
        except Refused as refused:
            table.pass_on(refused, "where")
    by = table.texts("by", needed=False)
    period = table.text("period", needed=False)
    if period is not None:
        try:
            months_of(period)
        except Refused as refused:
            table.pass_on(refused, "period")
    as_of = _day(table, "as_of")
    coverage: Words = table.words("coverage") if like is None else table.words("coverage", needed=False)
    if like is not None:
        return Recipe(
            indicator or like.indicator,
            where if "where" in table else like.where,
            by if "by" in table else like.by,
            period or like.period,
            as_of or like.as_of,
            coverage or like.coverage,
        )
    return Recipe(indicator, where, by, period, as_of, coverage) if indicator else None


def _other_recipe(table: Table, key: str, like: Recipe | None) -> Recipe | None:
    """The recipe under `key`, which repeats of its model only what differs."""
    other = table.table(key)
    if other is None:
        return None
    recipe = _recipe(other, like) if like is not None else None
    if like is None and recipe is None:
        recipe = _recipe(other, None)
    other.close()
    return recipe


# Values


def _decimal(table: Table, key: str) -> Decimal | None:
    """A number as it was written, without the noise of binary fractions."""
    table.known.add(key)
    value = table.content.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or value < 0:
        table.refuse("tell.claims_file.number", key)
        return None
    return Decimal(str(value))


def _whole(table: Table, key: str) -> int | None:
    number = _decimal(table, key)
    if number is None:
        return None
    if number != number.to_integral_value() or number > 6:
        table.refuse("tell.claims_file.decimals", key)
        return None
    return int(number)


def _day(table: Table, key: str) -> date | None:
    if key in table:
        return table.day(key)
    table.known.add(key)
    return None


def _said_day(table: Table, dateline: date | None) -> tuple[date | None, str | None]:
    """The day that the sentence says; a relative one is resolved from the dateline."""
    written = table.content.get("day")
    if not isinstance(written, str):
        return _day(table, "day"), None
    table.known.add("day")
    if written not in _RELATIVE:
        table.refuse("tell.claims_file.day", "day", written=written)
        return None, None
    if dateline is None:
        table.refuse("tell.claims_file.dateline_missing", "dateline", written=written)
        return None, None
    return dateline + timedelta(days=_RELATIVE[written]), written


def _years(table: Table) -> tuple[int, int] | None:
    """First and last year, written ``years = "2022/2026"``."""
    written = table.text("years", needed=False)
    if written is None:
        return None
    found = re.fullmatch(r"(\d{4})\s*[/–-]\s*(\d{4})", written)
    if found is None or int(found[1]) > int(found[2]):
        table.refuse("tell.claims_file.years", "years", written=written)
        return None
    return int(found[1]), int(found[2])


def _check_countries(table: Table, codes: Iterable[str]) -> None:
    known = Locale.parse("es").territories
    for code in codes:
        if not re.fullmatch(r"[A-Z]{2}", code) or code not in known:
            table.refuse("tell.claims_file.country", "countries", written=code)


def _base(table: Table) -> Base | None:
    base = table.table("base")
    if base is None:
        return None
    number = _decimal(base, "number")
    if not number:
        base.refuse("plan.toml.missing", "number")
    title = base.words("title")
    least, most = _decimal(base, "least"), _decimal(base, "most")
    source = _source(base)
    if source is None and "source" not in base:
        base.refuse("tell.claims_file.base_source", "source")
    base.close()
    return Base(number, title, source, least, most) if number else None


def _source(table: Table) -> Source | None:
    source = table.table("source")
    if source is None:
        return None
    title, publisher, as_of = source.text("title"), source.text("publisher"), source.day("as_of")
    licence, address = source.text("licence", needed=False), source.text("address", needed=False)
    source.close()
    if title is None or publisher is None or as_of is None:
        return None
    return Source(title, publisher, as_of, licence or "", address or "")


# What a kind needs


def _check_parts(table: Table, claim: Claim) -> None:
    """Notes each part that the kind of claim needs and does not have, or has and does not need."""
    kind = claim.kind
    needs: dict[str, bool] = {
        "number": kind in _NUMBERS,
        "before": kind in _CHANGES,
        "day": kind in _DAYS,
        "years": kind is ClaimKind.YEARS_ARE,
    }
    for key, needed in needs.items():
        if needed and key not in table:
            table.refuse(f"tell.claims_file.{key}_missing", key, kind=kind)
    takes: dict[str, bool] = {
        "number": kind in _NUMBERS | _CHANGES,
        "predicate": kind in _OPEN_PREDICATE,
        "before": kind in _CHANGES,
        "of": kind in _CHANGES | {ClaimKind.PERCENT},
        "of_before": kind in _CHANGES,
        "test": kind in _CHANGES,
        "alpha": kind in _CHANGES,
        "countries": kind in {ClaimKind.COUNTRIES_ARE, ClaimKind.COUNTRIES_NUMBER},
        "years": kind is ClaimKind.YEARS_ARE,
        "day": kind in _DAYS,
        "dateline": kind in _DAYS,
    }
    for key, taken in takes.items():
        if key in table and not taken:
            table.refuse("tell.claims_file.not_for_kind", key, kind=kind)
    if kind in (ClaimKind.COUNTRIES_ARE, ClaimKind.COUNTRIES_NUMBER) and not any(
        name == "country" or name.endswith("_country") for name in claim.recipe.by
    ):
        table.refuse("tell.claims_file.by_missing", "by", fact="country", kind=kind)
    if kind is ClaimKind.YEARS_ARE and "year" not in claim.recipe.by:
        table.refuse("tell.claims_file.by_missing", "by", fact="year", kind=kind)
    if kind in _CHANGES:
        for key, recipe in (("as_of", claim.recipe), ("before", claim.before)):
            if recipe is not None and recipe.as_of is None:
                table.refuse("tell.claims_file.as_of_missing", key)
        if claim.trial is Trial.TWO_SHARES and not (claim.of and claim.of_before):
            table.refuse("tell.claims_file.whole_missing", "of")
        if not 0 < claim.alpha < 1:
            table.refuse("tell.claims_file.alpha", "alpha")


def _check_wording(table: Table, claim: Claim) -> None:
    """Notes where the words of a claim do not say what its number and its kind say."""
    allowed = [blank for blank in BLANKS if _fills(claim, blank)]
    for language, wording in claim.wording.items():
        blanks = blanks_of(wording)
        for blank in blanks:
            if blank not in allowed:
                table.refuse(
                    "tell.claims_file.blank",
                    "wording",
                    language=language,
                    blank=blank,
                    allowed=", ".join(f"{{{name}}}" for name in allowed),
                )
        bare = re.sub(r"\{[^{}]*\}", "\ufffc", wording)
        for figure in typed_figures((bare,), language):
            table.refuse("tell.claims_file.typed", "wording", language=language, text=figure.text)
        if claim.kind in _NUMBERS and not {"number", "number_word", "percent"} & set(blanks):
            table.refuse("tell.claims_file.number_blank", "wording", language=language)
        if claim.kind in _NUMBERS and (wrong := _wrong_phrase(claim.compares, wording)):
            table.refuse(
                "tell.claims_file.phrase", "wording", language=language, text=wrong, kind=claim.compares
            )


def _fills(claim: Claim, blank: str) -> bool:
    """Whether the claim has what the blank says."""
    match blank:
        case "number":
            return claim.number is not None and claim.kind is not ClaimKind.PERCENT
        case "number_word":
            whole = claim.number is not None and claim.number == claim.number.to_integral_value()
            return whole and claim.kind is not ClaimKind.PERCENT
        case "percent":
            return claim.number is not None and claim.kind in {ClaimKind.PERCENT, *_CHANGES}
        case "countries":
            return bool(claim.countries)
        case "day" | "date":
            return claim.day is not None
        case "relative_day":
            return claim.relative_day is not None
    return claim.years is not None


def _wrong_phrase(compares: Predicate, wording: str) -> str | None:
    """The words around the number that say another comparison than the claim's; None when they agree.

    >>> _wrong_phrase(Predicate.EXACT, "más de {number} personas"), _wrong_phrase(Predicate.EXACT, "{number}")
    ('más de', None)
    """
    text = re.sub(r"\{(?:number|number_word|percent)\}", _NUMBER_HERE, wording)
    if (less := _spoken_before(_LESS, text)) and not _spoken_before(_PHRASES[Predicate.AT_LEAST], text):
        return less
    said = {predicate: _spoken_before(phrase, text) for predicate, phrase in _PHRASES.items()}
    after = re.search(rf"{_NUMBER_HERE}(?:\s+\w+)?\s+({_AT_LEAST_AFTER})\b", text, re.IGNORECASE)
    said[Predicate.AT_LEAST] = said[Predicate.AT_LEAST] or (after[1] if after else None)
    for predicate, words in said.items():
        if words and predicate is not compares:
            return words
    if compares is not Predicate.EXACT and not said[compares]:
        return text.replace(_NUMBER_HERE, "…")
    return None


def _spoken_before(phrases: str, text: str) -> str | None:
    """Which of the phrases stands right before the number."""
    found = re.search(
        rf"\b({phrases})(?:\s+(?:los|las|el|la|the|a|un|una|of|de))*\s*{_NUMBER_HERE}", text, re.IGNORECASE
    )
    return found[1] if found else None


# Claims as values


def claim_as_json(claim: Claim) -> dict[str, Any]:
    """The claim as the claims file writes it, with days as texts: what a database or a download keeps."""
    plain: dict[str, Any] = {
        "id": claim.id,
        "kind": claim.kind.value,
        "number": _plain_number(claim.number),
        "decimals": claim.decimals or None,
        "predicate": claim.predicate.value if claim.predicate is not Predicate.EXACT else None,
        **_recipe_as_json(claim.recipe),
        "before": _recipe_as_json(claim.before),
        "of": _recipe_as_json(claim.of),
        "of_before": _recipe_as_json(claim.of_before),
        "test": claim.trial.value if claim.kind in _CHANGES else None,
        "alpha": _plain_number(claim.alpha) if claim.kind in _CHANGES else None,
        "countries": list(claim.countries),
        "years": f"{claim.years[0]}/{claim.years[1]}" if claim.years else None,
        "dateline": _plain_day(claim.dateline),
        "day": claim.relative_day or _plain_day(claim.day),
        "base": _base_as_json(claim.base),
        "source": _source_as_json(claim.source),
        "wording": dict(claim.wording),
    }
    return _without_gaps(plain)


def claim_from_json(plain: Mapping[str, Any]) -> Claim:
    """The claim that `claim_as_json` wrote; raises `Refused` as `read_claims` does."""
    toml = _ClaimsText("", f"{plain.get('id', 'claim')}.toml")
    claim = _claim(_named(Table(toml, _with_days(plain), "claim"), 0))
    if claim is None or toml.problems:
        raise Refused(*toml.problems)
    return claim


_DAY_KEYS = frozenset({"as_of", "dateline", "day"})


def _with_days(plain: Mapping[str, Any]) -> dict[str, Any]:
    """The same values, with the texts of days as days."""

    def value(key: str, given: Any) -> Any:
        if isinstance(given, Mapping):
            return _with_days(given)
        if key in _DAY_KEYS and isinstance(given, str) and given not in _RELATIVE:
            return date.fromisoformat(given)
        return given

    return {key: value(key, given) for key, given in plain.items()}


def _recipe_as_json(recipe: Recipe | None) -> dict[str, Any]:
    if recipe is None:
        return {}
    return _without_gaps(
        {
            "indicator": recipe.indicator,
            "where": list(recipe.where),
            "by": list(recipe.by),
            "period": recipe.period,
            "as_of": _plain_day(recipe.as_of),
            "coverage": dict(recipe.coverage),
        }
    )


def _base_as_json(base: Base | None) -> dict[str, Any]:
    if base is None:
        return {}
    return _without_gaps(
        {
            "number": _plain_number(base.number),
            "title": dict(base.title),
            "least": _plain_number(base.least),
            "most": _plain_number(base.most),
            "source": _source_as_json(base.source),
        }
    )


def _source_as_json(source: Source | None) -> dict[str, Any]:
    if source is None:
        return {}
    return _without_gaps(
        {
            "title": source.title,
            "publisher": source.publisher,
            "as_of": _plain_day(source.as_of),
            "licence": source.licence,
            "address": source.address,
        }
    )


def _plain_number(number: Decimal | None) -> int | float | None:
    if number is None:
        return None
    return int(number) if number == number.to_integral_value() else float(number)


def _plain_day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _without_gaps(plain: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in plain.items() if value not in (None, "", [], {})}
