"""Whether a change may be made: the rules of an opening, looked at in the change's own transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from resguardo.allow.consent import Consent, ConsentBy, ConsentRow, consents_on_file
from resguardo.allow.decision import HERSELF, Action, Denial, Request, Rule, decide
from resguardo.plan.programme import Programme
from resguardo.plan.purposes import RIGHTS
from resguardo.values import Permit, Sensitivity
from resguardo_server import models
from resguardo_server.actions.members import Asker
from resguardo_server.keyholders import keyholder


@dataclass(frozen=True)
class Decided:
    """What was decided, in which role, under which pseudonym."""

    answer: Permit | Denial
    role: str
    who: str

    @property
    def allowed(self) -> bool:
        """Whether it may be done."""
        return isinstance(self.answer, Permit)


def decide_change(
    who: Asker,
    subject: models.Subject,
    programme: Programme,
    action: Action,
    *,
    form: str,
    groups: frozenset[Sensitivity],
    purposes: Iterable[str] = (),
    now: datetime,
) -> Decided:
    """The first permit that one of the member's roles has for one of the purposes, or the last denial.

    Without purposes every purpose of the programme is tried, in its order.
    """
    pseudonym = keyholder().pseudonym(who.institution.id, who.name)
    wanted = tuple(purposes) or tuple(purpose.name for purpose in programme.purposes)
    consents = consents_of(subject)
    received = subject.records.filter(form=form).order_by("received_on").first()
    objected = frozenset(subject.objections.values_list("purpose", flat=True))
    held = is_held(subject, now)
    denied: tuple[Denial, str] | None = None
    for role in sorted(who.roles):
        for purpose in wanted:
            answer = decide(
                Request(
                    who=pseudonym,
                    role=role,
                    institution=who.institution.id,
                    purpose=purpose,
                    groups=groups,
                    subject=subject.id,
                    subject_institution=subject.institution_id,
                    recorded_on=(received.received_on if received else now).date(),
                    restricted=subject.restricted,
                    action=action,
                    form=form,
                    second_factor=who.second_factor,
                    reauthenticated=who.reauthenticated,
                    herself=subject.id if role == HERSELF else None,
                    objected=objected,
                    legal_hold=held,
                    asylum=False,
                ),
                purposes=programme.purposes,
                consents=consents,
                now=now,
            )
            if isinstance(answer, Permit):
                return Decided(answer, role, pseudonym)
            if denied is None or denied[0].rule in (Rule.ROLE, Rule.GROUPS, Rule.FORM):
                denied = answer, role
    if denied is None:
        return Decided(Denial(Rule.ROLE, RIGHTS, "", ""), "", pseudonym)
    return Decided(denied[0], denied[1], pseudonym)


def is_held(subject: models.Subject, now: datetime) -> bool:
    """Whether an order keeps the subject's records from being erased today."""
    holds = models.LegalHold.objects.filter(subject=subject, lifted_on=None)
    return any(hold.until is None or hold.until >= now.date() for hold in holds)


def consents_of(subject: models.Subject) -> list[Consent]:
    """The subject's consents; a later no, on file for the same purpose, ends an earlier yes."""
    rows = models.ConsentGiven.objects.filter(subject=subject).order_by("said_on", "pk")
    return consents_on_file([consent_row(row) for row in rows])


def consent_row(row: models.ConsentGiven) -> ConsentRow:
    """A yes or a no on file, as the rules see it."""
    return ConsentRow(
        id=consent_id(row.pk),
        number=row.pk,
        purpose=row.purpose,
        receiver=row.receiver or None,
        given=row.given,
        said_on=row.said_on,
        language=row.language,
        by=ConsentBy(row.by),
        assent=row.assent,
        until=row.until,
        withdrawn_on=row.withdrawn_on,
    )


def consent_id(number: int) -> str:
    """How the journal names a consent on file."""
    return f"{number:032x}"


def subject_of(who: Asker, subject: UUID) -> models.Subject | None:
    """The institution's subject of that id; a stranger learns nothing, not even that there is one."""
    return models.Subject.objects.filter(id=subject, institution_id=who.institution.id).first()
