"""The command line as somebody at a terminal uses it: what it refuses, in whose language, what it leaves."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.people import JEAN, MARTA, ROSA, House, table
from tests.rules.collect.sheets import write_csv

from resguardo.plan.programme import new_programme
from resguardo_server import cli, models

SHELTER = "albergue-tapachula"
LISTING = "15 March, 2023\n\nA headline\n\nA summary.\n"


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What it said to the person, without the wraps of the terminal."""
        assert "Traceback" not in self.out + self.err
        return " ".join((self.out + self.err).split())


Command = Callable[..., Said]


def run_in(folder: Path, language: str, *words: object) -> Said:
    """The real command in a process of its own, with an installation of its own."""
    settings = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RESGUARDO_", "DJANGO_", "DATABASE_URL", "LC_", "LANG"))
    }
    settings |= {"RESGUARDO_VAR": str(folder), "RESGUARDO_LANGUAGE": language, "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-m", "resguardo_server", *map(str, words)],
        env=settings, capture_output=True, text=True, encoding="utf-8", timeout=240, check=False,
    )  # fmt: skip
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture(params=["es", "en"])
def language(request: pytest.FixtureRequest) -> str:
    """The language of the person at the terminal."""
    return str(request.param)


@pytest.fixture
def command(db: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command inside this process, on the tables of the test: the same words, without the start."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(language: str, *words: object) -> Said:
        monkeypatch.setattr(cli, "LANGUAGE", language)
        monkeypatch.setattr(sys, "argv", ["resguardo", *map(str, words)])
        capsys.readouterr()
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = int(end.code or 0)
        written = capsys.readouterr()
        return Said(status, written.out, written.err)

    return run


def people(folder: Path, *rows: dict[str, str] | object) -> Path:
    """A file of enrolments."""
    return write_csv(folder / "inscripciones.csv", table(*rows))  # type: ignore[arg-type]


# Forms that do not load, in a process of its own


def broken(folder: Path, old: str, new: str) -> Path:
    """A new programme in which one thing of its form is otherwise."""
    made = new_programme(folder, "visits")
    form = made / "forms" / "visit.md"
    text = form.read_text(encoding="utf-8")
    assert old in text
    form.write_text(text.replace(old, new, 1), encoding="utf-8")
    return made


FAULTS = {
    "a name twice": ("| full_name    |", "| visited_on   |", ("survey", "5", "visited_on")),
    "a list that is not there": ("select_one service |", "select_one benefit |", ("survey", "10", "benefit")),
    "a bar without its backslash": ("Full name  ", "Full | name", ("survey", "5", "\\|")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_form_with_a_fault_is_refused_with_its_sheet_and_row(
    command: Command, tmp_path: Path, fault: str
) -> None:
    old, new, named = FAULTS[fault]
    folder = broken(tmp_path, old, new)
    told = {language: command(language, "programme", "check", folder) for language in ("es", "en")}
    assert {said.status for said in told.values()} == {2}
    assert told["es"].sentence != told["en"].sentence
    for said in told.values():
        assert "visit.md" in said.sentence
        for name in named:
            assert name in said.sentence, said.sentence
    assert "fila" in told["es"].sentence
    assert "row" in told["en"].sentence


def test_the_real_command_refuses_a_form_in_the_language_of_the_person(tmp_path: Path, language: str) -> None:
    folder = broken(tmp_path, *FAULTS["a name twice"][:2])
    said = run_in(tmp_path / "var", language, "programme", "check", folder)
    assert said.status == 2
    assert {"es": "hoja survey, fila 5", "en": "sheet survey, row 5"}[language] in said.sentence
    assert not (tmp_path / "var").exists(), "checking a folder makes no installation"


def test_what_is_no_form_is_refused(command: Command, tmp_path: Path, language: str) -> None:
    folder = new_programme(tmp_path, "visits")
    (folder / "forms" / "visit.md").write_bytes(os.urandom(2000))
    said = command(language, "programme", "check", folder)
    assert said.status == 2
    assert "visit.md" in said.sentence


# Files of answers that do not come in


def test_the_real_command_takes_a_first_file_in_and_refuses_a_broken_one(tmp_path: Path) -> None:
    place = tmp_path / "var"
    first = run_in(place, "es", "institution", "new", "albergue", "--kind", "shelter", "--country", "mx")
    assert first.status == 0, first.err
    good = run_in(place, "es", "import", "training", people(tmp_path, ROSA, JEAN), "-f", "enrolment")
    assert good.status == 0, good.err
    assert "2 registros" in good.sentence
    noise = write_bytes(tmp_path / "noise.csv", bytes(range(128, 256)) * 40)
    said = run_in(place, "en", "import", "training", noise, "-f", "enrolment")
    assert said.status == 2
    assert "noise.csv" in said.sentence
    assert "position" in said.sentence


REFUSED_FILES: dict[str, Callable[[Path], Path]] = {
    "missing": lambda folder: folder / "no-esta.csv",
    "a folder": lambda folder: folder,
    "empty": lambda folder: write_bytes(folder / "vacio.csv", b""),
    "binary": lambda folder: write_bytes(folder / "imagen.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
    "no columns of the form": lambda folder: write_bytes(folder / "otra.csv", b"a,b\n1,2\n"),
    "an old workbook": lambda folder: write_bytes(folder / "viejo.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
}  # fmt: skip


def write_bytes(path: Path, octets: bytes) -> Path:
    """A file of those octets."""
    path.write_bytes(octets)
    return path


@pytest.mark.parametrize("kind", REFUSED_FILES)
def test_a_file_that_cannot_be_answers_is_refused_by_name_and_nothing_is_kept(
    house: House, command: Command, tmp_path: Path, kind: str
) -> None:
    path = REFUSED_FILES[kind](tmp_path)
    told = [
        command(language, "import", "training", path, "-f", "enrolment", "-i", house.shelter.slug)
        for language in ("es", "en")
    ]
    assert [said.status for said in told] == [2, 2]
    assert told[0].sentence != told[1].sentence
    for said in told:
        assert path.name in said.sentence
    assert models.Record.objects.count() == 0


def test_a_file_without_permission_is_refused(house: House, command: Command, enrolments: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    enrolments.chmod(0)
    said = command("es", "import", "training", enrolments, "-f", "enrolment", "-i", house.shelter.slug)
    assert said.status == 2
    assert "permiso" in said.sentence


def test_a_wrong_encoding_is_refused_and_the_cure_that_it_names_works(
    house: House, command: Command, tmp_path: Path
) -> None:
    path = people(tmp_path, ROSA)
    path.write_bytes(path.read_text(encoding="utf-8-sig").encode("cp1252"))
    order = ("import", "training", path, "-f", "enrolment", "-i", house.shelter.slug)
    said = command("es", *order)
    assert said.status == 2
    assert "--encoding cp1252" in said.sentence
    assert "línea 2" in said.sentence
    assert models.Record.objects.count() == 0
    cured = command("es", *order, "--encoding", "cp1252")
    assert cured.status == 0, cured.err
    assert models.Record.objects.count() == 1


def test_of_a_large_file_with_a_broken_row_the_rest_comes_in_and_the_row_can_be_mended(
    house: House, command: Command, tmp_path: Path
) -> None:
    # Ten megabytes in few rows: a text of the form may be long, and each record is sealed.
    long = "Se explicó con calma. " * 1900
    rows = [{**ROSA, "participant_code": f"C-{number:04d}", "diet": long} for number in range(250)]
    rows[117]["sex"] = "mujer fatal"
    path = people(tmp_path, *rows)
    assert path.stat().st_size > 10_000_000
    order = ("import", "training", "-f", "enrolment", "-i", house.shelter.slug)
    said = command("en", *order, path, "--json")
    assert said.status == 2
    outcome = json.loads(said.out)
    assert (outcome["kept"], outcome["refused"]) == (249, 1)
    (problem,) = outcome["problems"]
    assert "119" in problem, "the row as a spreadsheet counts it"
    assert models.Record.objects.count() == 249
    mend = Path(outcome["mend"])
    assert mend.stat().st_mode & 0o777 == 0o600
    with mend.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    mended = write_csv(tmp_path / "mended.csv", table({**row, "sex": "female"}))
    mend.unlink()
    assert command("en", *order, mended).status == 0
    assert models.Record.objects.count() == 250


# Names that nobody has


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("import", "trainning", "FILE", "-i", SHELTER), ("trainning", "training", "assistance")),
        (("import", "training", "FILE", "-f", "enrollment", "-i", SHELTER),
         ("enrollment", "enrolment", "workshop")),
        (("import", "training", "FILE", "-f", "enrolment", "-i", "albergue"), ("albergue-tapachula",)),
        (("import", "training", "FILE", "-f", "enrolment"), ("--institution", "ministerio-tegucigalpa")),
        (("count", "training.people"), ("training.people", "training.people_trained")),
        (("count", "trainning.people_trained"), ("trainning", "training")),
        (("count", "people_trained"), ("people_trained",)),
        (("count", "training.people_enrolled", "--by", "planet"), ("planet", "country", "sex")),
        (("count", "training.people_enrolled", "--where", "country in XX"), ("XX", "GT", "MX")),
        (("count", "training.people_enrolled", "--period", "2022-13"), ("2022-13", "2022-08")),
        (("count", "training.people_enrolled", "--format", "pdf"), ("pdf", "csv")),
        (("record", "list", "training", "-f", "no", "-i", SHELTER), ("no", "enrolment")),
        (("record", "open", "no", "-p", "training", "--as", "nadie@example.org"), ()),
        (("record", "open", "no", "-p", "training", "--as", "ana@albergue.example"), ()),
        (("record", "correct", "no", "sex", "-p", "training", "--as", "ana@albergue.example"), ("sex",)),
        (("journal", "verify", "-i", "albergue"), ("albergue", "albergue-tapachula")),
        (("journal", "export", "albergue", "FOLDER"), ("albergue", "albergue-tapachula")),
        (("institution", "new", "x", "--kind", "casa", "--country", "MX"), ("casa", "shelter")),
        (("institution", "new", "x", "--kind", "shelter", "--country", "XQ"), ("XQ",)),
        (("institution", "new", SHELTER, "--kind", "shelter", "--country", "MX"), ("tapachula",)),
        (("institution", "new", "Casa ../x", "--kind", "shelter", "--country", "MX"), ("Casa ../x",)),
        (("programme", "new", "Asesoría", "--in", "FOLDER"), ("Asesoría",)),
        (("programme", "check", "/no/existe"), ("existe",)),
    ],
)  # fmt: skip
def test_a_name_that_nobody_has_is_refused_with_those_that_there_are(
    kept: House,
    command: Command,
    tmp_path: Path,
    enrolments: Path,
    words: tuple[str, ...],
    named: tuple[str, ...],
) -> None:
    places = {"FILE": str(enrolments), "FOLDER": str(tmp_path / "out")}
    order = [places.get(word, word) for word in words]
    before = models.Record.objects.count(), models.Institution.objects.count()
    told = [command(language, *order) for language in ("es", "en")]
    assert [said.status for said in told] == [2, 2], told
    assert told[0].sentence != told[1].sentence
    for said in told:
        assert said.sentence.startswith("✗ "), said.sentence
        for name in named:
            assert name in said.sentence
    assert (models.Record.objects.count(), models.Institution.objects.count()) == before
    assert not (tmp_path / "out").exists()


# Listings that are none


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("binary.txt", b"\xff\xfe\x00\x81" + bytes(range(256))),
        ("empty.txt", b""),
        ("undated.txt", b"No date here\n\nNothing.\n"),
        ("odd.txt", b"31 de febrero de 2023\n\nTitular\n\nTexto.\n"),
    ],
)
def test_a_listing_that_cannot_be_read_is_refused_by_name(
    command: Command, tmp_path: Path, language: str, name: str, octets: bytes
) -> None:
    said = command(language, "news", "import", write_bytes(tmp_path / name, octets))
    assert said.status == 2
    assert name in said.sentence
    assert models.Release.objects.count() == 0


def test_the_real_command_reads_a_listing_and_refuses_a_binary_one_without_an_installation(
    tmp_path: Path,
) -> None:
    good = tmp_path / "listing.txt"
    good.write_text(LISTING, encoding="utf-8")
    said = run_in(tmp_path / "var", "en", "news", "import", good, "--json")
    assert json.loads(said.out)["items"][0]["date"] == "2023-03-15"
    binary = write_bytes(tmp_path / "photo.txt", b"\xff\xd8\xff\xe0" + bytes(range(256)))
    said = run_in(tmp_path / "var", "es", "news", "import", binary, "--json")
    assert (said.status, said.out) == (2, "")
    assert "photo.txt: El archivo no es texto en UTF-8" in said.sentence
    assert not (tmp_path / "var").exists()


# Help


WALK = """
import contextlib, io, json, sys
from typer.main import get_command
from resguardo_server import cli

def walk(group, words):
    yield words
    for name, inner in getattr(group, "commands", {}).items():
        yield from walk(inner, [*words, name])

pages = {}
for words in walk(get_command(cli.app), []):
    if words == ["django"]:
        continue
    out = io.StringIO()
    sys.argv = ["resguardo", *words, "--help"]
    with contextlib.redirect_stdout(out):
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code
    pages[" ".join(words)] = [status, out.getvalue()]
json.dump(pages, sys.stdout)
"""


def help_pages(language: str) -> dict[str, str]:
    """The help of every command, as a process in that language says it."""
    done = subprocess.run(
        [sys.executable, "-c", WALK],
        env={**os.environ, "RESGUARDO_LANGUAGE": language, "COLUMNS": "80"},
        capture_output=True, text=True, encoding="utf-8", timeout=60, check=True,
    )  # fmt: skip
    pages = json.loads(done.stdout)
    assert {status for status, _ in pages.values()} <= {0, None}
    return {words: page for words, (_, page) in pages.items()}


def test_every_command_helps_in_the_language_of_the_person() -> None:
    spanish, english = help_pages("es"), help_pages("en")
    documented = set(
        re.findall(r"^\| `([a-z -]+)` \|", (Path("docs") / "commands.md").read_text(encoding="utf-8"), re.M)
    )
    commands = {words for words in spanish if not any(other.startswith(f"{words} ") for other in spanish)}
    assert (commands - {""}) | {"django"} == documented
    for words, page in spanish.items():
        assert page.startswith(f"Uso: resguardo {words}".rstrip()), page
        for foreign in ("Usage", "Options", "Show this", "required", "default", "Arguments", "Commands"):
            assert foreign not in page, page
        assert english[words].startswith(f"Usage: resguardo {words}".rstrip())
        assert english[words] != page
        assert "..." not in re.sub(r"[]}s]\.\.\.", "", page), "a sentence is cut"
        assert not re.search(r"<\w", page), "a kind of Python is shown"
        assert max(map(len, page.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("cuenta",), ("cuenta",)),
        (("news", "chek"), ("chek", "check")),
        (("count",), ("indicator",)),
        (("count", "a.b", "--per", "2022"), ("--per",)),
        (("institution", "new", "x", "--country", "MX"), ("--kind",)),
        (("demo", "--seed", "siete"), ("--seed",)),
        (("institution", "list", "demasiado"), ()),
    ],
)
def test_a_command_that_is_misspelt_is_told_so_in_the_language_of_the_person(
    command: Command, words: tuple[str, ...], named: tuple[str, ...]
) -> None:
    told = [command(language, *words) for language in ("es", "en")]
    assert [said.status for said in told] == [2, 2], told
    assert told[0].sentence != told[1].sentence
    for said in told:
        assert said.sentence.startswith("✗ ")
        assert "--help" in said.sentence
        for name in named:
            assert name in said.sentence
    for foreign in ("Error", "Usage", "Missing", "Invalid", "No such"):
        assert foreign not in told[0].sentence


# A small installation, end to end


def test_a_small_installation_from_the_first_record_to_the_journal(
    kept: House, command: Command, tmp_path: Path
) -> None:
    shelter, ana, bruno = kept.shelter.slug, "ana@albergue.example", "bruno@albergue.example"
    assert shelter in command("es", "institution", "list").out
    listed = json.loads(command("es", "institution", "list", "--json").out)
    assert {row["slug"] for row in listed} == {shelter, kept.ministry.slug}
    rows = json.loads(command("es", "record", "list", "training", "-i", shelter, "--json").out)
    assert len(rows) == 3
    shown = command("es", "record", "list", "training", "-i", shelter).out
    assert all(row["record"] in shown for row in rows)
    assert ROSA["full_name"] not in shown
    opened = {}
    for row in rows:
        said = command("es", "record", "open", row["record"], "-p", "rights", "--as", bruno)
        assert said.status == 0, said.err
        opened[json.loads(said.out)["answers"]["full_name"]] = row["record"]
    assert set(opened) == {person["full_name"] for person in (ROSA, JEAN, MARTA)}
    rosa, jean, marta = (opened[person["full_name"]] for person in (ROSA, JEAN, MARTA))

    refused = command("es", "record", "open", jean, "-p", "training", "--as", ana)
    assert refused.status == 2, "Jean did not agree"
    assert ROSA["full_name"] not in refused.sentence
    said = command("es", "record", "correct", rosa, "sex=male", "-p", "training", "--as", ana)
    assert said.status == 0, said.err
    again = command("es", "record", "open", rosa, "-p", "training", "--as", ana)
    assert json.loads(again.out)["answers"]["sex"] == "male"
    wrong = command("en", "record", "correct", rosa, "sex=perhaps", "-p", "training", "--as", ana)
    assert wrong.status == 2
    assert "sex" in wrong.sentence
    assert "perhaps" not in wrong.sentence, "an answer is nobody's to print"
    assert command("es", "record", "withdraw", rosa, "-p", "training", "--as", bruno).status == 0
    assert command("es", "record", "open", rosa, "-p", "training", "--as", ana).status == 2
    assert command("es", "record", "erase", marta, "--as", bruno).status == 0
    assert command("es", "record", "open", marta, "-p", "rights", "--as", bruno).status == 2
    assert len(json.loads(command("es", "record", "list", "training", "-i", shelter, "--json").out)) == 2

    verified = command("es", "journal", "verify", "-i", shelter)
    assert verified.status == 0
    assert "íntegras" in verified.sentence
    assert command("es", "journal", "export", shelter, tmp_path / "journal").status == 0
    assert {path.suffix for path in (tmp_path / "journal").iterdir()}


def test_a_count_is_a_table_a_file_with_tags_or_json(house: House, command: Command, tmp_path: Path) -> None:
    rows = [
        {**(ROSA if number % 2 else MARTA), "participant_code": f"C-{number:04d}"} for number in range(60)
    ]
    path = people(tmp_path, *rows)
    done = command("es", "import", "training", path, "-f", "enrolment", "-i", house.shelter.slug)
    assert done.status == 0, done.err
    order = ("count", "training.people_enrolled", "--by", "country")
    drawn = command("es", *order)
    assert drawn.status == 0, drawn.err
    for words in ("Guatemala", "Honduras", "país", "Total", "60", "1 institución"):
        assert words in drawn.out
    for language, header in (("es", "País"), ("en", "Country")):
        lines = list(csv.reader(io.StringIO(command(language, *order, "--format", "csv").out)))
        assert lines[0][0] == header
        assert all(tag.startswith("#") for tag in lines[1])
        assert {len(line) for line in lines} == {len(lines[0])}
        assert {line[0]: line[1] for line in lines[2:]} == {"GT": "30", "HN": "30", "": "60"}
    read = json.loads(command("en", *order, "--json").out)
    assert read == json.loads(command("en", *order, "--format", "json").out)
    assert read["total"]["value"] == 60
    assert {cell["key"]["country"]: cell["value"] for cell in read["cells"]} == {"GT": 30, "HN": 30}
    assert read["digest"]
