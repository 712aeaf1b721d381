"""The tables of the service. Every model says in `holds` what it holds about people."""

from resguardo_server.models.allow import ConsentGiven
from resguardo_server.models.count import ReleasedTable
from resguardo_server.models.keep import (
    Arrival,
    BlindIndex,
    FactSegment,
    JournalCheckpoint,
    JournalEntry,
    JournalHead,
    Record,
    SealedGroup,
    Subject,
    SubjectKey,
)
from resguardo_server.models.members import Institution, Member, Membership
from resguardo_server.models.plan import ProgrammeFolder
from resguardo_server.models.tell import Claim, NewsFront, Release

__all__ = [
    "Arrival",
    "BlindIndex",
    "Claim",
    "ConsentGiven",
    "FactSegment",
    "Institution",
    "JournalCheckpoint",
    "JournalEntry",
    "JournalHead",
    "Member",
    "Membership",
    "NewsFront",
    "ProgrammeFolder",
    "Record",
    "Release",
    "ReleasedTable",
    "SealedGroup",
    "Subject",
    "SubjectKey",
]
