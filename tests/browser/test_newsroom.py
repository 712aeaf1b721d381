"""A press officer writes news with claims in its sentences; what does not hold is not published."""

from __future__ import annotations

import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from resguardo_server.actions.tell import check_news
from resguardo_server.models import Claim, NewsFront, Release
from tests.browser import scene

MARK = '<embed embedtype="claim" id="{}"/>'
STORED_BLOCK = re.compile(r'<p data-block-key="\w+">')


def text_box(page: Page, field: str) -> Locator:
    return page.locator(f"[data-contentpath={field}] [contenteditable=true]")


def choose_claim(page: Page, words: str) -> None:
    expect(page.locator(".modal")).to_be_focused()  # the list has come in
    page.locator(".modal").get_by_role("link", name=words, exact=True).click()
    expect(page.locator(".modal")).to_have_count(0)


def put_claim(page: Page, field: str, words: str) -> None:
    """As a person does it: a stroke, the arrow to the only thing on offer, and the list."""
    chips = text_box(page, field).locator(".claim-chip")
    before = chips.count()
    page.keyboard.type("/")
    page.get_by_role("option", name="Afirmación comprobada").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    choose_claim(page, words)
    expect(chips).to_have_count(before + 1)
    expect(text_box(page, field)).to_be_focused()


def write(page: Page, field: str, words: str) -> None:
    """Types; the editor hands its text to the form a moment later."""
    page.keyboard.type(words)
    expect(page.locator(f"[name={field}]")).to_have_value(re.compile(re.escape(words)))


def press_save(page: Page) -> None:
    page.get_by_role("button", name="Guardar borrador").click()


def press_publish(page: Page) -> None:
    page.get_by_role("button", name="Más acciones").click()
    page.get_by_role("button", name="Publicar", exact=True).click()


def messages(page: Page) -> Locator:
    return page.locator(".messages li")


def newest_text(release: Release) -> tuple[str, str]:
    page = Release.objects.get(pk=release.pk).get_latest_revision_as_object()
    return tuple(STORED_BLOCK.sub("<p>", text) for text in (page.headline, page.summary))  # type: ignore[return-value]


def test_a_claim_stands_in_its_sentence_as_a_chip_and_is_stored_as_its_id_alone(newsroom: Page) -> None:
    page = newsroom
    total, countries = Claim.objects.get(slug="trained-total"), Claim.objects.get(slug="trained-countries")
    page.get_by_role("link", name="Escribir una noticia en español").click()
    page.locator("#id_day").click()
    page.locator(".xdsoft_datetimepicker:visible td[data-date='15']").first.click()
    day = page.locator("#id_day")
    expect(day).to_have_value(re.compile(r"\d{4}-\d\d-15"))
    day.fill("2022-09-15")
    page.keyboard.press("Escape")
    text_box(page, "headline").click()
    put_claim(page, "headline", "75")
    write(page, "headline", " personas de ")
    # The toolbar leads to the same list.
    page.keyboard.type("la región")
    for _ in range(2):
        page.keyboard.press("Shift+Control+ArrowLeft")
    page.locator("[data-contentpath=headline]").get_by_role("button", name="Afirmación comprobada").click()
    expect(page.locator(".modal")).to_be_focused()
    page.locator(".modal").get_by_label("Buscar una afirmación").fill("countries_number")
    expect(page.locator(".modal").get_by_role("link", name="76")).to_have_count(0)
    page.locator(".modal").get_by_role("link", name="seis países", exact=True).click()
    expect(page.locator(".modal")).to_have_count(0)
    expect(text_box(page, "headline")).to_have_text("75 personas de seis países")
    text_box(page, "summary").click()
    write(page, "summary", "Una formación para contar sin dañar.")
    press_save(page)
    expect(messages(page)).to_contain_text("creada")

    made = Release.objects.order_by("-pk").first()
    assert made is not None
    assert newest_text(made) == (
        f"<p>{MARK.format(total.pk)} personas de {MARK.format(countries.pk)}</p>",
        "<p>Una formación para contar sin dañar.</p>",
    )
    assert not made.live
    assert made.programme == "training"
    assert made.slug == "75-personas-de-seis-paises"

    # Opened again, the chip is there; the cursor cannot enter it; one stroke takes it whole, nothing else.
    page.goto(f"/edit/pages/{made.pk}/edit/")
    headline = text_box(page, "headline")
    expect(headline.locator(".claim-chip")).to_have_text(["75", "seis países"])
    expect(headline.locator(".claim-chip").first).to_have_attribute(
        "title", re.compile("75 es el número exacto")
    )
    headline.click()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("x")
    expect(headline.locator(".claim-chip")).not_to_have_text(["75", "seisx países"])
    page.keyboard.press("Control+z")
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    expect(headline).to_have_text("75 personas de ")
    expect(headline.locator(".claim-chip")).to_have_text(["75"])
    write(page, "headline", "tres radios")
    page.keyboard.press("Enter")  # a headline is one line
    press_save(page)
    expect(messages(page)).to_contain_text("ha sido actualizada")
    assert newest_text(made)[0] == f"<p>{MARK.format(total.pk)} personas de tres radios</p>"


def test_an_item_with_a_claim_that_fails_or_a_typed_figure_is_refused_with_reasons_and_kept(
    newsroom: Page,
) -> None:
    page = newsroom
    front = NewsFront.objects.get(locale__language_code="es")
    page.goto(f"/edit/pages/add/resguardo_server/release/{front.pk}/")
    page.locator("#id_day").fill("2022-09-20")
    page.keyboard.press("Escape")
    text_box(page, "headline").click()
    page.keyboard.type("Se formaron ")
    put_claim(page, "headline", "76")
    write(page, "headline", " personas")
    expect(text_box(page, "headline").locator(".claim-chip--fails")).to_have_text("76")
    text_box(page, "summary").click()
    write(page, "summary", "Llegaron 40 periodistas.")
    press_publish(page)
    expect(messages(page)).to_contain_text(
        [
            "No se publicó nada. Su texto quedó guardado como borrador.",
            "«76»: Falso: los registros dicen 75; el texto dice «76». Puede decir «75».",
            "«40 periodistas»",
        ]
    )
    expect(text_box(page, "headline")).to_have_text("Se formaron 76 personas")
    expect(text_box(page, "summary")).to_have_text("Llegaron 40 periodistas.")
    refused = Release.objects.order_by("-pk").first()
    assert refused is not None
    assert not refused.live
    page.goto("/es/news/")
    expect(page.get_by_text("Se formaron")).to_have_count(0)

    # The desk says the same; publishing several at once or a public copy are no way around.
    page.goto("/edit/")
    expect(page.locator(".latest-news")).to_contain_text("Puede decir «75»")
    page.goto(f"/edit/bulk/wagtailcore/page/publish/?id={refused.pk}&next=/edit/pages/{front.pk}/")
    page.locator("main form [type=submit]").click()
    expect(messages(page)).to_contain_text(["No se publicó ninguna"])
    assert not Release.objects.get(pk=refused.pk).live

    # An item that is public keeps its public text while the new one is refused.
    public = Release.objects.get(title__startswith="75 comunicadores")
    page.goto(f"/edit/pages/{public.pk}/edit/")
    text_box(page, "summary").click()
    page.keyboard.press("Control+End")
    write(page, "summary", " Costó 12000 dólares.")
    press_publish(page)
    expect(messages(page).first).to_contain_text("No se publicó nada")
    expect(text_box(page, "summary")).to_contain_text("12000 dólares")
    page.goto(public.url)
    expect(page.get_by_text("12000")).to_have_count(0)


def test_what_holds_is_previewed_published_and_read_by_the_public(newsroom: Page) -> None:
    page = newsroom
    english = NewsFront.objects.get(locale__language_code="en")
    spanish = NewsFront.objects.get(locale__language_code="es")
    page.goto("/edit/")
    page.get_by_role("link", name="Escribir una noticia en inglés").click()
    page.locator("#id_day").fill("2022-09-21")
    page.keyboard.press("Escape")
    text_box(page, "headline").click()
    page.keyboard.type("Newsrooms of ")
    put_claim(page, "headline", "six countries")  # in the language of the item, not of the desk
    write(page, "headline", " finish a course")
    text_box(page, "summary").click()
    page.keyboard.type("All of them: ")
    put_claim(page, "summary", "75")
    write(page, "summary", " people. See the news")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Control+k")
    page.locator(".modal").get_by_role("link", name=spanish.title, exact=True).click()
    expect(page.locator(".modal")).to_have_count(0)
    expect(text_box(page, "summary").locator("a")).to_have_text("news")
    press_save(page)
    expect(messages(page)).to_contain_text("creada")

    page.get_by_role("button", name="Alternar vista previa").click()
    preview = page.frame_locator("#w-preview-iframe")
    expect(preview.get_by_role("heading", level=1)).to_contain_text("Newsrooms of six countries")
    expect(preview.get_by_role("heading", name="How it was counted")).to_be_visible()
    press_publish(page)
    expect(messages(page)).to_contain_text("ha sido publicada")
    made = Release.objects.child_of(english).get()
    assert made.live
    page.goto(made.url)
    expect(page.locator("h1")).to_contain_text("Newsrooms of six countries")
    expect(page.locator("h1 p")).to_have_count(0)
    expect(page.locator(".prose a:not(.thread)")).to_have_attribute("href", "/en/news/")  # the reader's own
    page.locator(".prose .thread").click()
    expect(page.locator(".voucher[open]")).to_contain_text("Edition closed in August 2022")


def test_a_claim_is_checked_when_it_is_saved_and_a_broken_one_is_refused_with_line_key_and_cure(
    newsroom: Page,
) -> None:
    page = newsroom
    page.get_by_role("link", name="Afirmaciones").click()
    expect(page.get_by_role("row", name=re.compile("76 · trained-too-many"))).to_contain_text("no se cumple")
    page.get_by_role("link", name="76 · trained-too-many").click()
    definition = page.locator("#id_definition")
    good = definition.input_value().replace("number = 76", "number = 75").replace("\r\n", "\n")
    definition.fill(good.replace("number = 75", 'number = "muchos"'))
    page.get_by_role("button", name="Guardar").click()
    error = page.locator(".error-message")
    expect(error).to_contain_text(re.compile("línea 4.*number.*número", re.IGNORECASE | re.DOTALL))
    for broken, said in (
        (good.replace("training.people_trained", "training.people_saved"), "people_trained"),
        (good.replace("trained-too-many", "trained-enough"), "trained-too-many"),
        (good + "\n" + good.replace("too-many", "again"), "una sola afirmación"),
        (good.replace("[[claim]]", "[[claim"), "línea 1"),
    ):
        page.locator("#id_definition").fill(broken)
        page.get_by_role("button", name="Guardar").click()
        expect(page.locator(".error-message")).to_contain_text(said)
        expect(page.locator("#id_definition")).to_have_value(broken)
    assert Claim.objects.get(slug="trained-too-many").verdict == "false"

    page.locator("#id_definition").fill(good)
    page.get_by_role("button", name="Guardar").click()
    expect(messages(page)).to_contain_text("75 es el número exacto: se cumple")
    assert Claim.objects.get(slug="trained-too-many").holds_today

    page.goto("/edit/claims/new/")
    over = good.replace("trained-too-many", "trained-over").replace("exact", "more_than").replace("75", "80")
    over = over.replace('.es = "{number}"', '.es = "más de {number}"')
    page.locator("#id_definition").fill(over.replace('.en = "{number}"', '.en = "more than {number}"'))
    page.locator("main form [type=submit]").last.click()
    expect(messages(page)).to_contain_text("Falso")
    made = Claim.objects.get(slug="trained-over")
    assert (made.verdict, made.wording("es")) == ("false", "más de 80")
    page.goto(f"/edit/claims/delete/{made.pk}/")
    expect(page).to_have_url(re.compile("/edit/$"))  # a claim may be cited: the press does not delete it


def test_when_the_records_change_the_public_is_told_and_no_copy_goes_out(
    newsroom: Page, tmp_path: Path
) -> None:
    page = newsroom
    scene.receive_completions(tmp_path / "tarde.csv", {**scene.TRAINED, "GT": 26})
    check_news(now=scene.NOW)
    item = Release.objects.get(title__startswith="75 comunicadores")
    page.goto(item.url)
    expect(page.locator(".checked.wrong").first).to_contain_text("1 de 2 afirmaciones")
    expect(page.locator(".voucher.wrong")).to_contain_text("los registros dicen 87")
    page.goto("/edit/")
    expect(page.locator(".latest-news")).to_contain_text("el texto dice «75». Puede decir «87»")
    page.goto(f"/edit/pages/{item.pk}/copy/")
    page.locator("#id_new_slug").fill("otra-vez")
    page.get_by_label("Publicar", exact=False).check()
    page.get_by_role("button", name="Copiar").click()
    expect(messages(page)).to_contain_text(["No se copió como publicada"])
    assert not Release.objects.filter(slug="otra-vez").exists()


OUR_OWN = ("", "pages/{item}/edit/", "claims/", "claims/edit/{claim}/")
"""Pages that we made or changed; the rest is Wagtail's as it comes."""
NEWSROOM_PAGES = (
    *OUR_OWN, "pages/", "pages/{front}/", "pages/{front}/edit/", "pages/{item}/history/",
    "pages/{item}/usage/", "pages/{item}/copy/", "pages/{item}/move/", "pages/{item}/delete/",
    "pages/{item}/unpublish/", "pages/{item}/view_draft/", "translation/submit/page/{item}/",
    "claims/usage/{claim}/", "claims/history/{claim}/", "reports/site-history/", "reports/locked/",
    "account/", "pages/search/?q=curso",
)  # fmt: skip


def test_every_page_of_the_desk_keeps_the_script_policy_and_no_menu_leads_nowhere(newsroom: Page) -> None:
    page = newsroom
    places = {
        "front": NewsFront.objects.get(locale__language_code="es").pk,
        "item": Release.objects.get(title__startswith="75").pk,
        "claim": Claim.objects.get(slug="trained-total").pk,
    }
    menu = page.locator("#wagtail-sidebar nav")
    expect(menu.get_by_role("link", name="Afirmaciones")).to_be_visible()
    for hidden in ("Imágenes", "Documentos", "Ayuda", "Configuración"):
        expect(menu.get_by_text(hidden)).to_have_count(0)
    for address in NEWSROOM_PAGES:
        answer = page.goto(f"/edit/{address.format(**places)}")
        page.wait_for_timeout(100)  # what starts after loading may break the policy too
        assert answer is not None
        assert answer.status == 200, address
        assert page.url.endswith(address.format(**places)), f"{address} leads to {page.url}"
        if address in OUR_OWN:
            found = Axe().run(page)
            assert found.violations_count == 0, f"{address}: {found.generate_report()}"
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "'unsafe-inline'" not in re.search(r"script-src [^;]*", policy)[0]  # type: ignore[index]
        assert "unsafe-eval" not in policy
