"""Whatever is done to a journal, in the tables or in files, is found by two programs that share no code."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.people import NOW, PURPOSE, RIGHTS, House, bring, codes, quietly, record_about

from resguardo.keep import verifier
from resguardo.plan.languages import say
from resguardo.values import Refused
from resguardo_server import models
from resguardo_server.actions.allow import (
    NotAllowed,
    correct_record,
    erase_record,
    open_record,
    withdraw_consent,
)
from resguardo_server.actions.keep import check_journals, export_journal, prove_entries, verify_journals


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
    alone = key.parent / "verifier.py"
    alone.write_bytes(Path(verifier.__file__).read_bytes())
    return subprocess.run(
        [sys.executable, "-P", str(alone), str(journal), str(checkpoint), str(key), *more],
        capture_output=True, text=True, cwd=key.parent, env={"PATH": "", "PYTHONUTF8": "1"}, timeout=60,
    )  # fmt: skip


def test_exported_files_are_accepted_by_the_verifier(busy: House, tmp_path: Path) -> None:
    files = export_journal("albergue-tapachula", tmp_path / "bitacora")
    assert [path.name for path in files] == [
        "albergue-tapachula.journal.jsonl", "albergue-tapachula.checkpoint.txt", "albergue-tapachula.key.txt",
        "albergue-tapachula.policy.txt",
    ]  # fmt: skip
    done = check(*files[:3])
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
    journal, checkpoint, key, _ = export_journal("albergue-tapachula", tmp_path)
    journal.write_bytes(b"".join(tamper(journal.read_bytes().splitlines(keepends=True))))
    done = check(journal, checkpoint, key)
    assert done.returncode == 1
    assert "The journal is NOT whole" in done.stdout


def test_a_head_of_another_journal_is_refused_by_the_verifier(
    busy: House, enrolments: Path, tmp_path: Path
) -> None:
    bring(busy.carla, enrolments)
    journal, _, key, _ = export_journal("albergue-tapachula", tmp_path)
    _, other, _, _ = export_journal("ministerio-tegucigalpa", tmp_path)
    assert check(journal, other, key).returncode == 1


def test_a_roll_back_to_an_earlier_end_is_found_with_a_head_that_somebody_kept(
    busy: House, tmp_path: Path
) -> None:
    """Who holds the database alone can put everything back; a head that left the house contradicts it."""
    _, kept_head, _, _ = export_journal("albergue-tapachula", tmp_path / "kept")
    models.JournalEntry.objects.filter(position__gte=3).delete()
    models.JournalCheckpoint.objects.filter(size__gt=3).delete()
    old_head()
    assert findings() == [], "inside the house nothing contradicts it"
    files = export_journal("albergue-tapachula", tmp_path / "later")
    assert check(*files[:3]).returncode == 0
    done = check(*files[:3], "--witness-head", str(kept_head))
    assert done.returncode == 1
    assert "the last 8 are missing" in done.stdout


def test_an_institution_that_wrote_nothing_exports_files_that_say_so(house: House, tmp_path: Path) -> None:
    journal, checkpoint, key, policy = export_journal("albergue-tapachula", tmp_path)
    assert journal.read_bytes() == b""
    assert policy.read_text().endswith("quorum none\n")
    assert check(journal, checkpoint, key).returncode in (1, 2), "no head vouches for an empty journal"


# One entry, proved


def test_an_entry_is_proved_to_anyone_by_one_file(busy: House, tmp_path: Path) -> None:
    (path,) = prove_entries("albergue-tapachula", "4", None, tmp_path)
    key = export_journal("albergue-tapachula", tmp_path)[2]
    done = check(Path("proof"), path, key)
    assert (done.returncode, done.stderr) == (0, "")
    assert bytes(entry(4).leaf).decode() in done.stdout
    path.write_text(path.read_text(encoding="utf-8").replace("index 4", "index 5"), encoding="utf-8")
    assert check(Path("proof"), path, key).returncode == 1


def test_an_entry_is_named_by_number_by_hash_or_by_its_record(busy: House, tmp_path: Path) -> None:
    hashed = bytes(entry(4).leaf_hash).hex()
    for name in (hashed, hashed[:32]):
        (path,) = prove_entries("albergue-tapachula", name, None, tmp_path)
        assert path.name == "albergue-tapachula-4.tlog-proof"
    jean = record_about(busy.ana, "C-0002")
    paths = prove_entries("albergue-tapachula", None, str(jean.id), tmp_path)
    about = [
        row.position for row in models.JournalEntry.objects.all() if str(jean.id).encode() in bytes(row.leaf)
    ]
    assert [path.name for path in paths] == [
        f"albergue-tapachula-{place}.tlog-proof" for place in sorted(about)
    ]
    assert len(paths) == 5


@pytest.mark.parametrize("name", ["11", "0" * 32, "f" * 64, "x", "-1", "", "4.0"])
def test_an_entry_that_is_not_there_is_not_proved(busy: House, tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused) as refusal:
        prove_entries("albergue-tapachula", name, None, tmp_path)
    assert codes(refusal.value.problems) == ["server.journal.no_such_entry"]


def test_nothing_is_proved_from_entries_that_were_changed(busy: House, tmp_path: Path) -> None:
    edited_with_its_hash()
    with pytest.raises(Refused) as refusal:
        prove_entries("albergue-tapachula", "7", None, tmp_path)
    assert codes(refusal.value.problems) == ["keep.proof.other_root"]


# What lies beside the journal


def beside(language: str = "en") -> list[str]:
    (journal,) = check_journals("albergue-tapachula", language=language)
    found: list[str] = journal["findings"]
    return found


def test_records_subjects_and_erasures_agree_with_a_whole_journal(busy: House) -> None:
    (journal,) = check_journals("albergue-tapachula", language="en")
    assert (journal["findings"], journal["records"], journal["subjects"]) == ([], 3, 3)
    assert journal["notes"] == [say("server.fsck.no_witness", "en")]


def test_an_older_version_of_a_record_put_back_is_found(kept: House) -> None:
    jean = record_about(kept.ana, "C-0002")
    older = list(models.SealedGroup.objects.filter(record=jean))
    correct_record(kept.bruno, jean.id, {"country": "DO"}, RIGHTS, now=NOW)
    assert beside() == []
    models.SealedGroup.objects.filter(record=jean).delete()
    models.SealedGroup.objects.bulk_create(older)
    models.Record.objects.filter(id=jean.id).update(version=1)
    (finding,) = beside()
    assert str(jean.id) in finding
    assert "an older one was put back" in finding


def _first(model: Any) -> Any:
    return model.objects.order_by("pk").first()


def slipped_in() -> None:
    """A record that did not come in through the door."""
    row = _first(models.Record)
    row.pk = uuid.uuid4()
    row.save(force_insert=True)


def moved_to_another_person() -> None:
    one, other = models.Record.objects.order_by("pk")[:2]
    one.subject_id = other.subject_id
    one.save()


def erased_outside() -> None:
    row = _first(models.Record)
    models.Erasure.objects.create(
        institution_id=row.institution_id, subject_id=row.subject_id, record=row.id, reason="wish",
        shredded_on=NOW, entry="0" * 64,
    )  # fmt: skip
    row.delete()


def key_put_back() -> None:
    gone = models.Subject.objects.get(erased_on__isnull=False)
    models.SubjectKey.objects.create(subject=gone, version=1, compartment="x", wrapped=bytes(66))


def erased_record_put_back() -> None:
    import json

    erased = next(row for row in models.JournalEntry.objects.all() if b'"act":"erase"' in bytes(row.leaf))
    gone = models.Subject.objects.get(erased_on__isnull=False)
    row = _first(models.Record)
    row.pk, row.subject_id = uuid.UUID(json.loads(bytes(erased.leaf))["obj"]), gone.id
    row.save(force_insert=True)


def subject_gone() -> None:
    gone = models.Subject.objects.get(erased_on__isnull=False)
    models.Erasure.objects.filter(subject=gone).delete()
    models.Subject.objects.filter(id=gone.id).delete()


def subject_put_back() -> None:
    """One subject as it was an entry ago."""
    row = models.Subject.objects.filter(erased_on=None).order_by("-entries").first()
    assert row is not None
    entries = [bytes(each.leaf) for each in models.JournalEntry.objects.order_by("position")]
    from resguardo.keep.journal import accesses_of, read_entry

    mark = next(
        read.subj
        for read in map(read_entry, entries)
        if read.sn == row.entries
        and read.subj
        and accesses_of(entries, read.subj)[-1].hash == row.last_entry.hex()
    )
    assert mark is not None
    row.entries, row.last_entry = row.entries - 1, bytes.fromhex(accesses_of(entries, mark)[-2].hash)
    row.save()


def one_bit_of_a_sealed_group() -> None:
    row = _first(models.SealedGroup)
    row.octets = bytes([*bytes(row.octets)[:-1], bytes(row.octets)[-1] ^ 1])
    row.save()


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        pytest.param(slipped_in, "has no entry", id="a record slipped in"),
        pytest.param(lambda: _first(models.Record).delete(), "is not there", id="a record deleted"),
        pytest.param(moved_to_another_person, "another person", id="a record moved to another person"),
        pytest.param(one_bit_of_a_sealed_group, "was changed", id="a bit of a sealed group"),
        pytest.param(lambda: _first(models.SealedGroup).delete(), "was changed", id="a group deleted"),
        pytest.param(
            lambda: models.SealedGroup.objects.filter(pk=_first(models.SealedGroup).pk).update(group=9),
            "was changed",
            id="a group under a number that is none",
        ),
        pytest.param(
            erased_outside, "deleted without Resguardo", id="an erasure that the journal does not tell"
        ),
        pytest.param(key_put_back, "put back from an old backup", id="the key of an erased person put back"),
        pytest.param(erased_record_put_back, "is there again", id="an erased record put back"),
        pytest.param(subject_gone, "whose subject is not in the database", id="a subject deleted"),
        pytest.param(subject_put_back, "no chain of the journal ends like that", id="a subject put back"),
        pytest.param(
            lambda: models.JournalCheckpoint.objects.filter(size=3).update(size=4),
            "was changed in the database",
            id="the size of a head",
        ),
        pytest.param(lambda: deleted(4), "entries are missing", id="an entry deleted"),
    ],
)
def test_what_was_done_beside_the_journal_is_found_and_said_with_a_cure(
    busy: House, tamper: Callable[[], object], said: str
) -> None:
    assert beside() == []
    if tamper is subject_gone:
        with connection.constraint_checks_disabled():
            tamper()
    else:
        tamper()
    assert any(said in finding for finding in beside())
    assert set(beside("es")).isdisjoint(beside("en"))


def test_a_bare_journal_verification_does_not_see_what_lies_beside(busy: House) -> None:
    """Why there are two commands."""
    one_bit_of_a_sealed_group()
    assert findings() == []
    assert beside() != []
