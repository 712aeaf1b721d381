"""The one Django app of the service."""

from django.apps import AppConfig


class Resguardo(AppConfig):
    name = "resguardo_server"
    verbose_name = "Resguardo"

    def ready(self) -> None:
        """The newsroom's widgets work under a strict script policy."""
        from resguardo_server.pages.newsroom import tame_choosers

        tame_choosers()
