"""Somebody may read and write the database, without the keys: what is moved or put back does not open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from tests.people import (
    NOW,
    PURPOSE,
    RIGHTS,
    ROSA,
    House,
    bring,
    counted,
    leaves,
    make_house,
    octets_of,
    record_about,
    ring_of,
    table,
)
from tests.rules.collect.sheets import write_csv

from resguardo.keep.facts import SegmentBroken
from resguardo.keep.keys import IndexField, KeyRing, SubjectKey, WrapBroken, new_key_ring
from resguardo.keep.sealing import SealBroken, sealed_hash
from resguardo.values import Refused, Sealed, Sensitivity
from resguardo_server import models
from resguardo_server.actions.allow import correct_record, erase_record, open_record
from resguardo_server.actions.keep import verify_journals


@pytest.fixture
def rosa(kept: House) -> models.Record:
    return record_about(kept.ana, "C-0001")


@pytest.fixture
def marta(kept: House) -> models.Record:
    return record_about(kept.ana, "C-0003")


def group(record: models.Record, number: int) -> models.SealedGroup:
    return models.SealedGroup.objects.get(record=record, group=number)


def opens(house: House, record: models.Record) -> bool:
    """Whether the one who may open it still can."""
    return bool(open_record(house.bruno, record.id, RIGHTS, now=NOW)["answers"])


def swap(one: models.SealedGroup, other: models.SealedGroup) -> None:
    one.octets, other.octets = other.octets, one.octets
    one.save()
    other.save()


# Sealed answers


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_answers_moved_to_another_person_do_not_open(
    kept: House, rosa: models.Record, marta: models.Record, number: int
) -> None:
    assert opens(kept, rosa)
    assert opens(kept, marta)
    swap(group(rosa, number), group(marta, number))
    for record in (rosa, marta):
        with pytest.raises(SealBroken):
            open_record(kept.bruno, record.id, RIGHTS, now=NOW)


@pytest.fixture
def second(kept: House, rosa: models.Record, tmp_path: Path) -> models.Record:
    """Another record of Rosa's, under the same key."""
    bring(kept.ana, write_csv(tmp_path / "b.csv", table({**ROSA, "edition_code": "COM-1-B"})))
    return models.Record.objects.filter(subject_id=rosa.subject_id).exclude(id=rosa.id).get()


def test_answers_moved_to_another_record_of_the_same_person_do_not_open(
    kept: House, rosa: models.Record, second: models.Record
) -> None:
    swap(group(rosa, 4), group(second, 4))
    for record in (rosa, second):
        with pytest.raises(SealBroken):
            open_record(kept.bruno, record.id, RIGHTS, now=NOW)


def test_a_record_given_to_another_subject_does_not_open(
    kept: House, rosa: models.Record, marta: models.Record
) -> None:
    models.Record.objects.filter(id=rosa.id).update(subject_id=marta.subject_id)
    with pytest.raises(SealBroken):
        open_record(kept.bruno, rosa.id, RIGHTS, now=NOW)


def test_a_record_given_to_another_institution_does_not_open_there(
    kept: House, rosa: models.Record, enrolments: Path
) -> None:
    """The thief makes Carla's institution the owner of record, subject and key."""
    bring(kept.carla, enrolments)
    models.Record.objects.filter(id=rosa.id).update(institution=kept.ministry)
    models.Subject.objects.filter(id=rosa.subject_id).update(institution=kept.ministry)
    with pytest.raises(Refused) as refused:
        open_record(kept.carla, rosa.id, RIGHTS, now=NOW)
    assert isinstance(refused.value, WrapBroken)


def test_answers_moved_to_another_level_do_not_open(kept: House, rosa: models.Record) -> None:
    """Names under the level of plain answers, so that whoever may see those sees the names."""
    swap(group(rosa, 1), group(rosa, 4))
    with pytest.raises(SealBroken):
        open_record(kept.ana, rosa.id, PURPOSE, ("plain",), now=NOW)


def test_an_older_version_of_an_answer_put_back_does_not_open(kept: House, rosa: models.Record) -> None:
    old = list(models.SealedGroup.objects.filter(record=rosa).values())
    correct_record(kept.bruno, rosa.id, {"country": "SV"}, RIGHTS, now=NOW)
    assert opens(kept, rosa)
    for row in old:
        # The row as it was, its own number of version and all.
        models.SealedGroup.objects.filter(record=rosa, group=row["group"]).update(
            octets=row["octets"], row_version=row["row_version"]
        )
        with pytest.raises(SealBroken):
            open_record(kept.bruno, rosa.id, RIGHTS, now=NOW)


def test_a_whole_older_record_put_back_opens_but_the_journal_contradicts_it(
    kept: House, rosa: models.Record
) -> None:
    """What the seal alone cannot tell: record and answers as they once were. The last line about it can."""
    old = list(models.SealedGroup.objects.filter(record=rosa).values())
    correct_record(kept.bruno, rosa.id, {"country": "SV"}, RIGHTS, now=NOW)
    newest = [line["h"] for line in leaves(kept.shelter) if line["obj"] == str(rosa.id) and "h" in line][-1]

    def held() -> str:
        levels = {level.group: level for level in Sensitivity}
        return sealed_hash({levels[row.group]: Sealed(bytes(row.octets)) for row in rosa.groups.all()})

    assert held() == newest
    models.SealedGroup.objects.filter(record=rosa).delete()
    models.SealedGroup.objects.bulk_create(models.SealedGroup(**row) for row in old)
    models.Record.objects.filter(id=rosa.id).update(version=1)
    assert opens(kept, rosa)
    assert held() != newest


@pytest.mark.parametrize("change", ["octets", "row_version", "key_version", "record"])
def test_whatever_is_changed_of_a_sealed_row_it_does_not_open(
    kept: House, rosa: models.Record, change: str
) -> None:
    row = group(rosa, 1)
    if change == "octets":
        octets = bytearray(bytes(row.octets))
        octets[len(octets) // 2] ^= 1
        row.octets = bytes(octets)
        row.save()
    elif change == "record":
        models.Record.objects.filter(id=rosa.id).update(version=2)
    elif change == "row_version":
        # The record says which version it is; what the row says of itself is not believed.
        models.SealedGroup.objects.filter(id=row.pk).update(row_version=7)
        assert opens(kept, rosa)
        return
    else:
        models.SealedGroup.objects.filter(id=row.pk).update(key_version=2)
    with pytest.raises(SealBroken):
        open_record(kept.bruno, rosa.id, RIGHTS, now=NOW)


def test_a_failed_opening_gives_nothing_of_the_other_groups(
    kept: House, rosa: models.Record, marta: models.Record
) -> None:
    swap(group(rosa, 4), group(marta, 4))
    with pytest.raises(SealBroken) as refused:
        open_record(kept.bruno, rosa.id, RIGHTS, now=NOW)
    assert ROSA["full_name"] not in str(refused.value) + repr(refused.value.problems)


# Keys


def test_a_wrapped_key_moved_to_another_subject_does_not_unwrap(
    kept: House, rosa: models.Record, marta: models.Record
) -> None:
    stolen = models.SubjectKey.objects.get(subject=rosa.subject_id)
    models.SubjectKey.objects.filter(subject=marta.subject_id).update(wrapped=stolen.wrapped)
    with pytest.raises(WrapBroken):
        open_record(kept.bruno, marta.id, RIGHTS, now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"compartment": "albergue-tapachula/assistance"},
        {"version": 2},
        {"wrapped": bytes(66)},
        {"wrapped": b""},
    ],
)
def test_a_wrapped_key_in_another_place_does_not_unwrap(
    kept: House, rosa: models.Record, change: dict[str, object]
) -> None:
    models.SubjectKey.objects.filter(subject=rosa.subject_id).update(**change)
    with pytest.raises(Refused) as refused:
        open_record(kept.bruno, rosa.id, RIGHTS, now=NOW)
    # A compartment of another programme is not even looked at: the subject's programme says which it is.
    assert refused.value.problems[0].code in ("keep.keys.wrap_broken", "server.said.unknown_record")


def test_without_the_subjects_key_a_record_does_not_open_and_a_new_key_does_not_help(
    kept: House, rosa: models.Record
) -> None:
    ring = ring_of(kept.shelter.id)
    row = models.SubjectKey.objects.get(subject=rosa.subject_id)
    compartment = row.compartment
    row.delete()
    with pytest.raises(Refused):
        open_record(kept.bruno, rosa.id, RIGHTS, now=NOW)
    models.SubjectKey.objects.create(
        subject_id=rosa.subject_id, version=1, compartment=compartment,
        wrapped=ring.wrap_subject_key(
            SubjectKey(b"k" * 32), compartment=compartment, subject=rosa.subject_id, key_version=1,
            nonce=bytes(12),
        ),
    )  # fmt: skip
    with pytest.raises(SealBroken):
        open_record(kept.bruno, rosa.id, RIGHTS, now=NOW)


def test_another_key_ring_unwraps_nothing(kept: House, rosa: models.Record) -> None:
    row = models.SubjectKey.objects.get(subject=rosa.subject_id)
    other = new_key_ring(kept.shelter.id, lambda count: b"\x07" * count)
    other = other.with_compartment(row.compartment, lambda count: b"\x08" * count, NOW)
    with pytest.raises(WrapBroken):
        other.unwrap_subject_key(
            bytes(row.wrapped), compartment=row.compartment, subject=rosa.subject_id, key_version=1
        )


# Facts


def broken_facts(house: House, change: Callable[[models.FactSegment], object]) -> None:
    segment = models.FactSegment.objects.get(institution=house.shelter)
    assert len(counted(house.shelter)) == 3
    change(segment)
    segment.save()
    with pytest.raises(SegmentBroken):
        counted(house.shelter)


def flipped(segment: models.FactSegment) -> None:
    octets = bytearray(bytes(segment.octets))
    octets[-20] ^= 1
    segment.octets = bytes(octets)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(flipped, id="a bit"),
        pytest.param(lambda segment: setattr(segment, "version", 2), id="version"),
        pytest.param(lambda segment: setattr(segment, "form", "completion"), id="form"),
        pytest.param(lambda segment: setattr(segment, "programme", "assistance"), id="programme"),
        pytest.param(lambda segment: setattr(segment, "octets", bytes(segment.octets)[:-1]), id="cut"),
    ],
)
def test_facts_that_were_changed_are_not_counted(
    kept: House, change: Callable[[models.FactSegment], object]
) -> None:
    broken_facts(kept, change)


def test_facts_of_two_institutions_that_were_swapped_are_not_counted(kept: House, enrolments: Path) -> None:
    bring(kept.carla, enrolments)
    ours, theirs = (
        models.FactSegment.objects.get(institution=place) for place in (kept.shelter, kept.ministry)
    )
    ours.octets, theirs.octets = theirs.octets, ours.octets
    ours.save()
    theirs.save()
    for place in (kept.shelter, kept.ministry):
        with pytest.raises(SegmentBroken):
            counted(place)


def test_facts_of_two_segments_of_one_form_that_were_swapped_are_not_counted(
    kept: House, rosa: models.Record
) -> None:
    correct_record(kept.bruno, rosa.id, {"country": "SV"}, RIGHTS, now=NOW)
    one, other = models.FactSegment.objects.order_by("version")
    one.octets, other.octets = other.octets, one.octets
    one.save()
    other.save()
    with pytest.raises(SegmentBroken):
        counted(kept.shelter)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("action", ["correct", "erase"])
def test_facts_put_back_to_what_they_were_before_a_correction_or_an_erasure_are_not_counted(
    kept: House, rosa: models.Record, action: str, version: int
) -> None:
    """Also when the number of their version is put back with them."""
    old = bytes(models.FactSegment.objects.get().octets)
    if action == "erase":
        erase_record(kept.bruno, rosa.id, now=NOW)
    else:
        correct_record(kept.bruno, rosa.id, {"country": "SV"}, RIGHTS, now=NOW)
    changed = models.FactSegment.objects.get(version=2)
    changed.octets, changed.version = old, version
    changed.save()
    with pytest.raises(SegmentBroken):
        counted(kept.shelter)


# What can be read from the tables without a key


def test_the_tokens_of_one_code_differ_between_institutions(kept: House, enrolments: Path) -> None:
    bring(kept.carla, enrolments)
    tokens = {
        place.slug: {bytes(row.token) for row in models.BlindIndex.objects.filter(institution=place, field=1)}
        for place in (kept.shelter, kept.ministry)
    }
    assert [len(found) for found in tokens.values()] == [3, 3]
    assert tokens["albergue-tapachula"].isdisjoint(tokens["ministerio-tegucigalpa"])
    arrivals = [bytes(row.token) for row in models.Arrival.objects.all()]
    assert len(set(arrivals)) == 6, "nor do the tokens of equal sheets"


def test_the_tokens_of_one_code_differ_between_programmes_and_kinds_of_subject(kept: House) -> None:
    ring = ring_of(kept.shelter.id)
    tokens = {
        ring.subject_code_token(programme, about, "C-0001").token
        for programme in ("training", "assistance")
        for about in ("person", "event")
    }
    assert len(tokens) == 4
    assert ring.blind_token(IndexField.SUBJECT_CODE, "C-0001").token not in tokens


def test_a_guess_of_the_code_is_not_confirmed_without_the_key(kept: House) -> None:
    held = {bytes(row.token) for row in models.BlindIndex.objects.filter(institution=kept.shelter)}
    for guess in range(20):
        ring: KeyRing = new_key_ring(kept.shelter.id, lambda count, seed=guess: bytes([seed]) * count)
        assert ring.subject_code_token("training", "person", "C-0001").token not in held


def test_equal_answers_are_sealed_differently_each_time(kept: House, second: models.Record) -> None:
    octets = [bytes(row.octets) for row in models.SealedGroup.objects.all()]
    nonces = [sealed[20:32] for sealed in octets]
    assert len(set(octets)) == len(set(nonces)) == len(octets)


def test_no_record_is_found_through_the_facts_without_the_keys(kept: House) -> None:
    """Even who could open the facts cannot tell by an id which row is whose."""
    ids = {record.id.hex for record in models.Record.objects.all()}
    ids |= {record.subject_id.hex for record in models.Record.objects.all()}
    facts = repr(counted(kept.shelter))
    assert not [known for known in ids if known in facts]


def test_who_may_open_is_decided_before_anything_is_opened(kept: House, rosa: models.Record) -> None:
    """A thief adds himself a consent: the journal shows on what ground the opening stood."""
    models.ConsentGiven.objects.filter(subject_id=rosa.subject_id).delete()
    with pytest.raises(Refused):
        open_record(kept.ana, rosa.id, PURPOSE, now=NOW)
    forged = models.ConsentGiven.objects.create(
        subject_id=rosa.subject_id, purpose=PURPOSE, given=True, said_on=NOW.date(), language="es"
    )
    open_record(kept.ana, rosa.id, PURPOSE, now=NOW)
    assert int(leaves(kept.shelter)[-1]["consent"], 16) == forged.pk


# What is left after an erasure


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_after_an_erasure_neither_key_nor_answers_are_left_in_the_file(tmp_path: Path) -> None:
    """Looked for in the bytes of the file and of its log, where a deleted row would usually still lie."""
    if connection.vendor != "sqlite":
        pytest.skip("what PostgreSQL deleted lies in its files until it is vacuumed")
    house = make_house()
    bring(house.ana, write_csv(tmp_path / "a.csv", table(ROSA)))
    rosa = record_about(house.ana, "C-0001")
    gone = [bytes(row.octets) for row in rosa.groups.all()]
    gone += [bytes(row.wrapped) for row in models.SubjectKey.objects.all()]
    # The token of a name is too short to look for: by chance it is anywhere.
    gone += [bytes(row.token) for row in models.BlindIndex.objects.exclude(field=4)]
    gone += [bytes(row.token) for row in models.RecognisedAnswer.objects.all()]
    file = Path(connection.settings_dict["NAME"])

    def octets() -> bytes:
        return b"".join(octets_of(path) for path in sorted(file.parent.glob(f"{file.name}*")))

    before = octets()
    assert all(piece in before for piece in gone)
    erase_record(house.ana, rosa.id, now=NOW)
    after = octets()
    assert [number for number, piece in enumerate(gone) if piece in after] == []
    assert verify_journals(None, language="es")[0]["findings"] == []
