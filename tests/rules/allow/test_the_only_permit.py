"""A permit is made by `decide` and nowhere else, and the door is used by one action alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import resguardo

SOURCE = Path(resguardo.__file__).parent.parent


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_a_permit_is_made_in_one_place() -> None:
    places = {
        name
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Permit"
    }
    assert places == {"resguardo/allow/decision.py"}


def test_no_permit_is_copied_with_changes() -> None:
    for name, tree in trees():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func).split(".")[-1] == "replace"
                and node.args
            ):
                assert "permit" not in ast.unparse(node.args[0]).lower(), name


def test_the_door_is_imported_by_one_action_alone() -> None:
    users = set()
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                named = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                named = {alias.name for alias in node.names}
            else:
                continue
            if "resguardo.keep.opening" in named:
                users.add(name)
    assert users <= {"resguardo_server/actions/allow/opening.py"}


def test_sealed_groups_are_decrypted_behind_the_door_alone() -> None:
    """Three files of the rules decrypt anything: the door, the facts of counting, and the wrapped keys.

    Outside the rules keys and secrets of the house are unlocked, and no group of a record.
    """
    users = {
        name
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "decrypt"
    }
    of_the_rules = {"resguardo/keep/opening.py", "resguardo/keep/facts.py", "resguardo/keep/keys.py"}
    assert {name for name in users if name.startswith("resguardo/")} == of_the_rules
    assert users - of_the_rules <= {
        "resguardo_keyholder/identity.py",
        "resguardo_keyholder/unlocking/age_file.py",
        "resguardo_keyholder/unlocking/hardware.py",
        "resguardo_server/staff_secrets.py",
    }
