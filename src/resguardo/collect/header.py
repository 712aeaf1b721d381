"""The columns of a file, found in a form: by name, by path of groups, or by the label in any language.

The spellings are those of KoboToolbox (`group/name`, a column for each choice, `_name_latitude`), of ODK
Central (`group-name`, `name-Latitude`) and of a sheet made by hand (names or labels, `members[1]/age` for
repeats). A header that could mean two questions is refused with both names; one that means none is reported,
not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from resguardo.collect.cell import Choices, Fault, folded, squeezed, unaccented
from resguardo.collect.sheet import PROBLEM_COLUMN
from resguardo.plan.programme import Form
from resguardo.plan.xlsform import Field, FieldKind
from resguardo.values import Problem, Refused

SEPARATORS = ("/", "-", ".", ":")
"""What may stand between the names of groups and of a question."""

INSTANCE_COLUMNS = (
    "meta/rootUuid",
    "KEY",
    "meta/instanceID",
    "meta-instanceID",
    "meta:instanceID",
    "meta.instanceID",
    "instanceID",
    "_uuid",
)
"""Columns that name a submission, the most lasting first (an edit changes `instanceID`, not `KEY`)."""

VERSION_COLUMNS = ("__version__", "_version_", "FormVersion")

_EXPORTED = """
    start end today deviceid subscriberid simserial audit instanceName formhub/uuid caseid
    _id _index _parent_index _parent_table_name _submission_time _submitted_by _validation_status _notes
    _status _tags _attachments _geolocation _xform_id_string _xform_id _bamboo_dataset_id _date_modified
    _edited _media_all_received _media_count _total_media _duration _version _last_edited
    PARENT_KEY SubmissionDate SubmitterID SubmitterName AttachmentsPresent AttachmentsExpected
    Status ReviewState DeviceID Edits isValidated CompletionDate
"""
METADATA = frozenset((PROBLEM_COLUMN, *INSTANCE_COLUMNS, *VERSION_COLUMNS, *_EXPORTED.split()))
"""Columns that exports add and that are no answers. They are read past without a word."""

_METADATA_PATTERN = re.compile(
    r"SET-OF-.*|_submission_.*|_supplementalDetails/.*|_version__\d+|(?:.*[/-])?__version__\d*"
    r"|meta[/:.-](?:.*[/:.-])?(?:instanceID|instanceName|rootUuid|deprecatedID|audit|entity|label|id)"
)
_REPETITION = re.compile(r"\[(\d{1,6})\]")
_AXES = ("latitude", "longitude", "altitude", "accuracy")
_CENTRAL_AXIS = re.compile(r"(.+)[-/.:](latitude|longitude|altitude|accuracy)", re.IGNORECASE)
_KOBO_AXIS = re.compile(r"((?:.*[/:.-])?)_(.+)_(latitude|longitude|altitude|precision)", re.IGNORECASE)


@dataclass(frozen=True)
class Column:
    """What one column of a file answers."""

    question: Field
    choice: str | None = None
    """It marks this choice of a select_multiple."""
    axis: int | None = None
    """It holds this part of a position: latitude, longitude, altitude, accuracy."""
    repetitions: tuple[tuple[str, int], ...] = ()
    """It belongs to this repetition of these repeats, outermost first."""


@dataclass(frozen=True)
class Columns:
    """A header, understood. The keys are places in the header."""

    answers: Mapping[int, Column]
    instance: tuple[int, ...]
    """Where a submission is named, the most lasting name first."""
    version: int | None
    unknown: tuple[int, ...]
    """Columns that are neither questions of the form nor known metadata."""

    def answered(self) -> set[str]:
        """The questions that have a column."""
        return {column.question.name for column in self.answers.values()}


def columns_of(
    form: Form,
    header: Sequence[str],
    *,
    repeat: str | None = None,
    file: str | None = None,
    sheet: str | None = None,
) -> Columns:
    """The columns of `header` as questions of `form` (or of one of its repeats).

    Refuses a header that could mean two questions, and two columns that answer the same.
    """
    return _Finding(form, repeat, file, sheet).columns(header)


@dataclass
class _Names:
    """The questions of one place (the form itself, or a repeat) by everything that they are called."""

    paths: dict[str, list[Field]] = field(default_factory=dict)
    labels: dict[str, list[Field]] = field(default_factory=dict)
    loose: dict[str, list[Field]] = field(default_factory=dict)

    @classmethod
    def of(cls, questions: Iterable[Field]) -> _Names:
        names = cls()
        for question in questions:
            for alias in _aliases(question):
                _add(names.paths, alias, question)
                _add(names.loose, _bare(alias), question)
            for label in question.label.values():
                _add(names.labels, squeezed(label), question)
                _add(names.loose, _bare(label), question)
        return names


def _add(known: dict[str, list[Field]], name: str, question: Field) -> None:
    holders = known.setdefault(name, [])
    if name and question not in holders:
        holders.append(question)


def _aliases(question: Field) -> Iterator[str]:
    whole = (*question.path, question.name)
    for start in range(len(whole)):
        for separator in SEPARATORS:
            yield separator.join(whole[start:])


def _of_kind(found: list[Field] | None, kind: FieldKind | None) -> list[Field]:
    return [question for question in found or () if kind is None or question.kind == kind]


def _bare(text: str) -> str:
    """A name or label without capitals, accents, and the marks that forms put around a label."""
    return unaccented(text).strip(" *:?¿.")


class _Finding:
    def __init__(self, form: Form, repeat: str | None, file: str | None, sheet: str | None) -> None:
        self.form = form
        self.repeat = repeat
        self.file = file
        self.sheet = sheet
        self.names: dict[str | None, _Names] = {}
        self.lists: dict[str, Choices] = {}
        self.problems: list[Problem] = []

    def columns(self, header: Sequence[str]) -> Columns:
        answers: dict[int, Column] = {}
        taken: dict[tuple[str, str | None, int | None, tuple[tuple[str, int], ...]], int] = {}
        instance: dict[str, int] = {}
        version: int | None = None
        rest: list[int] = []
        for place, written in enumerate(header):
            column = self._column(written, loosely=False)
            if column is None:
                name = squeezed(written)
                if name in INSTANCE_COLUMNS:
                    instance.setdefault(name, place)
                elif name in VERSION_COLUMNS:
                    version = place if version is None else version
                elif name not in METADATA and not _METADATA_PATTERN.fullmatch(name):
                    rest.append(place)
                continue
            mark = (column.question.name, column.choice, column.axis, column.repetitions)
            if mark in taken:
                facts = {"first": header[taken[mark]], "question": column.question.name}
                self._refuse("twice", written, **facts)
            taken.setdefault(mark, place)
            answers[place] = column
        unknown = []
        for place in rest:
            column = self._column(header[place], loosely=True)
            if column is not None:
                mark = (column.question.name, column.choice, column.axis, column.repetitions)
                if mark not in taken:
                    taken[mark] = place
                    answers[place] = column
                    continue
            if not self._is_attachment_address(header[place]):
                unknown.append(place)
        if self.problems:
            raise Refused(*self.problems)
        named = tuple(instance[name] for name in INSTANCE_COLUMNS if name in instance)
        return Columns(answers, named, version, tuple(unknown))

    def _refuse(self, key: str, column: str, **facts: str) -> None:
        facts = {name: value[:80] for name, value in facts.items()}
        problem = Problem(f"collect.header.{key}", facts, self.file, self.sheet, None, column[:80])
        if problem not in self.problems:
            self.problems.append(problem)

    def _of(self, repeat: str | None) -> _Names:
        if repeat not in self.names:
            questions = [question for question in self.form.fields if question.repeat == repeat]
            self.names[repeat] = _Names.of(questions)
        return self.names[repeat]

    def _choices(self, question: Field) -> Choices:
        name = question.list_name or ""
        if name not in self.lists:
            self.lists[name] = Choices(self.form.choices.get(name, ()))
        return self.lists[name]

    def _column(self, written: str, *, loosely: bool) -> Column | None:
        written = squeezed(written)
        if not written:
            return None
        column = self._in(self.repeat, written, loosely)
        if column is None and self.repeat is None and "[" in written:
            return self._repeated(written)
        return column

    def _in(self, repeat: str | None, written: str, loosely: bool) -> Column | None:
        names = self._of(repeat)
        question = self._question(names, written, loosely)
        if question is not None:
            return Column(question)
        return self._choice_column(names, written, loosely) or self._position_column(names, written)

    def _question(
        self, names: _Names, written: str, loosely: bool, kind: FieldKind | None = None
    ) -> Field | None:
        """The question that a header names, among those of one kind if `kind` is given."""
        if not loosely:
            for known, name in (
                (names.paths, written.removeprefix("/")),
                (names.labels, written),
            ):
                if found := _of_kind(known.get(name), kind):
                    return self._only(found, written)
            if written in METADATA or written.startswith("_"):
                return None
            found = _of_kind(names.loose.get(_bare(written)), kind)
            return self._only(found, written) if found else None
        for place in (place.end() for place in re.finditer(r"[/:]\s*", written)):
            if found := _of_kind(names.labels.get(written[place:]), kind):
                return found[0] if len(found) == 1 else None
        return None

    def _only(self, found: list[Field], written: str) -> Field | None:
        if len(found) == 1:
            return found[0]
        self._refuse("unclear", written, questions=", ".join(question.name for question in found))
        return None

    def _choice_column(self, names: _Names, written: str, loosely: bool) -> Column | None:
        for place in (place.start() for place in reversed(list(re.finditer("/", written)))):
            question = self._question(names, written[:place].rstrip(), loosely, "select_multiple")
            if question is not None:
                choice = self._choices(question).find(written[place + 1 :])
                if not isinstance(choice, Fault):
                    return Column(question, choice=choice)
        return None

    def _position_column(self, names: _Names, written: str) -> Column | None:
        found = _KOBO_AXIS.fullmatch(written)
        name = found[1] + found[2] if found else ""
        if found is None and (found := _CENTRAL_AXIS.fullmatch(written)):
            name = found[1]
        if found is None:
            return None
        axis = found[found.lastindex or 0].lower()
        question = self._question(names, name, False, "geopoint")
        if question is None:
            return None
        return Column(question, axis=3 if axis == "precision" else _AXES.index(axis))

    def _repeated(self, written: str) -> Column | None:
        """A column such as `members[2]/age`: the repeats with their numbers, then the question."""
        parts = _REPETITION.split(written)
        repetitions: list[tuple[str, int]] = []
        for prefix, number in zip(parts[:-1:2], parts[1::2], strict=True):
            last = re.split(r"[/:]", prefix.strip("/:.-"))[-1]
            repeat = repeat_called(self.form, last) or repeat_called(self.form, prefix.strip("/:.-"))
            if repeat is None:
                return None
            repetitions.append((repeat, int(number)))
        names = [name for name, _ in repetitions]
        if not names or tuple(names) != repeats_around(self.form, names[-1]):
            return None
        rest = parts[-1].strip().lstrip("/:.-")
        column = self._in(names[-1], rest, False) or self._in(names[-1], rest, True)
        if column is None:
            return None
        return Column(column.question, column.choice, column.axis, tuple(repetitions))

    def _is_attachment_address(self, written: str) -> bool:
        if not written.casefold().endswith("_url"):
            return False
        names = self._of(self.repeat)
        found = names.paths.get(written[:-4], []) or names.labels.get(squeezed(written[:-4]), [])
        return any(question.kind == "file" for question in found)


def repeats_around(form: Form, repeat: str) -> tuple[str, ...]:
    """The repeats that lead to `repeat`, outermost first, itself last."""
    path = form.repeats[repeat]
    return tuple(name for name in path if name in form.repeats)


def inner_repeats(form: Form, repeat: str | None) -> tuple[str, ...]:
    """The repeats that lie directly inside `repeat`, or directly in the form."""
    around = repeats_around(form, repeat) if repeat is not None else ()
    return tuple(name for name in form.repeats if repeats_around(form, name)[:-1] == around)


def repeat_called(form: Form, name: str) -> str | None:
    """The repeat that a sheet or a header calls `name`: Excel cuts names, ODK Central numbers equal ones.

    A cut name is taken only if no other repeat begins like it.
    """
    if name in form.repeats:
        return name
    name = folded(re.sub(r"~\d+$", "", name))
    exact = [repeat for repeat in form.repeats if folded(repeat) == name]
    cut = [
        repeat for repeat in form.repeats if len(name) >= 28 and folded(repeat).startswith(name.rstrip(".…"))
    ]
    for found in (exact, cut):
        if len(found) == 1:
            return found[0]
    return None
