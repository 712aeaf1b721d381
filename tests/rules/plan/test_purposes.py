"""What a programme allows is read from one file, without its forms, and is what loading the whole gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pytest

from resguardo.plan.programme import BUILT_IN, built_in, find_programmes, new_programme, purposes_in
from resguardo.values import InstitutionKind, Refused, SubjectKind

FOLDERS = find_programmes((BUILT_IN,))
each_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


@each_folder
def test_purposes_recipients_and_forms_are_those_of_the_whole_programme(folder: Path) -> None:
    (programme,) = (programme for programme in built_in() if programme.folder == folder)
    rules = purposes_in(folder)
    assert rules.name == programme.name
    assert rules.purposes == programme.purposes
    assert rules.recipients == programme.recipients
    assert [(form.name, form.about, form.follows) for form in rules.forms] == [
        (form.name, form.about, form.follows) for form in programme.forms
    ]
    assert rules.roles == {role for purpose in programme.purposes for role in purpose.roles}


@each_folder
def test_reading_them_takes_less_than_twenty_milliseconds(folder: Path) -> None:
    quickest = 1.0
    for _ in range(5):
        began = perf_counter()
        purposes_in(folder)
        quickest = min(quickest, perf_counter() - began)
    assert quickest < 0.02


def test_no_form_converter_and_no_form_is_loaded_for_it() -> None:
    script = (
        "import sys; from pathlib import Path; from resguardo.plan.purposes import purposes_in;"
        "opened = [];"
        "sys.addaudithook(lambda name, args: opened.append(args[0]) if name == 'open' else None);"
        f"purposes_in(Path({str(FOLDERS[0])!r}));"
        "read = [str(path) for path in opened if 'programmes' in str(path)];"
        "assert read == [path for path in read if path.endswith('programme.toml')], read;"
        "assert 'pyxform' not in sys.modules and 'openpyxl' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_forms_that_cannot_be_read_do_not_keep_a_programme_from_saying_what_it_allows(tmp_path: Path) -> None:
    folder = new_programme(tmp_path, "visits")
    (folder / "forms" / "visit.md").unlink()
    rules = purposes_in(folder)
    assert [purpose.name for purpose in rules.purposes] == ["help", "rights", "legal_claim"]
    assert [recipient.institution_kind for recipient in rules.recipients] == [InstitutionKind.SHELTER]
    assert [(form.name, form.about) for form in rules.forms] == [("visit", SubjectKind.PERSON)]


def test_the_digest_is_that_of_the_one_file(tmp_path: Path) -> None:
    folder = new_programme(tmp_path, "visits")
    before = purposes_in(folder).digest
    (folder / "notices" / "es.md").write_text("Otro aviso.", encoding="utf-8")
    assert purposes_in(folder).digest == before
    toml = folder / "programme.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace("730", "731"), encoding="utf-8")
    assert purposes_in(folder).digest != before


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('basis = "consent" ', 'basis = "habit" ', "plan.toml.code"),
        ("retention_days = 730", "", "plan.programme.no_retention"),
        ('"shelter"\npurposes = ["help"]', '"shelter"\npurposes = ["x"]', "plan.programme.purpose_unknown"),
        ('name = "visits"', 'name = "other"', "plan.programme.name"),
        ("[[purpose]]", "[[purpose]", "plan.toml.grammar"),
    ],
)
def test_what_is_wrong_with_a_purpose_is_refused_here_too(
    tmp_path: Path, old: str, new: str, code: str
) -> None:
    folder = new_programme(tmp_path, "visits")
    toml = folder / "programme.toml"
    text = toml.read_text(encoding="utf-8")
    assert old in text
    toml.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Refused) as caught:
        purposes_in(folder)
    assert caught.value.problems[0].code == code


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        purposes_in(tmp_path / "nowhere")
    assert caught.value.problems[0].code == "plan.programme.no_folder"
