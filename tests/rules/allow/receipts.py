"""Receipts as an institution gives them, for the tests of what a person takes home."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from tests.rules.keep.places import ring_of

from resguardo.allow.consent import ConsentBy
from resguardo.allow.receipt import (
    CONTEXT,
    ConsentEvent,
    EventState,
    NoticeRead,
    Party,
    Receipt,
    StatedPurpose,
    write_receipt,
)
from resguardo.keep.journal import HeldEntry
from resguardo.plan.declaration import Programme
from resguardo.values import LANGUAGES, Basis, InstitutionKind, Sensitivity

RING = ring_of()
PUBLIC_KEY = RING.signature_public_key
EVENING = datetime(2026, 11, 21, 19, 5, tzinfo=timezone(timedelta(hours=-6)))
DAY = EVENING.date()
KEEP = date(2027, 5, 21)
HOUSE = Party("casa-tres-rios", "Casa Tres Ríos", "Calle 3, Tapachula", "En la oficina, de 9 a 17 h", "MX")
CLINIC = Party("clinica-del-sur", "Clínica del Sur", "Avenida 1, Tapachula", "En la recepción", "MX")
AUTHORITY = Party("autoridad", "la Autoridad de Datos", "Avenida 2, México", "https://datos.example", "MX")
GIVEN = ConsentEvent(EventState.GIVEN, DAY, manner="spoken")
BY_GUARDIAN = ConsentEvent(EventState.GIVEN, DAY, ConsentBy.GUARDIAN, assent=True, manner="spoken")
LOOK_AFTER = StatedPurpose(
    "assistance",
    {"es": "Atender a la persona", "en": "Look after the person", "ht": "Pran swen moun nan"},
    Basis.CONSENT,
    frozenset(Sensitivity),
    KEEP,
    events=(GIVEN,),
)
REFER = StatedPurpose(
    "referral",
    {"es": "Pedir un servicio a otra institución", "en": "Ask another institution for a service"},
    Basis.CONSENT,
    frozenset({Sensitivity.IDENTIFIER, Sensitivity.SENSITIVE}),
    KEEP,
    receivers=(CLINIC,),
    events=(BY_GUARDIAN,),
    valid_until=date(2027, 1, 31),
)
PROTECT = StatedPurpose(
    "child_protection",
    {"es": "Proteger a la niñez", "en": "Protect a child"},
    Basis.LEGAL_OBLIGATION,
    frozenset(Sensitivity),
    date(2031, 11, 20),
    receivers=(InstitutionKind.MINISTRY,),
)
RECEIPT = Receipt(
    id=UUID("0c8a4f5e-3a52-4c53-8f43-7a1d4b6a9e01"),
    issued_at=EVENING,
    language="ht",
    principal="ab" * 16,
    programme="assistance",
    controller=HOUSE,
    notice=NoticeRead("cd" * 32, "ht", "https://resguardo.example/ht/notices/assistance"),
    purposes=(LOOK_AFTER, REFER, PROTECT),
    jurisdiction="MX",
    stored_in=("MX", "CR"),
    site="https://resguardo.example",
    laws=("Ley Federal de Protección de Datos Personales",),
    authority=AUTHORITY,
    held=HeldEntry("ef" * 16, 12, "01" * 16),
)


def signed(receipt: Receipt) -> str:
    """The receipt as the institution of `RING` gives it."""
    return write_receipt(receipt, lambda message: RING.sign(CONTEXT, message), PUBLIC_KEY)


def receipt_for(programme: Programme, event: ConsentEvent) -> Receipt:
    """A receipt that states every purpose of a programme, each consent answered in the same way."""
    purposes = tuple(
        StatedPurpose(
            purpose.name,
            purpose.title,
            Basis(purpose.basis),
            frozenset(purpose.opens) or frozenset({Sensitivity.PLAIN}),
            KEEP,
            receivers=tuple(
                recipient.institution_kind
                for recipient in programme.recipients
                if purpose.name in recipient.purposes
            ),
            events=(event,) if purpose.basis == Basis.CONSENT else (),
        )
        for purpose in programme.purposes
    )
    return replace(RECEIPT, programme=programme.name, purposes=purposes)


_WORDS = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
_DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))
_LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
_COUNTRIES = st.sampled_from(["MX", "GT", "HN", "CR"])
_PARTIES = st.builds(
    Party, st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True), _LINES, _LINES, _LINES, _COUNTRIES
)
_EVENTS = st.builds(
    ConsentEvent,
    st.sampled_from(EventState),
    _DAYS,
    st.just(ConsentBy.SELF),
    manner=st.none() | _WORDS,
) | st.builds(
    ConsentEvent,
    st.sampled_from(EventState),
    _DAYS,
    st.sampled_from([ConsentBy.GUARDIAN, ConsentBy.AUTHORITY]),
    st.sampled_from([True, False, None]),
    st.none() | _WORDS,
)


@st.composite
def receipts(draw: Any) -> Receipt:
    """Any receipt that may be written."""
    known = draw(st.lists(_PARTIES, min_size=1, max_size=4, unique_by=lambda party: party.id))
    receivers = st.sampled_from([*known, *InstitutionKind])
    purposes = []
    for name in draw(st.lists(_WORDS, min_size=1, max_size=4, unique=True)):
        basis, keep_until = draw(st.sampled_from(Basis)), draw(_DAYS)
        by_consent = basis is Basis.CONSENT
        purposes.append(
            StatedPurpose(
                name,
                draw(st.dictionaries(st.sampled_from(LANGUAGES), _LINES, min_size=1)),
                basis,
                draw(st.frozensets(st.sampled_from(Sensitivity), min_size=1)),
                keep_until,
                tuple(draw(st.lists(receivers, max_size=3, unique=True))),
                tuple(draw(st.lists(_EVENTS, min_size=1, max_size=3))) if by_consent else (),
                draw(st.none() | st.just(keep_until - timedelta(days=9))) if by_consent else None,
            )
        )
    # A receipt is read with the consents first: they are what it is about.
    purposes.sort(key=lambda stated: stated.basis is not Basis.CONSENT)
    return Receipt(
        id=draw(st.uuids()),
        issued_at=draw(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1))).replace(
            microsecond=0, tzinfo=timezone(timedelta(hours=draw(st.integers(-11, 11))))
        ),
        language=draw(st.sampled_from(LANGUAGES)),
        principal=draw(st.binary(min_size=16, max_size=16)).hex(),
        programme=draw(_WORDS),
        controller=known[0],
        notice=NoticeRead(draw(st.binary(min_size=32, max_size=32)).hex(), "quc", "https://a.example/n"),
        purposes=tuple(purposes),
        jurisdiction=draw(_COUNTRIES),
        stored_in=tuple(draw(st.lists(_COUNTRIES, min_size=1, max_size=3))),
        site="https://a.example",
        laws=tuple(draw(st.lists(_LINES, max_size=2))),
        authority=draw(st.none() | st.just(known[-1])),
        replaces=draw(st.none() | st.tuples(st.uuids(), st.just("ab" * 32))),
        held=draw(st.none() | st.just(HeldEntry("ef" * 16, 3, "01" * 16))),
    )
