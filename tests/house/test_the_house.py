"""The rules of the house: what a reviewer would have to remember, a test remembers."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import tomllib
from pathlib import Path
from string import Formatter

import pytest

PROJECT = Path(__file__).parent.parent.parent
SOURCE = PROJECT / "src"
ROOMS = ("plan", "collect", "keep", "allow", "count", "tell")
WORD_FOLDERS = [
    *(SOURCE / "resguardo" / room / "words" for room in ROOMS),
    SOURCE / "resguardo_keyholder" / "words",
    SOURCE / "resguardo_keyholder" / "unlocking" / "words",
    SOURCE / "resguardo_server" / "words",
]
ROOMS_OF_SENTENCES = (*ROOMS, "keyholder", "unlocking", "server")


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=False
    ).stdout.decode()
    if not listed:
        pytest.skip("needs the project's git history to know which files are tracked")
    return [PROJECT / name for name in listed.split("\0") if name and (PROJECT / name).is_file()]


def flat(table: dict[str, object], stem: str = "") -> dict[str, str]:
    """``{"row.required": sentence}`` of a file of words."""
    found: dict[str, str] = {}
    for key, value in table.items():
        name = f"{stem}.{key}" if stem else key
        found |= flat(value, name) if isinstance(value, dict) else {name: str(value)}
    return found


def sentences(folder: Path, language: str) -> dict[str, str]:
    return flat(tomllib.loads((folder / f"{language}.toml").read_text(encoding="utf-8")))


def blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_no_tracked_file_names_a_package_registry() -> None:
    hosts = re.compile(
        rb"(?<![\w.-])(?:pypi\.org|files\.pythonhosted\.org|registry\.npmjs\.org|registry\.yarnpkg\.com)"
    )
    found = [
        path.relative_to(PROJECT)
        for path in tracked_files()
        if path != Path(__file__) and hosts.search(path.read_bytes())
    ]
    assert found == []


@pytest.mark.parametrize("folder", WORD_FOLDERS, ids=lambda folder: folder.parent.name)
def test_every_sentence_is_there_in_spanish_and_english_with_the_same_blanks(folder: Path) -> None:
    spanish, english = sentences(folder, "es"), sentences(folder, "en")
    assert set(spanish) == set(english)
    assert {key: blanks(text) for key, text in spanish.items()} == {
        key: blanks(text) for key, text in english.items()
    }


def test_every_sentence_that_the_code_names_exists() -> None:
    known = {
        f"{folder.parent.name.removeprefix('resguardo_')}.{key}"
        for folder in WORD_FOLDERS
        for key in sentences(folder, "es")
    }
    named = re.compile(rf'"((?:{"|".join(ROOMS_OF_SENTENCES)})\.[a-z_]+\.[a-z_]+)"')
    missing = {
        (str(path.relative_to(SOURCE)), code)
        for path in SOURCE.rglob("*.py")
        for code in named.findall(path.read_text(encoding="utf-8"))
        if code not in known
    }
    # Names of indicators and conditions have the same shape as a sentence's code; none stands in quotes here.
    assert missing == set()


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_what_it_promises_trusts_and_does_not_protect_against(room: str) -> None:
    told = (importlib.import_module(f"resguardo.{room}").__doc__ or "").casefold()
    assert "promises" in told
    assert "trusts" in told
    assert "does not protect against" in told


def test_no_name_hides_what_it_means() -> None:
    empty = re.compile(r"(?:^|_)(?:util|utils|helper|helpers|common|manager|service|handler|misc)(?:_|$)")
    names: list[str] = []
    for path in SOURCE.rglob("*.py"):
        if "migrations" in path.parts:
            continue
        names.append(path.stem)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.append(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name).casefold())
    # "base" is a word of the field: the population that a percentage is taken of.
    assert sorted(name for name in set(names) if empty.search(name)) == []


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    page = (PROJECT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[\[<>=;~ ]", requirement)[0] for requirement in wanted}
    rows = {
        name.strip()
        for line in page.splitlines()
        if line.startswith("| ")
        for name in line.split("|")[1].split(",")
    }
    assert names - rows == set()


def test_every_locked_package_has_hashes_and_a_fixed_version() -> None:
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock"):
        text = (PROJECT / name).read_text(encoding="utf-8").replace("\\\n", " ")
        for line in text.splitlines():
            if line.strip():
                assert re.match(r"[a-z0-9-]+(\[[a-z,-]+\])?==\S+ .*--hash=sha256:", line), (
                    f"{name}: {line[:60]}"
                )


def test_every_setting_is_in_the_docs() -> None:
    page = (PROJECT / "docs" / "settings.md").read_text(encoding="utf-8")
    used = {
        name
        for path in [*SOURCE.rglob("*.py"), PROJECT / "resguardo"]
        for name in re.findall(r'"(RESGUARDO_[A-Z_]+|DATABASE_URL)"', path.read_text(encoding="utf-8"))
    }
    assert {name for name in used if f"`{name}`" not in page} == set()


def test_every_command_is_in_the_docs() -> None:
    import typer
    from typer.main import get_command

    from resguardo_server.cli import app

    page = (PROJECT / "docs" / "commands.md").read_text(encoding="utf-8")
    top = get_command(app)
    context = typer.Context(top)
    commands: list[str] = []
    for name in top.list_commands(context):  # type: ignore[attr-defined]
        command = top.get_command(context, name)  # type: ignore[attr-defined]
        inner = command.list_commands(context) if hasattr(command, "list_commands") else []
        commands += [f"{name} {word}" for word in inner] or [name]
    assert [command for command in commands if f"| `{command}` |" not in page] == []


def test_the_first_migration_depends_on_the_members_alone() -> None:
    migration = importlib.import_module("resguardo_server.migrations.0001_members").Migration
    assert {app for app, _ in migration.dependencies} == {"auth"}


def test_every_model_says_what_it_holds_about_people() -> None:
    from django.apps import apps

    silent = [
        model.__name__
        for model in apps.get_app_config("resguardo_server").get_models()
        if not getattr(model, "holds", "")
    ]
    assert silent == []


def test_the_program_names_no_folder_of_a_machine() -> None:
    somebodys = re.compile(rb"(?<![a-z\"])/(?:home|Users|root)/[a-z]")
    found = [
        path.relative_to(PROJECT)
        for path in tracked_files()
        if path != Path(__file__)
        and path.suffix not in (".png", ".gz")
        and somebodys.search(path.read_bytes())
    ]
    assert found == []
