"""A condition on one fact, as an indicator writes it: ``attended_share >= 80``, ``country in MX|GT|HN``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from resguardo.values import Problem, Refused

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "in"]

_SHAPE = re.compile(r"^\s*([a-z][a-z0-9_]*)\s*(!=|<=|>=|=|<|>|\s+in\s)\s*(\S.*?)\s*$")


@dataclass(frozen=True)
class Condition:
    """What a fact must be. All values are texts; `in` has one or more, the others exactly one.

    For a set of codes `=` means that it holds the code, `!=` that it does not, `in` that it holds any of
    them.
    """

    fact: str
    operator: Operator
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.fact} {self.operator} {'|'.join(self.values)}"


def parse_condition(text: str) -> Condition:
    """The condition that `text` writes, or a refusal that shows the grammar.

    >>> parse_condition("country in MX | GT").values
    ('MX', 'GT')
    >>> str(parse_condition("attended_share>=80"))
    'attended_share >= 80'
    """
    found = _SHAPE.match(text)
    if found is None:
        raise Refused(Problem("plan.condition.grammar", {"text": text}))
    fact, operator, written = found[1], found[2].strip(), found[3]
    sign_written: Operator | None = next((sign for sign in get_args(Operator) if sign == operator), None)
    values = tuple(value.strip() for value in written.split("|"))
    if sign_written is None or not all(re.fullmatch(r"[^\s|=<>!]+", value) for value in values):
        raise Refused(Problem("plan.condition.grammar", {"text": text}))
    if len(values) > 1 and sign_written != "in":
        raise Refused(Problem("plan.condition.several", {"text": text}))
    return Condition(fact, sign_written, values)
