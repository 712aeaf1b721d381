"""What the public reads works on a small telephone, without scripts, by keyboard, and for machines."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, Response, expect

from resguardo_server.models import Release

THE_ITEM = "75 comunicadores"
PAGES = (
    "/es/news/", "/es/news/?q=nada-que-se-encuentre", "/es/news/{item}", "/es/news/{item}#a2",
    "/es/claims/trained-total/", "/es/figures/", "/es/programmes/", "/es/how/", "/es/corrections/",
    "/es/accessibility/", "/ht/news/", "/enter/login/",
)  # fmt: skip
BUDGETS = {"/es/news/": 80, "/es/news/{item}": 90, "/es/claims/trained-total/": 90, "/enter/login/": 45}
"""Kilobytes of the first view, letters included."""
CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"


def address_of(page: str) -> str:
    item = Release.objects.get(title__startswith=THE_ITEM).url
    return page.replace("/es/news/{item}", item)


OPEN_ALL = """() => document.querySelectorAll("details").forEach((one) => {
  one.removeAttribute("name");
  one.open = true;
})"""


@pytest.mark.parametrize(("width", "colours"), [(360, "light"), (1280, "dark")])
def test_no_page_has_a_barrier_or_is_wider_than_the_screen(
    open_browser: Callable[..., Page], width: int, colours: str
) -> None:
    page = open_browser(width=width, color_scheme=colours)
    for wanted in PAGES:
        answer = page.goto(address_of(wanted))
        assert answer is None or answer.status == 200, wanted
        page.evaluate(OPEN_ALL)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{wanted} {width}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, wanted
        expect(page.locator("h1")).to_have_count(1)


def test_the_first_view_of_a_page_is_light_and_carries_no_script(
    open_browser: Callable[..., Page], region: str
) -> None:
    for wanted, budget in BUDGETS.items():
        page = open_browser(width=360)
        came: list[Response] = []
        page.on("response", lambda got, came=came: came.append(got))
        page.goto(address_of(wanted), wait_until="networkidle")
        sizes = {got.url.removeprefix(region): weight(got) for got in came}
        assert sum(sizes.values()) <= budget * 1000, sizes
        if "enter" not in wanted:
            assert [got.url for got in came if got.request.resource_type == "script"] == []
            assert page.locator("script, [style], style").count() == 0


def weight(got: Response) -> int:
    """Bytes on the wire: static text is served compressed, pages and letters as they are."""
    body = got.body()
    return len(gzip.compress(body)) if got.url.endswith((".css", ".js", ".svg")) else len(body)


def test_a_reader_without_scripts_finds_an_item_and_opens_how_it_was_counted(
    open_browser: Callable[..., Page],
) -> None:
    page = open_browser(width=360, java_script_enabled=False)
    page.goto("/")
    expect(page).to_have_url("/es/news/")
    page.get_by_label("Programa").select_option(label="Formación de comunicadores y funcionarios (1)")
    page.get_by_role("button", name="Buscar").click()
    expect(page.locator("article")).to_have_count(1)
    page.get_by_label("Buscar").first.fill("guía")
    page.get_by_label("Programa").select_option("")
    page.get_by_role("button", name="Buscar").click()
    page.get_by_role("link", name="Una guía para hablar de la niñez migrante").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Una guía para hablar de la niñez migrante")
    page.get_by_role("link", name="Volver a las noticias").click()
    page.get_by_role("link", name=THE_ITEM).click()
    inside = page.locator("#a2")
    expect(inside).to_be_hidden()
    page.locator(".prose").get_by_role("link", name="seis países").click()
    expect(inside).to_be_visible()
    expect(inside).to_contain_text("Edición cerrada en agosto de 2022")
    page.get_by_role("link", name="Esta afirmación sola").last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("seis países")
    page.get_by_role("link", name="English").click()
    expect(page).to_have_url("/en/news/")
    page.goto("/enter/login/")
    expect(page.get_by_label("Contraseña")).to_be_visible()


def test_the_keyboard_reaches_every_control_in_its_order_and_shows_where_it_is(
    open_browser: Callable[..., Page],
) -> None:
    page = open_browser()
    for wanted in ("/es/news/", "/es/news/{item}#a1", "/es/programmes/", "/enter/login/"):
        page.goto(address_of(wanted))
        controls = [each for each in page.locator(CONTROLS).all() if each.is_visible() and is_reached(each)]
        assert len(controls) > 5, wanted
        seen: list[str] = []
        for _ in range(len(controls) * 2):  # from a fragment on, the way leads round by the top
            page.keyboard.press("Tab")
            seen.append(page.evaluate(MARK_FOCUSED))
        missed = [each.inner_text() for each in controls if each.get_attribute("data-reached") is None]
        assert missed == [], wanted
        assert "unseen" not in seen, wanted


MARK_FOCUSED = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return "page";
  here.dataset.reached = "";
  const look = getComputedStyle(here);
  return look.outlineStyle === "none" && look.boxShadow === "none" ? "unseen" : "seen";
}"""


def is_reached(control: Locator) -> bool:
    return control.get_attribute("tabindex") != "-1" and control.is_enabled()


def test_feed_readers_and_machines_get_what_people_read(
    open_browser: Callable[..., Page], region: str
) -> None:
    page = open_browser()
    page.goto("/es/news/")
    offered = page.locator("link[rel=alternate]").evaluate_all(
        "links => links.map(one => [one.type, one.href])"
    )
    assert {kind for kind, _ in offered} == {
        "application/atom+xml",
        "application/rss+xml",
        "application/feed+json",
    }
    item = Release.objects.get(title__startswith=THE_ITEM)
    text = "El curso regional cerró con 75 personas de seis países. Las redacciones recibieron"

    atom = page.request.get("/es/news.atom")
    assert atom.headers["content-type"].startswith("application/atom+xml")
    names = {"a": "http://www.w3.org/2005/Atom"}
    feed = ElementTree.fromstring(atom.body())  # noqa: S314  our own feed
    assert feed.find("a:link[@rel='self']", names).attrib["href"] == f"{region}/es/news.atom"  # type: ignore[union-attr]
    entries = feed.findall("a:entry", names)
    assert [entry.findtext("a:title", "", names) for entry in entries] == [
        page.title for page in Release.objects.order_by("-day")
    ]
    for entry in entries:
        assert entry.findtext("a:id", "", names).startswith("urn:uuid:")
        assert entry.findtext("a:updated", "", names)
    assert text in entries[0].findtext("a:summary", "", names)

    rss = ElementTree.fromstring(page.request.get("/es/news.rss").body())  # noqa: S314  our own feed
    assert len(rss.findall("channel/item/guid")) == 2

    said = page.request.get("/es/news.json")
    assert said.headers["content-type"].startswith("application/feed+json")
    spoken = json.loads(said.body())
    assert spoken["version"] == "https://jsonfeed.org/version/1.1"
    assert spoken["items"][0]["url"] == f"{region}{item.url}"
    assert text in spoken["items"][0]["content_text"]
    assert page.request.get(spoken["items"][0]["url"]).status == 200

    claim = page.request.get("/es/claims/trained-total.json").json()
    assert (claim["verdict"], claim["recipe"]["indicator"]) == ("true", "training.people_trained")
    assert ",15" in page.request.get("/es/claims/trained-total.csv").text()
