"""Which programme folders this installation runs."""

from __future__ import annotations

from django.db import models


class ProgrammeFolder(models.Model):
    """A programme that lives outside the package: where its folder lies. Holds nothing about people."""

    holds = "nothing about people"

    name = models.SlugField(unique=True)
    folder = models.CharField(max_length=500)
    added_on = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
