"""The browser parts: what is built, when, and what happens where npm cannot be reached."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path

import pytest

from resguardo_server.frontend import MARK, SOURCE, TARGET, Outcome, build_if_old, is_current, stamp

BUDGETS = {"serif.woff2": 27_000, "sans.woff2": 18_000, "digits.woff2": 3_000}
"""Bytes, from the design page 2."""


@pytest.fixture(scope="module")
def built() -> Path:
    """The real build; on a machine without npm there is nothing to look at."""
    build = build_if_old()
    if build.outcome is Outcome.WITHOUT:
        pytest.skip(build.sentence("en"))
    return TARGET


@pytest.fixture
def order(tmp_path: Path) -> Path:
    """A copy of the order without what npm brought."""
    return Path(shutil.copytree(SOURCE, tmp_path / "order", ignore=shutil.ignore_patterns("node_modules")))


def test_the_letters_keep_their_budgets(built: Path) -> None:
    assert {path.name for path in built.glob("*.woff2")} == set(BUDGETS)
    for name, limit in BUDGETS.items():
        font = (built / name).read_bytes()
        assert font[:4] == b"wOF2"
        assert len(font) <= limit


def test_every_letter_family_carries_its_licence(built: Path) -> None:
    for name in BUDGETS:
        licence = (built / "licences" / name.replace("woff2", "txt")).read_text(encoding="utf-8")
        assert "SIL OPEN FONT LICENSE Version 1.1" in licence
        assert re.search(r"Copyright \d{4}|© \d{4}", licence)


def test_the_style_sheet_names_only_its_neighbours(built: Path) -> None:
    addresses = re.findall(r"url\(([^)]*)\)", (built / "fonts.css").read_text(encoding="utf-8"))
    assert sorted(addresses) == sorted(BUDGETS)


def test_a_second_run_changes_nothing_and_takes_no_time(built: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in built.rglob("*")}
    start = time.perf_counter()
    assert build_if_old().outcome is Outcome.UNCHANGED
    assert time.perf_counter() - start < 0.5
    assert {path: path.stat().st_mtime_ns for path in built.rglob("*")} == before


@pytest.mark.parametrize("changed", ["package-lock.json", "build.mjs", "src/families.mjs", ".npmrc"])
def test_any_change_of_the_order_makes_the_build_old(built: Path, order: Path, changed: str) -> None:
    assert is_current(order, built)
    path = order / changed
    path.write_bytes(path.read_bytes() + b"\n")
    assert not is_current(order, built)


def test_what_npm_brought_does_not_change_the_stamp(order: Path) -> None:
    before = stamp(order)
    (order / "node_modules").mkdir()
    (order / "node_modules" / "anything.js").write_text("1", encoding="ascii")
    assert stamp(order) == before


def test_without_npm_the_service_goes_on_and_says_so(
    order: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    build = build_if_old(order, tmp_path / "out")
    assert build.outcome is Outcome.WITHOUT
    assert "ECONNREFUSED" in build.sentence("es")
    assert "http" not in build.sentence("es")
    sheet = (tmp_path / "out" / "fonts.css").read_text(encoding="utf-8")
    assert "url(" not in sheet
    assert not (tmp_path / "out" / MARK).exists()  # so the next start tries again


def test_an_older_build_stays_when_a_new_one_fails(
    built: Path, order: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Path(shutil.copytree(built, tmp_path / "out"))
    (order / "package-lock.json").write_text("not a lock", encoding="ascii")
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    assert build_if_old(order, kept).outcome is Outcome.WITHOUT
    assert (kept / "serif.woff2").is_file()
    assert "serif.woff2" in (kept / "fonts.css").read_text(encoding="utf-8")


def test_an_installed_copy_without_the_order_has_nothing_to_build(tmp_path: Path) -> None:
    assert build_if_old(tmp_path / "nowhere", tmp_path / "out").outcome is Outcome.UNCHANGED


def test_the_lock_file_names_hashes_and_no_registry() -> None:
    lock = json.loads((SOURCE / "package-lock.json").read_text(encoding="utf-8"))
    parcels = {name: parcel for name, parcel in lock["packages"].items() if name}
    assert parcels
    assert all(parcel["integrity"].startswith("sha512-") for parcel in parcels.values())
    assert not any("resolved" in parcel for parcel in parcels.values())


def test_no_committed_file_of_the_order_names_a_host() -> None:
    for path in (".npmrc", "package.json", "build.mjs", "src/families.mjs"):
        assert "://" not in (SOURCE / path).read_text(encoding="utf-8")
