"""Sessions that a thief of the database cannot use, and that end by themselves.

A browser holds the session's key; the table holds a digest of it and the sealed content, so that neither
leads to a session that works. A session that is older than `SESSION_COOKIE_AGE`, or that nobody used for
`settings.IDLE_SECONDS`, is no session any more wherever it is shown: nothing needs to look for that.
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as TableOfSessions
from django.contrib.sessions.models import Session
from django.utils import timezone

from resguardo_server.staff_secrets import opened, sealed

OPENED, SEEN = "opened_at", "seen_at"
USE = "session"


def stored_key(key: str) -> str:
    """Under what a session lies in the table, from what its browser holds."""
    return hashlib.sha256(key.encode()).hexdigest()[:40]


def is_over(content: dict[str, Any], now: float) -> bool:
    """Whether a session with that content has ended: too old, unused for too long, or of unknown age."""
    opened_at, seen_at = content.get(OPENED), content.get(SEEN)
    if not isinstance(opened_at, int | float) or not isinstance(seen_at, int | float):
        return True
    return not (
        0 <= now - opened_at < settings.SESSION_COOKIE_AGE and 0 <= now - seen_at < settings.IDLE_SECONDS
    )


class SessionStore(TableOfSessions):
    """Django's sessions in a table, under digests, sealed, with an end."""

    def load(self) -> dict[str, Any]:
        content = self._content()
        if content is None:
            self._session_key = None
            return {}
        return content

    def _content(self) -> dict[str, Any] | None:
        if self.session_key is None:
            return None
        under = stored_key(self.session_key)
        row = Session.objects.filter(session_key=under, expire_date__gt=timezone.now()).first()
        octets = opened(row.session_data, USE, under) if row else None
        if row is None or octets is None:
            return None
        content: dict[str, Any] = json.loads(octets)
        if is_over(content, time.time()):
            row.delete()
            return None
        return content

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(session_key=stored_key(session_key)).exists()

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            Session.objects.filter(session_key=stored_key(key)).delete()

    def save(self, must_create: bool = False) -> None:
        if self.session_key is not None:
            content = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
            now = time.time()
            content.setdefault(OPENED, now)
            content.setdefault(SEEN, now)
        super().save(must_create)

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        under = stored_key(self._get_or_create_session_key())  # type: ignore[attr-defined]
        return Session(
            session_key=under,
            session_data=sealed(json.dumps(data).encode(), USE, under),
            expire_date=self.get_expiry_date(),
        )
