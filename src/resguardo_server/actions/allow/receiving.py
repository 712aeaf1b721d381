"""Answer sheets arrive: each is checked, sealed and counted, and what it says about consent is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from resguardo.allow.decision import POLICY
from resguardo.collect.consent import consents_said
from resguardo.collect.fact import facts_of
from resguardo.collect.sheet import open_sheet
from resguardo.collect.submission import (
    Answers,
    Rejected,
    Submission,
    canonical_bytes,
    form_for,
    read_submissions,
    write_rejected,
)
from resguardo.plan.programme import Form, Programme
from resguardo.values import Problem, Refused
from resguardo_server import models
from resguardo_server.actions.allow.consenting import keep_as_agreed
from resguardo_server.actions.keep.finding import make_findable
from resguardo_server.actions.keep.records import BATCH, Keeping
from resguardo_server.actions.members import Asker
from resguardo_server.actions.plan import bring_programme, form_named

Advance = Callable[[int, int | None], None]

MOST_PROBLEMS = 200
"""Problems that are shown; the file of refused rows has them all."""


@dataclass(frozen=True)
class Received:
    """What became of a file of answers."""

    form: str
    institution: str
    kept: int
    known: int
    refused: int
    problems: tuple[Problem, ...]
    mend: Path | None
    """Where the refused rows lie, to be mended and imported again."""
    ignored_columns: tuple[str, ...]


def import_sheet(
    who: Asker,
    programme_name: str,
    path: Path,
    *,
    form_name: str | None = None,
    sheet_name: str | None = None,
    encoding: str | None = None,
    language: str,
    advance: Advance,
    now: datetime,
) -> Received:
    """The answers in the file are kept, sealed; rows that break the form's rules lie in a file of their own.

    All in one transaction: when it is stopped half-way, nothing of the file was kept.
    """
    programme = bring_programme(programme_name, now=now)
    sheet = open_sheet(path, encoding=encoding, sheet=sheet_name)
    if form_name is not None:
        form = form_named(programme, form_name)
    else:
        found = form_for(programme.forms, sheet)
        if found is None:
            names = ", ".join(form.name for form in programme.forms)
            facts = {"programme": programme.name, "known": names}
            raise Refused(Problem("server.said.which_form", facts, file=str(path)))
        form = found
    reading = read_submissions(form, sheet, today=now.date())
    rejected: list[Rejected] = []
    kept = known = 0

    def whole() -> Iterator[Submission]:
        for number, item in enumerate(reading, start=1):
            if number % 200 == 0:
                advance(number, sheet.total)
            if isinstance(item, Rejected):
                rejected.append(item)
            else:
                yield item

    mend: Path | None = None
    try:
        with transaction.atomic():
            for batch_kept, batch_known in receive(who, programme, form, whole(), now=now):
                kept, known = kept + batch_kept, known + batch_known
            if rejected:
                mend = _mend_path(path)
                write_rejected(mend, reading.header, rejected, language)
    except BaseException:
        if mend is not None:
            mend.unlink(missing_ok=True)
        raise
    problems = tuple(problem for item in rejected for problem in item.problems)
    return Received(
        form=f"{programme.name}.{form.name}",
        institution=who.institution.slug,
        kept=kept,
        known=known,
        refused=len(rejected),
        problems=problems[:MOST_PROBLEMS],
        mend=mend,
        ignored_columns=reading.ignored_columns,
    )


def _mend_path(path: Path) -> Path:
    """Where the refused rows of a file may lie: inside this installation, beside no other's."""
    folder = Path(settings.VAR) / "to-mend"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, target = 1, folder / f"{path.stem}.csv"
    while target.exists():
        number += 1
        target = folder / f"{path.stem}-{number}.csv"
    return target


def receive(
    who: Asker, programme: Programme, form: Form, sheets: Iterable[Submission], *, now: datetime
) -> Iterator[tuple[int, int]]:
    """The sheets are kept in batches; gives, for each, how many were new and how many were there already.

    Must run inside a transaction, which holds the journal until its end.
    """
    keeping: Keeping | None = None
    seen: set[bytes] = set()
    iterator = iter(sheets)
    while batch := list(islice(iterator, BATCH)):
        if keeping is None:
            keeping = Keeping(
                who.institution, programme, form, who.name, acting_role(who, programme), POLICY, now
            )
        place = f"{programme.name}.{form.name}|".encode()
        tokens = keeping.arrivals([place + canonical_bytes(sheet) for sheet in batch])
        marked = list(zip(tokens, batch, strict=True))
        before = keeping.known_arrivals([token for token, _ in marked]) | seen
        fresh = []
        for token, sheet in marked:
            if token not in before:
                before.add(token)
                seen.add(token)
                fresh.append(
                    (
                        token,
                        subject_code(form, sheet.answers),
                        sheet,
                        facts_of(form, sheet.answers, institution=who.institution),
                    )
                )
        if fresh:
            kept = keeping.keep(fresh)
            said = [(record, subject, sheet.answers) for record, subject, sheet in kept]
            record_consents(form, said, now=now)
            keep_as_agreed(programme, {subject for _, subject, _ in said}, now=now)
            make_findable(who.institution.id, form, said)
        yield len(fresh), len(batch) - len(fresh)
    if keeping is not None:
        keeping.finish()


def acting_role(who: Asker, programme: Programme) -> str:
    """The role in which the member acts: one that the programme knows, where they have one."""
    if "operator" in who.roles:
        return "operator"
    known = {role for purpose in programme.purposes for role in purpose.roles}
    return min(who.roles & known or who.roles)


def subject_code(form: Form, answers: Answers) -> tuple[str, ...]:
    """What says whom the sheet is about: the answers to the form's key fields."""
    return tuple("" if answers.get(name) is None else str(answers[name]) for name in form.key)


def record_consents(
    form: Form,
    kept: Sequence[tuple[UUID, UUID, Answers]],
    *,
    now: datetime,
    corrected: Collection[str] | None = None,
) -> None:
    """What the sheets say about consent is on file; of a corrected sheet, what was `corrected` alone.

    A correction gives back no consent that the person took back: for that she is asked again, on a new sheet.
    """
    taken_back: dict[tuple[UUID, str, str], date] = {}
    if corrected is not None:
        ended = models.ConsentGiven.objects.filter(
            subject__in={subject for _, subject, _ in kept}, given=True, withdrawn_on__isnull=False
        )
        for row in ended.order_by("withdrawn_on"):
            if row.withdrawn_on is not None:
                taken_back[row.subject_id, row.purpose, row.receiver] = row.withdrawn_on
    models.ConsentGiven.objects.bulk_create(
        (
            models.ConsentGiven(
                subject_id=subject,
                record_id=record,
                purpose=said.purpose,
                receiver=said.receiver or "",
                given=said.given,
                said_on=said.said_on,
                language=said.language,
                by=said.by,
                assent=said.assent,
                manner=said.manner,
                until=said.until,
                withdrawn_on=said.withdrawn_on
                or (taken_back.get((subject, said.purpose, said.receiver or "")) if said.given else None),
            )
            for record, subject, answers in kept
            for said in consents_said(form, answers, today=now.date(), corrected=corrected)
        ),
        batch_size=BATCH,
    )
