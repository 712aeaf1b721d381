"""docs/formats.md names what the code writes, and the verifier reads exactly what the journal writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from tests.rules.keep.journals import leaf_of, leaves

from resguardo.keep import verifier
from resguardo.keep.journal import Act, Leaf, Outcome, entry_bytes
from resguardo.keep.keys import IndexField
from resguardo.values import Basis, Sensitivity

FORMATS = (Path(__file__).parents[3] / "docs" / "formats.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("word", [*Act, *Outcome, *Basis, "v", *Leaf.__dataclass_fields__])
def test_every_member_and_word_of_an_entry_is_documented(word: str) -> None:
    assert f"`{word}`" in FORMATS


def test_the_numbers_of_groups_and_search_fields_are_documented() -> None:
    for group in Sensitivity:
        assert f"{group.group} {group}" in FORMATS
    for index in IndexField:
        assert f"{int(index)} {index.name.lower().replace('_', ' ')}" in FORMATS


@given(leaves())
def test_the_verifier_reads_every_entry_that_the_journal_writes(leaf: Leaf) -> None:
    assert verifier.ENTRY.fullmatch(entry_bytes(leaf))


def test_the_verifier_knows_every_word_that_the_journal_knows() -> None:
    for member, words in (("act", Act), ("dec", Outcome), ("basis", Basis)):
        for word in words:
            assert verifier.ENTRY.fullmatch(entry_bytes(leaf_of(0, **{member: word})))
        entry = entry_bytes(leaf_of(0))
        known = next(iter(words)) if member != "act" else Act.READ
        assert not verifier.ENTRY.fullmatch(entry.replace(f'"{known}"'.encode(), b'"other"'))
