"""A programme: a folder that says what is asked of whom, why, for how long, and what is counted.

`load_programme` reads the folder and refuses it with everything that is wrong in it; `docs/programmes.md`
describes the format and every refusal. What a programme is made of is in `resguardo.plan.declaration`, and
can be imported from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from resguardo.plan.condition import Condition, Operator, parse_condition
from resguardo.plan.declaration import (
    MOST_DIMENSIONS,
    ConsentQuestion,
    Form,
    Index,
    Indicator,
    OpenSource,
    Programme,
    Purpose,
    Recipient,
    ReferenceTable,
    SearchIndex,
    Status,
    Unit,
)
from resguardo.plan.fact import (
    AGE_BANDS,
    ALWAYS,
    COUNT_BANDS,
    DAY,
    Derivation,
    FactSource,
    FactType,
    age_band,
    count_band,
    has_day,
)
from resguardo.plan.loading import Loading
from resguardo.plan.purposes import (
    BUILT_IN,
    LEGAL_CLAIM,
    RIGHTS,
    FormRules,
    ProgrammeRules,
    find_programmes,
    purposes_in,
)
from resguardo.plan.toml_table import closest
from resguardo.plan.xlsform import Choice, Field, FieldKind, check_xform
from resguardo.values import Basis, Population, Problem, Refused

__all__ = [
    "AGE_BANDS",
    "ALWAYS",
    "BUILT_IN",
    "COUNT_BANDS",
    "DAY",
    "MOST_DIMENSIONS",
    "Choice",
    "Condition",
    "ConsentQuestion",
    "Derivation",
    "FactSource",
    "FactType",
    "Field",
    "FieldKind",
    "Form",
    "FormRules",
    "Index",
    "Indicator",
    "OpenSource",
    "Operator",
    "Programme",
    "ProgrammeRules",
    "Purpose",
    "Recipient",
    "ReferenceTable",
    "SearchIndex",
    "Status",
    "Unit",
    "age_band",
    "built_in",
    "cautions",
    "check_forms",
    "count_band",
    "find_programmes",
    "has_day",
    "load_programme",
    "new_programme",
    "parse_condition",
    "programme_called",
    "purposes_in",
]


def load_programme(folder: Path) -> Programme:
    """The programme in `folder`, complete and checked, its forms accepted by the form converter.

    Refuses with everything that is wrong in the folder: file, sheet, row, column (in `programme.toml`: table
    and key) and what to do. Runs nothing of the folder.
    """
    programme = Loading(folder).programme()
    check_forms(programme)
    return programme


def check_forms(programme: Programme) -> None:
    """Every form of the programme becomes an XForm. Refuses with what the converter says of all of them."""
    problems: list[Problem] = []
    for form in programme.forms:
        try:
            check_xform(form.text)
        except Refused as refused:
            problems.extend(refused.problems)
    if problems:
        raise Refused(*problems)


@cache
def built_in() -> tuple[Programme, ...]:
    """The programmes that come with the package, by name.

    Their XForms are made when they are first needed: our own tests have converted them.
    """
    programmes: list[Programme] = []
    problems: list[Problem] = []
    for folder in find_programmes((BUILT_IN,)):
        try:
            programmes.append(Loading(folder).programme())
        except Refused as refused:
            problems.extend(refused.problems)
    if problems:
        raise Refused(*problems)
    return tuple(programmes)


def programme_called(name: str, folders: Iterable[Path] = ()) -> Programme:
    """The programme of that name, built in or in `folders`; or the one whose folder has the path `name`.

    Refuses an unknown name with the names that are known.
    """
    known = {folder.name: folder for folder in find_programmes((BUILT_IN, *folders))}
    if name in known:
        folder = known[name]
        return Loading(folder).programme() if folder.parent == BUILT_IN else load_programme(folder)
    if "/" in name or "\\" in name or (Path(name) / "programme.toml").is_file():
        return load_programme(Path(name))
    close = closest(name, known)
    code = "plan.programme.unknown_misspelt" if close else "plan.programme.unknown"
    raise Refused(Problem(code, {"name": name, "known": ", ".join(sorted(known)), "meant": close or ""}))


def new_programme(folder: Path, name: str) -> Path:
    """A small programme that loads, written in `folder`/`name` with comments that explain each part.

    Refuses a name that is not snake_case, and a folder that already exists: nothing is overwritten.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", name):
        raise Refused(Problem("plan.programme.new_name", {"name": name}))
    target = folder / name
    if target.exists():
        raise Refused(Problem("plan.programme.new_exists", {"folder": str(target)}))
    example = Path(__file__).parent / "first_programme"
    files = sorted(path for path in example.rglob("*") if path.is_file())
    try:
        for path in files:
            written = target / path.relative_to(example)
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_text(path.read_text(encoding="utf-8").replace("@name@", name), encoding="utf-8")
    except OSError as failure:
        raise Refused(
            Problem("plan.programme.new_failed", {"folder": str(target), "reason": failure.strerror or ""})
        ) from None
    return target


def cautions(programme: Programme) -> tuple[Problem, ...]:
    """What a programme may do and should think about once more; it loads all the same.

    A purpose without consent that opens every form, an indicator that its class keeps from being published,
    and words that lack Spanish or English.
    """
    label = f"{programme.name}/programme.toml"
    found: list[Problem] = []
    for purpose in programme.purposes:
        free = purpose.basis is not Basis.CONSENT and purpose.name not in (RIGHTS, LEGAL_CLAIM)
        if free and not purpose.forms:
            shown = f"purpose {purpose.name}"
            found.append(
                Problem("plan.caution.purpose_wide", {"name": purpose.name}, label, shown, None, "forms")
            )
    for indicator in programme.indicators:
        kind = indicator.measure.partition(":")[0]
        protected = indicator.population is not Population.OPEN and kind in ("sum", "mean", "records")
        if protected or (indicator.population is Population.STRICT and kind == "share"):
            facts = {"measure": indicator.measure, "population": indicator.population.value}
            found.append(
                Problem(
                    "plan.caution.too_close", facts, label, f"indicator {indicator.name}", None, "measure"
                )
            )
    for form in programme.forms:
        asked = [field for field in form.fields if field.kind not in ("calculate", "hidden")]
        for language in ("es", "en"):
            for field in asked:
                if language not in field.label:
                    facts = {"name": field.name, "language": language}
                    found.append(
                        Problem("plan.caution.label", facts, form.text.file, "survey", field.row, "label")
                    )
    return tuple(found)
