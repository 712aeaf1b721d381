"""Whatever is done to a journal, in the tables or in files, is found by two programs that share no code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.people import NOW, PURPOSE, RIGHTS, House, bring, quietly, record_about

from resguardo.keep import verifier
from resguardo.values import Refused
from resguardo_server import models
from resguardo_server.actions.allow import (
    NotAllowed,
    correct_record,
    erase_record,
    open_record,
    withdraw_consent,
)
from resguardo_server.actions.keep import export_journal, verify_journals


@pytest.fixture
def busy(kept: House) -> House:
    """A journal of eleven entries and seven heads: writes, openings, a refusal, a correction, an erasure."""
    rosa, jean, marta = (record_about(kept.ana, code) for code in ("C-0001", "C-0002", "C-0003"))
    open_record(kept.ana, rosa.id, PURPOSE, now=NOW)
    with pytest.raises(NotAllowed):
        open_record(kept.ana, jean.id, PURPOSE, now=NOW)
    correct_record(kept.bruno, jean.id, {"country": "DO"}, RIGHTS, now=NOW)
    withdraw_consent(kept.ana, marta.id, "follow_up", now=NOW)
    open_record(kept.ana, marta.id, PURPOSE, ("plain",), now=NOW)
    erase_record(kept.bruno, rosa.id, now=NOW)
    open_record(kept.bruno, jean.id, RIGHTS, now=NOW)
    assert models.JournalEntry.objects.count() == 11
    return kept


def findings(slug: str | None = None) -> list[str]:
    """What `resguardo journal verify` says, in a language that has every sentence."""
    return [finding for journal in verify_journals(slug, language="es") for finding in journal["findings"]]


def entry(position: int) -> models.JournalEntry:
    return models.JournalEntry.objects.get(position=position)


# In the tables


def test_nothing_is_found_on_a_whole_journal(busy: House) -> None:
    (journal,) = verify_journals("albergue-tapachula", language="en", advance=quietly)
    assert (journal["institution"], journal["entries"], journal["findings"]) == ("albergue-tapachula", 11, [])
    assert len(journal["root"]) == 64


def test_each_institution_has_a_journal_of_its_own(busy: House, enrolments: Path) -> None:
    bring(busy.carla, enrolments)
    assert [
        (journal["institution"], journal["entries"]) for journal in verify_journals(None, language="es")
    ] == [
        ("albergue-tapachula", 11),
        ("ministerio-tegucigalpa", 3),
    ]
    assert findings() == []


def test_who_never_wrote_has_an_empty_journal_and_who_is_unknown_none(busy: House) -> None:
    (journal,) = verify_journals("ministerio-tegucigalpa", language="es")
    assert journal["entries"] == 0
    with pytest.raises(Refused):
        verify_journals("nadie", language="es")


def edited(old: bytes, new: bytes) -> None:
    row = next(row for row in models.JournalEntry.objects.order_by("position") if old in bytes(row.leaf))
    row.leaf = bytes(row.leaf).replace(old, new, 1)
    row.save()


def edited_with_its_hash() -> None:
    """As a thief would who knows how hashes are made, but has no key."""
    from resguardo.keep.tree import leaf_hash

    row = entry(4)
    row.leaf = bytes(row.leaf).replace(b'"deny"', b'"allow"')
    row.leaf_hash = leaf_hash(bytes(row.leaf))
    row.save()


def deleted(position: int) -> None:
    entry(position).delete()


def closed_gap() -> None:
    """An entry is taken out and those after it move up."""
    entry(4).delete()
    for row in models.JournalEntry.objects.filter(position__gt=4).order_by("position"):
        row.position = (row.position or 0) - 1
        row.save()


def swapped(one: int, other: int) -> None:
    first, second = entry(one), entry(other)
    leaf, hashed = first.leaf, first.leaf_hash
    first.leaf, first.leaf_hash = second.leaf, second.leaf_hash
    second.leaf, second.leaf_hash = leaf, hashed
    first.save()
    second.save()


def added() -> None:
    models.JournalEntry.objects.create(
        institution_id=entry(0).institution_id, position=11, leaf=entry(0).leaf, leaf_hash=entry(0).leaf_hash
    )


def old_head() -> None:
    """The head as it was after the import, when the journal had three entries."""
    from resguardo.keep.tree import Frontier

    frontier = Frontier()
    for row in models.JournalEntry.objects.filter(position__lt=3).order_by("position"):
        frontier = frontier.append(bytes(row.leaf_hash))
    models.JournalHead.objects.update(size=3, frontier=frontier.octets)


def cut_tail() -> None:
    models.JournalEntry.objects.filter(position__gte=9).delete()


def signature_changed() -> None:
    row = models.JournalCheckpoint.objects.order_by("pk").last()
    assert row is not None
    letter = row.text[-20]
    row.text = row.text[:-20] + ("A" if letter != "A" else "B") + row.text[-19:]
    row.save()


def newest_heads_deleted() -> None:
    models.JournalCheckpoint.objects.filter(size__gt=3).delete()


def another_institutions_entry() -> None:
    other = models.Institution.objects.exclude(id=entry(0).institution_id).get()
    row = entry(5)
    row.leaf = bytes(row.leaf).replace(str(row.institution_id).encode(), str(other.id).encode())
    row.save()


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(lambda: edited(b'"deny"', b'"allow"'), id="a refusal made an opening"),
        pytest.param(lambda: edited(b'"purpose":"rights"', b'"purpose":"follow"'), id="another purpose"),
        pytest.param(lambda: edited(b"2026-11-24T15", b"2026-11-24T09"), id="another hour"),
        pytest.param(edited_with_its_hash, id="edited with its hash"),
        pytest.param(lambda: deleted(0), id="the first deleted"),
        pytest.param(lambda: deleted(4), id="one deleted"),
        pytest.param(lambda: deleted(10), id="the last deleted"),
        pytest.param(closed_gap, id="one deleted and the gap closed"),
        pytest.param(lambda: swapped(0, 1), id="two of different people swapped"),
        pytest.param(lambda: swapped(3, 9), id="two of one person swapped"),
        pytest.param(added, id="one added"),
        pytest.param(old_head, id="an old head put back"),
        pytest.param(cut_tail, id="the end cut off"),
        pytest.param(signature_changed, id="a signature changed"),
        pytest.param(newest_heads_deleted, id="the newest heads deleted"),
        pytest.param(lambda: models.JournalCheckpoint.objects.all().delete(), id="every head deleted"),
        pytest.param(lambda: models.JournalHead.objects.all().update(size=10), id="the head's size changed"),
        pytest.param(lambda: models.JournalHead.objects.all().delete(), id="the head deleted"),
        pytest.param(another_institutions_entry, id="an entry of another institution"),
        pytest.param(
            lambda: models.JournalEntry.objects.filter(position=10).update(position=12),
            id="a gap in the numbers",
        ),
        pytest.param(
            lambda: models.JournalEntry.objects.filter(position=2).update(leaf_hash=bytes(32)),
            id="a stored hash changed",
        ),
    ],
)
def test_what_was_done_to_the_tables_is_found(busy: House, tamper: Callable[[], object]) -> None:
    assert findings() == []
    tamper()
    assert findings()


def test_nothing_more_is_written_on_a_head_that_was_put_back(busy: House) -> None:
    old_head()
    jean = record_about(busy.ana, "C-0002")
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        open_record(busy.bruno, jean.id, RIGHTS, now=NOW)


# In exported files


def check(journal: Path, checkpoint: Path, key: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The verifier as an auditor runs it: its one file, copied elsewhere, without the house's packages."""
    alone = journal.parent / "verifier.py"
    alone.write_bytes(Path(verifier.__file__).read_bytes())
    return subprocess.run(
        [sys.executable, "-P", str(alone), str(journal), str(checkpoint), str(key), *more],
        capture_output=True, text=True, cwd=journal.parent, env={"PATH": "", "PYTHONUTF8": "1"}, timeout=60,
    )  # fmt: skip


def test_exported_files_are_accepted_by_the_verifier(busy: House, tmp_path: Path) -> None:
    files = export_journal("albergue-tapachula", tmp_path / "bitacora")
    assert [path.name for path in files] == [
        "albergue-tapachula.journal.jsonl", "albergue-tapachula.checkpoint.txt", "albergue-tapachula.key.txt",
    ]  # fmt: skip
    done = check(*files)
    assert (done.returncode, done.stderr) == (0, "")
    assert "The journal is whole." in done.stdout
    assert len(files[0].read_bytes().splitlines()) == 11


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(lambda lines: [lines[0].replace(b"create", b"export"), *lines[1:]], id="edited"),
        pytest.param(lambda lines: lines[:5] + lines[6:], id="deleted"),
        pytest.param(lambda lines: [lines[1], lines[0], *lines[2:]], id="swapped"),
        pytest.param(lambda lines: lines[:-1], id="cut off"),
        pytest.param(lambda lines: [*lines, lines[-1]], id="added"),
    ],
)
def test_exported_files_that_were_changed_are_refused_by_the_verifier(
    busy: House, tmp_path: Path, tamper: Callable[[list[bytes]], list[bytes]]
) -> None:
    journal, checkpoint, key = export_journal("albergue-tapachula", tmp_path)
    journal.write_bytes(b"".join(tamper(journal.read_bytes().splitlines(keepends=True))))
    done = check(journal, checkpoint, key)
    assert done.returncode == 1
    assert "The journal is NOT whole" in done.stdout


def test_a_head_of_another_journal_is_refused_by_the_verifier(
    busy: House, enrolments: Path, tmp_path: Path
) -> None:
    bring(busy.carla, enrolments)
    journal, _, key = export_journal("albergue-tapachula", tmp_path)
    _, other, _ = export_journal("ministerio-tegucigalpa", tmp_path)
    assert check(journal, other, key).returncode == 1


def test_a_roll_back_to_an_earlier_end_is_found_with_a_head_that_somebody_kept(
    busy: House, tmp_path: Path
) -> None:
    """Who holds the database alone can put everything back; a head that left the house contradicts it."""
    _, kept_head, _ = export_journal("albergue-tapachula", tmp_path / "kept")
    models.JournalEntry.objects.filter(position__gte=3).delete()
    models.JournalCheckpoint.objects.filter(size__gt=3).delete()
    old_head()
    assert findings() == [], "inside the house nothing contradicts it"
    files = export_journal("albergue-tapachula", tmp_path / "later")
    assert check(*files).returncode == 0
    done = check(*files, "--witness-head", str(kept_head))
    assert done.returncode == 1
    assert "the last 8 are missing" in done.stdout


def test_an_institution_that_wrote_nothing_exports_files_that_say_so(house: House, tmp_path: Path) -> None:
    journal, checkpoint, key = export_journal("albergue-tapachula", tmp_path)
    assert journal.read_bytes() == b""
    assert check(journal, checkpoint, key).returncode in (1, 2), "no head vouches for an empty journal"
