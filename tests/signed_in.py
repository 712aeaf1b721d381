"""Somebody who is in, as a test needs it: with a second factor, and just confirmed unless told otherwise."""

from __future__ import annotations

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.test import Client

from resguardo_server.models import Member

SECRET = "JBSWY3DPEHPK3PXP"
PASSWORD = "una-frase-larga-y-rara"


def with_factor(who: Member) -> Member:
    """The member with a second factor whose codes `code_now` knows."""
    if not Authenticator.objects.filter(user=who, type=Authenticator.Type.TOTP).exists():
        TOTP.activate(who, SECRET)
    return who


def code_now(*, secret: str = SECRET) -> str:
    """The six digits that her telephone shows now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def signed_in(client: Client, who: Member, *, factor: bool = True, fresh: bool = True) -> Client:
    """The client in a session of hers; `fresh`: she gave a code just now, else twenty minutes ago."""
    if factor:
        with_factor(who)
    client.force_login(who, "allauth.account.auth_backends.AuthenticationBackend")
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "mfa", "type": "totp", "at": time.time() - (0 if fresh else 1200)}
    ]
    session["account_authentication_methods_user"] = str(who.pk)
    session.save()
    return client
