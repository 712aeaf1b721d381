"""What people agreed to, what they ask for, and what the data protection officer answers for."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from resguardo_server.models.keep import Record, Subject
from resguardo_server.models.members import Institution, Member


class Receipt(models.Model):
    """What a person holds: her consents, signed, under a code that opens *Mi resguardo* with one answer."""

    holds = "purposes that a random id agreed to; a keyed token of the code on paper; no name"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="receipts")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="receipts")
    code_token = models.BinaryField(max_length=16, unique=True)
    issued_on = models.DateTimeField()
    language = models.CharField(max_length=2)
    text = models.TextField(blank=True)
    """The signed receipt; emptied when the person is erased."""
    digest = models.CharField(max_length=64)
    replaces = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="replaced_by")
    revoked_on = models.DateTimeField(null=True)
    wrong_answers = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.id)


class ConsentGiven(models.Model):
    """A subject's yes or no to one purpose and receiver, and when it was withdrawn. No answer beside that."""

    holds = "which purposes a random id agreed to, and when"

    BY = ("self", "guardian", "authority")

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="consents")
    record = models.ForeignKey(Record, null=True, on_delete=models.SET_NULL, related_name="+")
    purpose = models.CharField(max_length=60)
    receiver = models.CharField(max_length=60, blank=True)
    """The institution or kind of institution that may receive; empty is the one that collects."""
    given = models.BooleanField()
    said_on = models.DateField()
    language = models.CharField(max_length=8, blank=True)
    by = models.CharField(max_length=12, default="self", choices=[(who, who) for who in BY])
    assent = models.BooleanField(null=True)
    """What a minor said when somebody else consented."""
    manner = models.CharField(max_length=40, blank=True)
    until = models.DateField(null=True)
    withdrawn_on = models.DateField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subject", "purpose"])]

    def __str__(self) -> str:
        return f"{self.subject_id} {self.purpose}: {'yes' if self.given else 'no'}"


class Objection(models.Model):
    """A person does not want her records used for one purpose that needs no consent."""

    holds = "which purpose a random id objects to"

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="objections")
    purpose = models.CharField(max_length=60)
    made_on = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject", "purpose"], name="one_objection_per_purpose")
        ]

    def __str__(self) -> str:
        return f"{self.subject_id} {self.purpose}"


class LegalHold(models.Model):
    """An order to keep a subject's records: they are blocked instead of erased until it ends."""

    holds = "that a random id's records must be kept, and by which order"

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="holds_on")
    order = models.CharField(max_length=120)
    """Which authority ordered it and under which number; no name of a person."""
    since = models.DateField()
    until = models.DateField(null=True)
    placed_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    lifted_on = models.DateField(null=True)

    def __str__(self) -> str:
        return f"{self.subject_id} since {self.since}"


class RightsRequest(models.Model):
    """A person asked for one of her rights; her words and the answer are sealed under her key."""

    holds = "that a random id asked for a right, and until when it must be answered; texts are sealed"

    RIGHTS = (
        "access",
        "rectification",
        "erasure",
        "restriction",
        "objection",
        "portability",
        "revocation",
        "complaint",
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="rights_requests")
    number = models.PositiveIntegerField()
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="rights_requests")
    receipt = models.ForeignKey(Receipt, null=True, on_delete=models.SET_NULL, related_name="rights_requests")
    right = models.CharField(max_length=16, choices=[(right, right) for right in RIGHTS])
    purpose = models.CharField(max_length=60, blank=True)
    """For an objection, a restriction or a revocation: of which purpose."""
    channel = models.CharField(max_length=12)
    """``receipt``, ``in_person`` or ``letter``."""
    language = models.CharField(max_length=2, default="es")
    received_at = models.DateTimeField()
    due_on = models.DateField()
    rule = models.JSONField(default=dict)
    """By which rule of which country that day was found (`allow.rights.Deadline`)."""
    state = models.CharField(max_length=20, default="received")
    extended_to = models.DateField(null=True)
    carry_out_by = models.DateField(null=True)
    words = models.BinaryField(default=b"")
    """What she asked, sealed; empty when she only pressed a button."""
    answer = models.BinaryField(default=b"")
    """What was answered, sealed."""
    ground = models.CharField(max_length=40, blank=True)
    answered_at = models.DateTimeField(null=True)
    carried_out_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "number"], name="one_request_per_number")
        ]
        indexes: ClassVar = [models.Index(fields=["institution", "state", "due_on"])]

    def __str__(self) -> str:
        return f"{self.institution_id} · {self.number}"


class EmergencyOpening(models.Model):
    """A supervisor opened one person's records without the usual ground; it is reviewed within 72 hours."""

    holds = "who of the staff opened a random id's records in an emergency; the reason is sealed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="emergencies")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="emergencies")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=32)
    purpose = models.CharField(max_length=60)
    opened_at = models.DateTimeField()
    until = models.DateTimeField()
    reason = models.BinaryField()
    review_by = models.DateTimeField()
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(Member, null=True, on_delete=models.PROTECT, related_name="+")
    justified = models.BooleanField(null=True)
    person_told_on = models.DateField(null=True)

    def __str__(self) -> str:
        return f"{self.id}"


class Alarm(models.Model):
    """Something that must be looked at today: too many openings, a journal that shrank, an emergency."""

    holds = "a pseudonym of staff and numbers; nothing of a person"

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="alarms")
    kind = models.CharField(max_length=40)
    who = models.CharField(max_length=32, blank=True)
    numbers = models.JSONField(default=dict)
    raised_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    seen_by = models.ForeignKey(Member, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["institution", "seen_at"])]

    def __str__(self) -> str:
        return f"{self.institution_id} · {self.kind}"


class Breach(models.Model):
    """Somebody may have seen what they must not: since when, how many people, who was told and when."""

    holds = "what happened and how many people; whose keys were released is counted from the journal"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="breaches")
    known_at = models.DateTimeField()
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    what = models.CharField(max_length=40)
    """Kind of breach, a closed word."""
    note = models.TextField(blank=True)
    who = models.CharField(max_length=32, blank=True)
    """The staff pseudonym whose openings are counted; empty for all."""
    people = models.PositiveIntegerField(default=0)
    danger = models.CharField(max_length=20, blank=True)
    """How much it can hurt, a closed word (`allow.breach`)."""
    state = models.CharField(max_length=20, default="known")
    recorded_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.institution_id} · {self.known_at:%Y-%m-%d}"


class BreachNotice(models.Model):
    """One whom the law wants told of a breach: by when, and when it was done."""

    holds = "which authority must be told by when"

    breach = models.ForeignKey(Breach, on_delete=models.CASCADE, related_name="notices")
    recipient = models.CharField(max_length=20)
    """``authority``, ``prosecutor`` or ``person``."""
    jurisdiction = models.CharField(max_length=20)
    due_at = models.DateTimeField()
    rule = models.JSONField(default=dict)
    told_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.breach_id} · {self.recipient}"


class Assessment(models.Model):
    """An assessment of what a use of records could do to people (DPIA), as it was approved."""

    holds = "risks and measures of a programme; nothing of a person"

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="assessments")
    programme = models.SlugField()
    receiver = models.CharField(max_length=60, blank=True)
    content = models.JSONField(default=dict)
    approved_by = models.ForeignKey(Member, null=True, on_delete=models.PROTECT, related_name="+")
    approved_on = models.DateField(null=True)
    review_on = models.DateField(null=True)

    def __str__(self) -> str:
        return f"{self.institution_id} · {self.programme}"


class Agreement(models.Model):
    """An agreement to share records with another institution: which purposes, which groups, until when."""

    holds = "what two institutions agreed"

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="agreements")
    programme = models.SlugField()
    receiver = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="agreements_received")
    purposes = models.JSONField(default=list)
    groups = models.JSONField(default=list)
    signed_on = models.DateField()
    until = models.DateField()
    assessment = models.ForeignKey(Assessment, null=True, on_delete=models.PROTECT, related_name="agreements")

    def __str__(self) -> str:
        return f"{self.institution_id} → {self.receiver_id}"


class RulebookCorrection(models.Model):
    """A value of the rulebook that somebody corrected, with its source; the newest counts."""

    holds = "nothing about people"

    jurisdiction = models.CharField(max_length=20)
    path = models.CharField(max_length=120)
    value = models.JSONField(null=True)
    status = models.CharField(max_length=20)
    source = models.CharField(max_length=300)
    made_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    made_on = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.jurisdiction}.{self.path}"


class HolidayCorrection(models.Model):
    """A day that is a holiday in a country, or is none, against the calendar that comes with the program."""

    holds = "nothing about people"

    country = models.CharField(max_length=2)
    day = models.DateField()
    working = models.BooleanField()
    every_year = models.BooleanField(default=False)
    until = models.DateField(null=True)
    name = models.CharField(max_length=120)
    made_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    made_on = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["country", "day"], name="one_correction_per_holiday")
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.day}"
