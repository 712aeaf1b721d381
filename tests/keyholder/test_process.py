"""The keyholder as it runs: a process of its own, asked over its socket by the service."""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from resguardo.keep.checkpoint import read_checkpoint
from resguardo.keep.keys import CompartmentKey, KeyRing, SubjectKey
from resguardo.keep.tree import Tree
from resguardo.keep.witness import AddCheckpoint
from resguardo.values import Refused
from resguardo_keyholder import wire
from resguardo_server import models
from resguardo_server.actions.allow import NotAllowed, correct_record, erase_record, open_record
from resguardo_server.actions.keep import verify_journals
from resguardo_server.actions.keep.rotation import destroy_old_keys, rotate_keys
from resguardo_server.keyholders import keyholder
from tests.keyholder.running import Running, keyholder_process, start
from tests.people import JEAN, MARTA, NOW, PURPOSE, RIGHTS, ROSA, House, bring, leaves, make_house, table
from tests.rules.collect.sheets import write_csv
from tests.rules.keep.places import ring_of as ring_of_another

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def running(transactional_db: None) -> Iterator[Running]:
    with keyholder_process() as running:
        yield running


@pytest.fixture
def kept(running: Running, tmp_path: Path) -> House:
    house = make_house()
    outcome = bring(house.ana, write_csv(tmp_path / "a.csv", table(ROSA, JEAN, MARTA)))
    assert (outcome.kept, outcome.refused) == (3, 0)
    return house


def record(house: House, number: int = 0) -> models.Record:
    return models.Record.objects.filter(institution=house.shelter).order_by("id")[number]


def ended(number: int, total: int | None) -> None:
    return None


def findings(house: House) -> list[str]:
    return [line for found in verify_journals(None, language="en") for line in found["findings"]]


def test_a_sheet_is_sealed_opened_corrected_and_erased_through_the_process(kept: House) -> None:
    row = record(kept)
    opened = open_record(kept.bruno, row.id, RIGHTS, now=NOW)["answers"]
    correct_record(kept.bruno, row.id, {"country": "SV"}, RIGHTS, now=NOW)
    assert open_record(kept.bruno, row.id, RIGHTS, now=NOW)["answers"] == {**opened, "country": "SV"}
    erase_record(kept.bruno, row.id, now=NOW)
    with pytest.raises(Refused):
        open_record(kept.bruno, row.id, RIGHTS, now=NOW)
    assert findings(kept) == []


def test_no_key_of_the_institution_is_in_the_services_process(kept: House) -> None:
    open_record(kept.bruno, record(kept).id, RIGHTS, now=NOW)
    gc.collect()
    kinds = (KeyRing, CompartmentKey, SubjectKey)
    held = [thing for thing in gc.get_objects() if type(thing) in kinds]
    rings = [ring for ring in held if type(ring) is KeyRing and ring.institution == kept.shelter.id]
    assert rings == []


def test_a_line_is_in_the_journal_before_the_key_leaves(kept: House, running: Running) -> None:
    before = len(leaves(kept.shelter))
    open_record(kept.bruno, record(kept).id, RIGHTS, now=NOW)
    line = leaves(kept.shelter)[-1]
    assert (len(leaves(kept.shelter)), line["act"], line["dec"]) == (before + 1, "read", "allow")


def test_without_the_keyholder_nothing_opens_and_it_is_said(kept: House, running: Running) -> None:
    running.kill()
    with pytest.raises(Refused) as refused:
        open_record(kept.bruno, record(kept).id, RIGHTS, now=NOW)
    assert [problem.code for problem in refused.value.problems] == ["keyholder.desk.not_running"]


def test_a_keyholder_that_was_killed_goes_on_where_it_was(kept: House, running: Running) -> None:
    running.kill()
    again = start(running.folder)
    try:
        assert open_record(kept.bruno, record(kept).id, RIGHTS, now=NOW)["answers"]
        assert findings(kept) == []
    finally:
        again.stop()


def test_no_ring_lies_on_disk_in_clear(kept: House, running: Running) -> None:
    for path in running.folder.rglob("*"):
        if path.is_file():
            octets = path.read_bytes()
            assert b"resguardo key ring" not in octets, path.name
            assert path.stat().st_mode & 0o077 == 0, path.name


def test_the_journal_that_lost_signed_lines_is_signed_no_more_and_the_alarm_stands(kept: House) -> None:
    open_record(kept.bruno, record(kept).id, RIGHTS, now=NOW)
    head = models.JournalHead.objects.get(institution=kept.shelter)
    first = models.JournalEntry.objects.filter(institution=kept.shelter).order_by("position")[0]
    from resguardo.keep.tree import Frontier

    models.JournalEntry.objects.filter(institution=kept.shelter, position__gt=0).delete()
    head.size, head.frontier = 1, Frontier().append(bytes(first.leaf_hash)).octets
    head.save()
    with pytest.raises(Refused) as refused:
        keyholder().sign_journal(kept.shelter.id, now=NOW)
    assert [problem.code for problem in refused.value.problems] == ["keyholder.desk.journal_shrank"]
    assert models.Alarm.objects.filter(institution=kept.shelter, kind="journal_shrank").count() == 1


def test_a_line_changed_behind_the_signature_is_noticed_at_the_next(kept: House) -> None:
    entry = models.JournalEntry.objects.filter(institution=kept.shelter).order_by("position").last()
    assert entry is not None
    from resguardo.keep.tree import Frontier, leaf_hash

    rows = list(models.JournalEntry.objects.filter(institution=kept.shelter).order_by("position"))
    rows[0].leaf = bytes(rows[0].leaf).replace(b'"dec":"allow"', b'"dec":"deny"')
    rows[0].save()
    hashes = [leaf_hash(bytes(row.leaf)) for row in rows]
    models.JournalHead.objects.filter(institution=kept.shelter).update(
        frontier=Frontier().extend(hashes).octets
    )
    with pytest.raises(Refused) as refused:
        open_record(kept.bruno, record(kept).id, RIGHTS, now=NOW)
    assert [problem.code for problem in refused.value.problems] == ["keyholder.desk.journal_changed"]


def test_over_the_ceiling_nothing_opens_and_the_alarm_stands_and_a_restart_forgets_nothing(
    transactional_db: None, tmp_path: Path
) -> None:
    with keyholder_process() as running:
        house = make_house()
        (running.folder / "ceilings.toml").write_text(
            f'["{house.shelter.id}"]\nmember_hour = 3\ninstitution_day = 5\n', encoding="utf-8"
        )
        people = [{**ROSA, "participant_code": f"C-{number}"} for number in range(6)]
        bring(house.ana, write_csv(tmp_path / "a.csv", table(*people)))
        rows = list(models.Record.objects.order_by("id"))
        for row in rows[:3]:
            open_record(house.bruno, row.id, RIGHTS, now=NOW)
        open_record(house.bruno, rows[0].id, RIGHTS, now=NOW)  # whom she opened already costs nothing
        running.kill()
        again = start(running.folder)
        try:
            with pytest.raises(NotAllowed) as refused:
                open_record(house.bruno, rows[3].id, RIGHTS, now=NOW)
            assert refused.value.problems[0].code == "keyholder.budget.member_hour"
            assert leaves(house.shelter)[-1]["dec"] == "deny"
            assert models.Alarm.objects.get().kind == "budget_member_hour"
            later = NOW + timedelta(minutes=61)
            open_record(house.bruno, rows[3].id, RIGHTS, now=later)
            open_record(house.bruno, rows[4].id, RIGHTS, now=later)
            with pytest.raises(NotAllowed) as refused:
                open_record(house.ana, rows[5].id, PURPOSE, now=later)
            assert refused.value.problems[0].code == "keyholder.budget.institution_day"
        finally:
            again.stop()


def test_another_account_of_the_machine_is_not_answered(kept: House, running: Running) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can try it as another account")
    for path, mode in (
        (running.folder.parent, 0o711),
        (running.folder, 0o711),
        (running.folder / "desk.sock", 0o666),
    ):
        path.chmod(mode)
    child = os.fork()
    if child == 0:
        status = 3
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(5)
            line.connect(str(running.folder / "desk.sock"))
            wire.send(line, {"question": "is_there", "words": (), "named": {}})
            status = 0 if wire.receive(line) is None else 1
        except ConnectionError:
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert running.client.answers()


def test_a_witness_signs_no_fork_even_when_the_service_asks_for_it(kept: House) -> None:
    """The service is taken over and has put its tables back: the keyholder remembers what it signed."""
    ring, origin = ring_of_another(), "another.example/journal"
    key = ring.journal_verifier_key(origin)
    hashes = [bytes([number]) * 32 for number in range(10)]
    forked = [*hashes[:5], b"f" * 32, *hashes[6:]]

    def request(leaves: list[bytes], old: int, size: int) -> bytes:
        tree = Tree(leaves)
        signed = read_checkpoint(ring.sign_checkpoint(origin, size, tree.root(size)))
        return AddCheckpoint(old, tree.consistency_proof(old, size) if old else (), signed).octets

    name = "albergue-tapachula.resguardo/witness"
    witness = keyholder()
    assert witness.cosign(kept.shelter.id, name, request(hashes, 0, 6), key, now=NOW)
    assert witness.cosign(kept.shelter.id, name, request(hashes, 6, 9), key, now=NOW)
    for bad in (request(forked, 0, 6), request(forked, 6, 9), request(hashes, 0, 4), request(forked, 0, 10)):
        with pytest.raises(Refused) as refused:
            witness.cosign(kept.shelter.id, name, bad, key, now=NOW)
        assert refused.value.problems[0].code == "keyholder.desk.not_cosigned"
    assert witness.cosign(kept.shelter.id, name, request(hashes, 9, 10), key, now=NOW)


def test_what_is_no_question_is_refused_and_the_next_is_answered(kept: House, running: Running) -> None:
    for octets in (
        b"\x00\x00\x00\x05hello",
        b"\x00\x00\x00\x02{}",
        b"\xff\xff\xff\xff",
        b'\x00\x00\x00\x04"x"\n',
    ):
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(running.folder / "desk.sock"))
        line.sendall(octets)
        line.settimeout(5)
        line.recv(100)
        line.close()
    for question in ("_unwrapped", "__init__", "destroy_all", "rings"):
        with pytest.raises(Refused) as refused:
            running.client._ask(question, kept.shelter.id)
        assert refused.value.problems[0].code == "keyholder.desk.not_understood"
    assert running.client.answers()


def test_keys_are_changed_while_people_work_and_who_was_erased_is_beyond_recovery(kept: House) -> None:
    rows = list(models.Record.objects.order_by("id"))
    erased = models.SubjectKey.objects.get(subject=rows[0].subject_id)
    backup = bytes(erased.wrapped), erased.compartment, rows[0].subject_id
    erase_record(kept.bruno, rows[0].id, now=NOW)
    done = rotate_keys(kept.shelter.as_value(), advance=ended, now=NOW)
    assert (done.compartments, done.subjects) == (1, 2)
    assert open_record(kept.bruno, rows[1].id, RIGHTS, now=NOW)["answers"]
    assert destroy_old_keys(kept.shelter.as_value(), now=NOW + timedelta(days=29)) == []
    assert destroy_old_keys(kept.shelter.as_value(), now=NOW + timedelta(days=31)) == [1]
    assert open_record(kept.bruno, rows[1].id, RIGHTS, now=NOW)["answers"]
    # The backup is put back: the wrapped key is there again, and nothing unwraps it.
    models.SubjectKey.objects.create(
        subject_id=backup[2], version=1, compartment=backup[1], wrapped=backup[0]
    )
    from resguardo_keyholder.asked import Wrapped

    with pytest.raises(Refused) as refused:
        keyholder().marks(kept.shelter.id, [Wrapped(backup[2], backup[1], 1, backup[0])])
    assert refused.value.problems[0].code == "keep.keys.compartment_key_missing"
