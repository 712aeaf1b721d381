"""The people of the invented region who sign in, with a second factor that the command line can show."""

from __future__ import annotations

import time
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt
from django.contrib.auth.models import Group

from resguardo.values import Problem, Refused
from resguardo_server.actions.tell.newsroom import PRESS
from resguardo_server.models import Institution, Member, Membership

PASSWORD = "resguardo-ensayo-2026"  # noqa: S105  the demo prints it


def make_members(region: dict[str, Any]) -> None:
    """Each member of the region has an account, a role and a second factor."""
    for row in region["member"]:
        first, _, last = row["name"].partition(" ")
        member = Member.objects.create_user(row["email"], PASSWORD, first_name=first, last_name=last)
        institution = Institution.objects.get(slug=row["institution"])
        Membership.objects.create(member=member, institution=institution, role=row["role"])
        if row.get("newsroom"):
            member.groups.add(Group.objects.get(name=PRESS))
        TOTP.activate(member, generate_totp_secret())
        RecoveryCodes.activate(member)


def code_now(email: str) -> str:
    """The six digits that the member's application would show now; of the invented region alone."""
    from django.conf import settings

    authenticator = Authenticator.objects.filter(
        user__email=email.lower(), type=Authenticator.Type.TOTP
    ).first()
    if authenticator is None or not settings.DEMO:
        raise Refused(Problem("server.said.unknown_member"))
    secret = decrypt(authenticator.data["secret"])
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def members_of(region: dict[str, Any]) -> list[dict[str, str]]:
    """Who may sign in: e-mail, role, institution."""
    return [
        {"email": row["email"], "role": row["role"], "institution": row["institution"]}
        for row in region["member"]
    ]
