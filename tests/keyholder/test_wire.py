"""What the keyholder and the service say to each other arrives as it was said; nothing else is understood."""

from __future__ import annotations

import json
import random
import socket
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from resguardo.keep.keys import BlindToken, IndexField
from resguardo.keep.sealing import GroupKey
from resguardo.values import Basis, Permit, Problem, Sensitivity
from resguardo_keyholder import wire
from resguardo_keyholder.asked import Ceilings, Opening, Released, SealedSheet, ToSeal, WantedToken, Withheld

MOMENT = datetime(2026, 11, 24, 15, 0, 1, 250, tzinfo=UTC)
PERSON, RECORD = UUID(int=7), UUID(int=2**127 + 3)
PERMIT = Permit(
    "a1" * 16,
    "caseworker",
    PERSON,
    RECORD,
    "follow_up",
    Basis.CONSENT,
    None,
    frozenset({Sensitivity.SENSITIVE, Sensitivity.PLAIN}),
    MOMENT,
    "ff" * 32,
    forms=frozenset({"visit"}),
)
SAID: tuple[Any, ...] = (
    None,
    True,
    -(2**62),
    "Peña\u2028 \x00 ☂ 𝄞",
    b"",
    b"\x00\xff" * 33,
    PERSON,
    MOMENT,
    (),
    ((), ((1,), ()), ("a", None, b"c")),
    {},
    {1: b"first", 3: b""},
    {"a": (PERSON, None, "b")},
    frozenset(),
    (
        ToSeal(PERSON, "s/p", 1, b"", "person", RECORD, 1, {}),
        ToSeal(RECORD, "", 2, b"w", "", PERSON, 3, {4: b"t"}),
    ),
    (SealedSheet(b"w" * 66, "m", "u", 2**31 - 2, "r", {1: b"one", 2: b"two"}),) * 3,
    (
        WantedToken("name", ("a", "b", "1990")),
        WantedToken("answer", ("q", "á"), b"", PERSON),
        WantedToken("arrival", (), b"x"),
    ),
    ((BlindToken(IndexField.NAME, 2, b"ab"), BlindToken(IndexField.NAME, 1, b"cd")), ()),
    Opening(PERSON, RECORD, "follow_up", (1, 3), "ana@example.org", forms=("visit",)),
    Released(PERMIT, (GroupKey(Sensitivity.SENSITIVE, b"k" * 32, b"c" * 16),), 1, 99),
    Withheld(Problem("allow.decision.role", {"purpose": "x"}), None),
    Ceilings(until=MOMENT),
)


def carried(value: Any) -> Any:
    """The value after it went over a line."""
    here, there = socket.socketpair()
    with here, there:
        wire.send(here, value)
        return wire.receive(there)


@pytest.mark.parametrize("value", SAID, ids=lambda value: type(value).__name__)
def test_what_is_said_arrives_as_it_was_said(value: Any) -> None:
    assert carried(value) == value


def test_everything_at_once_arrives_in_its_order() -> None:
    assert carried(SAID) == SAID
    assert carried(list(SAID)) == SAID, "a list comes as a tuple"


def test_what_is_not_of_the_keyholder_is_not_written() -> None:
    for value in (1.5, object(), {1: 2.0}, print):
        with pytest.raises(TypeError):
            carried(value)


def test_a_column_that_was_changed_is_read_as_a_column_or_refused_and_never_breaks_the_reader() -> None:
    chance = random.Random(20261124)
    whole = json.dumps(wire.written(SAID))
    refused = 0
    for _ in range(4000):
        place = chance.randrange(len(whole))
        text = whole[:place] + chance.choice('0123456789[]",{}ntbxw:-') + whole[place + chance.randrange(3) :]
        try:
            column = json.loads(text)
        except ValueError:
            continue
        try:
            wire.read(column)
        except wire.NotUnderstood:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    "column",
    [
        None,
        7,
        [],
        ["plain"],
        ["plain", [[1]]],
        ["plain", [1.5]],
        ["other", []],
        ["bytes", [2], "AA=="],
        ["bytes", [-1, 2], "AA=="],
        ["bytes", [True], "AA=="],
        ["id", "00"],
        ["or_none", [True], ["plain", []]],
        ["mixed", [["plain", [1, 2]]]],
        ["map", [1], ["plain", ["a"]], ["plain", []]],
        ["value", "Popen", [["plain", ["ls"]]]],
        ["value", "WantedToken", []],
        ["value", "BlindToken", [["plain", [1, 2]], ["plain", [1]], ["plain", [1]]]],
        ["word", "Sensitivity", ["secret"]],
    ],
)
def test_what_is_no_column_is_refused(column: Any) -> None:
    with pytest.raises(wire.NotUnderstood):
        wire.read(column)
