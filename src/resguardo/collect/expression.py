"""The rules that a form writes as XPath expressions: constraints, conditions, calculations.

Only the part that real forms use is understood, with the meaning that ODK Collect gives it: `.`, `${name}`,
numbers, texts, comparisons, `and`, `or`, `not()`, `+ - * div mod`, and the functions of `FUNCTIONS`. Whatever
lies outside is `NotEvaluated`, at once or when its turn comes, and a rule that was not evaluated refuses
nobody. An expression is taken apart once; what comes out is a function.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any

Rows = tuple[Mapping[str, Any], ...]
"""The answers around a question: the form's, then those of each repeat that it lies in, outermost first."""

Run = Callable[[Rows, Any], Any]
"""An expression as a function of the rows and of the question's own answer."""

MOST_NESTED = 60
"""Brackets inside brackets; a deeper expression is not evaluated."""

_EPOCH = date(1970, 1, 1).toordinal()
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>\d+(?:\.\d*)?|\.\d+)
    | '(?P<single>[^']*)' | "(?P<double>[^"]*)"
    | \$\{\s*(?P<reference>[A-Za-z_][\w.-]*)\s*\}
    | (?P<sign><=|>=|!=|[=<>+\-*(),])
    | (?P<name>[A-Za-z_][\w-]*(?:[:.][\w-]+)*)
    | (?P<dot>\.)(?![./])
    )""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"\s*-?(?:\d+(?:\.\d*)?|\.\d+)\s*", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:T.*)?", re.ASCII)


class NotEvaluated(Exception):
    """The expression is outside of what is understood here, or an answer that it needs is not known."""


class Unread:
    """Stands in a row for an answer that is there but could not be read; rules about it are not evaluated."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNREAD"


UNREAD = Unread()


@dataclass(frozen=True)
class Expression:
    """An expression taken apart. `alone`: its value depends on the question's own answer and nothing else."""

    text: str
    run: Run
    references: frozenset[str]

    @property
    def alone(self) -> bool:
        return not self.references

    def value(self, rows: Rows, own: Any = None) -> Any:
        """What the expression says here. `NotEvaluated` where an answer that it needs is not known."""
        try:
            return self.run(rows, own)
        except (OverflowError, ValueError, RecursionError):
            raise NotEvaluated from None

    def holds(self, rows: Rows, own: Any = None) -> bool | None:
        """Whether it holds here; None where that cannot be told."""
        try:
            return truth(self.value(rows, own))
        except NotEvaluated:
            return None


def take_apart(
    text: str,
    *,
    inside: tuple[str, ...],
    places: Mapping[str, tuple[str, ...]],
    today: date,
    now: datetime | None = None,
) -> Expression:
    """The expression in `text`, of a question inside the repeats `inside`.

    `places` says inside which repeats each question of the form lies; only a question of the same repetition
    or around it can be referred to. Without `now`, an expression that needs the time of day is not evaluated.

    >>> rule = take_apart(". >= 0 and . <= ${most}", inside=(), places={"most": ()}, today=date(2026, 1, 1))
    >>> rule.holds(({"most": 5},), 3), rule.holds(({"most": 5},), 6), rule.holds(({},), 3)
    (True, False, None)
    """
    return _Parser(text, inside, places, today, now).expression()


# What values are to each other


def as_text(value: Any) -> str:
    """A value as XPath writes it: no answer is the empty text, a whole number has no point."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        return "NaN" if math.isnan(value) else repr(value)
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


def as_number(value: Any) -> int | float:
    """A value as a number: a date is its days since 1970, what is no number is NaN."""
    if value is True or value is False:
        return int(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        seconds = value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
        return value.toordinal() - _EPOCH + seconds / 86400
    if isinstance(value, date):
        return value.toordinal() - _EPOCH
    text = as_text(value)
    if _NUMBER.fullmatch(text):
        return float(text)
    if _DAY.fullmatch(text):
        try:
            return as_number(datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text))
        except ValueError:
            pass
    return math.nan


def truth(value: Any) -> bool:
    """A value as true or false: no answer, the empty text, zero and NaN are false."""
    if value is True or value is False:
        return bool(value)
    if isinstance(value, int | float | Decimal):
        return value == value and value != 0
    return value is not None and value != "" and value != ()


def _equal(left: Any, right: Any) -> bool:
    if type(left) is str and type(right) is str:
        return left == right
    if isinstance(left, bool) or isinstance(right, bool):
        return truth(left) == truth(right)
    for one, other in ((left, right), (right, left)):
        if isinstance(one, int | float | Decimal):
            return as_number(other) == as_number(one)
        if isinstance(one, date):
            comparable = isinstance(other, date) or _DAY.fullmatch(as_text(other)) is not None
            return comparable and as_number(other) == as_number(one)
    return as_text(left) == as_text(right)


def _whole(number: int | float) -> int | float:
    return number if isinstance(number, int) or not math.isfinite(number) else math.trunc(number)


def _divided(left: int | float, right: int | float) -> float:
    if right == 0:
        return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left)
    return left / right


def _remainder(left: int | float, right: int | float) -> float:
    if right == 0 or math.isinf(left):
        return math.nan
    return math.fmod(left, right)


def _rounded(value: Any, places: Any = 0) -> int | float:
    number, digits = as_number(value), as_number(places)
    if not math.isfinite(number) or not math.isfinite(digits):
        return number
    if abs(digits) > 15:
        return number
    scale = 10.0 ** int(digits)
    rounded = math.floor(number * scale + 0.5) / scale
    return int(rounded) if rounded.is_integer() else rounded


def _day(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date) or value is None or value == "":
        return value
    number = as_number(value)
    try:
        return date.fromordinal(int(number) + _EPOCH)
    except (ValueError, OverflowError):
        raise NotEvaluated from None


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.ASCII)
    except (re.error, RecursionError, OverflowError):
        raise NotEvaluated from None


def _matches(value: Any, pattern: Any) -> bool:
    return _pattern(as_text(pattern)).fullmatch(as_text(value)) is not None


def _chosen(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple) else tuple(as_text(value).split())


FUNCTIONS: Mapping[str, tuple[int, int, Callable[..., Any]]] = {
    "not": (1, 1, lambda value: not truth(value)),
    "true": (0, 0, lambda: True),
    "false": (0, 0, lambda: False),
    "boolean": (1, 1, truth),
    "number": (1, 1, as_number),
    "int": (1, 1, lambda value: _whole(as_number(value))),
    "round": (1, 2, _rounded),
    "string": (1, 1, as_text),
    "string-length": (1, 1, lambda value: len(as_text(value))),
    "concat": (1, 99, lambda *values: "".join(map(as_text, values))),
    "starts-with": (2, 2, lambda value, start: as_text(value).startswith(as_text(start))),
    "contains": (2, 2, lambda value, part: as_text(part) in as_text(value)),
    "regex": (2, 2, _matches),
    "selected": (2, 2, lambda value, choice: as_text(choice).strip() in _chosen(value)),
    "count-selected": (1, 1, lambda value: len(_chosen(value))),
    "coalesce": (2, 2, lambda first, second: first if as_text(first) != "" else second),
    "date": (1, 1, _day),
}
"""Name, least and most arguments, meaning. `if`, `today` and `now` are built into the parser."""


class _Parser:
    """Recursive descent over the tokens, building functions from the inside out."""

    def __init__(
        self,
        text: str,
        inside: tuple[str, ...],
        places: Mapping[str, tuple[str, ...]],
        today: date,
        now: datetime | None,
    ) -> None:
        self.text = text
        self.inside = inside
        self.places = places
        self.today = today
        self.now = now
        self.tokens = self._tokens(text)
        self.at = 0
        self.depth = 0
        self.references: set[str] = set()

    @staticmethod
    def _tokens(text: str) -> list[tuple[str, str]]:
        tokens, place, end = [], 0, len(text.rstrip())
        while place < end:
            found = _TOKEN.match(text, place)
            if found is None or found.lastgroup is None:
                raise NotEvaluated
            kind = "text" if found.lastgroup in ("single", "double") else found.lastgroup
            tokens.append((kind, found[found.lastgroup]))
            place = found.end()
        return tokens

    def expression(self) -> Expression:
        run = self._or()
        if self.at != len(self.tokens):
            raise NotEvaluated
        return Expression(self.text, run, frozenset(self.references))

    def _next_is(self, kind: str, *written: str) -> str | None:
        if self.at < len(self.tokens):
            found, text = self.tokens[self.at]
            if found == kind and text in written:
                self.at += 1
                return text
        return None

    def _or(self) -> Run:
        self.depth += 1
        if self.depth > MOST_NESTED:
            raise NotEvaluated
        runs = [self._and()]
        while self._next_is("name", "or"):
            runs.append(self._and())
        self.depth -= 1
        return runs[0] if len(runs) == 1 else _any(runs)

    def _and(self) -> Run:
        runs = [self._equality()]
        while self._next_is("name", "and"):
            runs.append(self._equality())
        return runs[0] if len(runs) == 1 else _all(runs)

    def _equality(self) -> Run:
        run = self._relation()
        while sign := self._next_is("sign", "=", "!="):
            run = _compared(run, self._relation(), sign)
        return run

    def _relation(self) -> Run:
        run = self._sum()
        while sign := self._next_is("sign", "<", "<=", ">", ">="):
            run = _ordered(run, self._sum(), sign)
        return run

    def _sum(self) -> Run:
        run = self._product()
        while sign := self._next_is("sign", "+", "-"):
            run = _calculated(run, self._product(), sign)
        return run

    def _product(self) -> Run:
        run = self._negative()
        while sign := self._next_is("sign", "*") or self._next_is("name", "div", "mod"):
            run = _calculated(run, self._negative(), sign)
        return run

    def _negative(self) -> Run:
        minus = 0
        while self._next_is("sign", "-"):
            minus += 1
        run = self._value()
        if not minus:
            return run
        factor = -1 if minus % 2 else 1
        return lambda rows, own: factor * as_number(run(rows, own))

    def _value(self) -> Run:
        if self.at >= len(self.tokens):
            raise NotEvaluated
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            number: int | float = float(text) if "." in text else int(text)
            return lambda rows, own: number
        if kind == "text":
            return lambda rows, own: text
        if kind == "dot":
            return _own
        if kind == "reference":
            return self._reference(text)
        if kind == "sign" and text == "(":
            run = self._or()
            self._close()
            return run
        if kind == "name" and self._next_is("sign", "("):
            return self._call(text)
        raise NotEvaluated

    def _close(self) -> None:
        if not self._next_is("sign", ")"):
            raise NotEvaluated

    def _reference(self, name: str) -> Run:
        place = self.places.get(name)
        if place is None or self.inside[: len(place)] != place:
            raise NotEvaluated
        self.references.add(name)
        depth = len(place)

        def answer(rows: Rows, own: Any) -> Any:
            value = rows[depth].get(name, UNREAD)
            if value is UNREAD:
                raise NotEvaluated
            return value

        return answer

    def _call(self, name: str) -> Run:
        arguments: list[Run] = []
        if not self._next_is("sign", ")"):
            arguments.append(self._or())
            while self._next_is("sign", ","):
                arguments.append(self._or())
            self._close()
        if name == "if" and len(arguments) == 3:
            asked, then, otherwise = arguments
            return lambda rows, own: (then if truth(asked(rows, own)) else otherwise)(rows, own)
        if name == "today" and not arguments:
            today = self.today
            return lambda rows, own: today
        if name == "now" and not arguments and self.now is not None:
            now = self.now
            return lambda rows, own: now
        least, most, meaning = FUNCTIONS.get(name, (0, -1, as_text))
        if not least <= len(arguments) <= most:
            raise NotEvaluated
        if len(arguments) == 1:
            only = arguments[0]
            return lambda rows, own: meaning(only(rows, own))
        if len(arguments) == 2:
            first, second = arguments
            return lambda rows, own: meaning(first(rows, own), second(rows, own))
        return lambda rows, own: meaning(*(each(rows, own) for each in arguments))


def _own(rows: Rows, own: Any) -> Any:
    if own is UNREAD:
        raise NotEvaluated
    return own


def _any(runs: list[Run]) -> Run:
    """True if one is true, even where another is not known."""

    def either(rows: Rows, own: Any) -> bool:
        unknown = False
        for run in runs:
            try:
                if truth(run(rows, own)):
                    return True
            except NotEvaluated:
                unknown = True
        if unknown:
            raise NotEvaluated
        return False

    return either


def _all(runs: list[Run]) -> Run:
    """False if one is false, even where another is not known."""

    def every(rows: Rows, own: Any) -> bool:
        unknown = False
        for run in runs:
            try:
                if not truth(run(rows, own)):
                    return False
            except NotEvaluated:
                unknown = True
        if unknown:
            raise NotEvaluated
        return True

    return every


def _compared(left: Run, right: Run, sign: str) -> Run:
    if sign == "=":
        return lambda rows, own: _equal(left(rows, own), right(rows, own))
    return lambda rows, own: not _equal(left(rows, own), right(rows, own))


def _ordered(left: Run, right: Run, sign: str) -> Run:
    if sign == "<":
        return lambda rows, own: as_number(left(rows, own)) < as_number(right(rows, own))
    if sign == "<=":
        return lambda rows, own: as_number(left(rows, own)) <= as_number(right(rows, own))
    if sign == ">":
        return lambda rows, own: as_number(left(rows, own)) > as_number(right(rows, own))
    return lambda rows, own: as_number(left(rows, own)) >= as_number(right(rows, own))


def _calculated(left: Run, right: Run, sign: str) -> Run:
    if sign == "+":
        return lambda rows, own: as_number(left(rows, own)) + as_number(right(rows, own))
    if sign == "-":
        return lambda rows, own: as_number(left(rows, own)) - as_number(right(rows, own))
    if sign == "*":
        return lambda rows, own: as_number(left(rows, own)) * as_number(right(rows, own))
    if sign == "div":
        return lambda rows, own: _divided(as_number(left(rows, own)), as_number(right(rows, own)))
    return lambda rows, own: _remainder(as_number(left(rows, own)), as_number(right(rows, own)))
