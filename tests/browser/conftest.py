"""One Chromium for all stories; each story has its own region, and every page that it opens is watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from resguardo_server.models import Member
from tests.browser import scene

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} in ${event.sourceFile}`));
"""


@dataclass
class Watch:
    """What no page may ever do: break its policy, throw, ask another host, or miss something."""

    address: str
    faults: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", lambda said: self._note(said.type == "error", f"console: {said.text}"))
        context.on("weberror", lambda error: self._note(True, f"script: {error.error}"))
        context.on(
            "request", lambda asked: self._note(self._is_foreign(asked.url), f"other host: {asked.url}")
        )
        context.on("response", lambda got: self._note(got.status >= 400, f"{got.status}: {got.url}"))

    def _is_foreign(self, url: str) -> bool:
        return not url.startswith((self.address, "data:", "blob:", "about:"))

    def _note(self, wrong: bool, what: str) -> None:
        if wrong:
            self.faults.append(what)


@pytest.fixture(scope="session", autouse=True)
def collected_files() -> None:
    """The folder of collected files is there, empty: the served ones are found where they lie."""
    from django.conf import settings

    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"needs {CHROMIUM}")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def region(
    transactional_db: None,
    django_db_serialized_rollback: None,
    live_server: Any,
    settings: Any,
    tmp_path: Path,
) -> str:
    """The scene is set and served; gives its address."""
    settings.ADDRESS = settings.WAGTAILADMIN_BASE_URL = live_server.url
    cache.clear()
    scene.set_the_scene(tmp_path)
    return str(live_server.url)


@pytest.fixture
def ana(region: str) -> Member:
    """A press officer whose telephone shows codes."""
    return scene.make_press_officer("ana@oficina.example", "Ana", with_factor=True)


@pytest.fixture
def bruno(region: str) -> Member:
    """A press officer who has a password and nothing else yet."""
    return scene.make_press_officer("bruno@oficina.example", "Bruno", with_factor=False)


@pytest.fixture
def watch(region: str) -> Iterator[Watch]:
    """Whatever a page does wrong while the story runs makes the story fail."""
    watching = Watch(region)
    yield watching
    assert watching.faults == []


@pytest.fixture
def open_browser(browser: Browser, watch: Watch, region: str) -> Iterator[Callable[..., Page]]:
    """Somebody opens a browser of their own: no cookies, Spanish, addresses from the root of the site."""
    contexts: list[BrowserContext] = []

    def opened(*, width: int = 1280, height: int = 900, **more: Any) -> Page:
        context = browser.new_context(
            base_url=region, viewport={"width": width, "height": height}, locale="es", **more
        )
        context.set_default_timeout(8000)
        watch.over(context)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        for page in context.pages:
            page.goto("about:blank")
            page.wait_for_timeout(100)  # what a page says as it is left still finds the tables
        context.close()


def give_password(page: Page, email: str, password: str = scene.PASSWORD) -> None:
    """Fills the first form of the sign-in."""
    page.goto("/enter/login/")
    page.get_by_label("Correo electrónico").fill(email)
    page.get_by_label("Contraseña").fill(password)
    page.get_by_role("button", name="Entrar", exact=True).click()


def give_code(page: Page, code: str) -> None:
    """Fills the second form of the sign-in."""
    page.get_by_label("Código").fill(code)
    page.get_by_role("button", name="Continuar").click()


@pytest.fixture
def newsroom(open_browser: Callable[..., Page], ana: Member) -> Page:
    """Ana's browser, signed in."""
    page = open_browser()
    give_password(page, ana.email)
    give_code(page, scene.code_of(ana))
    page.wait_for_url("**/edit/")
    return page
