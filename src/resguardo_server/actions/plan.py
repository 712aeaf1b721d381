"""Programmes at hand: those that come with the package and those that were brought in a folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from resguardo.plan.programme import Form, Indicator, Programme, built_in, load_programme
from resguardo.values import Problem, Refused
from resguardo_server.models import ProgrammeFolder

_loaded: dict[tuple[str, int], Programme] = {}


def _load(folder: Path) -> Programme:
    """The programme in the folder, read again only when one of its files changed."""
    newest = max((path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()), default=0)
    key = (str(folder), newest)
    if key not in _loaded:
        _loaded[key] = load_programme(folder)
    return _loaded[key]


def all_programmes() -> tuple[Programme, ...]:
    """Every programme of this installation, by name."""
    brought = [
        _load(Path(row.folder))
        for row in ProgrammeFolder.objects.order_by("name")
        if Path(row.folder).is_dir()
    ]
    return tuple(sorted((*built_in(), *brought), key=lambda programme: programme.name))


def programme_named(name: str) -> Programme:
    """The programme of that name; refuses an unknown one, naming those there are."""
    row = ProgrammeFolder.objects.filter(name=name).first()
    if row is not None and Path(row.folder).is_dir():
        return _load(Path(row.folder))
    for programme in built_in():
        if programme.name == name:
            return programme
    known = ", ".join(programme.name for programme in all_programmes())
    raise Refused(Problem("server.said.unknown_programme", {"name": name, "known": known}))


def bring_programme(name_or_folder: str, *, now: datetime) -> Programme:
    """The programme named, or the one in the folder, which the installation knows from then on."""
    folder = Path(name_or_folder)
    if not (folder / "programme.toml").is_file():
        return programme_named(name_or_folder)
    programme = _load(folder.resolve())
    if programme in built_in():
        return programme
    row = ProgrammeFolder.objects.filter(name=programme.name).first()
    other = (
        row.folder
        if row
        else next((str(known.folder) for known in built_in() if known.name == programme.name), None)
    )
    if other is not None and Path(other).is_dir() and Path(other).resolve() != folder.resolve():
        raise Refused(Problem("server.said.own_name_taken", {"name": programme.name, "folder": other}))
    ProgrammeFolder.objects.update_or_create(
        name=programme.name, defaults={"folder": str(folder.resolve()), "added_on": now}
    )
    return programme


def indicator_named(name: str) -> tuple[Programme, Indicator]:
    """The indicator ``programme.indicator``; refuses an unknown one, naming those of the programme."""
    programme_name, _, indicator_name = name.partition(".")
    programme = programme_named(programme_name)
    for indicator in programme.indicators:
        if indicator.name == indicator_name:
            return programme, indicator
    known = ", ".join(f"{programme.name}.{indicator.name}" for indicator in programme.indicators)
    raise Refused(Problem("server.said.unknown_indicator", {"name": name, "known": known}))


def form_named(programme: Programme, name: str) -> Form:
    """The form of that name; refuses an unknown one, naming those of the programme."""
    for form in programme.forms:
        if form.name == name:
            return form
    known = ", ".join(form.name for form in programme.forms)
    raise Refused(
        Problem("server.said.unknown_form", {"programme": programme.name, "name": name, "known": known})
    )
