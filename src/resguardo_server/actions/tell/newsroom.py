"""The newsroom as it is before its first item: one front page per language, and who may work in it."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from wagtail.models import GroupPagePermission, Locale, Page, Site

from resguardo_server.models import NewsFront

TITLES = {"es": "Noticias de la oficina regional", "en": "News from the regional office"}
PRESS = "Moderators"
"""Wagtail's own group of those who write and publish."""


@transaction.atomic
def prepare_newsroom() -> None:
    """Each language of the news has its front page, and the site begins at the Spanish one."""
    root = Page.objects.filter(depth=1).first()
    if root is None:
        root = Page.add_root(
            title="Root", slug="root", locale=Locale.objects.get_or_create(language_code="es")[0]
        )
    for welcome in Page.objects.filter(depth=2).exclude(pk__in=NewsFront.objects.values("pk")):
        Site.objects.filter(root_page=welcome).delete()
        welcome.delete()
    first: NewsFront | None = NewsFront.objects.filter(locale__language_code="es").first()
    for language, title in TITLES.items():
        locale, _ = Locale.objects.get_or_create(language_code=language)
        if NewsFront.objects.filter(locale=locale).exists():
            continue
        root.refresh_from_db()
        front = NewsFront(title=title, slug=f"news-{language}", locale=locale)
        if first is not None:
            front.translation_key = first.translation_key
        root.add_child(instance=front)
        front.save_revision().publish()
        first = first or front
    address = urlsplit(settings.ADDRESS)
    Site.objects.update_or_create(
        is_default_site=True,
        defaults={
            "hostname": address.hostname or "localhost",
            "port": address.port or (443 if address.scheme == "https" else 80),
            "root_page": first,
            "site_name": "Resguardo",
        },
    )
    press, _ = Group.objects.get_or_create(name=PRESS)
    # A claim is never deleted in the newsroom: it may be cited.
    press.permissions.add(
        *Permission.objects.filter(
            content_type__app_label__in=("resguardo_server", "simple_translation"),
            codename__in=("add_claim", "change_claim", "view_claim", "submit_translation"),
        )
    )
    if not GroupPagePermission.objects.filter(group=press).exists():
        for name in ("add_page", "change_page", "publish_page", "lock_page", "unlock_page"):
            permission = Permission.objects.get(content_type__app_label="wagtailcore", codename=name)
            GroupPagePermission.objects.create(group=press, page=root, permission=permission)
