"""The ledger of what was released: each protected table as it was published, in a hash chain."""

from __future__ import annotations

from django.db import models


class ReleasedTable(models.Model):
    """A protected table that left the house, and what must be remembered to refuse a later difference."""

    holds = "protected figures as published; a sealed memory of the cells behind them"

    number = models.PositiveBigIntegerField(unique=True)
    indicator = models.CharField(max_length=120)
    digest = models.CharField(max_length=64)
    line = models.BinaryField()
    """Number, digest of the line before, and the table, as canonical JSON."""
    memory = models.BinaryField()
    """Sealed under the network's statistics key."""
    released_on = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.number} · {self.indicator} · {self.digest[:8]}"
