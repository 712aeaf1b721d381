"""The one Django app of the service, and the list of open sessions that it keeps its own way."""

from allauth.usersessions import apps as usersessions
from django.apps import AppConfig


class Resguardo(AppConfig):
    name = "resguardo_server"
    verbose_name = "Resguardo"

    def ready(self) -> None:
        """The newsroom's widgets work under a strict script policy; sessions begin and end by our rules."""
        from resguardo_server.pages import signing_in  # noqa: F401  its receivers
        from resguardo_server.pages.newsroom import tame_choosers

        tame_choosers()


class OpenSessions(usersessions.UserSessionsConfig):  # type: ignore[misc]
    """allauth's table of sessions, without its receivers: they write down the key that a browser holds."""

    default = False

    def ready(self) -> None:
        """`resguardo_server.actions.members` writes and reads the table."""
