"""Sealed records, the keys that open them, and the journal. Nothing here can be read without a key ring."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from resguardo_server.models.members import Institution


class Subject(models.Model):
    """Who or what an institution's records are about: a random id. Holds no name and no answer."""

    holds = "a random id of a person, site, incident …; whether it was erased"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="subjects")
    programme = models.SlugField()
    kind = models.CharField(max_length=16)
    key_version = models.PositiveSmallIntegerField(default=1)
    restricted = models.BooleanField(default=False)
    restricted_on = models.DateField(null=True)
    erased_on = models.DateTimeField(null=True)
    entries = models.PositiveIntegerField(default=0)
    """How many journal entries speak of this subject (`sn` of the last one)."""
    last_entry = models.BinaryField(max_length=16, default=b"")
    """First 16 bytes of the hash of the subject's last entry (`sp` of the next one)."""

    def __str__(self) -> str:
        return str(self.id)


class RecognisedAnswer(models.Model):
    """By what a person proves who she is: a keyed token of one answer, different for every person."""

    holds = "keyed tokens of one person's answers, different for every person"

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="recognised")
    record = models.ForeignKey("Record", on_delete=models.CASCADE, related_name="recognised")
    question = models.CharField(max_length=64)
    token = models.BinaryField(max_length=16)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subject", "question"])]

    def __str__(self) -> str:
        return f"{self.subject_id} {self.question}"


class SubjectKey(models.Model):
    """A subject's key, wrapped by a compartment key that the database does not hold. Deleted = shredded."""

    holds = "a wrapped key"

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="keys")
    version = models.PositiveSmallIntegerField()
    compartment = models.CharField(max_length=120)
    wrapped = models.BinaryField(max_length=66)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject", "version"], name="one_key_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.subject_id} v{self.version}"


class CompartmentKeyVersion(models.Model):
    """When a compartment key was made, replaced and destroyed; the key itself is with the keyholder."""

    holds = "numbers and dates of keys"

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="key_versions")
    compartment = models.CharField(max_length=120)
    number = models.PositiveBigIntegerField()
    """The number that stands in every wrapped key."""
    made_on = models.DateTimeField()
    replaced_on = models.DateTimeField(null=True)
    destroyed_on = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "number"], name="one_row_per_compartment_key")
        ]

    def __str__(self) -> str:
        return f"{self.compartment} · {self.number}"


class Erasure(models.Model):
    """What was erased, when and why, and when no backup can bring it back either. Outlives the record."""

    holds = "random ids of what is no longer there; why and when"

    REASONS = ("wish", "expiry", "mistake", "withdrawn")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="erasures")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="erasures")
    record = models.UUIDField()
    reason = models.CharField(max_length=16, choices=[(reason, reason) for reason in REASONS])
    shredded_on = models.DateTimeField()
    key_number = models.PositiveBigIntegerField(null=True)
    """The compartment key that wrapped the shredded key: a backup is dead once it is destroyed. None while
    other records of the subject keep the key alive."""
    unrecoverable_on = models.DateTimeField(null=True)
    entry = models.CharField(max_length=64)
    """Hash of the journal's entry about it, in hexadecimal."""

    class Meta:
        indexes: ClassVar = [models.Index(fields=["institution", "key_number"])]

    def __str__(self) -> str:
        return f"{self.record} · {self.reason}"


class BlindIndex(models.Model):
    """A keyed token by which a subject is found again without its code being stored."""

    holds = "keyed tokens of case codes, documents, phones and names; equal values give equal tokens"

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="tokens")
    record = models.ForeignKey("Record", null=True, on_delete=models.CASCADE, related_name="tokens")
    """The record that said it; none for a subject's code, which all its records say."""
    field = models.PositiveSmallIntegerField()
    key_version = models.PositiveSmallIntegerField()
    token = models.BinaryField(max_length=16)

    class Meta:
        constraints: ClassVar = [
            # The code says who it is; a telephone may be shared, a name token is short on purpose.
            models.UniqueConstraint(
                fields=["institution", "field", "key_version", "token"],
                condition=models.Q(field=1),
                name="one_subject_per_code",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["institution", "field", "token"]),
        ]

    def __str__(self) -> str:
        return f"{self.field} v{self.key_version}"


class FactSegment(models.Model):
    """A sealed columnar piece of the facts of one form; opens under the institution's statistics key."""

    holds = "sealed catalogue codes, bands and months; no identifier, free text or exact date of a person"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="segments")
    programme = models.SlugField()
    form = models.SlugField()
    version = models.PositiveIntegerField(default=1)
    rows = models.PositiveIntegerField()
    octets = models.BinaryField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["programme", "form", "institution"])]

    def __str__(self) -> str:
        return f"{self.programme}.{self.form} ({self.rows})"


class Record(models.Model):
    """One answer sheet that an institution keeps. Its answers are in its sealed groups."""

    holds = "when a sheet of which form arrived; the answers are sealed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="records")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="records")
    programme = models.SlugField()
    form = models.SlugField()
    form_version = models.CharField(max_length=40)
    version = models.PositiveIntegerField(default=1)
    received_on = models.DateTimeField()
    keep_until = models.DateField()
    segment = models.ForeignKey(FactSegment, null=True, on_delete=models.SET_NULL, related_name="records")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["programme", "form", "institution"])]

    def __str__(self) -> str:
        return str(self.id)


class SealedGroup(models.Model):
    """The answers of one record at one level of sensitivity, sealed (format `rg1`, docs/formats.md)."""

    holds = "sealed answers"

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="groups")
    group = models.PositiveSmallIntegerField()
    row_version = models.PositiveIntegerField(default=1)
    key_version = models.PositiveSmallIntegerField(default=1)
    octets = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["record", "group"], name="one_group_per_level")
        ]

    def __str__(self) -> str:
        return f"{self.record_id}/{self.group}"


class Arrival(models.Model):
    """A sheet arrived once: a keyed token of it. Outlives the record, so that it cannot return."""

    holds = "a keyed token of a sheet"

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    token = models.BinaryField(max_length=16)
    record = models.ForeignKey(Record, null=True, on_delete=models.SET_NULL, related_name="arrivals")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "token"], name="a_sheet_arrives_once")
        ]

    def __str__(self) -> str:
        return f"{self.institution_id} · {self.pk}"


class JournalEntry(models.Model):
    """One leaf of an institution's journal: what was done to which pseudonym, by whom, for what."""

    holds = "pseudonyms and hashes"

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="journal")
    position = models.PositiveBigIntegerField(null=True)
    """Its index in the tree; empty until the sequencer numbers it."""
    leaf = models.BinaryField()
    leaf_hash = models.BinaryField(max_length=32)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "position"], name="one_entry_per_position")
        ]

    def __str__(self) -> str:
        return f"{self.institution_id} {self.position}"


class JournalHead(models.Model):
    """Where an institution's journal stands: its size and the frontier of its tree."""

    holds = "hashes"

    institution = models.OneToOneField(Institution, on_delete=models.PROTECT, related_name="journal_head")
    size = models.PositiveBigIntegerField(default=0)
    frontier = models.BinaryField(default=b"")

    def __str__(self) -> str:
        return f"{self.institution_id}: {self.size}"


class JournalCheckpoint(models.Model):
    """A signed note of the journal's size and root (C2SP tlog-checkpoint)."""

    holds = "hashes and a signature"

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="checkpoints")
    size = models.PositiveBigIntegerField()
    text = models.TextField()
    made_on = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.institution_id}: {self.size}"


class JournalWitness(models.Model):
    """Another institution that is shown this journal's head and signs that it only grew."""

    holds = "addresses and public keys of institutions"

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="witnesses")
    name = models.CharField(max_length=200)
    """The name in its cosignatures, such as ``consulate-b.example/witness``."""
    address = models.URLField()
    key = models.TextField()
    added_on = models.DateTimeField()
    last_size = models.PositiveBigIntegerField(default=0)
    last_answer = models.PositiveSmallIntegerField(null=True)
    last_seen_on = models.DateTimeField(null=True)
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "name"], name="one_row_per_witness")
        ]

    def __str__(self) -> str:
        return f"{self.institution_id} · {self.name}"


class Cosignature(models.Model):
    """A witness has signed a checkpoint: what came before it cannot be rewritten unnoticed."""

    holds = "a signature"

    checkpoint = models.ForeignKey(JournalCheckpoint, on_delete=models.CASCADE, related_name="cosignatures")
    witness = models.ForeignKey(JournalWitness, on_delete=models.PROTECT, related_name="cosignatures")
    line = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["checkpoint", "witness"], name="one_cosignature_per_witness")
        ]

    def __str__(self) -> str:
        return f"{self.checkpoint_id} · {self.witness_id}"


class WitnessedLog(models.Model):
    """A journal of others for which an institution of this installation is the witness, and its last head."""

    holds = "the size and root of another institution's journal"

    witness = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="witnessed")
    origin = models.CharField(max_length=200)
    key = models.TextField()
    size = models.PositiveBigIntegerField(default=0)
    root = models.BinaryField(max_length=32, default=b"")
    checkpoint = models.TextField(blank=True)
    seen_on = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["witness", "origin"], name="one_head_per_log")
        ]

    def __str__(self) -> str:
        return f"{self.witness_id} · {self.origin}: {self.size}"
