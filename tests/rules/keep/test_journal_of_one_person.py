"""Who saw my data: the list is the truth for each of 200 people, and one access left out is found by each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from random import Random
from uuid import UUID

import pytest
from tests.rules.keep.journals import leaf_of
from tests.rules.keep.places import chance_of

from resguardo.keep.journal import (
    Access,
    Act,
    HeldEntry,
    Leaf,
    Outcome,
    Told,
    accesses_of,
    chain_hash,
    entry_bytes,
    left_out,
    read_entry,
    subject_mark,
)
from resguardo.keep.keys import SubjectKey
from resguardo.keep.tree import leaf_hash

PEOPLE = 200
ACCESSES = 10_000
MARKS = [subject_mark(SubjectKey(chance_of(f"person {number}")(32))) for number in range(PEOPLE)]
WAYS = ("taken out", "taken out and the rest written anew", "written as another person's")


@cache
def truth() -> tuple[tuple[int, Leaf], ...]:
    """Ten thousand accesses at random, in their order: whose data, and what was done."""
    drawn = Random("who saw my data")
    told = []
    for number in range(ACCESSES):
        person = number if number < PEOPLE else drawn.randrange(PEOPLE)
        members = {
            "act": drawn.choice([Act.READ, Act.READ, Act.UPDATE, Act.EXPORT, Act.CONSENT]),
            "who": f"{drawn.randrange(17):032x}",
            "role": drawn.choice(["trainer", "caseworker"]),
            "dec": drawn.choice([Outcome.ALLOW, Outcome.ALLOW, Outcome.DENY]),
            "obj": UUID(int=person),
        }
        told.append((person, leaf_of(number, **members)))
    return tuple(told)


def journal_of(accesses: Sequence[tuple[int, Leaf]]) -> list[bytes]:
    """The accesses as they lie in a journal, each chained to the one before about the same person."""
    newest: dict[int, tuple[int, str | None]] = {}
    entries = []
    for person, leaf in accesses:
        number, hash_before = newest.get(person, (0, None))
        entry = entry_bytes(replace(leaf, subj=MARKS[person], sn=number + 1, sp=hash_before))
        newest[person] = (number + 1, chain_hash(entry))
        entries.append(entry)
    return entries


@cache
def journal() -> tuple[bytes, ...]:
    return tuple(journal_of(truth()))


@cache
def by_person() -> tuple[tuple[int, ...], ...]:
    """The places of each person's entries."""
    places: list[list[int]] = [[] for _ in range(PEOPLE)]
    for place, (person, _) in enumerate(truth()):
        places[person].append(place)
    return tuple(map(tuple, places))


def seen_by(person: int, entries: Sequence[bytes]) -> tuple[Access, ...]:
    return accesses_of(entries, MARKS[person])


def without(place: int, way: str) -> list[bytes]:
    """The journal after somebody with the log's key hid one access."""
    person, leaf = truth()[place]
    kept = [*journal()[:place], *journal()[place + 1 :]]
    if way == WAYS[0]:
        return kept
    told = [*truth()[:place], *truth()[place + 1 :]]
    if way == WAYS[2]:
        person, other = (person + 1) % PEOPLE, person
        told.insert(place, (person, leaf))
        kept.insert(place, b"")
        kept = written_anew(kept, told, other)
    return written_anew(kept, told, person)


def written_anew(entries: list[bytes], told: Sequence[tuple[int, Leaf]], person: int) -> list[bytes]:
    """The same with one person's chain made again, which is all that a forger has to write."""
    places = [place for place, (whose, _) in enumerate(told) if whose == person]
    for place, entry in zip(places, journal_of([told[place] for place in places]), strict=True):
        entries[place] = entry
    return entries


def test_the_list_is_the_truth_for_every_person() -> None:
    equal = 0
    for person in range(PEOPLE):
        accesses = seen_by(person, journal())
        expected = [leaf for whose, leaf in truth() if whose == person]
        shown = [replace(access.leaf, subj=None, sn=None, sp=None) for access in accesses]
        assert [access.index for access in accesses] == list(by_person()[person])
        assert left_out(accesses, [accesses[-1].held]) == ()
        equal += shown == expected
    assert equal == PEOPLE


@pytest.mark.parametrize("way", WAYS)
def test_one_access_left_out_is_found_by_every_person_from_her_receipt(way: str) -> None:
    """The receipt holds the newest pair; what is hidden is any access up to that one."""
    drawn = Random(way)
    found = 0
    for person in range(PEOPLE):
        places = by_person()[person]
        held = seen_by(person, journal())[-1].held
        today = without(drawn.choice(places), way)
        found += bool(left_out(seen_by(person, today), [held]))
    assert found == PEOPLE


def test_an_earlier_look_finds_what_was_hidden_since_and_keeps_quiet_about_what_only_grew() -> None:
    drawn = Random("earlier looks")
    for person in range(0, PEOPLE, 10):
        places = by_person()[person]
        look = drawn.randrange(1, len(places) + 1)
        held = [access.held for access in seen_by(person, journal()[: places[look - 1] + 1])]
        assert len(held) == look
        assert left_out(seen_by(person, journal()), held) == (), "the journal only grew"
        hidden = without(places[drawn.randrange(look)], WAYS[1])
        findings = left_out(seen_by(person, hidden), held)
        assert {finding.code for finding in findings} == {"held_entry"}
        assert "receipt" in findings[0].words("en")


def test_what_nobody_holds_a_pair_of_only_a_witness_can_show() -> None:
    places = by_person()[7]
    held = seen_by(7, journal()[: places[-1]])[-1].held
    assert left_out(seen_by(7, without(places[-1], WAYS[1])), [held]) == ()


def test_an_entry_of_another_person_put_in_is_found() -> None:
    accesses = seen_by(3, journal())
    foreign = seen_by(4, journal())[2]
    findings = left_out((*accesses[:5], foreign, *accesses[6:]), ())
    assert findings
    assert left_out((accesses[1], accesses[0]), ())
    assert [finding.code for finding in left_out((), [HeldEntry(MARKS[0], 1, "0" * 32)])] == ["held_entry"]


def test_what_is_no_entry_is_on_nobodys_list() -> None:
    assert (
        accesses_of([b'{"subj":"' + MARKS[0].encode() + b'"}', b"", *journal()[:1]], MARKS[0])[0].index == 2
    )


# What a journal tells of the tables


def told_by(entries: Sequence[bytes]) -> Told:
    told = Told()
    for index, entry in enumerate(entries):
        told.follow(index, entry, leaf_hash(entry))
    return told


def test_a_journal_tells_where_each_persons_chain_ends() -> None:
    told = told_by(journal())
    assert told.ends == {
        MARKS[person]: (len(places), chain_hash(journal()[places[-1]]))
        for person, places in enumerate(by_person())
    }


ROW, OTHER = UUID(int=101), UUID(int=102)


def written(*acts: tuple[str, dict[str, object]]) -> Told:
    entries = []
    for number, (act, members) in enumerate(acts, start=1):
        usual: dict[str, object] = {"act": Act(act), "obj": ROW, "subj": MARKS[0], "sn": number}
        if number > 1:
            usual["sp"] = chain_hash(entries[-1])
        entries.append(entry_bytes(leaf_of(number, **(usual | members))))
    return told_by([*entries, b"no entry"])


def test_a_journal_tells_what_was_last_written_in_each_record() -> None:
    told = written(
        ("create", {"h": "aa" * 32}),
        ("read", {}),
        ("update", {"h": "bb" * 32}),
        ("update", {"h": "cc" * 32, "dec": "deny"}),
    )
    assert told.records[ROW].content == "bb" * 32
    assert (told.records[ROW].mark, told.records[ROW].index, told.records[ROW].gone) == (MARKS[0], 2, False)
    assert read_entry(entry_bytes(leaf_of(0))).h is None


@pytest.mark.parametrize(
    ("acts", "gone"),
    [
        ((("erase", {}),), {ROW}),
        ((("expire", {}),), {ROW}),
        ((("erase", {"dec": "deny"}),), set()),
        ((("erase", {"obj": None}),), {ROW, OTHER}),
        ((("erase", {"obj": OTHER}),), {OTHER}),
        ((("read", {}),), set()),
        ((("erase", {}), ("create", {"h": "dd" * 32})), set()),
    ],
)
def test_a_journal_tells_which_records_are_gone(
    acts: tuple[tuple[str, dict[str, object]], ...], gone: set[UUID]
) -> None:
    told = written(("create", {"h": "aa" * 32}), ("create", {"h": "bb" * 32, "obj": OTHER}), *acts)
    assert {record for record, row in told.records.items() if row.gone} == gone
