"""The people who sign in, and the institutions they act for."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models

from resguardo import values


class Members(BaseUserManager["Member"]):
    """Makes members; the address is the name they sign in with."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Member:
        member = self.model(email=self.normalize_email(email).lower(), **fields)
        member.set_password(password)
        member.save(using=self._db)
        return member

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Member:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class Member(AbstractUser):
    """Someone of an institution who signs in. Holds: a name and an address of staff, no migrant's datum."""

    holds = "name and e-mail address of staff"

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail", unique=True)
    language = models.CharField(max_length=2, default="es")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[Members] = Members()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.get_full_name() or self.email


class Institution(models.Model):
    """A member of the network that keeps its own records under its own key. Holds nothing about migrants."""

    holds = "nothing about people"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(
        max_length=32, choices=[(kind.value, kind.value) for kind in values.InstitutionKind]
    )
    country = models.CharField(max_length=2)
    address = models.TextField(blank=True)
    """Where it can be written to, as a receipt must say."""
    contact = models.CharField(max_length=200, blank=True)
    """The telephone or e-mail of whoever answers for the protection of data."""

    class Meta:
        ordering: ClassVar = ["slug"]

    def __str__(self) -> str:
        return self.name

    def as_value(self) -> values.Institution:
        """The institution as the rules see it."""
        return values.Institution(
            self.id, self.slug, self.name, values.InstitutionKind(self.kind), self.country
        )


class Membership(models.Model):
    """A member acts for an institution in a role. Holds nothing about migrants."""

    holds = "which member of staff acts for which institution"

    ROLES = (
        "intake_worker",
        "caseworker",
        "supervisor",
        "trainer",
        "data_protection_officer",
        "programme_manager",
        "press_officer",
        "administrator",
        "operator",
    )

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="memberships")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=32, choices=[(role, role) for role in ROLES])
    suspended_on = models.DateField(null=True)
    """From when the role opens nothing: an emergency opening in it was not reviewed in time."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "institution", "role"], name="one_membership_per_role")
        ]

    def __str__(self) -> str:
        return f"{self.member} · {self.role} · {self.institution}"
