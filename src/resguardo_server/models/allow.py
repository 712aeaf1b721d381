"""What people agreed to."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from resguardo_server.models.keep import Record, Subject


class ConsentGiven(models.Model):
    """A subject's yes or no to one purpose, and when it was withdrawn. Holds no answer beside that."""

    holds = "which purposes a random id agreed to, and when"

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="consents")
    record = models.ForeignKey(Record, null=True, on_delete=models.SET_NULL, related_name="+")
    purpose = models.CharField(max_length=60)
    given = models.BooleanField()
    said_on = models.DateField()
    language = models.CharField(max_length=2)
    by_guardian = models.BooleanField(default=False)
    until = models.DateField(null=True)
    withdrawn_on = models.DateField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subject", "purpose"])]

    def __str__(self) -> str:
        return f"{self.subject_id} {self.purpose}: {'yes' if self.given else 'no'}"
