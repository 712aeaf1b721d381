"""Every refusal of the room has a sentence in Spanish and English that says what to do."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from string import Formatter

import pytest

from resguardo.plan.languages import explain, in_language, say
from resguardo.values import PACKAGE, Problem, Sensitivity

ROOM = PACKAGE / "plan"


def sentences(language: str) -> dict[str, str]:
    tables = tomllib.loads((ROOM / "words" / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"plan.{table}.{key}": text for table, keys in tables.items() for key, text in keys.items()}


def refusals(language: str) -> dict[str, str]:
    """The sentences but for the titles of groups of answers, which are no sentences."""
    return {code: text for code, text in sentences(language).items() if not code.startswith("plan.group.")}


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_spanish_and_english_have_the_same_sentences_with_the_same_blanks() -> None:
    spanish, english = sentences("es"), sentences("en")
    assert spanish.keys() == english.keys()
    assert {code: blanks(text) for code, text in spanish.items()} == {
        code: blanks(text) for code, text in english.items()
    }


def test_every_code_written_in_the_room_has_a_sentence() -> None:
    written = "\n".join(path.read_text(encoding="utf-8") for path in ROOM.glob("*.py"))
    codes = set(re.findall(r"\"(plan\.[a-z]+\.[a-z_]+)\"", written))
    assert len(codes) > 60
    assert codes - sentences("es").keys() == set()


def test_every_sentence_is_used() -> None:
    written = "\n".join(path.read_text(encoding="utf-8") for path in ROOM.glob("*.py"))
    for code in refusals("es"):
        key = code.rpartition(".")[2].removesuffix("_misspelt")
        assert re.search(rf"[\".]{key}\b", written), code


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_refusal_is_a_whole_sentence(language: str) -> None:
    for code, text in refusals(language).items():
        if not code.startswith("plan.place."):
            assert re.search(r"[.?»”]$", text), code
            assert "{" not in re.sub(r"\{[a-z]+\}|\{\{|\}\}", "", text), code


def test_a_problem_is_explained_with_its_whole_place() -> None:
    problem = Problem(
        "plan.form.sensitivity_missing", {"name": "age", "line": "12"}, "a/b.md", "survey", 5, "sensitivity"
    )
    assert explain(problem, "es").startswith(
        "a/b.md, línea 12, hoja survey, fila 5, columna sensitivity: la "
    )
    assert explain(problem, "ht") == explain(problem, "es")
    settings = Problem("plan.toml.missing", {}, "a/programme.toml", "form visit", None, "moment")
    assert explain(settings, "en").startswith("a/programme.toml, table form visit, key moment: ")


def test_a_fact_may_have_any_name() -> None:
    assert "…" not in say("plan.toml.language", "es", language="xx", code="unused")


def test_a_sentence_that_nobody_wrote_is_a_fault_of_the_house() -> None:
    with pytest.raises(KeyError):
        say("plan.form.no_such_thing", "es")


def test_words_are_said_in_the_nearest_language() -> None:
    assert in_language({"es": "uno", "en": "one"}, "en") == "one"
    assert in_language({"es": "uno", "en": "one"}, "ht") == "uno"
    assert in_language({"fr": "un"}, "en") == "un"
    assert in_language({}, "es") == ""


GUIDE = Path(__file__).parents[3] / "docs" / "programmes.md"


def test_the_guide_names_every_key_of_a_programme() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    read = "".join((ROOM / name).read_text() for name in ("loading.py", "meaning.py", "purposes.py"))
    readers = "text|snake|words|code|codes|texts|number|day|table|tables|under|answer"
    keys = set(re.findall(rf"\.(?:{readers})\(\s*\"(\w+)\"", read))
    assert len(keys) > 45
    assert {key for key in keys if f"`{key}`" not in guide and f"`[[{key}]]`" not in guide} == set()


def test_the_guide_says_every_refusal_as_it_is_said() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    for code, text in refusals("en").items():
        if code.startswith("plan.place.") or code.endswith("_misspelt"):
            continue
        shown = text.replace("{{", "{").replace("}}", "}").replace("\\", "\\\\").replace("|", "\\|")
        assert f"| `{code.removeprefix('plan.')}` | {shown} |\n" in guide, code


@pytest.mark.parametrize("language", ["es", "en", "fr", "ht"])
def test_what_a_person_reads_for_each_group_is_in_her_language(language: str) -> None:
    titles = [say(f"plan.group.{level.value}", language) for level in Sensitivity]
    assert len(set(titles)) == 4
    if language != "es":
        assert not set(titles) & {say(f"plan.group.{level.value}", "es") for level in Sensitivity}
