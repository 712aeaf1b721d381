"""A file of answers, row by row against its form: each row is a submission, or is rejected with what to mend.

    sheet = open_sheet(path)
    for each in read_submissions(form, sheet, today=today):
        ...                          # a Submission or a Rejected

Nothing is guessed: an answer that cannot be read, or that breaks a rule of the form, rejects its row, with
every problem of the row and not the first alone.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import unicodedata
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Any

from resguardo.collect.cell import (
    Choices,
    DayOrder,
    Fault,
    Read,
    Remembering,
    as_written,
    read_mark,
    reader_of,
)
from resguardo.collect.check import Checks, alone_rule, broken_rule, checks_by_place, spoken
from resguardo.collect.expression import UNREAD, Rows
from resguardo.collect.header import (
    METADATA,
    Column,
    Columns,
    columns_of,
    inner_repeats,
    repeat_called,
    repeats_around,
)
from resguardo.collect.sheet import PROBLEM_COLUMN, Cell, Part, Row, Sheet, guarded
from resguardo.plan.languages import explain
from resguardo.plan.programme import Form
from resguardo.plan.xlsform import Field
from resguardo.values import Language, Problem, Refused, Sensitivity

Answers = Mapping[str, Any]
"""Question -> str, int, Decimal, date, datetime, tuple of codes (select_multiple) or None; repeat -> tuple of
`Answers`. A question that was not answered is None, never left out."""

MOST_LETTERS_SHOWN = 40
MOST_COLUMNS_NAMED = 20

_SHOWN_KINDS = frozenset(("integer", "decimal", "date", "datetime", "time", "select_one", "select_multiple"))
_READ_EACH_TIME = frozenset(("text", "hidden", "file", "calculate", "geopoint"))
"""Kinds whose cells seldom come again, so that remembering them would cost more than reading."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One filled form that keeps all its rules."""

    form: Form = field(repr=False)
    version: str
    """The version of the form that was filled, where the file says it; else the version we have."""
    instance: str | None
    """What the export calls this submission, without `uuid:`; it stays the same in every export."""
    answers: Answers = field(repr=False)
    row: int
    """The row that a spreadsheet shows."""
    occurrence: int = 1
    """The how-manieth of this file with these very answers, where no `instance` tells them apart."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that breaks rules: what it held, and everything that must be mended."""

    row: int
    cells: tuple[Cell, ...] = field(repr=False)
    """The original cells under `Reading.header`; more of them than columns where that is what is wrong."""
    problems: tuple[Problem, ...]


def read_submissions(form: Form, sheet: Sheet, *, today: date, now: datetime | None = None) -> Reading:
    """The rows of `sheet` as submissions of `form`, one after the other, in bounded memory.

    Refuses at once a header that is not of this form: no known column, a required question without a column,
    a column that could mean two questions. Rules about the time of day are evaluated only if `now` is given.
    """
    return Reading(form, sheet, today=today, now=now)


class Reading:
    """A file being read against a form. Each iteration reads it from its first row.

    At the end of an iteration the whole file may still be refused: when a column of dates turns out to have
    the month first, what was given out before is wrong too. Keep nothing before the end (one transaction).
    """

    warnings: tuple[Problem, ...]
    """What a person should know: columns that were passed over, formulas whose saved value was taken."""
    ignored_columns: tuple[str, ...]
    """Columns that are neither questions of the form nor known metadata."""
    header: tuple[str, ...]
    """The columns under which a rejected row's cells stand, repeats laid out flat (`members[1]/age`)."""
    not_evaluated: tuple[str, ...]
    """Questions with a rule that cannot be evaluated here; it refuses nothing."""

    def __init__(self, form: Form, sheet: Sheet, *, today: date, now: datetime | None = None) -> None:
        self.form = form
        self.sheet = sheet
        self._orders: list[tuple[str, str | None, DayOrder]] = []
        self._lists = {name: Choices(choices) for name, choices in form.choices.items()}
        self._today, self._now = today, now
        columns = columns_of(form, sheet.header, file=sheet.label, sheet=sheet.name)
        self._columns = columns
        main = {at: column for at, column in columns.answers.items() if not column.repetitions}
        self._main = self._place(None, main, sheet.header, sheet.name)
        self._flat = self._flat_repeats(columns, sheet)
        self._parts = tuple(self._part(part, ()) for part in sheet.parts)
        self._refuse_missing(columns)
        answered = frozenset(self._answered_everywhere())
        self._checks = checks_by_place(
            form,
            partial(Checks, form, today=today, now=now, answered=answered, already=self._checked_alone()),
        )
        self.not_evaluated = tuple(
            dict.fromkeys(name for checks in self._checks.values() for name in checks.not_evaluated)
        )
        self.header = (*sheet.header, *chain.from_iterable(map(_flat_header, self._parts)))
        self.warnings, self.ignored_columns = self._found(columns)

    # What the header says

    def _place(
        self, repeat: str | None, columns: Mapping[int, Column], header: Sequence[str], sheet: str | None
    ) -> _Place:
        slots = tuple(self._slots(columns, header, sheet))
        named = {column.question.name: header[at] for at, column in sorted(columns.items(), reverse=True)}
        blanks: dict[str, Any] = {
            question.name: None
            for question in self.form.fields
            if question.repeat == repeat and question.name not in named
        }
        blanks.update((inner, ()) for inner in inner_repeats(self.form, repeat))
        return _Place(
            repeat,
            tuple(slot for slot in slots if isinstance(slot, _CellSlot)),
            tuple(slot for slot in slots if not isinstance(slot, _CellSlot)),
            named,
            sheet,
            tuple(blanks.items()),
        )

    def _slots(
        self, columns: Mapping[int, Column], header: Sequence[str], sheet: str | None
    ) -> Iterator[_CellSlot | _MarkedSlot | _PositionSlot]:
        by_question: dict[str, list[tuple[int, Column]]] = {}
        for at, column in columns.items():
            by_question.setdefault(column.question.name, []).append((at, column))
        for several in by_question.values():
            question = several[0][1].question
            whole = next((at for at, each in several if each.choice is None and each.axis is None), None)
            choices = self._lists.get(question.list_name or "")
            read = reader_of(question, choices, self.sheet.epoch)
            marks = tuple((at, each.choice) for at, each in several if each.choice is not None)
            axes = {each.axis: at for at, each in several if each.axis is not None}
            if marks and choices is not None:
                yield _MarkedSlot(question, whole, read, marks, choices)
            elif whole is not None:
                if question.kind in ("date", "datetime"):
                    read = self._noticing(read, header[whole], sheet)
                yield _CellSlot(question, whole, self._checking(question, read))
            else:
                yield _PositionSlot(question, tuple(axes.get(axis) for axis in range(4)), read)

    def _noticing(self, plain: Read, column: str, sheet: str | None) -> Read:
        """`plain`, noticing whether the dates of the column have the day or the month first."""
        order = DayOrder()
        self._orders.append((column, sheet, order))

        def noticed(cell: Cell) -> Any:
            order.notice(cell)
            return plain(cell)

        return noticed

    def _checking(self, question: Field, plain: Read) -> Read:
        """`plain` with the question's constraint, where that needs nothing but the answer."""
        read = plain
        rule = alone_rule(question, today=self._today, now=self._now)
        if rule is not None:
            holds = rule.holds
            broken = Fault(*broken_rule(question))

            def checked(cell: Cell) -> Any:
                answer = plain(cell)
                if answer is None or type(answer) is Fault or holds((), answer) is not False:
                    return answer
                return broken

            read = checked
        if question.kind in _READ_EACH_TIME:
            return read
        return Remembering(read).__getitem__

    def _flat_repeats(self, columns: Columns, sheet: Sheet) -> tuple[_Flat, ...]:
        """The columns such as `members[2]/age`, gathered by repetition, outermost first."""
        gathered: dict[tuple[tuple[str, int], ...], dict[int, Column]] = {}
        for at, column in columns.answers.items():
            if column.repetitions:
                for end in range(1, len(column.repetitions)):
                    gathered.setdefault(column.repetitions[:end], {})
                gathered.setdefault(column.repetitions, {})[at] = column

        def under(outer: tuple[tuple[str, int], ...]) -> tuple[_Flat, ...]:
            inner = sorted(
                (key for key in gathered if key[:-1] == outer), key=lambda key: (key[-1][0], key[-1][1])
            )
            return tuple(
                _Flat(
                    key[-1][0],
                    self._place(key[-1][0], gathered[key], sheet.header, sheet.name),
                    under(key),
                )
                for key in inner
            )

        return under(())

    def _part(self, part: Part, outer: tuple[str, ...]) -> _PartPlace:
        repeat = repeat_called(self.form, part.name)
        if repeat is None or repeats_around(self.form, repeat)[:-1] != outer:
            repeat = self._repeat_by_columns(part, outer)
        if repeat is None:
            facts = {"repeats": ", ".join(self.form.repeats) or "-"}
            raise Refused(Problem("collect.header.repeat_unknown", facts, self.sheet.label, part.sheet))
        columns = columns_of(self.form, part.header, repeat=repeat, file=self.sheet.label, sheet=part.sheet)
        return _PartPlace(
            part,
            repeat,
            self._place(repeat, columns.answers, part.header, part.sheet),
            tuple(part.header[at] for at in columns.unknown),
            tuple(self._part(inner, (*outer, repeat)) for inner in part.inner),
        )

    def _repeat_by_columns(self, part: Part, outer: tuple[str, ...]) -> str | None:
        """The repeat whose questions the columns of a sheet are, if there is only one."""
        found: dict[str, int] = {}
        for repeat in self.form.repeats:
            if repeats_around(self.form, repeat)[:-1] == outer:
                try:
                    columns = columns_of(self.form, part.header, repeat=repeat)
                except Refused:
                    continue
                found[repeat] = len(columns.answered())
        best = [repeat for repeat, count in found.items() if count and count == max(found.values())]
        return best[0] if len(best) == 1 else None

    def _checked_alone(self) -> frozenset[str]:
        """The questions that are read by cells that check them; see `_checking`."""
        trees: tuple[_Flat | _PartPlace, ...] = (*self._flat, *self._parts)
        places = [self._main, *chain.from_iterable(map(_places_in, trees))]
        others = {slot.question.name for place in places for slot in place.others}
        return frozenset(slot.question.name for place in places for slot in place.cells) - others

    def _answered_everywhere(self) -> Iterator[str]:
        yield from self._columns.answered()
        waiting = list(self._parts)
        while waiting:
            part = waiting.pop()
            yield from part.place.columns
            waiting.extend(part.inner)

    def _refuse_missing(self, columns: Columns) -> None:
        answered = columns.answered()
        if not answered:
            names = ", ".join(question.name for question in self.form.fields[:8])
            problem = Problem(
                "collect.header.not_this_form", {"names": names}, self.sheet.label, self.sheet.name, 1
            )
            raise Refused(problem)
        missing = [
            Problem(
                "collect.header.required",
                {"name": question.name, **spoken(question)},
                self.sheet.label,
                self.sheet.name,
                1,
                question.name,
            )
            for question in needed_columns(self.form)
            if question.name not in answered
        ]
        if missing:
            raise Refused(*missing)

    def _found(self, columns: Columns) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
        label = self.sheet.label
        warnings = list(self.sheet.warnings)
        ignored: list[str] = []
        header = self.sheet.header
        sheets = [(self.sheet.name, tuple(header[at] or f"({at + 1})" for at in columns.unknown))]
        waiting = list(self._parts)
        while waiting:
            part = waiting.pop(0)
            sheets.append((part.part.sheet, part.unknown))
            waiting.extend(part.inner)
        for sheet, names in sheets:
            if names:
                shown = ", ".join(name[:MOST_LETTERS_SHOWN] for name in names[:MOST_COLUMNS_NAMED])
                facts = {
                    "columns": shown + (" …" if len(names) > MOST_COLUMNS_NAMED else ""),
                    "count": str(len(names)),
                }
                warnings.append(Problem("collect.header.unknown", facts, label, sheet))
                ignored.extend(names)
        return tuple(warnings), tuple(ignored)

    # The rows

    def __iter__(self) -> Iterator[Submission | Rejected]:
        form, main, checks = self.form, self._main, self._checks[None]
        has_repeats = bool(self._flat or self._parts)
        calculates = bool(checks.calculations)
        instance_at, version_at = self._columns.instance, self._columns.version
        occurrences = _Occurrences()
        skipped = {each.name for each in form.fields if each.kind == "calculate"}.difference(form.key)
        for row in self.sheet.rows:
            problems: list[Problem] = []
            if row.problems:
                problems.extend(_problems_in(row))
                yield self._rejected(row, problems)
                continue
            answers = main.read(row.values, partial(self._fault, main, row.number, problems))
            if has_repeats:
                item = _Item(main, row.number, answers)
                self._read_repeats(item, row, problems)
                self._check(item, (answers,), problems)
            else:
                if calculates:
                    checks.calculate((answers,))
                checks.run(
                    (answers,), partial(self._report, main, row.number, problems), absent_is_blank=True
                )
                for name, nothing in main.blanks:
                    answers.setdefault(name, nothing)
            if problems:
                yield self._rejected(row, problems)
                continue
            instance = _instance(row.values, instance_at)
            version = form.version
            if version_at is not None:
                version = as_written(row.values[version_at]).strip() or version
            submission = Submission(form, version, instance, answers, row.number)
            if instance is None:
                occurrence = occurrences.count(_canonical_bytes(submission, skipped))
                if occurrence > 1:
                    submission = Submission(form, version, None, answers, row.number, occurrence)
            yield submission
        self._refuse_swapped_days()

    def _refuse_swapped_days(self) -> None:
        swapped = [
            Problem("collect.header.month_first", {}, self.sheet.label, sheet, None, column)
            for column, sheet, order in self._orders
            if order.is_month_first
        ]
        if swapped:
            raise Refused(*swapped)

    def _fault(
        self,
        place: _Place,
        row: int,
        problems: list[Problem],
        question: Field,
        fault: Fault,
        written: str,
    ) -> None:
        """Notes that a cell is no answer. What was written is shown only where it can hurt nobody."""
        shown = ""
        if question.sensitivity is Sensitivity.PLAIN and question.kind in _SHOWN_KINDS:
            short = written[:MOST_LETTERS_SHOWN] + ("…" if len(written) > MOST_LETTERS_SHOWN else "")
            shown = f"«{' '.join(short.split())}»: " if short.strip() else ""
        self._report(place, row, problems, question, fault.key, {**fault.facts, "written": shown})

    def _report(
        self,
        place: _Place,
        row: int,
        problems: list[Problem],
        question: Field,
        key: str,
        facts: Mapping[str, str],
    ) -> None:
        facts = {"written": "", **spoken(question), **facts}
        column = place.columns.get(question.name, question.name)
        problems.append(Problem(f"collect.row.{key}", facts, self.sheet.label, place.sheet, row, column))

    def _read_repeats(self, item: _Item, row: Row, problems: list[Problem]) -> None:
        for flat in self._flat:
            self._read_flat(flat, item, row, problems)
        for part in self._parts:
            self._read_part(part, item, row, problems)

    def _read_flat(self, flat: _Flat, outer: _Item, row: Row, problems: list[Problem]) -> None:
        place = flat.place
        answers = place.read(row.values, partial(self._fault, place, row.number, problems))
        item = _Item(place, row.number, answers)
        for inner in flat.inner:
            self._read_flat(inner, item, row, problems)
        if item.below or any(answer is not None for answer in answers.values()):
            outer.below.setdefault(flat.repeat, []).append(item)

    def _read_part(self, part: _PartPlace, outer: _Item, row: Row, problems: list[Problem]) -> None:
        for child in row.parts.get(part.part.name, ()):
            place = part.place
            if child.problems:
                problems.extend(child.problems)
                continue
            answers = place.read(child.values, partial(self._fault, place, child.number, problems))
            item = _Item(place, child.number, answers)
            for inner in part.inner:
                self._read_part(inner, item, child, problems)
            outer.below.setdefault(part.repeat, []).append(item)

    def _check(self, item: _Item, rows: Rows, problems: list[Problem]) -> None:
        """Calculates and checks a row with everything under it, then fills in what was not answered."""
        checks = self._checks[item.place.repeat]
        for repeat, items in item.below.items():
            item.answers[repeat] = tuple(inner.answers for inner in items)
        checks.calculate(rows)
        checks.run(rows, partial(self._report, item.place, item.row, problems), absent_is_blank=True)
        for items in item.below.values():
            for inner in items:
                self._check(inner, (*rows, inner.answers), problems)
        for name, nothing in item.place.blanks:
            item.answers.setdefault(name, nothing)

    def _rejected(self, row: Row, problems: list[Problem]) -> Rejected:
        width = len(self.sheet.header)
        cells = list(row.values[:width])
        for part in self._parts:
            cells.extend(_flat_cells(part, row.parts.get(part.part.name, ())))
        return Rejected(row.number, (*cells, *row.values[width:]), tuple(problems))


# Where columns stand


@dataclass(frozen=True)
class _CellSlot:
    """A question in one cell."""

    question: Field
    at: int
    read: Read


@dataclass(frozen=True)
class _MarkedSlot:
    """A select_multiple with a column for each choice, and perhaps one for all together."""

    question: Field
    whole: int | None
    read_whole: Read
    marks: tuple[tuple[int, str], ...]
    choices: Choices

    def read(self, values: Sequence[Cell]) -> Any:
        marked: set[str] = set()
        known: set[str] = set()
        for at, choice in self.marks:
            mark = read_mark(values[at])
            if isinstance(mark, Fault):
                return mark
            if mark is not None:
                known.add(choice)
            if mark:
                marked.add(choice)
        if self.whole is None:
            together = None
        else:
            together = self.read_whole(values[self.whole])
            if isinstance(together, Fault):
                return together
            if known and marked != known.intersection(together or ()):
                return Fault("choices_disagree")
        return together or self.choices.sorted(marked) or None

    def written(self, values: Sequence[Cell]) -> str:
        return as_written(values[self.whole]) if self.whole is not None else ""


@dataclass(frozen=True)
class _PositionSlot:
    """A position whose latitude, longitude, altitude and accuracy have a column each."""

    question: Field
    axes: tuple[int | None, ...]
    read_whole: Read

    def read(self, values: Sequence[Cell]) -> Any:
        parts = ["" if at is None else as_written(values[at]).strip() for at in self.axes]
        while parts and not parts[-1]:
            parts.pop()
        return self.read_whole(" ".join(part or "0" for part in parts)) if any(parts[:2]) else None

    def written(self, values: Sequence[Cell]) -> str:
        return ""


@dataclass(frozen=True)
class _Place:
    """The columns of the form itself, of a repetition laid out flat, or of a repeat's own sheet."""

    repeat: str | None
    cells: tuple[_CellSlot, ...]
    others: tuple[_MarkedSlot | _PositionSlot, ...]
    columns: Mapping[str, str]
    """The header of each question's first column."""
    sheet: str | None
    blanks: tuple[tuple[str, Any], ...]
    """Questions without a column, and inner repeats, with what stands for no answer."""

    @cached_property
    def _quick(self) -> tuple[tuple[str, int, Read, Field], ...]:
        return tuple((slot.question.name, slot.at, slot.read, slot.question) for slot in self.cells)

    def read(self, values: Sequence[Cell], fault: Callable[[Field, Fault, str], None]) -> dict[str, Any]:
        """The answers in the cells. A cell that is no answer is told to `fault` and stands as `UNREAD`."""
        answers: dict[str, Any] = {}
        for name, at, read, question in self._quick:
            answer = read(values[at])
            if type(answer) is Fault:
                fault(question, answer, as_written(values[at]))
                answer = UNREAD
            answers[name] = answer
        for slot in self.others:
            answer = slot.read(values)
            if type(answer) is Fault:
                fault(slot.question, answer, slot.written(values))
                answer = UNREAD
            answers[slot.question.name] = answer
        return answers


@dataclass(frozen=True)
class _Flat:
    """One numbered repetition whose columns stand in the row of the form."""

    repeat: str
    place: _Place
    inner: tuple[_Flat, ...]


@dataclass(frozen=True)
class _PartPlace:
    """A repeat that has a sheet of its own."""

    part: Part
    repeat: str
    place: _Place
    unknown: tuple[str, ...]
    inner: tuple[_PartPlace, ...]


@dataclass
class _Item:
    """A row being read: the form's, or one repetition, with what lies under it."""

    place: _Place
    row: int
    answers: dict[str, Any]
    below: dict[str, list[_Item]] = field(default_factory=dict)


def _places_in(tree: _Flat | _PartPlace) -> Iterator[_Place]:
    yield tree.place
    for inner in tree.inner:
        yield from _places_in(inner)


def _problems_in(row: Row) -> Iterator[Problem]:
    yield from row.problems
    for rows in row.parts.values():
        for each in rows:
            yield from (problem for problem in _problems_in(each) if problem not in row.problems)


def _own_columns(part: Part) -> tuple[int, ...]:
    """The columns of a repeat's sheet that are not just links and metadata."""
    return tuple(at for at, name in enumerate(part.header) if name and name not in METADATA)


def _flat_header(place: _PartPlace) -> Iterator[str]:
    for number in range(1, place.part.most + 1):
        for name in chain(
            (place.part.header[at] for at in _own_columns(place.part)),
            chain.from_iterable(map(_flat_header, place.inner)),
        ):
            yield f"{place.repeat}[{number}]/{name}"


def _flat_cells(place: _PartPlace, rows: Sequence[Row]) -> Iterator[Cell]:
    for number in range(place.part.most):
        row = rows[number] if number < len(rows) else None
        for at in _own_columns(place.part):
            yield row.values[at] if row is not None else None
        for inner in place.inner:
            yield from _flat_cells(inner, row.parts.get(inner.part.name, ()) if row is not None else ())


def _instance(values: Sequence[Cell], places: Iterable[int]) -> str | None:
    for at in places:
        name = as_written(values[at]).strip().removeprefix("uuid:")
        if name:
            return name[:200]
    return None


# Forms and single answers


def needed_columns(form: Form) -> tuple[Field, ...]:
    """The questions that a file of this form must have a column for.

    Those that must always be answered, and those that say whom the row is about and when.
    """
    places = {*form.key, form.moment}
    return tuple(
        question
        for question in form.fields
        if question.kind != "calculate"
        and question.repeat is None
        and ((question.required and not question.conditional) or question.name in places)
    )


def form_for(forms: Iterable[Form], sheet: Sheet) -> Form | None:
    """The form whose questions the columns of `sheet` are; None where none is, or two are equally near."""
    found: list[tuple[int, int, Form]] = []
    for form in forms:
        try:
            columns = columns_of(form, sheet.header)
        except Refused:
            continue
        answered = columns.answered()
        if answered and all(question.name in answered for question in needed_columns(form)):
            found.append((len(answered), -len(columns.unknown), form))
    found.sort(key=lambda each: each[:2], reverse=True)
    if not found or (len(found) > 1 and found[0][:2] == found[1][:2]):
        return None
    return found[0][2]


def read_answer(form: Form, name: str, text: str) -> Any:
    """One answer typed by a person. Refuses what is no answer to that question, and says what would be."""
    question = form.field(name)
    choices = Choices(form.choices.get(question.list_name or "", ()))
    answer = reader_of(question, choices)(text)
    if isinstance(answer, Fault):
        facts = {"written": "", **spoken(question), **answer.facts}
        raise Refused(Problem(f"collect.row.{answer.key}", facts, column=name))
    return answer


def check_answers(
    form: Form, answers: Answers, *, today: date, now: datetime | None = None
) -> tuple[Problem, ...]:
    """Every rule of the form that the answers break; none if they may be kept.

    A question that `answers` leaves out is not known, and no rule about it is evaluated; one that is None was
    not answered.
    """
    checks = checks_by_place(form, partial(Checks, form, today=today, now=now))
    problems: list[Problem] = []

    def report(question: Field, key: str, facts: Mapping[str, str]) -> None:
        facts = {"written": "", **spoken(question), **facts}
        problems.append(Problem(f"collect.row.{key}", facts, column=question.name))

    def check(place: str | None, rows: Rows) -> None:
        checks[place].run(rows, report, absent_is_blank=False)
        for repeat in inner_repeats(form, place):
            for row in rows[-1].get(repeat) or ():
                check(repeat, (*rows, row))

    check(None, (dict(answers),))
    return tuple(problems)


# What makes a submission the same


def canonical_bytes(submission: Submission) -> bytes:
    """The same bytes for the same submission, whatever the file that brought it looks like.

    Order and style of columns, choices by name or label, spaces, accents composed or not, `12.50` or `12.5`:
    none of it shows. What a form calculates is left out, unless it says whom the row is about. A submission
    with an `instance` carries it; of equal rows without one, the second and later carry their `occurrence`.
    """
    form = submission.form
    skipped = {question.name for question in form.fields if question.kind == "calculate"}.difference(form.key)
    return _canonical_bytes(submission, skipped)


def _canonical_bytes(submission: Submission, skipped: set[str]) -> bytes:
    form = submission.form
    answers = _canonical(submission.answers, skipped)
    said = [form.programme, form.name, submission.instance, submission.occurrence, answers]
    return b"resguardo/submission/1\n" + _ONE_WAY.encode(said).encode()


_ONE_WAY = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _canonical(answers: Answers, skipped: set[str]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name in sorted(answers):
        value = answers[name]
        kind = type(value)
        if value is None or name in skipped:
            continue
        if kind is str:
            said[name] = value if value.isascii() else unicodedata.normalize("NFC", value)
        elif kind is date:
            said[name] = value.isoformat()
        elif kind is Decimal:
            said[name] = format(value.normalize(), "f") if value else "0"
        elif kind is datetime:
            said[name] = (value.astimezone(UTC) if value.tzinfo else value).isoformat()
        elif kind is tuple:
            if value:
                said[name] = [_canonical(row, skipped) if isinstance(row, Mapping) else row for row in value]
        else:
            said[name] = value
    return said


class _Occurrences:
    """How often the same answers were seen, in eight bytes for each: ten million rows take 160 MB.

    A table of 64-bit digests with open addressing; the few that come again are counted in a dictionary.
    """

    def __init__(self) -> None:
        self.table = array("Q", bytes(8 * 1024))
        self.held = 0
        self.again: dict[int, int] = {}

    def count(self, octets: bytes) -> int:
        """The how-manieth time these bytes are seen."""
        digest = int.from_bytes(hashlib.blake2b(octets, digest_size=8).digest(), "big") or 1
        if self._add(self.table, digest):
            self.held += 1
            if self.held * 2 > len(self.table):
                self._grow()
            return 1
        self.again[digest] = self.again.get(digest, 1) + 1
        return self.again[digest]

    @staticmethod
    def _add(table: array[int], digest: int) -> bool:
        mask = len(table) - 1
        at = digest & mask
        while found := table[at]:
            if found == digest:
                return False
            at = (at + 1) & mask
        table[at] = digest
        return True

    def _grow(self) -> None:
        larger = array("Q", bytes(16 * len(self.table)))
        for digest in self.table:
            if digest:
                self._add(larger, digest)
        self.table = larger


# Rows to be mended


def write_rejected(
    path: Path, header: Sequence[str], rejected: Iterable[Rejected], language: Language
) -> int:
    """The rejected rows lie in a CSV file at `path`, what to mend in the first column; gives their number.

    `header` is `Reading.header`. The file holds personal data in clear: only its owner may read it (mode
    0600). A cell that a spreadsheet would run as a formula gets an apostrophe in front, which is taken off
    when the mended file is imported. Refuses to overwrite a file. Writes none if there is no row.
    """
    rows = iter(rejected)
    first = next(rows, None)
    if first is None:
        return 0
    columns = [name for name in header if name != PROBLEM_COLUMN]
    kept = [at for at, name in enumerate(header) if name != PROBLEM_COLUMN]
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused(Problem("collect.file.exists", file=Path(path).name)) from None
    count = 0
    with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((PROBLEM_COLUMN, *columns))
        for each in chain((first,), rows):
            said = "; ".join(_to_mend(problem, language) for problem in each.problems)
            cells = [each.cells[at] if at < len(each.cells) else "" for at in kept]
            beyond = each.cells[len(header) :]
            writer.writerow((said, *(guarded(as_written(cell)) for cell in (*cells, *beyond))))
            count += 1
    return count


def _to_mend(problem: Problem, language: Language) -> str:
    """A problem as the row's own file says it: without the name of the file that the row came from."""
    sheet = problem.sheet if problem.code == "collect.broken.orphan" else None
    return explain(replace(problem, file=None, sheet=sheet, row=None), language)
