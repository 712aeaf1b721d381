"""The pages stand on their own: without a request, without values, in every language, without a script."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation
from django.utils.safestring import mark_safe

from resguardo_server.languages_build import PACKAGE, compile_messages

TEMPLATES = PACKAGE / "templates"
OURS = sorted(
    path.relative_to(TEMPLATES).as_posix()
    for path in TEMPLATES.rglob("*.html")
    if not path.relative_to(TEMPLATES).as_posix().startswith("wagtailadmin/")
)
BROKEN = ("400.html", "403.html", "403_csrf.html", "404.html", "500.html")


@pytest.fixture(autouse=True, scope="module")
def _languages() -> None:
    compile_messages()


def page(name: str, language: str = "es", **values: Any) -> str:
    """The page as a reader of `language` gets it."""
    with translation.override(language):
        return render_to_string(name, values, request=RequestFactory().get(f"/{language}/news/"))


@pytest.mark.parametrize("name", BROKEN)
def test_an_error_page_needs_neither_request_nor_values(name: str) -> None:
    with translation.override("es"):
        text = render_to_string(name)
    assert '<html lang="es">' in text
    assert "<h1>" in text


def test_an_error_page_survives_a_host_that_is_not_ours() -> None:
    request = RequestFactory().get("/", headers={"host": "nobody.example"})
    assert "<h1>" in render_to_string("400.html", {}, request=request)


@pytest.mark.parametrize("name", OURS)
def test_no_template_needs_a_script_or_a_style_of_its_own(name: str) -> None:
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|<style|\son\w+=\"", text)
    for script in re.findall(r"<script[^>]*>", text):
        assert 'type="application/json"' in script


@pytest.mark.parametrize("name", OURS)
def test_no_template_reaches_another_host(name: str) -> None:
    assert "//" not in re.sub(r"{%.*?%}", "", (TEMPLATES / name).read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("es", "Noticias de la oficina regional"),
        ("en", "News from the regional office"),
        ("fr", "Nouvelles du bureau régional"),
        ("ht", "Nouvèl biwo rejyonal la"),
    ],
)
def test_the_front_page_speaks_the_language_of_its_reader(language: str, words: str) -> None:
    text = page("tell/front.html", language, total=0, years=[], page={"number": 1, "total": 1})
    assert f'<html lang="{language}">' in text
    assert words in text


def test_no_item_under_a_filter_says_what_to_take_away() -> None:
    text = page(
        "tell/front.html",
        total=10,
        found=0,
        years=[],
        page={"number": 1, "total": 1},
        filters={"chosen": [{"text": "Honduras", "address": "?year=2023"}]},
    )
    assert "Hay 10 noticias; ninguna es de ese filtro." in text
    assert "Sin «Honduras»" in text


def test_an_item_in_another_language_is_marked_as_such() -> None:
    release = {"headline_parts": [{"text": "Uno"}], "language": "es", "address": "/es/news/x/"}
    text = page("tell/front.html", "fr", total=1, years=[{"year": 2022, "total": 1, "releases": [release]}])
    assert '<h3 lang="es">' in text
    assert '<html lang="fr">' in text


def test_a_protected_cell_says_the_same_to_the_eye_and_to_the_ear() -> None:
    table = {"rows": [{"label": "HN", "cells": [{"text": "", "protected": True}]}], "floor": 15}
    with translation.override("es"):
        text = render_to_string("tell/parts/table.html", {"table": table})
    assert "&lt;15" in text
    assert "protegida, menos de 15" in text


def test_a_thread_leads_to_its_voucher_and_escapes_its_words() -> None:
    text = render_to_string("tell/parts/thread.html", {"wording": "<b>162</b>", "number": 2, "href": "#a2"})
    assert 'href="#a2"' in text
    assert "<b>" not in text
    assert not text.endswith("\n")  # it stands in running text


def test_a_voucher_is_found_by_the_number_of_its_thread() -> None:
    voucher = {"number": 2, "wording": "162", "verdict": "true", "rows": [("Qué se contó", "Personas")]}
    release = {"headline_html": mark_safe("Uno"), "claims_true": 1, "claims_total": 1}
    text = page("tell/release.html", release=release, vouchers=[voucher])
    assert 'id="a2"' in text
    assert "1 de 1 afirmación comprobada" in text
    assert "Qué se contó" in text


def test_a_claim_that_stopped_being_true_says_so_in_words() -> None:
    voucher = {
        "number": 1,
        "wording": "162",
        "verdict": "false",
        "verdict_sentence": "Los registros dan 163.",
    }
    text = page("tell/release.html", release={"claims_true": 0, "claims_total": 1}, vouchers=[voucher])
    assert "ya no se cumple" in text
    assert "0 de 1 afirmación comprobada" in text


def test_who_saves_data_gets_no_letters() -> None:
    saving = RequestFactory().get("/es/how/", headers={"save-data": "on"})
    assert "fonts.css" not in render_to_string("tell/how.html", {}, request=saving)
    assert "fonts.css" in page("tell/how.html")


def test_the_sheet_is_small_and_names_no_other_host() -> None:
    import gzip

    sheet = Path(PACKAGE / "static" / "resguardo.css").read_bytes()
    assert len(gzip.compress(sheet)) < 6_900
    assert b"//" not in sheet
    assert b"url(" not in sheet
