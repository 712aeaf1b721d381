"""Who guesses waits: longer with every wrong guess, for one account as seen from one network.

Passwords, codes, recovery codes and passkeys all count as guesses. A guess is counted before it is judged and
taken back when it was right, so that many at once win nothing. The lock is on the account together with the
network (/24, or /56 of IPv6), never on the account alone: whoever guesses wrong on purpose shuts out their
own network and nobody else. An account that does not exist is counted like one that does.

The table is that of django-axes; its own ways of counting are not used: they keep what was posted, count
after judging, and know one fixed time to wait.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.core.internal.httpkit import get_client_ip
from axes.handlers.base import AbstractAxesHandler, AxesBaseHandler
from axes.models import AccessAttempt
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import ngettext

from resguardo_server.staff_secrets import pseudonym

FREE = 5
"""Wrong guesses that cost nothing but the guess."""
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=8)
FORGOTTEN_AFTER = timedelta(hours=24)
"""After so long without a wrong guess the account starts anew from that network."""
NOWHERE = "::"
"""The network of a request that has no address of its own, such as a socket of this machine."""


def network_of(request: HttpRequest) -> str:
    """The first address of the network that a request came from: all that is kept of where somebody is."""
    told = get_client_ip(request)
    if not told:
        return NOWHERE
    address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(told)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    length = 24 if address.version == 4 else 56
    return str(ipaddress.ip_network(f"{address}/{length}", strict=False).network_address)


def pause_after(wrong: int) -> timedelta:
    """How long an account rests after so many wrong guesses: 1, 2, 4 … minutes once the free are used."""
    if wrong < FREE:
        return timedelta()
    return min(FIRST_PAUSE * (1 << min(wrong - FREE, 20)), LONGEST_PAUSE)


class Locked(ValidationError):
    """The account rests as seen from this network; the words say how long, and not whether it exists."""

    def __init__(self, left: timedelta) -> None:
        minutes = -(-int(left.total_seconds()) // 60) or 1
        if minutes < 100:
            text = ngettext(
                "Too many tries. You can try again in %(number)s minute.",
                "Too many tries. You can try again in %(number)s minutes.",
                minutes,
            ) % {"number": minutes}
        else:
            hours = -(-minutes // 60)
            text = ngettext(
                "Too many tries. You can try again in %(number)s hour.",
                "Too many tries. You can try again in %(number)s hours.",
                hours,
            ) % {"number": hours}
        super().__init__(text, code="locked")


@dataclass
class Guess:
    """A guess that has been counted and is being judged."""

    row: int
    before: datetime

    def was_right(self) -> None:
        """Takes the guess back: it was none."""
        kept = AccessAttempt.objects.filter(pk=self.row, failures_since_start__gt=0)
        kept.update(failures_since_start=F("failures_since_start") - 1, attempt_time=self.before)
        AccessAttempt.objects.filter(pk=self.row, failures_since_start=0).delete()


def begin_guess(request: HttpRequest, account: str) -> Guess:
    """Counts a guess for the account from the network of the request; raises `Locked` while it rests."""
    now = timezone.now()
    name = account_name(account)
    with transaction.atomic():
        row, new = AccessAttempt.objects.select_for_update().get_or_create(
            username=name,
            ip_address=network_of(request),
            user_agent="",
            defaults={
                "get_data": "",
                "post_data": "",
                "http_accept": "",
                "path_info": "",
                "failures_since_start": 0,
            },
        )
        wrong = row.failures_since_start if now - row.attempt_time < FORGOTTEN_AFTER else 0
        left = row.attempt_time + pause_after(wrong) - now
        locked = wrong >= FREE and left > timedelta()
        if not locked:
            AccessAttempt.objects.filter(pk=row.pk).update(failures_since_start=wrong + 1, attempt_time=now)
    if locked:
        request.sign_in_rests_for = left  # type: ignore[attr-defined]
        raise Locked(left)
    if new:
        AccessAttempt.objects.filter(attempt_time__lt=now - FORGOTTEN_AFTER).delete()
    request.guesses_for = name  # type: ignore[attr-defined]
    return Guess(row.pk, row.attempt_time)


def account_name(account: str) -> str:
    """Under what an account is counted: the table of guesses does not say whose it is."""
    return pseudonym(account.strip().casefold(), "guesses")


def forget(account: str, network: str | None = None) -> int:
    """The account is free again, from that network or from everywhere; says how many locks or counts went."""
    rows = AccessAttempt.objects.filter(username=account_name(account))
    if network is not None:
        rows = rows.filter(ip_address=network)
    return int(rows.delete()[0])


class ByAccountAndNetwork(AbstractAxesHandler, AxesBaseHandler):  # type: ignore[misc]
    """What django-axes asks: every way to Django's `authenticate` is counted, also one written later."""

    def is_allowed(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        account = str((credentials or {}).get("email") or "")
        if getattr(request, "guesses_for", None) == account_name(account):
            return True
        try:
            begin_guess(request, account)
        except Locked:
            return False
        return True

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        return 0

    def user_login_failed(self, sender: Any, credentials: Any, request: Any = None, **more: Any) -> None:
        """Counted before it was judged."""

    def user_logged_in(self, sender: Any, request: HttpRequest, user: Any, **more: Any) -> None:
        """Whoever gave every factor starts anew from her network."""
        if "REMOTE_ADDR" in request.META:
            forget(user.email, network_of(request))

    def user_logged_out(self, sender: Any, request: Any, user: Any, **more: Any) -> None:
        """Nothing changes."""

    def post_save_access_attempt(self, instance: Any, **more: Any) -> None:
        """Nothing else is kept."""

    def post_delete_access_attempt(self, instance: Any, **more: Any) -> None:
        """Nothing else is kept."""
