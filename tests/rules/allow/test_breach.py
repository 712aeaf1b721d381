"""A breach: who is told until when, when it may be closed, how many people it concerns, what they read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resguardo.allow.breach import (
    MAY_FOLLOW,
    Advice,
    BreachKind,
    BreachState,
    Danger,
    Measure,
    Notice,
    PersonMessage,
    Recipient,
    move,
    notices,
    size,
)
from resguardo.allow.rulebook import STRICTEST, ControllerType, Correction, Threshold, load
from resguardo.keep.journal import Act, Leaf, Outcome, entry_bytes
from resguardo.plan.languages import explain, say
from resguardo.values import LANGUAGES, Basis, Refused, Sensitivity

BOOK = load()
STATE, PRIVATE, ORGANISATION = (
    ControllerType.STATE,
    ControllerType.PRIVATE_OR_NGO,
    ControllerType.INTERNATIONAL_ORG,
)
# A Friday evening in Central America.
KNOWN = datetime(2026, 3, 6, 21, 30, tzinfo=timezone(timedelta(hours=-6)))
IN_72_HOURS = KNOWN + timedelta(hours=72)
TERRITORIES = (
    "MX",
    "GT",
    "HN",
    "SV",
    "NI",
    "CR",
    "PA",
    "DO",
    "JM",
    "BB",
    "TT",
    "BZ",
    "GY",
    "DM",
    "HT",
    "US",
    "",
)
CONTROLLERS = st.tuples(st.sampled_from(list(ControllerType)), st.sampled_from(TERRITORIES))  # fmt: skip


def told(controllers: list[tuple[ControllerType, str]]) -> list[tuple[str, str, datetime]]:
    """Who is told by whose rule until when."""
    found = notices(KNOWN, controllers, BOOK)
    return [(str(one.recipient), one.jurisdiction, one.due_at) for one in found.notices]


def one(controllers: list[tuple[ControllerType, str]], recipient: Recipient) -> Notice:
    """The only notice of that kind."""
    found = [notice for notice in notices(KNOWN, controllers, BOOK).notices if notice.recipient is recipient]
    assert len(found) == 1
    return found[0]


# The clock


def test_el_salvador_wants_the_agency_the_prosecutor_and_the_person_told_in_72_hours() -> None:
    assert told([(PRIVATE, "SV")]) == [
        ("authority", "SLV", IN_72_HOURS),
        ("prosecutor", "SLV", IN_72_HOURS),
        ("person", "SLV", IN_72_HOURS),
    ]
    assert one([(PRIVATE, "SV")], Recipient.PROSECUTOR).addressee == "Fiscalía General"


def test_costa_rica_alone_counts_five_working_days_to_the_end_of_the_day() -> None:
    end = KNOWN.replace(day=13, hour=23, minute=59, second=59)
    assert told([(PRIVATE, "CR")]) == [("authority", "CRI", end), ("person", "CRI", end)]


def test_mexico_tells_the_person_at_once_and_the_authority_by_the_strictest_rule() -> None:
    person = one([(PRIVATE, "MX")], Recipient.PERSON)
    assert (person.at_once, person.due_at, person.threshold) == (
        True,
        IN_72_HOURS,
        Threshold.SIGNIFICANT_EFFECT,
    )
    authority = one([(PRIVATE, "MX")], Recipient.AUTHORITY)
    assert (authority.rule, authority.due_at) == (STRICTEST, IN_72_HOURS)
    assert [(name, str(status)) for name, status in authority.way] == [
        ("MEX-PRIV", "not_in_law"),
        ("IOM", "unknown"),
    ]


def test_what_a_law_calls_immediately_stands_first() -> None:
    assert told([(PRIVATE, "MX")])[0][0] == "person"


@pytest.mark.parametrize("territory", ["DM", "HT", "DO", "NI", "TT"])
def test_where_there_is_no_authority_the_person_is_told_all_the_same(territory: str) -> None:
    found = notices(KNOWN, [(STATE, territory)], BOOK)
    assert [(notice.recipient, notice.due_at) for notice in found.notices] == [
        (Recipient.PERSON, IN_72_HOURS)
    ]
    assert len(found.nobody_to_tell) == 1


def test_a_country_without_a_file_follows_the_strictest_rule() -> None:
    found = notices(KNOWN, [(STATE, "US")], BOOK)
    assert [(notice.recipient, notice.jurisdiction, notice.due_at) for notice in found.notices] == [
        (Recipient.PERSON, STRICTEST, IN_72_HOURS)
    ]
    assert found.nobody_to_tell == ("US",)
    assert notices(KNOWN, [], BOOK).notices[0].due_at == IN_72_HOURS


def test_an_international_organisation_tells_its_own_oversight() -> None:
    assert told([(ORGANISATION, "GT")]) == [
        ("authority", "IOM", IN_72_HOURS),
        ("person", "IOM", IN_72_HOURS),
    ]


def test_records_of_two_countries_follow_the_strictest_rule_in_both() -> None:
    shared = told([(PRIVATE, "CR"), (PRIVATE, "SV"), (PRIVATE, "DM")])
    assert {due for _, _, due in shared} == {IN_72_HOURS}
    assert {(recipient, jurisdiction) for recipient, jurisdiction, _ in shared} == {
        ("authority", "CRI"),
        ("authority", "SLV"),
        ("prosecutor", "SLV"),
        ("person", "CRI"),
        ("person", "SLV"),
        ("person", "DMA"),
    }


def test_a_shared_record_has_no_threshold() -> None:
    alone = notices(KNOWN, [(STATE, "BB")], BOOK).notices
    assert {notice.threshold for notice in alone} == {Threshold.RISK, Threshold.HIGH_RISK}
    shared = notices(KNOWN, [(STATE, "BB"), (PRIVATE, "CR")], BOOK).notices
    assert {notice.threshold for notice in shared} == {Threshold.NONE}


@pytest.mark.parametrize(
    ("threshold", "needed"),
    [
        (Threshold.NONE, [True, True, True, True]),
        (Threshold.RISK, [True, False, True, True]),
        (Threshold.HIGH_RISK, [True, False, False, True]),
        (Threshold.SIGNIFICANT_EFFECT, [True, False, False, True]),
    ],
)
def test_a_notice_is_needed_until_the_danger_is_assessed_below_its_threshold(
    threshold: Threshold, needed: list[bool]
) -> None:
    notice = replace(one([(STATE, "BB")], Recipient.PERSON), threshold=threshold)
    assert [notice.is_needed(danger) for danger in (None, *Danger)] == needed


def test_the_clock_runs_in_hours_of_the_world_and_needs_a_moment() -> None:
    with pytest.raises(ValueError, match="time zone"):
        notices(datetime(2026, 3, 6, 21, 30), [(PRIVATE, "SV")], BOOK)


def test_an_editor_shortens_the_clock_for_everybody() -> None:
    shorter = load(
        corrections=[
            Correction("PAN", "breach.authority.value", 24, "sourced", "DE 285", "e", date(2027, 1, 1))
        ]
    )
    found = notices(KNOWN, [(STATE, "GY")], shorter)
    assert {notice.due_at - KNOWN for notice in found.notices if notice.recipient is Recipient.AUTHORITY} == {
        timedelta(hours=24)
    }


@settings(max_examples=150, deadline=None)
@given(
    st.lists(CONTROLLERS, min_size=1, max_size=4), st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1))
)
def test_everybody_concerned_is_told_in_time_whichever_countries_they_are(
    controllers: list[tuple[ControllerType, str]], moment: datetime
) -> None:
    known = moment.replace(tzinfo=UTC)
    found = notices(known, controllers, BOOK)
    jurisdictions = {
        (one.id if one else territory)
        for kind, territory in controllers
        for one in [BOOK.of_controller(kind, territory)]
    }
    persons = [notice for notice in found.notices if notice.recipient is Recipient.PERSON]
    assert len(persons) >= 1
    if len(jurisdictions) > 1:
        assert all(notice.due_at - known <= timedelta(hours=72) for notice in found.notices)
        assert all(notice.threshold is Threshold.NONE for notice in found.notices)
    assert all(known < notice.due_at for notice in found.notices)
    assert all(notice.due_at - known < timedelta(days=20) for notice in found.notices)
    for notice in found.notices:
        assert all(notice.words(BOOK, language) for language in ("es", "en"))
        assert notice.as_mapping()["due_at"] == notice.due_at.isoformat()


def test_a_notice_says_whom_until_when_and_by_which_rule() -> None:
    assert one([(PRIVATE, "SV")], Recipient.PERSON).words(BOOK, "es") == (
        "Avise a cada persona afectada, a más tardar el lunes 9 de marzo de 2026 a las 21:30. "
        "El Salvador: 72 horas corridas."
    )


# How far it is


def test_a_breach_goes_from_known_to_closed_in_any_order_of_telling() -> None:
    for path in (
        ["assessed", "authority_told", "persons_told", "closed"],
        ["persons_told", "authority_told", "assessed", "closed"],
        ["authority_told", "assessed", "persons_told", "closed"],
    ):
        state = BreachState.KNOWN
        for step in path:
            state = move(state, BreachState(step), danger=Danger.HIGH)
        assert state is BreachState.CLOSED


@pytest.mark.parametrize(("state", "wanted"), list(product(BreachState, BreachState)))
def test_no_state_is_reached_but_by_what_may_follow(state: BreachState, wanted: BreachState) -> None:
    if wanted in MAY_FOLLOW[state]:
        assert move(state, wanted, danger=Danger.HIGH) is wanted
        return
    with pytest.raises(Refused) as refused:
        move(state, wanted, danger=Danger.HIGH)
    assert [problem.code for problem in refused.value.problems] == ["allow.breach.may_not_follow"]


def test_a_breach_stays_open_until_it_is_assessed_and_all_are_told() -> None:
    untold = notices(KNOWN, [(PRIVATE, "SV")], BOOK).notices
    with pytest.raises(Refused) as refused:
        move(BreachState.AUTHORITY_TOLD, BreachState.CLOSED, danger=None)
    assert [problem.code for problem in refused.value.problems] == ["allow.breach.not_assessed"]
    with pytest.raises(Refused) as refused:
        move(BreachState.ASSESSED, BreachState.CLOSED, danger=Danger.UNLIKELY, untold=untold)
    assert [problem.code.rpartition(".")[2] for problem in refused.value.problems] == [
        "untold_authority",
        "untold_prosecutor",
        "untold_person",
    ]
    assert all(explain(problem, language) for problem in refused.value.problems for language in ("es", "en"))


def test_what_the_danger_does_not_ask_for_does_not_hold_a_breach_open() -> None:
    untold = notices(KNOWN, [(STATE, "BB")], BOOK).notices
    assert move(BreachState.ASSESSED, BreachState.CLOSED, danger=Danger.UNLIKELY, untold=untold)
    with pytest.raises(Refused):
        move(BreachState.ASSESSED, BreachState.CLOSED, danger=Danger.POSSIBLE, untold=untold)


# How large it is

INSTITUTION = UUID(int=7)


def entry(number: int, **members: object) -> bytes:
    """A line of the journal about somebody of ten people, opened by one of three members of staff."""
    subject = number % 10
    usual: dict[str, object] = {
        "t": KNOWN + timedelta(minutes=number),
        "inst": INSTITUTION,
        "act": Act.READ,
        "who": f"{number % 3:032x}",
        "role": "caseworker",
        "dec": Outcome.ALLOW,
        "pol": "ab" * 32,
        "req": UUID(int=number),
        "purpose": "assistance",
        "basis": Basis.CONSENT,
        "fields": (1, 2),
        "subj": f"{subject:032x}",
        "sn": 1,
    }
    return entry_bytes(Leaf(**(usual | members)))  # type: ignore[arg-type]


def test_the_size_is_the_people_whose_keys_were_released_since_then_to_that_actor() -> None:
    entries = [entry(number) for number in range(90)]
    all_of_them = size(entries, since=KNOWN)
    assert (all_of_them.people, all_of_them.openings, len(all_of_them.actors)) == (10, 90, 3)
    late = size(entries, since=KNOWN + timedelta(minutes=85))
    assert (late.people, late.openings) == (5, 5)
    between = size(entries, since=KNOWN, until=KNOWN + timedelta(minutes=2))
    assert between.people == 3
    one_actor = size(entries, since=KNOWN + timedelta(minutes=80), who={f"{1:032x}"})
    assert one_actor.actors == {f"{1:032x}"}
    assert set(one_actor.subjects) == {f"{number % 10:032x}" for number in (82, 85, 88)}
    assert size(entries, since=KNOWN, who=set()).people == 0


def test_what_was_denied_or_only_written_released_no_key() -> None:
    entries = [
        entry(1, dec=Outcome.DENY),
        entry(2, act=Act.CREATE),
        entry(3, act=Act.REWRAP),
        entry(4, act=Act.AGGREGATE, subj=None, sn=None),
        entry(5, dec=Outcome.BREAK_GLASS, fields=(3,)),
        entry(6, act=Act.EXPORT),
        entry(7, act=Act.REFER, fields=(4,)),
    ]
    found = size(entries, since=KNOWN)
    assert {int(mark, 16) for mark in found.subjects} == {5, 6, 7}
    assert found.groups == frozenset(Sensitivity)
    assert found.subjects[f"{5:032x}"] == {3}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 200), st.booleans()), max_size=60), st.integers(0, 200))
def test_the_size_agrees_with_counting_the_lines_by_hand(lines: list[tuple[int, bool]], start: int) -> None:
    entries = [entry(minute, dec=Outcome.ALLOW if allowed else Outcome.DENY) for minute, allowed in lines]
    found = size(entries, since=KNOWN + timedelta(minutes=start), who={f"{0:032x}", f"{1:032x}"})
    assert found.people == len(
        {minute % 10 for minute, allowed in lines if allowed and minute >= start and minute % 3 != 2}
    )


# What the person reads

MESSAGE = PersonMessage(
    BreachKind.UNDUE_ACCESS,
    frozenset({Sensitivity.IDENTIFIER}),
    date(2026, 3, 3),
    date(2026, 3, 5),
    "Casa Tres Ríos",
    "1234",
    (Measure.SESSION_CLOSED,),
    authorities=("PRODHAB",),
)


def test_the_person_reads_what_happened_what_was_done_and_what_she_can_do() -> None:
    assert MESSAGE.text("es").splitlines() == [
        "Qué pasó",
        "Alguien pudo ver su nombre, su documento o su teléfono entre el martes 3 de marzo de 2026 "
        "y el jueves 5 de marzo de 2026.",
        "",
        "Esto hicimos",
        "Cerramos la entrada que se usó.",
        "",
        "Esto puede hacer usted",
        "Si siente peligro, díganoslo hoy. Buscamos con usted un lugar seguro.",
        "Desconfíe de quien llame o escriba en nuestro nombre. Nosotros no le pedimos dinero ni claves.",
        "En Mi resguardo puede ver quién abrió sus datos.",
        "Pregunte lo que quiera a Casa Tres Ríos: 1234. Es gratis.",
        "Puede quejarse ante PRODHAB.",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_there_in_four_languages(language: str) -> None:
    said = set()
    for kind, groups in product(BreachKind, ({Sensitivity.PLAIN}, set(Sensitivity), set())):
        whole = replace(
            MESSAGE, kind=kind, groups=frozenset(groups), measures=tuple(Measure), advice=tuple(Advice)
        )
        said.add(whole.text(language))
        said.add(replace(whole, until=whole.since).text(language))
    assert len(said) > 10
    others = {MESSAGE.text(other) for other in LANGUAGES if other != language}
    assert MESSAGE.text(language) not in others


def test_the_register_of_breaches_has_its_words() -> None:
    for language in ("es", "en"):
        for state, danger, kind in product(BreachState, Danger, BreachKind):
            assert say(f"allow.breach.state_{state}", language)
            assert say(f"allow.breach.danger_{danger}", language)
            assert kind.words(language)
