"""Rights: the day of an answer, what may follow what, who is told, and what erasure does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resguardo.allow.calendar import HolidayCorrection, Unit
from resguardo.allow.rights import (
    FOLLOWS,
    GROUNDS,
    MAY_FOLLOW,
    OPEN,
    ErasureAction,
    Ground,
    Hold,
    Level,
    Precedence,
    Right,
    RightsRequest,
    State,
    Told,
    answer,
    begin,
    carry_out,
    confirm_identity,
    controller_type,
    deadline,
    escalations,
    extend,
    last_day_to_keep,
    last_day_to_keep_evidence,
    level_on,
    read_deadline,
    receive,
    refuse,
    what_to_do_on_erasure,
)
from resguardo.allow.rulebook import STRICTEST, ControllerType, Correction, Length, load
from resguardo.plan.declaration import Purpose
from resguardo.plan.languages import explain, say
from resguardo.values import LANGUAGES, Basis, InstitutionKind, Refused

BOOK = load()
CALENDAR = BOOK.calendar
STATE, PRIVATE, ORGANISATION = (
    ControllerType.STATE,
    ControllerType.PRIVATE_OR_NGO,
    ControllerType.INTERNATIONAL_ORG,
)
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
DAYS = st.dates(date(2026, 1, 1), date(2029, 12, 31))
RECEIVED = date(2026, 11, 20)


def correction(jurisdiction: str, path: str, value: object, status: str = "sourced") -> Correction:
    return Correction(jurisdiction, path, value, status, "counsel", "elena", date(2026, 12, 1))


# The day of an answer


@pytest.mark.parametrize(
    ("right", "controllers", "received", "due", "jurisdiction"),
    [
        # The desk of 24 November 2026.
        (Right.RECTIFICATION, [(PRIVATE, "GT")], date(2026, 11, 19), date(2026, 11, 26), STRICTEST),
        (Right.ACCESS, [(PRIVATE, "CR")], date(2026, 11, 20), date(2026, 11, 27), "CRI"),
        (Right.ERASURE, [(PRIVATE, "MX")], date(2026, 10, 30), date(2026, 11, 30), "MEX-PRIV"),
        (Right.OBJECTION, [(STATE, "SV")], date(2026, 11, 3), date(2026, 12, 1), "SLV"),
        # The same country, another controller.
        (Right.ACCESS, [(STATE, "MX")], date(2026, 10, 30), date(2026, 11, 30), "MEX-PUB"),
        (Right.ACCESS, [(ORGANISATION, "MX")], date(2026, 11, 3), date(2026, 11, 10), STRICTEST),
        (Right.RECTIFICATION, [(STATE, "GT")], date(2026, 3, 20), date(2026, 5, 6), "GTM"),
        # Unknown, not in the law, not in force, no file.
        (Right.ACCESS, [(STATE, "HN")], RECEIVED, date(2026, 11, 27), STRICTEST),
        (Right.ACCESS, [(STATE, "DM")], RECEIVED, date(2026, 11, 27), STRICTEST),
        (Right.ACCESS, [(STATE, "TT")], RECEIVED, date(2026, 11, 27), STRICTEST),
        (Right.ERASURE, [(STATE, "GT")], RECEIVED, date(2026, 11, 27), STRICTEST),
        (Right.ACCESS, [(STATE, "US")], RECEIVED, date(2026, 11, 30), STRICTEST),
        (Right.ACCESS, [], RECEIVED, date(2026, 11, 27), STRICTEST),
        # A law whose commencement nobody found does not count.
        (Right.ACCESS, [(STATE, "BZ")], RECEIVED, date(2026, 11, 27), STRICTEST),
        # Months and calendar days.
        (Right.ACCESS, [(STATE, "BB")], date(2027, 1, 31), date(2027, 2, 28), "BRB"),
        (Right.ACCESS, [(STATE, "JM")], RECEIVED, date(2026, 12, 20), "JAM"),
        (Right.OBJECTION, [(STATE, "JM")], RECEIVED, date(2026, 12, 11), "JAM"),
        # Several controllers: the earliest day, not the smallest number.
        (Right.ACCESS, [(PRIVATE, "MX"), (PRIVATE, "JM")], RECEIVED, date(2026, 12, 18), "MEX-PRIV"),
        (Right.ACCESS, [(PRIVATE, "MX"), (PRIVATE, "JM")], date(2026, 12, 10), date(2027, 1, 9), "JAM"),
        (Right.ACCESS, [(PRIVATE, "MX"), (PRIVATE, "CR")], RECEIVED, date(2026, 11, 27), "CRI"),
        # Rights that follow another one.
        (Right.RESTRICTION, [(STATE, "JM")], RECEIVED, date(2026, 12, 11), "JAM"),
        (Right.REVOCATION, [(PRIVATE, "PA")], RECEIVED, date(2026, 11, 27), STRICTEST),
        (Right.COMPLAINT, [(STATE, "PA")], RECEIVED, date(2026, 12, 4), "PAN"),
    ],
)  # fmt: skip
def test_a_request_is_answered_by_a_day(
    right: Right,
    controllers: list[tuple[ControllerType, str]],
    received: date,
    due: date,
    jurisdiction: str,
) -> None:
    found = deadline(right, controllers, received, BOOK)
    assert (found.due, found.rule.jurisdiction) == (due, jurisdiction)


def test_twenty_working_days_can_end_after_thirty_calendar_days() -> None:
    mexico = deadline(Right.ACCESS, [(PRIVATE, "MX")], date(2026, 12, 10), BOOK)
    jamaica = deadline(Right.ACCESS, [(PRIVATE, "JM")], date(2026, 12, 10), BOOK)
    assert mexico.rule.length.value < jamaica.rule.length.value
    assert jamaica.due == date(2027, 1, 9)
    assert mexico.due == date(2027, 1, 11)


def test_the_strictest_rule_is_computed_from_the_laws_of_that_day() -> None:
    received = date(2026, 12, 10)
    found = deadline(Right.PORTABILITY, [(STATE, "HT")], received, BOOK)
    # 20 working days of Haiti end on 12 January; the 30 calendar days of Jamaica end before.
    assert (found.due, found.rule.length) == (date(2027, 1, 9), Length(30, Unit.CALENDAR_DAYS))
    stricter = load(corrections=[correction("PAN", "response_deadlines.access.value", 3)])
    assert deadline(Right.ACCESS, [(STATE, "HN")], RECEIVED, stricter).due == date(2026, 11, 25)


def test_a_looser_law_never_loosens_the_strictest_rule_as_it_was_written() -> None:
    looser = load(
        corrections=[
            correction("CRI", "response_deadlines.access.value", 30),
            correction("DOM", "response_deadlines.access.value", 30),
        ]
    )
    assert deadline(Right.ACCESS, [(STATE, "HN")], RECEIVED, looser).due == date(2026, 11, 27)


def test_a_value_that_an_editor_entered_decides_the_next_day() -> None:
    period = {"value": 10, "unit": "business_days"}
    known = load(corrections=[correction("HND", "response_deadlines.access", period)])
    assert deadline(Right.ACCESS, [(STATE, "HN")], RECEIVED, known).due == date(2026, 12, 4)
    decreed = load(holidays=[HolidayCorrection("CR", date(2026, 11, 23), working=False, name="Asueto")])
    assert deadline(Right.ACCESS, [(PRIVATE, "CR")], RECEIVED, decreed).due == date(2026, 11, 30)


def test_a_law_that_names_restriction_or_revocation_is_followed() -> None:
    named = load(
        corrections=[
            correction("CRI", "response_deadlines.restriction", {"value": 2, "unit": "business_days"}),
            correction("CRI", "response_deadlines.revocation", {"value": 1, "unit": "business_days"}),
        ]
    )
    assert deadline(Right.RESTRICTION, [(PRIVATE, "CR")], RECEIVED, named).due == date(2026, 11, 24)
    assert deadline(Right.REVOCATION, [(PRIVATE, "CR")], RECEIVED, named).due == date(2026, 11, 23)
    assert deadline(Right.RESTRICTION, [(PRIVATE, "CR")], RECEIVED, BOOK).due == date(2026, 11, 27)


def test_revocation_ends_with_objection_or_erasure_whichever_is_first() -> None:
    for controller in product(ControllerType, TERRITORIES):
        days = {
            right: deadline(right, [controller], RECEIVED, BOOK).due
            for right in (Right.REVOCATION, Right.OBJECTION, Right.ERASURE)
        }
        assert days[Right.REVOCATION] == min(days[Right.OBJECTION], days[Right.ERASURE])


def test_the_way_to_the_strictest_rule_is_told() -> None:
    def way(controller: ControllerType, territory: str) -> list[tuple[str, str]]:
        found = deadline(Right.ACCESS, [(controller, territory)], RECEIVED, BOOK)
        return [(jurisdiction, str(status)) for jurisdiction, status in found.rule.way]

    assert way(STATE, "HN") == [("HND", "unknown")]
    assert way(STATE, "DM") == [("DMA", "not_in_law"), ("IOM", "not_in_law")]
    assert way(STATE, "TT") == [("TTO", "not_in_force"), ("IOM", "not_in_law")]
    assert way(ORGANISATION, "CR") == [("IOM", "not_in_law")]
    assert way(STATE, "US") == []
    assert way(STATE, "CR") == []


def test_a_baseline_with_a_number_is_taken_before_the_strictest_rule() -> None:
    period = {"value": 3, "unit": "business_days"}
    with_number = load(corrections=[correction("IOM", "response_deadlines.access", period)])
    for controller in [(STATE, "DM"), (ORGANISATION, "CR")]:
        found = deadline(Right.ACCESS, [controller], RECEIVED, with_number)
        assert (found.due, found.rule.jurisdiction) == (date(2026, 11, 25), "IOM")
    unknown = deadline(Right.ACCESS, [(STATE, "HN")], RECEIVED, with_number)
    assert unknown.rule.jurisdiction == STRICTEST


def test_an_answer_waits_only_as_long_as_every_law_allows() -> None:
    alone = deadline(Right.ACCESS, [(PRIVATE, "MX")], RECEIVED, BOOK)
    assert (alone.due, alone.extended) == (date(2026, 12, 18), date(2027, 1, 19))
    both = deadline(Right.ACCESS, [(PRIVATE, "MX"), (STATE, "MX")], RECEIVED, BOOK)
    assert both.extended == date(2027, 1, 5)
    with_costa_rica = deadline(Right.ACCESS, [(PRIVATE, "MX"), (PRIVATE, "CR")], RECEIVED, BOOK)
    assert with_costa_rica.extended is None
    assert deadline(Right.ACCESS, [(STATE, "HN")], RECEIVED, BOOK).extended is None


def test_what_is_to_be_confirmed_is_said() -> None:
    assert deadline(Right.ACCESS, [(STATE, "PA")], RECEIVED, BOOK).unconfirmed == (
        "doubt_from_memory",
        "doubt_unsigned",
    )
    assert "doubt_unknown" in deadline(Right.ACCESS, [(STATE, "HN")], RECEIVED, BOOK).unconfirmed
    assert "doubt_calendar" in deadline(Right.ACCESS, [], RECEIVED, BOOK).unconfirmed
    moon = deadline(Right.ACCESS, [(STATE, "TT")], date(2026, 3, 18), BOOK)
    assert "doubt_estimated" in moon.unconfirmed
    signed = load(
        corrections=[correction("CRI", "sign_off.by", "x"), correction("CRI", "sign_off.on", "2027-01-01")]
    )
    assert deadline(Right.ACCESS, [(PRIVATE, "CR")], RECEIVED, signed).unconfirmed == ()


def test_the_last_working_day_stands_beside_a_day_on_a_weekend() -> None:
    found = deadline(Right.ACCESS, [(STATE, "JM")], RECEIVED, BOOK)
    assert (found.due, found.due.weekday(), found.work_by) == (date(2026, 12, 20), 6, date(2026, 12, 18))


def test_the_day_of_receipt_is_that_of_the_place() -> None:
    evening = datetime(2026, 11, 20, 23, 50, tzinfo=ZoneInfo("America/Costa_Rica"))
    assert deadline(Right.ACCESS, [(PRIVATE, "CR")], evening, BOOK).received == date(2026, 11, 20)


def test_a_deadline_is_explained_in_four_languages() -> None:
    found = deadline(Right.ERASURE, [(PRIVATE, "MX")], date(2026, 10, 30), BOOK)
    assert found.promise("es") == ("Le respondemos a más tardar el lunes 30 de noviembre de 2026. Es gratis.")
    assert found.because(BOOK, "es").startswith(
        "México, particulares: 20 días hábiles (LFPDPPP 31). "
        "No se cuentan los feriados: lunes 16 de noviembre de 2026."
    )
    for controller in [(STATE, "HN"), (PRIVATE, "GT"), (ORGANISATION, "CR"), (STATE, "US"), (STATE, "TT")]:
        said = [deadline(Right.ACCESS, [controller], RECEIVED, BOOK).because(BOOK, one) for one in LANGUAGES]
        assert len(set(said)) == len(LANGUAGES)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(Right)), st.lists(CONTROLLERS, max_size=4), DAYS)
def test_a_deadline_is_kept_and_read_again_unchanged(
    right: Right, controllers: list[tuple[ControllerType, str]], received: date
) -> None:
    found = deadline(right, controllers, received, BOOK)
    assert read_deadline(found.as_mapping()) == found


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(Right)), st.lists(CONTROLLERS, min_size=1, max_size=3), CONTROLLERS, DAYS)
def test_one_controller_more_never_gives_more_time(
    right: Right,
    controllers: list[tuple[ControllerType, str]],
    another: tuple[ControllerType, str],
    received: date,
) -> None:
    fewer = deadline(right, controllers, received, BOOK)
    more = deadline(right, [*controllers, another], received, BOOK)
    assert more.due <= fewer.due
    assert (more.extended or more.due) <= (fewer.extended or fewer.due)
    assert received < more.due
    assert received <= more.work_by <= more.due


def test_every_kind_of_institution_has_its_kind_of_controller() -> None:
    assert {kind: controller_type(kind) for kind in InstitutionKind}[InstitutionKind.CONSULATE] is STATE
    assert controller_type(InstitutionKind.SHELTER) is PRIVATE
    assert controller_type(InstitutionKind.INTERNATIONAL_ORGANISATION) is ORGANISATION


def test_a_shelter_of_the_state_never_gets_more_time_by_counting_as_private() -> None:
    for right, territory in product(Right, TERRITORIES):
        private = deadline(right, [(PRIVATE, territory)], RECEIVED, BOOK).due
        assert private <= deadline(right, [(STATE, territory)], RECEIVED, BOOK).due


# What may follow what


MEXICO = receive(deadline(Right.ERASURE, [(PRIVATE, "MX")], RECEIVED, BOOK))
COSTA_RICA = receive(deadline(Right.ACCESS, [(PRIVATE, "CR")], RECEIVED, BOOK))


def in_progress(request: RightsRequest) -> RightsRequest:
    return begin(confirm_identity(request, request.received_on))


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    assert all(explain(problem, language) for problem in refused.value.problems for language in ("es", "en"))
    return [problem.code.rpartition(".")[2] for problem in refused.value.problems]


def test_a_request_goes_from_receipt_to_being_carried_out() -> None:
    answered = answer(in_progress(MEXICO), date(2026, 12, 1), CALENDAR)
    assert (answered.state, answered.answered_on) == (State.ANSWERED, date(2026, 12, 1))
    # Fifteen working days more, counted from the answer: 25 December is none.
    assert answered.carry_out_by == date(2026, 12, 22)
    assert not answered.is_late_to_carry_out(date(2026, 12, 22))
    assert answered.is_late_to_carry_out(date(2026, 12, 23))
    done = carry_out(answered, date(2026, 12, 2))
    assert (done.state, done.carried_out_on) == (State.CARRIED_OUT, date(2026, 12, 2))
    assert not done.is_late_to_carry_out(date(2027, 12, 23))


def test_where_the_law_gives_no_time_to_carry_out_the_time_for_the_answer_counts() -> None:
    early = answer(in_progress(COSTA_RICA), date(2026, 11, 23), CALENDAR)
    assert early.carry_out_by == COSTA_RICA.due_on == date(2026, 11, 27)


@pytest.mark.parametrize("state", list(State))
def test_no_state_is_reached_but_by_what_may_follow(state: State) -> None:
    request = replace(MEXICO, state=state)
    steps = {
        State.IDENTITY_CONFIRMED: lambda: confirm_identity(request, RECEIVED),
        State.IN_PROGRESS: lambda: begin(request),
        State.EXTENDED: lambda: extend(request, date(2027, 1, 4), RECEIVED),
        State.ANSWERED: lambda: answer(request, RECEIVED, CALENDAR),
        State.REFUSED: lambda: refuse(request, Ground.IDENTITY_NOT_SHOWN, RECEIVED),
        State.CARRIED_OUT: lambda: carry_out(request, RECEIVED),
    }
    for wanted, step in steps.items():
        if wanted in MAY_FOLLOW[state]:
            assert step().state is wanted
        else:
            with pytest.raises(Refused) as refused:
                step()
            assert codes(refused) == ["may_not_follow"]


def test_nothing_is_answered_before_it_is_known_who_asks() -> None:
    with pytest.raises(Refused) as refused:
        answer(MEXICO, RECEIVED, CALENDAR)
    assert codes(refused) == ["may_not_follow"]
    with pytest.raises(Refused) as refused:
        refuse(MEXICO, Ground.LEGAL_HOLD, RECEIVED)
    assert codes(refused) == ["identity_first"]
    assert refuse(MEXICO, Ground.IDENTITY_NOT_SHOWN, RECEIVED).ground is Ground.IDENTITY_NOT_SHOWN


def test_an_answer_waits_once_and_only_where_and_while_the_law_allows_it() -> None:
    working = in_progress(MEXICO)
    longer = extend(working, date(2027, 1, 19), MEXICO.due_on)
    assert (longer.state, longer.answer_by) == (State.EXTENDED, date(2027, 1, 19))
    assert not longer.is_overdue(date(2027, 1, 19))
    assert longer.is_overdue(date(2027, 1, 20))
    for until in (MEXICO.due_on, date(2027, 1, 20)):
        with pytest.raises(Refused) as refused:
            extend(working, until, RECEIVED)
        assert codes(refused) == ["extended_too_long"]
    with pytest.raises(Refused) as refused:
        extend(working, date(2027, 1, 4), MEXICO.due_on + timedelta(days=1))
    assert codes(refused) == ["extended_too_late"]
    with pytest.raises(Refused) as refused:
        extend(longer, date(2027, 1, 19), RECEIVED)
    assert codes(refused) == ["may_not_follow"]
    with pytest.raises(Refused) as refused:
        extend(in_progress(COSTA_RICA), date(2026, 12, 1), RECEIVED)
    assert codes(refused) == ["no_extension"]


@pytest.mark.parametrize(("right", "ground"), list(product(Right, Ground)))
def test_a_right_is_refused_on_its_own_grounds_alone(right: Right, ground: Ground) -> None:
    request = replace(in_progress(MEXICO), right=right)
    if ground in GROUNDS[right]:
        refused_request = refuse(request, ground, RECEIVED)
        assert (refused_request.state, refused_request.ground) == (State.REFUSED, ground)
    else:
        with pytest.raises(Refused) as refused:
            refuse(request, ground, RECEIVED)
        assert codes(refused) == ["no_ground"]


def test_a_given_consent_can_always_be_taken_back_and_a_hold_never_hides_the_data() -> None:
    assert GROUNDS[Right.REVOCATION] == {Ground.IDENTITY_NOT_SHOWN, Ground.NOTHING_HELD}
    assert Ground.LEGAL_HOLD not in GROUNDS[Right.ACCESS]
    assert Ground.ARCHIVE_DUTY not in GROUNDS[Right.RECTIFICATION]


def test_rights_states_and_grounds_are_said_in_four_languages() -> None:
    for language in LANGUAGES:
        for thing in (*Right, *State, *Ground):
            assert thing.words(language)
    assert Right.ACCESS.words("ht") == "Mwen vle yon kopi enfòmasyon mwen"
    for level in Level:
        assert say(f"allow.rights.level_{level}", "es")


# Who is told


def test_a_request_becomes_more_pressing_day_by_day() -> None:
    found = escalations(MEXICO, CALENDAR)
    assert [(one.level, one.on) for one in found] == [
        (Level.HALF, date(2026, 12, 4)),
        (Level.TWO_WORKING_DAYS, date(2026, 12, 17)),
        (Level.LAST_DAY, date(2026, 12, 18)),
        (Level.OVERDUE, date(2026, 12, 19)),
    ]
    assert [one.tells for one in found] == [
        (Told.OFFICER,),
        (Told.OFFICER, Told.SUPERVISOR),
        (Told.OFFICER, Told.SUPERVISOR, Told.LEAD),
        (Told.OFFICER, Told.SUPERVISOR, Told.LEAD, Told.PERSON),
    ]


def test_a_warning_falls_on_a_working_day_at_or_before_its_mark() -> None:
    # Due on Sunday 20 December: the last working day is Friday, and Thursday before it.
    jamaica = receive(deadline(Right.ACCESS, [(STATE, "JM")], RECEIVED, BOOK))
    marks = {one.level: one.on for one in escalations(jamaica, CALENDAR)}
    assert marks[Level.LAST_DAY] == date(2026, 12, 18)
    assert marks[Level.TWO_WORKING_DAYS] == date(2026, 12, 17)
    assert marks[Level.OVERDUE] == date(2026, 12, 21)


def test_an_extension_moves_the_warnings_and_an_answer_ends_them() -> None:
    working = in_progress(MEXICO)
    assert level_on(working, date(2026, 11, 21), CALENDAR) is None
    assert level_on(working, date(2026, 12, 4), CALENDAR) is Level.HALF
    assert level_on(working, date(2026, 12, 19), CALENDAR) is Level.OVERDUE
    longer = extend(working, date(2027, 1, 19), date(2026, 12, 18))
    assert level_on(longer, date(2026, 12, 19), CALENDAR) is Level.HALF
    assert level_on(answer(working, date(2026, 12, 18), CALENDAR), date(2027, 1, 1), CALENDAR) is None


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(Right)), CONTROLLERS, DAYS)
def test_warnings_stand_in_order_and_every_one_but_the_last_comes_in_time(
    right: Right, controller: tuple[ControllerType, str], received: date
) -> None:
    request = receive(deadline(right, [controller], received, BOOK))
    found = escalations(request, CALENDAR)
    assert [one.level for one in found] == list(Level)
    assert [one.on for one in found] == sorted(one.on for one in found)
    assert all(received <= one.on <= request.due_on for one in found[:-1])
    assert found[-1].on == request.due_on + timedelta(days=1)
    assert {state for state in State if state in OPEN} == {
        state for state in State if level_on(replace(request, state=state), date.max, CALENDAR)
    }


# Keeping and erasing


HOLD = Hold("Juzgado 3, 123/2026", since=date(2026, 1, 1), until=date(2028, 6, 30))
TODAY = date(2026, 11, 24)
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
OLDEST = date(2025, 2, 1)


@pytest.mark.parametrize(
    ("controller", "asked", "ends", "holds", "action", "because"),
    [
        # Nothing is due.
        ((PRIVATE, "CR"), False, TOMORROW, [], None, None),
        ((PRIVATE, "CR"), False, TOMORROW, [HOLD], None, None),
        # The right of the person, the purpose's end.
        ((PRIVATE, "CR"), True, TOMORROW, [], "delete", "right_of_the_person"),
        ((PRIVATE, "HN"), True, TOMORROW, [], "delete", "right_of_the_person"),
        ((ORGANISATION, "MX"), True, TOMORROW, [], "delete", "right_of_the_person"),
        ((PRIVATE, "SV"), False, YESTERDAY, [], "delete", "purpose_end"),
        ((PRIVATE, "CR"), False, YESTERDAY, [], "anonymise", "purpose_end"),
        # Legal hold beats everything.
        ((PRIVATE, "CR"), True, TOMORROW, [HOLD], "block", "legal_hold"),
        ((PRIVATE, "CR"), False, YESTERDAY, [HOLD], "block", "legal_hold"),
        ((STATE, "GT"), True, TOMORROW, [HOLD], "block", "legal_hold"),
        # The archive of Guatemala binds the state, not a shelter.
        ((STATE, "GT"), True, TOMORROW, [], "block", "archive_duty"),
        ((STATE, "GT"), False, YESTERDAY, [], "block", "archive_duty"),
        ((PRIVATE, "GT"), True, TOMORROW, [], "delete", "right_of_the_person"),
        # Mexico and Nicaragua block before they delete.
        ((PRIVATE, "MX"), True, TOMORROW, [], "block", "right_of_the_person"),
        ((STATE, "NI"), False, YESTERDAY, [], "block", "purpose_end"),
    ],
)  # fmt: skip
def test_what_erasure_does_follows_the_order_of_the_rulebook(
    controller: tuple[ControllerType, str],
    asked: bool,
    ends: date,
    holds: list[Hold],
    action: str | None,
    because: str | None,
) -> None:
    found = what_to_do_on_erasure(
        [controller], BOOK, day=TODAY, asked=asked, purposes_end=ends, oldest=OLDEST, holds=holds
    )
    assert (found and found.action, found and found.because) == (action, because)
    if found:
        for language in LANGUAGES:
            assert found.words(BOOK, language)


def test_the_order_is_that_of_the_rulebook() -> None:
    assert BOOK.strictest.precedence == (
        "legal hold / archive duty",
        "right of the person",
        "purpose end",
        "strictest common number",
    )


def test_a_hold_that_ended_was_lifted_or_has_not_begun_holds_nothing() -> None:
    for hold in (
        replace(HOLD, until=YESTERDAY),
        replace(HOLD, lifted_on=TODAY),
        replace(HOLD, since=TOMORROW),
    ):
        found = what_to_do_on_erasure(
            [(PRIVATE, "CR")], BOOK, day=TODAY, asked=True, purposes_end=TOMORROW, oldest=OLDEST, holds=[hold]
        )
        assert found is not None
        assert found.action is ErasureAction.DELETE
    open_end = replace(HOLD, until=None)
    assert open_end.is_active(date(2099, 1, 1))


def test_a_block_has_an_end_and_then_the_records_are_deleted() -> None:
    def mexico(day: date, book_of_rules: object = BOOK) -> object:
        return what_to_do_on_erasure(
            [(PRIVATE, "MX")],
            book_of_rules,  # type: ignore[arg-type]
            day=day,
            asked=True,
            purposes_end=TODAY,
            oldest=OLDEST,
        )

    first = mexico(TODAY)
    assert first is not None
    assert (first.until, first.then) == (date(2035, 2, 1), ErasureAction.DELETE)  # type: ignore[attr-defined]
    after = mexico(date(2035, 2, 2))
    assert after is not None
    assert after.action is ErasureAction.DELETE  # type: ignore[attr-defined]
    known = load(corrections=[correction("MEX-PRIV", "retention.blocking", {"value": 6, "unit": "months"})])
    shorter = mexico(TODAY, known)
    assert shorter is not None
    assert shorter.until == date(2027, 5, 24)  # type: ignore[attr-defined]
    gone = mexico(date(2027, 5, 25), known)
    assert gone is not None
    assert gone.action is ErasureAction.DELETE  # type: ignore[attr-defined]


def test_of_two_controllers_the_one_that_must_keep_decides() -> None:
    found = what_to_do_on_erasure(
        [(PRIVATE, "CR"), (STATE, "GT")],
        BOOK,
        day=TODAY,
        asked=True,
        purposes_end=TOMORROW,
        oldest=OLDEST,
    )
    assert found is not None
    assert (found.because, found.jurisdiction) == (Precedence.ARCHIVE_DUTY, "GTM")


def test_after_ten_years_nobody_keeps_what_nobody_must() -> None:
    found = what_to_do_on_erasure(
        [(PRIVATE, "SV")],
        BOOK,
        day=date(2035, 2, 2),
        asked=False,
        purposes_end=date(2099, 1, 1),
        oldest=OLDEST,
    )
    assert found is not None
    assert (found.action, found.because) == (ErasureAction.DELETE, Precedence.STRICTEST_NUMBER)


def purpose(days: int) -> Purpose:
    return Purpose("assistance", {}, Basis.CONSENT, days, frozenset(), ())


def test_a_record_is_kept_until_its_last_purpose_ends_and_never_longer_than_ten_years() -> None:
    short = last_day_to_keep(OLDEST, [purpose(90), purpose(1095)], BOOK, day=TODAY)
    assert (short.keep_until, short.share_until) == (date(2028, 2, 1), date(2028, 2, 1))
    assert short.because is Precedence.PURPOSE_END
    long = last_day_to_keep(OLDEST, [purpose(9000)], BOOK, day=TODAY)
    assert (long.keep_until, long.share_until) == (date(2035, 2, 1), date(2032, 2, 1))
    assert long.because is Precedence.STRICTEST_NUMBER
    nothing = last_day_to_keep(OLDEST, [], BOOK, day=TODAY)
    assert nothing.keep_until == OLDEST


def test_a_hold_keeps_a_record_blocked_and_never_lets_it_be_shared_longer() -> None:
    ended = last_day_to_keep(OLDEST, [purpose(30)], BOOK, day=TODAY, holds=[HOLD])
    assert (ended.keep_until, ended.is_blocked) == (date(2028, 6, 30), True)
    assert ended.share_until == OLDEST + timedelta(days=30)
    still = last_day_to_keep(OLDEST, [purpose(1095)], BOOK, day=TODAY, holds=[HOLD])
    assert (still.because, still.is_blocked) == (Precedence.LEGAL_HOLD, False)
    longer = last_day_to_keep(OLDEST, [purpose(3000)], BOOK, day=TODAY, holds=[HOLD])
    assert longer.because is Precedence.PURPOSE_END


def test_the_proof_of_a_consent_is_kept_ten_years() -> None:
    assert last_day_to_keep_evidence(date(2028, 2, 29), BOOK) == date(2038, 2, 28)


def test_every_right_that_follows_another_follows_one_that_every_file_has() -> None:
    for followed in FOLLOWS.values():
        for one in BOOK.jurisdictions.values():
            assert {str(right) for right in followed} <= set(one.response_deadlines)
