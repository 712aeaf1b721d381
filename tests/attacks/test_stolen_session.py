"""Somebody holds a member's session, or the whole web process: a day's work at most, and it is noticed.

The thief of a session asks as the member would, one person after the other, for twenty-four hours. The thief
of the web process asks the keyholder itself, any question, in anybody's name. Time is simulated: the moment
that is asked at moves on.
"""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.keyholder.running import Running, environment, keyholder_process
from tests.people import NOW, PURPOSE, RIGHTS, ROSA, House, bring, leaves, make_house, table
from tests.rules.collect.sheets import write_csv

from resguardo.keep.keys import CompartmentKey, KeyRing, SubjectKey
from resguardo.keep.sealing import GroupKey
from resguardo.values import Refused, Sensitivity
from resguardo_keyholder import asked, listening, wire
from resguardo_keyholder.asked import Keyholder, Opening, Released, Search, Withheld
from resguardo_keyholder.client import Client
from resguardo_server import models
from resguardo_server.actions.allow import NotAllowed, erase_record
from resguardo_server.actions.allow.opening import open_file

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

MEMBER_HOUR, DAY = 4, 11
"""The ceilings here: small, so that few people are enough. They stand in the same proportion everywhere."""
PEOPLE = 18


@pytest.fixture
def running(transactional_db: None) -> Iterator[Running]:
    with keyholder_process() as running:
        yield running


@pytest.fixture
def full(running: Running, tmp_path: Path) -> House:
    """A house with more people than a day's ceiling, and one of another institution."""
    house = make_house()
    (running.folder / "ceilings.toml").write_text(
        f'["{house.shelter.id}"]\nmember_hour = {MEMBER_HOUR}\ninstitution_day = {DAY}\nlookups_hour = 5\n',
        encoding="utf-8",
    )
    people = [{**ROSA, "participant_code": f"C-{number}"} for number in range(PEOPLE)]
    assert bring(house.ana, write_csv(tmp_path / "a.csv", table(*people))).kept == PEOPLE
    assert bring(house.carla, write_csv(tmp_path / "b.csv", table(ROSA))).kept == 1
    return house


def everybody(institution: models.Institution) -> list[uuid.UUID]:
    return list(institution.subjects.order_by("id").values_list("id", flat=True))


def moments() -> Iterator[datetime]:
    """Every quarter of an hour of a day."""
    for quarter in range(24 * 4):
        yield NOW + timedelta(minutes=15 * quarter)


def opening(house: House, subject: uuid.UUID, **more: Any) -> Opening:
    told: dict[str, Any] = {
        "institution": house.shelter.id, "subject": subject, "purpose": RIGHTS, "groups": (1, 2, 3, 4),
        "member": "bruno@albergue.example", "second_factor": True, "reauthenticated": True,
    } | more  # fmt: skip
    return Opening(**told)


# A member's session


def test_a_session_reads_a_days_work_at_most_and_the_alarm_stands_at_once(full: House) -> None:
    read: set[uuid.UUID] = set()
    refused_at: datetime | None = None
    raised: list[tuple[str, datetime]] = []
    codes: set[str] = set()
    for now in moments():
        for subject in everybody(full.shelter):
            if subject in read:
                continue
            try:
                open_file(full.bruno, subject, RIGHTS, frozenset(Sensitivity), now=now)
                read.add(subject)
            except NotAllowed as refused:
                codes.add(refused.problems[0].code)
                if refused_at is None:
                    refused_at = now
                    raised = list(models.Alarm.objects.values_list("kind", "raised_at"))
                break  # nobody new is opened before the next quarter
    assert len(read) == DAY
    assert codes == {"keyholder.budget.member_hour", "keyholder.budget.institution_day"}
    assert refused_at == NOW, "the first hour's ceiling was reached in the first minute"
    assert raised == [("budget_member_hour", NOW)]
    kinds = set(models.Alarm.objects.filter(institution=full.shelter).values_list("kind", flat=True))
    assert kinds == {"budget_member_hour", "budget_institution_day"}


def test_a_session_reads_nobody_of_another_institution(full: House) -> None:
    (elsewhere,) = everybody(full.ministry)
    for purpose in (RIGHTS, PURPOSE, "vital_interest"):
        for who in (full.ana, full.bruno, replace(full.bruno, institution=full.ministry.as_value())):
            with pytest.raises(Refused):
                open_file(who, elsewhere, purpose, frozenset(Sensitivity), now=NOW)


def test_a_session_that_was_not_confirmed_again_sends_and_erases_nothing(full: House) -> None:
    stolen = replace(full.bruno, reauthenticated=False)
    subject = everybody(full.shelter)[0]
    codes = []
    for action, reason in (
        ("export", ""),
        ("refer", ""),
        ("read", "the roof is burning down, they must leave"),
    ):
        who = replace(full.ana, reauthenticated=False) if reason else stolen
        with pytest.raises(NotAllowed) as refused:
            open_file(
                who, subject, "vital_interest" if reason else RIGHTS, frozenset(Sensitivity),
                action=action, emergency_reason=reason, now=NOW,
            )  # fmt: skip
        codes.append(refused.value.problems[0].code)
    record = models.Record.objects.filter(subject_id=subject).get()
    with pytest.raises(Refused) as refused_too:
        erase_record(stolen, record.id, now=NOW)
    codes.append(refused_too.value.problems[0].code)
    assert codes[0] == codes[3] == "allow.decision.reauthentication"
    assert all(code.startswith("allow.decision.") for code in codes)
    assert models.Record.objects.filter(institution=full.shelter).count() == PEOPLE
    assert {line["dec"] for line in leaves(full.shelter)[PEOPLE:]} == {"deny"}


def test_a_session_without_a_second_factor_opens_nobody(full: House) -> None:
    for subject in everybody(full.shelter)[:3]:
        with pytest.raises(NotAllowed) as refused:
            open_file(
                replace(full.bruno, second_factor=False), subject, RIGHTS, frozenset(Sensitivity), now=NOW
            )
        assert refused.value.problems[0].code == "allow.decision.second_factor"


# The web process


def test_the_web_process_reads_a_days_work_of_an_institution_in_whosever_name(
    full: House, running: Running
) -> None:
    read: set[uuid.UUID] = set()
    names = ("ana@albergue.example", "bruno@albergue.example", "carla@ministerio.example", "nobody@x.example")
    for now in (NOW + timedelta(hours=hour) for hour in range(24)):
        for subject in everybody(full.shelter):
            for member in names if subject not in read else ():
                for purpose in (RIGHTS, PURPOSE):
                    answer = running.client.release(
                        opening(full, subject, member=member, purpose=purpose), now=now
                    )
                    if isinstance(answer, Released):
                        read.add(subject)
                        assert all(type(key) is GroupKey for key in answer.keys)
    assert len(read) == DAY
    assert models.Alarm.objects.filter(institution=full.shelter, kind="budget_institution_day").exists()


def test_asking_for_many_at_once_passes_no_ceiling(full: House, running: Running) -> None:
    read: list[uuid.UUID] = []
    together = threading.Barrier(PEOPLE)

    def ask(subject: uuid.UUID) -> None:
        client = Client(running.folder / "desk.sock")
        together.wait()
        if isinstance(client.release(opening(full, subject), now=NOW), Released):
            read.append(subject)
        client.close()

    threads = [threading.Thread(target=ask, args=(subject,)) for subject in everybody(full.shelter)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read) == MEMBER_HOUR


def test_saying_that_it_is_tomorrow_passes_no_ceiling(full: House, running: Running) -> None:
    """The keyholder as it is delivered: no clock but its own ends a day."""
    told, database = environment(running.folder)
    socket = running.folder / "own.sock"
    command = [sys.executable, "-m", "resguardo_keyholder", "--folder", str(running.folder)]
    child = subprocess.Popen([*command, "--socket", str(socket), *database], env=told)
    client, end, read = Client(socket), time.monotonic() + 60, set()
    try:
        while not client.answers() and time.monotonic() < end:
            time.sleep(0.05)
        for number, subject in enumerate(everybody(full.shelter)):
            now = NOW + timedelta(days=2 * number)
            if isinstance(client.release(opening(full, subject), now=now), Released):
                read.add(subject)
    finally:
        child.terminate()
        child.wait(timeout=10)
        client.close()
    assert len(read) == MEMBER_HOUR


def test_the_web_process_looks_up_no_more_than_its_ceiling(full: House, running: Running) -> None:
    found = 0
    for number in range(8):
        answer = running.client.search(
            Search(
                full.shelter.id, "ana@albergue.example", "training", PURPOSE, "document",
                ((f"GT|{number}",),), second_factor=True,
            ),
            now=NOW,
        )  # fmt: skip
        found += not isinstance(answer, Withheld)
    assert found == 5
    assert models.Alarm.objects.filter(kind="budget_lookups_hour").count() == 1


KEYS = (KeyRing, CompartmentKey, SubjectKey)


def test_no_answer_of_the_keyholder_can_hold_a_key_but_that_of_a_group() -> None:
    """Every question there is, and every kind of value that the socket can carry."""
    questions = {name for name, _ in inspect.getmembers(Keyholder, inspect.isfunction) if name[0] != "_"}
    assert questions == listening.QUESTIONS
    assert not [kind for kind in KEYS if kind.__name__ in wire._VALUES]
    assert {kind for kind in wire._VALUES.values() if kind is GroupKey} == {GroupKey}
    holders = [kind for kind in wire._VALUES.values() if "GroupKey" in repr(get_hints(kind))]
    assert holders == [Released]
    for kind in KEYS:
        with pytest.raises((TypeError, Refused)):
            wire.written([kind.__new__(kind)])
    answers = {name: get_hints(getattr(Keyholder, name))["return"] for name in questions}
    assert [name for name, kind in answers.items() if "Released" in repr(kind)] == ["release"]
    octets = sorted(name for name, kind in answers.items() if "bytes" in repr(kind))
    # Facts, signatures and keys that are wrapped again: each is looked at below.
    assert octets == ["open_facts", "rewrap", "seal_facts", "sign", "signature_key"]


def get_hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def test_whatever_is_asked_no_octets_of_a_key_come_back(full: House, running: Running) -> None:
    """What the questions answer, against the keys themselves, which lie in the keyholder's files."""
    from resguardo_keyholder.unlocking import open_folder

    ring = open_folder(running.folder).of(full.shelter.id)
    row = models.SubjectKey.objects.filter(subject__institution=full.shelter)[0]
    wrapped = asked.Wrapped(row.subject_id, row.compartment, row.version, bytes(row.wrapped))
    key = ring.unwrap_subject_key(
        wrapped.octets, compartment=row.compartment, subject=row.subject_id, key_version=row.version
    )
    secrets = [octets for thing in (ring, *ring.compartment_keys, key) for octets in hidden(thing)]
    assert len(secrets) > 5
    client, shelter = running.client, full.shelter.id
    to_seal = asked.ToSeal(
        row.subject_id, row.compartment, row.version, wrapped.octets, "person", uuid.uuid4(), 1, {4: b"{}"}
    )
    segment = uuid.uuid4()
    sealed = client.seal_facts(shelter, "enrolment", segment, 1, b"facts")
    answers: list[Any] = [
        client.prepare(shelter, row.compartment, may_be_new=False, now=NOW),
        client.pseudonym(shelter, "bruno@albergue.example"),
        client.tokens(shelter, [asked.WantedToken("subject_code", ("training", "person", "C-1"))]),
        client.seal(shelter, [to_seal]), client.marks(shelter, [wrapped]),
        client.record_marks(shelter, [uuid.uuid4()]), sealed,
        client.open_facts(shelter, "enrolment", segment, 1, sealed),
        client.release(opening(full, row.subject_id), now=NOW), client.sign_journal(shelter, now=NOW),
        client.journal_key(shelter, "x/journal"), client.witness_key(shelter, "x/witness"),
        client.sign(shelter, "resguardo/receipt/v1", b"x"), client.signature_key(shelter),
        client.key_versions(shelter), client.rotate(shelter, now=NOW), client.rewrap(shelter, [wrapped]),
        client.ceilings(shelter), client.known_receipt("x"), client.recognise("x", "name", "y", now=NOW),
    ]  # fmt: skip
    said = repr(answers).encode() + repr(wire.written(answers)).encode()
    import base64

    for secret in secrets:
        for form in (repr(secret)[2:-1].encode(), secret.hex().encode(), base64.b64encode(secret)):
            assert form not in said


def hidden(thing: Any) -> Iterator[bytes]:
    """The octets of every key that a ring, or a key of it, holds."""
    if type(thing) is bytes and len(thing) >= 32:
        yield thing
    elif isinstance(thing, Ed25519PrivateKey):
        yield thing.private_bytes_raw()
    elif isinstance(thing, tuple):
        for value in thing:
            yield from hidden(value)
    elif dataclasses.is_dataclass(thing):
        for part in dataclasses.fields(thing):
            if part.init:
                yield from hidden(getattr(thing, part.name))


def test_the_web_process_destroys_no_key_that_a_backup_may_need(full: House, running: Running) -> None:
    """It may ask, for it is asked by the round of what is due; it gets no more than that."""
    client, shelter = running.client, full.shelter.id
    client.rotate(shelter, now=NOW)
    for number in (1, 2):
        with pytest.raises(Refused):
            client.destroy(shelter, number, now=NOW + timedelta(days=29))
    with pytest.raises(Refused) as refused:
        client.destroy(shelter, 1, now=NOW + timedelta(days=31))
    assert refused.value.problems[0].code == "keyholder.desk.key_still_wraps", "the living need it still"
