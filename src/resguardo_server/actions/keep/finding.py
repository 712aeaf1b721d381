"""By what a record is found again without being opened: keyed tokens, made by the keyholder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from resguardo.collect.consent import is_answer
from resguardo.collect.search import recognising_answers, search_terms
from resguardo.plan.programme import Form
from resguardo_keyholder.asked import WantedToken
from resguardo_keyholder.desk import ASYLUM, ORIGIN, SEARCH
from resguardo_server import models
from resguardo_server.actions.keep.writing import insert_rows
from resguardo_server.keyholders import keyholder

NAME = "name"


def make_findable(
    institution: UUID, form: Form, kept: Iterable[tuple[UUID, UUID, Mapping[str, Any]]]
) -> None:
    """The records, given with their subjects and answers, are found by what their form says.

    Three kinds of token: of documents, telephones and names, to find somebody by; of the answers by which a
    person shows that a receipt is hers; and of her country of origin and wish for asylum, against which a
    receiver is held. What stood there of the same records before is gone.
    """
    if not (form.searches or form.recognise or form.origin or form.asylum):
        return
    wanted: list[WantedToken] = []
    places: list[tuple[UUID, UUID, str]] = []
    records: list[UUID] = []
    for record, subject, answers in kept:
        records.append(record)
        for index, parts in search_terms(form, answers):
            wanted.append(WantedToken(index, parts))
            places.append((record, subject, ""))
            if index == NAME:  # its token is short: who is found by it is looked at again by a whole one
                wanted.append(WantedToken("answer", (f"{SEARCH}{index}", "|".join(parts)), subject=subject))
                places.append((record, subject, f"{SEARCH}{index}"))
        for question, answer in _told(form, answers).items():
            wanted.append(WantedToken("answer", (question, answer), subject=subject))
            places.append((record, subject, question))
    tokens = keyholder().tokens(institution, wanted)
    models.BlindIndex.objects.filter(record__in=records).delete()
    models.RecognisedAnswer.objects.filter(record__in=records).delete()
    pairs = list(zip(places, (found[0] for found in tokens), strict=True))
    insert_rows(
        models.BlindIndex,
        ("institution_id", "subject_id", "record_id", "field", "key_version", "token"),
        (
            (institution, subject, record, token.field, token.key_version, token.token)
            for (record, subject, question), token in pairs
            if not question
        ),
    )
    insert_rows(
        models.RecognisedAnswer,
        ("subject_id", "record_id", "question", "token"),
        (
            (subject, record, question, token.token)
            for (record, subject, question), token in pairs
            if question
        ),
    )


def _told(form: Form, answers: Mapping[str, Any]) -> dict[str, str]:
    """What the sheet says by which the person is recognised, and where she comes from."""
    told = recognising_answers(form, answers)
    if form.origin and answers.get(form.origin):
        told[ORIGIN] = str(answers[form.origin]).casefold()
    if form.asylum is not None and answers.get(form.asylum.fact) is not None:
        told[ASYLUM] = "yes" if is_answer(form.asylum, answers) else "no"
    return told
