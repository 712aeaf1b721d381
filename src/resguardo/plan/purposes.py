"""What a programme allows, from `programme.toml` alone: purposes, who may receive, what its forms are about.

For whoever decides about an opening and must not read forms: no form file is looked at and no form converter
is loaded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from resguardo.plan.declaration import Purpose, Recipient
from resguardo.plan.toml_table import Table, TomlFile, refuse_unknown
from resguardo.values import PACKAGE, Basis, InstitutionKind, Problem, Refused, Sensitivity, SubjectKind

BUILT_IN: Final = PACKAGE / "programmes"
"""The folder of the programmes that come with the package."""

RIGHTS: Final = "rights"
"""The purpose for which a person's own wishes about her data are carried out."""

LEGAL_CLAIM: Final = "legal_claim"
"""The other purpose for which records may be opened that a person asked to leave alone."""

OFFICER: Final = "data_protection_officer"


@dataclass(frozen=True)
class FormRules:
    """A form as the rules see it: what its records are about, and which form opens their subject."""

    name: str
    about: SubjectKind
    follows: str | None


@dataclass(frozen=True)
class ProgrammeRules:
    """What a programme allows."""

    name: str
    folder: Path
    purposes: tuple[Purpose, ...]
    recipients: tuple[Recipient, ...]
    forms: tuple[FormRules, ...]
    digest: str
    """SHA-256, in hexadecimal, of `programme.toml` alone."""

    @property
    def roles(self) -> frozenset[str]:
        """Every role that some purpose knows."""
        return frozenset(role for purpose in self.purposes for role in purpose.roles)


def purposes_in(folder: Path) -> ProgrammeRules:
    """What the programme in `folder` allows. Its purposes are those that loading it whole gives.

    Refuses with everything that is wrong in purposes, recipients and the names of forms; what is wrong
    elsewhere in the file, or in another file, is not looked for.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise Refused(Problem("plan.programme.no_folder", {}, str(folder)))
    label = f"{folder.name}/programme.toml"
    toml = TomlFile(folder / "programme.toml", label)
    root = Table(toml, toml.root)
    written = root.snake("name")
    if written is not None and written != folder.name:
        root.refuse("plan.programme.name", "name", name=written, folder=folder.name)
    purposes = tuple(read_purposes(root))
    recipients = tuple(read_recipients(root))
    forms = tuple(_forms(root))
    if toml.problems:
        raise Refused(*toml.problems)
    digest = hashlib.sha256(toml.text.encode()).hexdigest()
    return ProgrammeRules(folder.name, folder, purposes, recipients, forms, digest)


def find_programmes(folders: Iterable[Path]) -> tuple[Path, ...]:
    """The programme folders among `folders` and right inside them, by name; each once."""
    found: dict[Path, None] = {}
    for folder in folders:
        if (folder / "programme.toml").is_file():
            found[folder.resolve()] = None
        elif folder.is_dir():
            for inner in folder.iterdir():
                if (inner / "programme.toml").is_file():
                    found[inner.resolve()] = None
    return tuple(sorted(found, key=lambda path: (path.name, path)))


def read_purposes(root: Table) -> Iterator[Purpose]:
    """The purposes of the file; what is wrong with them is noted, each fault once."""
    taken: set[str] = set()
    longest = 0
    rights: tuple[Table, Purpose] | None = None
    for table in root.tables("purpose"):
        purpose = _purpose(table, taken)
        table.close()
        if purpose is not None:
            longest = max(longest, purpose.retention_days)
            rights = (table, purpose) if purpose.name == RIGHTS else rights
            yield purpose
    if rights is not None and rights[1].retention_days < longest:
        rights[0].refuse("plan.programme.rights_short", "retention_days", days=str(longest))


def _purpose(table: Table, taken: set[str]) -> Purpose | None:
    name = table.snake("name")
    refuse_twice(table, name, taken)
    title = table.words("title")
    basis = table.code("basis", Basis) if "basis" in table else None
    if "basis" not in table:
        table.known.add("basis")
        table.refuse("plan.programme.no_basis", "basis", name=name or "", allowed=", ".join(Basis))
    retention = table.number("retention_days") if "retention_days" in table else None
    if "retention_days" not in table:
        table.known.add("retention_days")
        table.refuse("plan.programme.no_retention", "retention_days", name=name or "")
    opens = frozenset(table.codes("opens", Sensitivity))
    roles = table.texts("roles")
    for role in roles:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", role):
            table.refuse("plan.toml.name", "roles", name=role)
    forms = _forms_of(table)
    if name == RIGHTS:
        _check_rights(table, opens, roles)
    if name is None or basis is None or retention is None:
        return None
    return Purpose(name, title, basis, retention, opens, roles, forms)


def _forms_of(table: Table) -> tuple[str, ...]:
    """The forms that a purpose is tied to; an empty list is refused, for it would mean all of them."""
    if "forms" not in table:
        table.known.add("forms")
        return ()
    forms = table.texts("forms")
    known = named(table.file, "form")
    for form in forms:
        if form not in known:
            refuse_unknown(table, "forms", "plan.programme.form_unknown", form, known)
    return forms


def _check_rights(table: Table, opens: frozenset[Sensitivity], roles: tuple[str, ...]) -> None:
    """Rights are carried out in every record, whole, by the data protection officer."""
    if opens and opens != frozenset(Sensitivity):
        table.refuse("plan.programme.rights_narrow", "opens", role=OFFICER)
    if roles and OFFICER not in roles:
        table.refuse("plan.programme.rights_narrow", "roles", role=OFFICER)
    if "forms" in table:
        table.refuse("plan.programme.rights_narrow", "forms", role=OFFICER)


def read_recipients(root: Table) -> Iterator[Recipient]:
    """Who may receive records, and for which purposes."""
    for table in root.tables("recipient"):
        kind = table.code("institution_kind", InstitutionKind)
        purposes = known_purposes(table, "purposes")
        table.close()
        if kind is not None:
            yield Recipient(kind, purposes)


def known_purposes(table: Table, key: str) -> tuple[str, ...]:
    """The purposes under a key; one that the file does not declare is refused."""
    wanted = table.texts(key)
    known = named(table.file, "purpose")
    for name in wanted:
        if name not in known:
            refuse_unknown(table, key, "plan.programme.purpose_unknown", name, known)
    return wanted


def named(file: TomlFile, key: str) -> list[str]:
    """The names of the tables ``[[key]]`` of the file, whether these are sound or not."""
    tables = file.root.get(key, [])
    return [
        item["name"]
        for item in (tables if isinstance(tables, list) else ())
        if isinstance(item, dict) and isinstance(item.get("name"), str)
    ]


def refuse_twice(table: Table, name: str | None, taken: set[str]) -> None:
    """Refuses a name that an earlier table of the same kind has."""
    if name is not None and name in taken:
        table.refuse("plan.programme.name_twice", "name", name=name)
    if name is not None:
        taken.add(name)


def _forms(root: Table) -> Iterator[FormRules]:
    for table in root.tables("form"):
        name, about = table.snake("name"), table.code("about", SubjectKind)
        follows = table.text("follows", needed=False)
        if name is not None and about is not None:
            yield FormRules(name, about, follows)
