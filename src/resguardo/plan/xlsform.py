"""An XLSForm, read: its questions with their sensitivity, its lists, and the XForm that a phone fills.

The sheets are those of XLSForm (https://xlsform.org): `survey`, `choices`, `settings`, as Markdown tables or
as a workbook, with one more column in `survey`: `sensitivity` (identifier, quasi, sensitive or plain). Every
question that stores an answer says its sensitivity, or the form is refused.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from resguardo.plan.workbook import FormSheet, Row, Workbook, read_workbook
from resguardo.values import Language, Problem, Refused, Sensitivity, Words

FieldKind = Literal[
    "text",
    "integer",
    "decimal",
    "date",
    "datetime",
    "time",
    "select_one",
    "select_multiple",
    "geopoint",
    "file",
    "calculate",
    "hidden",
]

XFORMS_NAMESPACE = "urn:resguardo:xforms"
"""The namespace of the attribute `sensitivity` on an XForm's binds."""


@dataclass(frozen=True)
class Choice:
    """One code of a list, and what a person reads for it."""

    name: str
    label: Words
    columns: Mapping[str, str] = field(default_factory=dict)
    """Further columns of the row, which a choice filter may use."""


@dataclass(frozen=True)
class Field:
    """A question that stores an answer."""

    name: str
    path: tuple[str, ...]
    """The groups and repeats that it lies in, outermost first."""
    kind: FieldKind
    label: Words
    hint: Words
    sensitivity: Sensitivity
    required: bool
    """It must always be answered when it is asked. See `required_when` for a rule."""
    required_when: str | None
    """The expression that says when it must be answered, if it is neither always nor never."""
    constraint: str | None
    constraint_message: Words
    relevant: str | None
    """When this question is asked; `conditional` also knows the groups around it."""
    conditional: bool
    """It, or a group that it lies in, is only asked under a condition."""
    list_name: str | None
    choice_filter: str | None
    repeat: str | None
    """The innermost repeat that it lies in."""
    calculation: str | None
    default: str | None
    row: int
    """The row of the sheet `survey` that a spreadsheet shows."""


@dataclass(frozen=True)
class FormText:
    """A form as its file says it."""

    name: str
    file: str
    fields: tuple[Field, ...]
    choices: Mapping[str, tuple[Choice, ...]]
    repeats: Mapping[str, tuple[str, ...]]
    """Each repeat's name and its path, which ends with its own name; outer repeats come first."""
    settings: Mapping[str, str]
    groups: Mapping[str, str | None]
    """The path of every group and repeat, joined by `/`, and the condition under which it is asked."""
    _sheets: Mapping[str, FormSheet] = field(repr=False, compare=False)

    @cached_property
    def xform(self) -> str:
        """The form as an XForm, each field's bind carrying its sensitivity. Made once, when first needed."""
        return _xform_of(self)


# What XLSForm calls things

_KINDS: Mapping[str, FieldKind] = {
    "text": "text",
    "string": "text",
    "barcode": "text",
    "acknowledge": "text",
    "trigger": "text",
    "integer": "integer",
    "int": "integer",
    "decimal": "decimal",
    "range": "integer",
    "date": "date",
    "datetime": "datetime",
    "date time": "datetime",
    "time": "time",
    "geopoint": "geopoint",
    "location": "geopoint",
    "gps": "geopoint",
    "image": "file",
    "photo": "file",
    "audio": "file",
    "video": "file",
    "file": "file",
    "calculate": "calculate",
    "hidden": "hidden",
}
_SELECTS: Mapping[str, FieldKind] = {
    "select_one": "select_one",
    "select one": "select_one",
    "select one from": "select_one",
    "select1": "select_one",
    "select_multiple": "select_multiple",
    "select multiple": "select_multiple",
    "select multiple from": "select_multiple",
    "select all that apply": "select_multiple",
    "select all that apply from": "select_multiple",
    "rank": "select_multiple",
}
_SILENT = frozenset({"note", "start", "end", "today"})
"""Rows that store nothing that we keep: texts to read, and the times that a phone notes by itself."""

_SPYING = frozenset(
    {
        "deviceid",
        "device id",
        "imei",
        "subscriberid",
        "simserial",
        "sim id",
        "phonenumber",
        "phone number",
        "username",
        "email",
        "audit",
        "start-geopoint",
        "background-geopoint",
        "background-audio",
    }
)
"""What a phone would note about its owner without asking. Never collected."""

_OLD_FORM_IDS = ("id_string", "set_form_id")

_BEGIN = re.compile(r"^begin[ _](group|repeat)$")
_END = re.compile(r"^end[ _](group|repeat)$")
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_.-]*$")
_REFERENCE = re.compile(r"\$\{\s*(?:last-saved#)?([^}\s]*)\s*\}")
_ROW_OF_CONVERTER = re.compile(r"\[row\s*:\s*(\d+)\]\s*")
_LANGUAGE_TAG = re.compile(r"\(([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)\)\s*$")
_LANGUAGE_NAMES: Mapping[str, Language] = {
    "español": "es",
    "spanish": "es",
    "english": "en",
    "inglés": "en",
    "français": "fr",
    "french": "fr",
    "francés": "fr",
    "kreyòl": "ht",
    "kreyòl ayisyen": "ht",
    "haitian creole": "ht",
}
_SPELLINGS: Mapping[str, str] = {
    "caption": "label",
    "command": "type",
    "tag": "name",
    "relevance": "relevant",
    "calculate": "calculation",
    "constraining_message": "constraint_message",
    "readonly": "read_only",
    "requiredmsg": "required_message",
    "noapperrorstring": "no_app_error_string",
    "count": "repeat_count",
    "list name": "list_name",
}
_SPOKEN = frozenset(
    {"label", "hint", "guidance_hint", "constraint_message", "required_message"}
    | {"image", "big-image", "audio", "video"}
)
_SHOWN = _SPOKEN - {"guidance_hint", "constraint_message", "required_message"} | {"media"}
"""Columns with which a question or a choice shows itself to a person."""

_EXPRESSIONS = frozenset(
    {"relevant", "constraint", "calculation", "choice_filter", "required", "repeat_count"}
)
_SURVEY_COLUMNS = (
    _SPOKEN
    | _EXPRESSIONS
    | {"type", "name", "sensitivity", "appearance", "parameters", "default", "read_only", "trigger"}
    | {"autoplay", "rows", "save_to", "intent", "disabled", "no_app_error_string", "compact_tag"}
)
_PREFIXES = ("bind", "body", "control", "instance", "media")
_YES = frozenset({"yes", "true", "true()"})
_NO = frozenset({"no", "false", "false()", ""})

_FIRST, _NEXT, _LATER, _LAST = range(4)


def read_form(source: Path | bytes, *, name: str, file_label: str | None = None) -> FormText:
    """The form in a file (`.md` or `.xlsx`) or in its bytes; `file_label` is what a person calls the file.

    Refuses with every fault found, those that explain others first. The XForm is made when it is first asked
    for (`FormText.xform`); `check_xform` makes it now and says what the converter refuses.

    >>> form = read_form(b'''
    ... | survey |
    ... |        | type | name | label::English (en) | sensitivity |
    ... |        | date | born | Date of birth       | quasi       |
    ... ''', name="birth", file_label="birth.md")
    >>> form.fields[0].sensitivity.value, form.fields[0].row
    ('quasi', 2)
    """
    label = file_label or (source.name if isinstance(source, Path) else name)
    return _Reading(name, label, read_workbook(source, file_label=label)).form()


def check_xform(form: FormText) -> None:
    """The form has an XForm that the converter accepts. Refuses with what the converter says, row by row."""
    _ = form.xform


def references(expression: str) -> tuple[str, ...]:
    """The questions that an expression names as ``${name}``, in order.

    >>> references("${age} >= 18 and ${consent} = 'yes'")
    ('age', 'consent')
    """
    return tuple(_REFERENCE.findall(expression))


class _Reading:
    """One form being read: gathers everything that is wrong before it refuses."""

    def __init__(self, name: str, label: str, workbook: Workbook) -> None:
        self.name = name
        self.label = label
        self.problems: list[tuple[int, Problem]] = [(_FIRST, problem) for problem in workbook.problems]
        self.sheets = {key: self._renamed(sheet) for key, sheet in workbook.sheets.items() if key != ""}
        self.sheet_names = workbook.names
        self.settings: dict[str, str] = {}
        self.choices: dict[str, list[Choice]] = {}
        self.fields: list[Field] = []
        self.repeats: dict[str, tuple[str, ...]] = {}
        self.groups: dict[str, str | None] = {}
        self.places: dict[str, Row] = {}

    # Reading

    def form(self) -> FormText:
        survey = self.sheets.get("survey")
        if survey is None or not survey.header:
            found = ", ".join(self.sheet_names) or "-"
            raise Refused(Problem("plan.form.no_survey", {"found": found}, self.label))
        self._read_settings()
        self._check_columns(survey)
        self._stop(_FIRST)
        self._read_choices()
        self._read_survey(survey)
        self._check_references(survey)
        if not self.fields and not self.problems:
            self._refuse(_FIRST, "no_questions", sheet="survey")
        self._stop()
        return FormText(
            name=self.name,
            file=self.label,
            fields=tuple(self.fields),
            choices=MappingProxyType({key: tuple(codes) for key, codes in self.choices.items()}),
            repeats=MappingProxyType(self.repeats),
            settings=MappingProxyType(self.settings),
            groups=MappingProxyType(self.groups),
            _sheets=self.sheets,
        )

    def _stop(self, upto: int = _LAST) -> None:
        """Refuses if anything as grave as `upto` was found; then everything found is said."""
        if any(weight <= upto and problem.code != "plan.form.bar" for weight, problem in self.problems) or (
            upto == _LAST and self.problems
        ):
            order = sorted(
                self.problems, key=lambda found: (found[0], found[1].sheet == "choices", found[1].row or 0)
            )
            raise Refused(*(problem for _, problem in order))

    def _refuse(
        self,
        weight: int,
        key: str,
        *,
        sheet: str | None = None,
        row: Row | None = None,
        column: str | None = None,
        number: int | None = None,
        **facts: str,
    ) -> None:
        if row is not None and row.line is not None:
            facts["line"] = str(row.line)
        number = row.number if row is not None else number
        self.problems.append((weight, Problem(f"plan.form.{key}", facts, self.label, sheet, number, column)))

    def _renamed(self, sheet: FormSheet) -> FormSheet:
        """The sheet with the column names that XLSForm means, whatever spelling it was given."""
        names = {column: _column(column, sheet.name) for column in sheet.header if column}
        if sheet.name == "settings" and "form_id" in names:
            names.update({old: old for old in _OLD_FORM_IDS if old in names})  # the new spelling counts
        seen = Counter(names[column] for column in sheet.header if column)
        for column, times in seen.items():
            if times > 1:
                self.problems.append(
                    (
                        _FIRST,
                        Problem(
                            "plan.form.column_twice",
                            {"line": str(sheet.header_line)} if sheet.header_line else {},
                            self.label,
                            sheet.name,
                            1,
                            column,
                        ),
                    )
                )
        rows = tuple(
            Row(row.number, row.line, {names[key]: value for key, value in row.cells.items()}, row.torn)
            for row in sheet.rows
        )
        header = tuple(names.get(column, "") for column in sheet.header)
        return FormSheet(sheet.name, header, sheet.header_line, rows)

    def _read_settings(self) -> None:
        sheet = self.sheets.get("settings")
        rows = [row for row in sheet.rows if row.cells] if sheet else []
        if rows:
            self.settings = dict(rows[0].cells)

    def _check_columns(self, survey: FormSheet) -> None:
        header = Row(1, survey.header_line, {})
        bases = {column.partition("::")[0] for column in survey.header if column}
        for needed in ("type", "name", "sensitivity"):
            if needed not in bases:
                close = _closest(needed, bases)
                key = "column_misspelt" if close else "column_missing"
                self._refuse(
                    _FIRST if needed != "sensitivity" else _NEXT,
                    "sensitivity_column" if needed == "sensitivity" and not close else key,
                    sheet="survey",
                    row=header,
                    column=close or needed,
                    meant=needed,
                )
        for column in survey.header:
            base = column.partition("::")[0]
            if not column or base in _SURVEY_COLUMNS or base in _PREFIXES:
                continue
            close = _closest(base, _SURVEY_COLUMNS - bases)
            if close and close not in ("type", "name", "sensitivity"):
                self._refuse(
                    _LATER, "column_misspelt", sheet="survey", row=header, column=column, meant=close
                )
        if "sensitivity" not in survey.header and "sensitivity" in bases:
            self._refuse(_NEXT, "sensitivity_translated", sheet="survey", row=header, column="sensitivity")

    def _read_choices(self) -> None:
        sheet = self.sheets.get("choices")
        if sheet is None or not sheet.rows:
            return
        header = Row(1, sheet.header_line, {})
        for needed in ("list_name", "name"):
            if needed not in sheet.header:
                self._refuse(
                    _FIRST, "column_missing", sheet="choices", row=header, column=needed, meant=needed
                )
        self._stop(_FIRST)
        repeated_allowed = self.settings.get("allow_choice_duplicates", "").lower() in _YES
        first_rows: dict[tuple[str, str], int] = {}
        for row in sheet.rows:
            if not row.cells or row.torn:
                continue
            list_name, code = row.cells.get("list_name"), row.cells.get("name")
            if not list_name and not code:
                continue
            if not list_name or not code:
                missing = "list_name" if not list_name else "name"
                self._refuse(_NEXT, "choice_incomplete", sheet="choices", row=row, column=missing)
                continue
            if re.search(r"[\s|]", code):
                self._refuse(_NEXT, "choice_code", sheet="choices", row=row, column="name", code=code)
            earlier = first_rows.setdefault((list_name, code), row.number)
            if earlier != row.number and not repeated_allowed:
                self._refuse(
                    _NEXT,
                    "choice_twice",
                    sheet="choices",
                    row=row,
                    column="name",
                    code=code,
                    list=list_name,
                    first=str(earlier),
                )
            spoken = self._spoken(row.cells, "label")
            if not any(column.partition("::")[0] in _SHOWN for column in row.cells):
                self._refuse(_LATER, "choice_unlabelled", sheet="choices", row=row, column="label", code=code)
            others = {
                column: value
                for column, value in row.cells.items()
                if column not in ("list_name", "name") and column.partition("::")[0] not in _SPOKEN
            }
            self.choices.setdefault(list_name, []).append(Choice(code, spoken, MappingProxyType(others)))

    def _read_survey(self, survey: FormSheet) -> None:
        open_groups: list[tuple[str, str, Row, str | None]] = []
        """Kind, name, row and condition of each group that has begun and not ended."""
        siblings: dict[tuple[str, ...], dict[str, int]] = {}
        for row in survey.rows:
            cells = row.cells
            if not cells or cells.get("disabled", "").lower() in _YES:
                continue
            written = " ".join(cells.get("type", "").split())
            kind_written = written.lower()
            if not kind_written:
                if "name" in cells or "label" in {column.partition("::")[0] for column in cells}:
                    self._refuse(_NEXT, "no_type", sheet="survey", row=row, column="type")
                continue
            if kind_written.startswith("#"):
                continue
            if ending := _END.match(kind_written):
                self._close_group(open_groups, ending[1], row)
                continue
            if re.match(r"^(begin|end)[ _]", kind_written) and not _BEGIN.match(kind_written):
                self._refuse(_NEXT, "type", sheet="survey", row=row, column="type", type=written)
                continue
            path = tuple(name for _, name, _, _ in open_groups)
            name = cells.get("name", "")
            beginning = _BEGIN.match(kind_written)
            silent = kind_written in _SILENT
            if not self._name_holds(name, row, path, siblings, optional=silent):
                name = name or f"row_{row.number}"
            if beginning:
                self._open_group(open_groups, beginning[1], name, row, path)
                continue
            if silent:
                continue
            if kind_written in _SPYING or kind_written.removeprefix("uri:") in _SPYING:
                self._refuse(_NEXT, "spying", sheet="survey", row=row, column="type", type=written)
                continue
            kind, list_name = self._kind_of(written, row)
            if row.torn:
                continue
            sensitivity = self._sensitivity_of(row, name)
            if kind is None or sensitivity is None:
                continue
            self.fields.append(self._field(row, name, path, kind, list_name, sensitivity, open_groups))
        for kind_open, name, row, _ in open_groups:
            self._refuse(
                _NEXT, "group_open", sheet="survey", row=row, column="type", kind=kind_open, name=name
            )

    def _open_group(
        self,
        open_groups: list[tuple[str, str, Row, str | None]],
        kind: str,
        name: str,
        row: Row,
        path: tuple[str, ...],
    ) -> None:
        condition = row.cells.get("relevant")
        open_groups.append((kind, name, row, condition))
        self.groups["/".join((*path, name))] = condition
        if kind == "repeat":
            self.repeats[name] = (*path, name)

    def _close_group(self, open_groups: list[tuple[str, str, Row, str | None]], kind: str, row: Row) -> None:
        if not open_groups:
            self._refuse(_NEXT, "group_never_begun", sheet="survey", row=row, column="type", kind=kind)
            return
        kind_open, name, begun, _ = open_groups.pop()
        if kind_open != kind:
            self._refuse(
                _NEXT,
                "group_crossed",
                sheet="survey",
                row=row,
                column="type",
                kind=kind,
                open=kind_open,
                name=name,
                begun=str(begun.number),
            )

    def _name_holds(
        self,
        name: str,
        row: Row,
        path: tuple[str, ...],
        siblings: dict[tuple[str, ...], dict[str, int]],
        *,
        optional: bool,
    ) -> bool:
        if not name:
            if not optional:
                self._refuse(_NEXT, "no_name", sheet="survey", row=row, column="name")
            return False
        if not _NAME.match(name):
            self._refuse(_NEXT, "name", sheet="survey", row=row, column="name", name=name)
            return False
        if name == "meta" and not path:
            self._refuse(_NEXT, "name_reserved", sheet="survey", row=row, column="name", name=name)
            return False
        grouping = bool(re.match(r"^begin[ _]group$", row.cells.get("type", "").lower()))
        beside = siblings.setdefault(path, {})
        earlier = beside.get(name)
        if earlier is None and not grouping and name in self.places:
            earlier = self.places[name].number
        beside.setdefault(name, row.number)
        if not grouping:
            self.places.setdefault(name, row)
        if earlier is not None:
            self._refuse(
                _NEXT, "name_twice", sheet="survey", row=row, column="name", name=name, first=str(earlier)
            )
            return False
        return True

    def _kind_of(self, written: str, row: Row) -> tuple[FieldKind | None, str | None]:
        lowered = written.lower()
        if lowered == "range" and "." in row.cells.get("parameters", ""):
            return "decimal", None
        if lowered in _KINDS:
            return _KINDS[lowered], None
        for command in sorted(_SELECTS, key=len, reverse=True):
            if lowered == command or lowered.startswith(command + " "):
                rest = written[len(command) :].split()
                return _SELECTS[command], self._list_of(rest, row)
        if "from_file" in lowered or "from file" in lowered or "external" in lowered:
            self._refuse(_NEXT, "list_outside", sheet="survey", row=row, column="type", type=written)
            return None, None
        close = _closest(lowered.split()[0], {*_KINDS, *_SELECTS, "note", "begin_group", "begin_repeat"})
        self._refuse(
            _NEXT,
            "type_misspelt" if close else "type",
            sheet="survey",
            row=row,
            column="type",
            type=written,
            meant=close or "",
        )
        return None, None

    def _list_of(self, rest: list[str], row: Row) -> str | None:
        if not rest:
            self._refuse(_NEXT, "list_unnamed", sheet="survey", row=row, column="type")
            return None
        if len(rest) > 1:
            key = "or_other" if "other" in " ".join(rest[1:]).lower() else "list_words"
            self._refuse(_NEXT, key, sheet="survey", row=row, column="type", list=" ".join(rest))
        list_name = rest[0]
        if list_name not in self.choices:
            close = _closest(list_name, self.choices)
            self._refuse(
                _NEXT,
                "list_misspelt" if close else "list_missing",
                sheet="survey",
                row=row,
                column="type",
                list=list_name,
                meant=close or "",
            )
        return list_name

    def _sensitivity_of(self, row: Row, name: str) -> Sensitivity | None:
        if "sensitivity" not in self.sheets["survey"].header:
            return None
        written = row.cells.get("sensitivity", "")
        try:
            return Sensitivity(written)
        except ValueError:
            pass
        close = _closest(written.lower(), set(Sensitivity)) if written else None
        self._refuse(
            _LATER,
            "sensitivity_misspelt" if close else "sensitivity_unknown" if written else "sensitivity_missing",
            sheet="survey",
            row=row,
            column="sensitivity",
            name=name,
            written=written,
            meant=close or "",
        )
        return None

    def _field(
        self,
        row: Row,
        name: str,
        path: tuple[str, ...],
        kind: FieldKind,
        list_name: str | None,
        sensitivity: Sensitivity,
        open_groups: Sequence[tuple[str, str, Row, str | None]],
    ) -> Field:
        cells = row.cells
        label = self._spoken(cells, "label")
        seen = any(column.partition("::")[0] in _SHOWN for column in cells)
        if not seen and kind not in ("calculate", "hidden"):
            self._refuse(_LATER, "unlabelled", sheet="survey", row=row, column="label", name=name)
        if kind == "calculate" and not cells.get("calculation") and not cells.get("default"):
            self._refuse(_LATER, "no_calculation", sheet="survey", row=row, column="calculation", name=name)
        required = cells.get("required", "")
        enclosing = [group for kind_open, group, _, _ in open_groups if kind_open == "repeat"]
        return Field(
            name=name,
            path=path,
            kind=kind,
            label=label,
            hint=self._spoken(cells, "hint"),
            sensitivity=sensitivity,
            required=required.lower() in _YES,
            required_when=required if required.lower() not in _YES | _NO else None,
            constraint=cells.get("constraint"),
            constraint_message=self._spoken(cells, "constraint_message"),
            relevant=cells.get("relevant"),
            conditional=any((cells.get("relevant"), *(condition for *_, condition in open_groups))),
            list_name=list_name,
            choice_filter=cells.get("choice_filter"),
            repeat=enclosing[-1] if enclosing else None,
            calculation=cells.get("calculation"),
            default=cells.get("default"),
            row=row.number,
        )

    def _spoken(self, cells: Mapping[str, str], column: str) -> Words:
        words: dict[Language, str] = {}
        for header, text in cells.items():
            base, _, tongue = header.partition("::")
            if base == column:
                words[language_of(tongue or self.settings.get("default_language", ""))] = text
        return MappingProxyType(words)

    def _check_references(self, survey: FormSheet) -> None:
        known = {row.cells["name"] for row in survey.rows if row.cells.get("name")}
        for row in survey.rows:
            if row.torn or row.cells.get("disabled", "").lower() in _YES:
                continue
            for column, text in row.cells.items():
                base = column.partition("::")[0]
                if base not in _SURVEY_COLUMNS and base not in _PREFIXES:
                    continue
                for name in references(text):
                    if name not in known:
                        self._unknown_reference(row, column, name, known)
                if base in _EXPRESSIONS and not _balanced(text):
                    self._refuse(_LATER, "unbalanced", sheet="survey", row=row, column=column)

    def _unknown_reference(self, row: Row, column: str, name: str, known: set[str]) -> None:
        close = _closest(name, known)
        self._refuse(
            _LATER,
            "reference_misspelt" if close else "reference",
            sheet="survey",
            row=row,
            column=column,
            name=name or " ",
            meant=close or "",
        )


def language_of(written: str) -> Language:
    """The tag of a language as a form names it.

    >>> language_of("Español (es)"), language_of("English"), language_of("ht"), language_of("")
    ('es', 'en', 'ht', 'es')
    """
    written = written.strip()
    if tag := _LANGUAGE_TAG.search(written):
        return tag[1].lower()
    return _LANGUAGE_NAMES.get(written.lower(), written.lower() or "es")


def _column(written: str, sheet: str) -> str:
    """A column's name as XLSForm means it: lower case before `::`, old spellings made new."""
    written = " ".join(written.split())
    base, double, rest = written.partition("::")
    if not double and ":" in written:
        base, double, rest = written.partition(":")
        if base.strip().lower() not in _SPOKEN:
            return written
    base = base.strip().lower()
    base = _SPELLINGS.get(base, base)
    if sheet == "choices" and base == "value":
        base = "name"
    if sheet == "settings":
        base = "form_id" if base in _OLD_FORM_IDS else base
    return f"{base}::{rest.strip()}" if double else base


def _closest(word: str, known: Iterable[str]) -> str | None:
    found = difflib.get_close_matches(word, [str(name) for name in known], n=1, cutoff=0.75)
    return found[0] if found else None


def _balanced(expression: str) -> bool:
    """Every bracket and quotation mark that opens also closes.

    >>> _balanced("selected(${a}, 'x)')"), _balanced("(${a} = 1"), _balanced("'")
    (True, False, False)
    """
    waiting: list[str] = []
    quoted: str | None = None
    for sign in expression:
        if quoted:
            quoted = None if sign == quoted else quoted
        elif sign in "'\"":
            quoted = sign
        elif sign in "([{":
            waiting.append({"(": ")", "[": "]", "{": "}"}[sign])
        elif sign in ")]}" and (not waiting or waiting.pop() != sign):
            return False
    return not waiting and quoted is None


# The XForm


def _xform_of(form: FormText) -> str:
    """The form through pyxform, with each field's sensitivity injected as an attribute of its bind."""
    from pyxform.builder import create_survey_element_from_dict
    from pyxform.xls2json import workbook_to_json
    from pyxform.xls2json_backends import DefinitionData

    stored = {answer.row: answer.sensitivity.value for answer in form.fields}
    attribute = "bind::resguardo:sensitivity"
    survey = []
    for row in form._sheets["survey"].rows:
        cells = {column: text for column, text in row.cells.items() if _is_known_column(column)}
        cells.pop("sensitivity", None)
        if row.number in stored:
            cells[attribute] = stored[row.number]
        survey.append(cells)
    columns = [*(c for c in form._sheets["survey"].header if c and _is_known_column(c)), attribute]
    columns.remove("sensitivity")
    settings = {key: text for key, text in form.settings.items() if key not in _OLD_FORM_IDS}
    namespace = f'resguardo="{XFORMS_NAMESPACE}"'
    settings["namespaces"] = f"{settings.get('namespaces', '')} {namespace}".strip()
    choices = form._sheets.get("choices")
    definition = DefinitionData(
        survey=survey,
        survey_header=[dict.fromkeys(columns)],
        choices=[dict(row.cells) for row in choices.rows] if choices else None,
        choices_header=[dict.fromkeys(c for c in choices.header if c)] if choices else None,
        settings=[settings],
        settings_header=[dict.fromkeys(settings)],
        sheet_names=list(form._sheets),
        fallback_form_name=form.name,
    )
    try:
        json = workbook_to_json(definition, form_name="data", fallback_form_name=form.name, warnings=[])
        return str(
            create_survey_element_from_dict(json).to_xml(validate=False, pretty_print=False, warnings=[])
        )
    except Exception as failure:  # pyxform raises its own errors, and bare IndexError or KeyError
        raise Refused(*_conversion_problems(failure, form)) from None


def _is_known_column(column: str) -> bool:
    base = column.partition("::")[0]
    return base in _SURVEY_COLUMNS or base in _PREFIXES or base.startswith(("bind:", "body:", "instance:"))


def _conversion_problems(failure: Exception, form: FormText) -> list[Problem]:
    lines = {row.number: row.line for row in form._sheets["survey"].rows}
    problems = []
    said = str(failure) if type(failure).__module__.startswith("pyxform") else ""
    for sentence in said.split("\n[row") if said else [""]:
        sentence = sentence if sentence.startswith("[row") or sentence is said else f"[row{sentence}"
        found = _ROW_OF_CONVERTER.search(sentence)
        row = int(found[1]) if found else None
        sheet = "choices" if "'choices' sheet" in sentence else "survey"
        facts = {"detail": " ".join(_ROW_OF_CONVERTER.sub("", sentence).split())}
        if sheet == "survey" and row is not None and lines.get(row):
            facts["line"] = str(lines[row])
        key = "converter" if facts["detail"] else "converter_silent"
        problems.append(Problem(f"plan.form.{key}", facts, form.file, sheet, row))
    return problems
