"""Journals of this installation are shown to witnesses, and its institutions witness the journals of others.

As a witness an institution keeps one head per journal (`WitnessedLog`) and answers `add-checkpoint`; as the
keeper of a journal it sends its newest head to its witnesses (`JournalWitness`), keeps what they sign
(`Cosignature`), and raises an alarm when they contradict it or when nobody signed for a day.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from resguardo.keep.checkpoint import (
    COSIGNATURE,
    LOG_SIGNATURE,
    NotACheckpoint,
    SignedCheckpoint,
    VerifierKey,
    read_checkpoint,
)
from resguardo.keep.journal import read_entry
from resguardo.keep.tree import EMPTY_ROOT, Tree
from resguardo.keep.witness import (
    CONFLICT_TYPE,
    MOST_BYTES,
    AddCheckpoint,
    Answer,
    NotARequest,
    Tail,
    TailState,
    WatchedJournal,
    cosignature_in,
    enough_of,
)
from resguardo.plan.languages import say
from resguardo.values import Institution, Problem, Refused
from resguardo_server import models
from resguardo_server.actions.keep.journal import journal_key, leaf_hashes, newest_head
from resguardo_server.keyholders import keyholder

MOST_CHARACTERS = 200
"""How long a name or an address may be."""
SECONDS = 20
"""How long a witness may take to answer."""
PAUSES = (1.0, 5.0)
"""Seconds until a witness that did not answer is asked again, within one sending."""
NOT_WITNESSED, ROLLED_BACK, FORKED = "journal_not_witnessed", "journal_rolled_back", "journal_forked"
"""The kinds of alarm."""


def witness_name(institution: Institution) -> str:
    """The name of the institution in its cosignatures."""
    return f"{institution.slug}.resguardo/witness"


def witness_key(institution: Institution) -> str:
    """The public key with which anybody checks the institution's cosignatures."""
    return keyholder().witness_key(institution.id, witness_name(institution))


def witness_address(institution: Institution) -> str:
    """Where the institution takes the heads of others."""
    return f"{settings.ADDRESS}/witness/{institution.slug}"


def _cosign(institution: Institution, request: bytes, key: str, now: datetime) -> str:
    return keyholder().cosign(institution.id, witness_name(institution), request, key, now=now)


# As a witness


def watch(row: models.Institution, key: str) -> models.WitnessedLog:
    """From now on the institution witnesses the journal with that key."""
    read = _key(key, LOG_SIGNATURE)
    if read.public_key == VerifierKey.read(journal_key(row.as_value())).public_key:
        raise Refused(Problem("server.witness.own_journal"))
    known, made = models.WitnessedLog.objects.get_or_create(
        witness=row, origin=read.name, defaults={"key": read.text}
    )
    if not made and known.key != read.text:
        raise Refused(Problem("server.witness.other_key", {"origin": read.name}))
    return known


def answer(slug: str, body: bytes, *, now: datetime) -> Answer:
    """What the institution answers to `add-checkpoint`; what it cosigns is kept before it is answered."""
    row = models.Institution.objects.filter(slug=slug).first()
    if row is None:
        return Answer(404, "no witness of this name is here\n")
    try:
        request = AddCheckpoint.read(body)
    except NotARequest:
        return Answer(400, "this is no request of c2sp.org/tlog-witness\n")
    signed = request.signed
    head = signed.checkpoint
    known = models.WitnessedLog.objects.filter(witness=row, origin=head.origin)
    # A stranger's request takes no lock: it is refused by what is known before one is taken.
    if refusal := request.refusal(_watched(known.first())):
        return refusal
    with transaction.atomic(durable=True):
        log = known.select_for_update().first()
        if log is None or (refusal := request.refusal(_watched(log))):
            return refusal or Answer(404, "no journal of this origin is watched here\n")
        try:
            line = _cosign(row.as_value(), body, log.key, now)
        except Refused as refused:
            if refused.problems[0].code != "keyholder.desk.not_cosigned":
                return Answer(503, "nothing is signed here at the moment\n")
            # The keyholder remembers another head than the tables: it is the tables that were put back.
            return Answer(409, f"{log.size}\n", CONFLICT_TYPE)
        ours = VerifierKey.read(log.key)
        own = [each for each in signed.signatures if (each.name, each.key_id) == (ours.name, ours.key_id)]
        log.size, log.root, log.seen_on = head.size, head.root, now
        log.checkpoint = SignedCheckpoint(head, signed.body, tuple(own)).text + line
        log.save()
    return Answer(200, line)


def _watched(log: models.WitnessedLog | None) -> WatchedJournal | None:
    if log is None:
        return None
    return WatchedJournal(VerifierKey.read(log.key), log.size, bytes(log.root) or EMPTY_ROOT)


def newest_cosigned(slug: str, origin_hash: str) -> str | None:
    """The newest head that the institution cosigned of the journal whose origin has that hash."""
    logs = models.WitnessedLog.objects.filter(witness__slug=slug).exclude(checkpoint="")
    for origin, text in logs.values_list("origin", "checkpoint"):
        if sha256(origin.encode()).hexdigest() == origin_hash:
            return text
    return None


# As the keeper of a journal


def add_witness(row: models.Institution, key: str, address: str, *, now: datetime) -> models.JournalWitness:
    """From now on the institution's heads are sent to that witness."""
    read = _key(key, COSIGNATURE)
    own = VerifierKey.read(witness_key(row.as_value()))
    if read.public_key == own.public_key:
        raise Refused(Problem("server.witness.own_witness"))
    if not _is_reachable(address):
        raise Refused(Problem("server.witness.address", {"address": address[:200]}))
    for other in row.witnesses.all():
        if other.name == read.name or VerifierKey.read(other.key).public_key == read.public_key:
            raise Refused(Problem("server.witness.known_witness", {"name": read.name}))
    return models.JournalWitness.objects.create(
        institution=row, name=read.name, address=address.rstrip("/"), key=read.text, added_on=now
    )


def _is_reachable(address: str) -> bool:
    """Whether it can be the address of a witness: by https, or on this machine."""
    try:
        parts = urlsplit(address)
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        schemes = ("http", "https") if local else ("https",)
        plain = not (parts.query or parts.fragment or parts.username or parts.port == 0)
    except ValueError:
        return False
    return bool(parts.hostname) and plain and parts.scheme in schemes and len(address) <= MOST_CHARACTERS


@dataclass(frozen=True)
class Heard:
    """What came back over the network."""

    status: int
    body: str


Ask = Callable[[str, bytes | None], Heard]
"""Sends the bytes to an address, or asks for what lies there if there are none; OSError if nobody answers."""


def over_http(address: str, octets: bytes | None) -> Heard:
    """One request; no redirect is followed, no cookie kept, and no more is read than an answer can hold."""
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
    try:
        headers = {"User-Agent": "Resguardo", "Content-Type": "text/plain; charset=utf-8"}
        connection.request("GET" if octets is None else "POST", parts.path or "/", octets, headers)
        came = connection.getresponse()
        return Heard(came.status, came.read(MOST_BYTES).decode("utf-8", "replace"))
    except http.client.HTTPException as wrong:
        raise OSError(type(wrong).__name__) from None
    finally:
        connection.close()


@dataclass(frozen=True)
class Sent:
    """What became of one sending."""

    institution: str
    witness: str
    size: int
    """How many entries the witness has signed for."""
    behind: int
    status: int | None
    problem: str

    def words(self, language: str) -> str:
        """What is wrong, in a sentence; empty when nothing is."""
        return _said(self.problem, self.status, language)


def _said(problem: str, status: int | None, language: str) -> str:
    return say(f"keep.witness.{problem}", language, status=status or "") if problem else ""


class _Sending:
    """The newest head of one institution on its way to its witnesses."""

    def __init__(self, row: models.Institution, head: models.JournalCheckpoint, ask: Ask) -> None:
        self.row = row
        self.head = head
        self.signed = read_checkpoint(head.text)
        self.ask = ask

    @cached_property
    def tree(self) -> Tree | None:
        """The journal's tree; None when its entries do not give the root that was signed."""
        tree = Tree(leaf_hashes(self.row.id, self.head.size))
        whole = tree.size == self.head.size and tree.root() == self.signed.checkpoint.root
        return tree if whole else None

    def to(self, witness: models.JournalWitness, wait: Callable[[float], None], now: datetime) -> None:
        """The head is sent to one witness, again with the size that it names when it knows another."""
        known = witness.cosignatures.filter(checkpoint=self.head).exists()
        if known and not witness.problem:
            return
        size, witness.problem = witness.last_size, ""
        for _ in range(3):
            heard = self._asked(witness, size, wait)
            if heard is None:
                break
            witness.last_answer = heard.status
            theirs = heard.body.strip()
            if heard.status != 409 or not theirs.isascii() or not theirs.isdigit() or len(theirs) > 18:
                self._take(witness, heard, now)
                break
            size = int(theirs)
            if size > self.head.size:
                witness.problem = "ahead"
                break
        else:
            witness.problem = "refused"
        witness.save()

    def _asked(
        self, witness: models.JournalWitness, size: int, wait: Callable[[float], None]
    ) -> Heard | None:
        """The witness's answer; None when there is none, or when there is nothing true to send."""
        proof: tuple[bytes, ...] = ()
        if self.tree is None:
            witness.problem = "own_root"
            return None
        if size > self.head.size:
            size = 0
        if size:
            proof = self.tree.consistency_proof(size)
        body = AddCheckpoint(size, proof, self.signed).octets
        for pause in (*PAUSES, None):
            with suppress(OSError):
                heard = self.ask(f"{witness.address}/add-checkpoint", body)
                if heard.status < 500 and heard.status != 429:
                    return heard
                witness.last_answer = heard.status
            if pause is not None:
                wait(pause)
        witness.problem = "unreachable"
        return None

    def _take(self, witness: models.JournalWitness, heard: Heard, now: datetime) -> None:
        """The witness's signature is kept, or what is wrong is noted."""
        if heard.status != 200:
            problems = {403: "not_trusted_there", 404: "unknown_there", 422: "forked"}
            witness.problem = problems.get(heard.status, "refused")
            return
        try:
            line, moment = cosignature_in(heard.body, self.signed, VerifierKey.read(witness.key), now=now)
        except NotARequest as wrong:
            witness.problem = wrong.problems[0].code.rpartition(".")[2]
            return
        witness.last_size, witness.last_seen_on = self.head.size, moment
        models.Cosignature.objects.update_or_create(
            checkpoint=self.head, witness=witness, defaults={"line": line.line, "at": moment}
        )


def send_heads(
    institutions: list[models.Institution],
    *,
    now: datetime,
    ask: Ask = over_http,
    wait: Callable[[float], None] = time.sleep,
) -> list[Sent]:
    """The newest head of each institution is shown to its witnesses; alarms are raised for what is wrong."""
    return [sent for row in institutions for sent in _send(row, now, ask, wait)]


def _send(row: models.Institution, now: datetime, ask: Ask, wait: Callable[[float], None]) -> Iterator[Sent]:
    head = newest_head(row)
    witnesses = list(row.witnesses.order_by("name"))
    if head is not None:
        sending = _Sending(row, head, ask)
        for witness in witnesses:
            sending.to(witness, wait, now)
            if witness.problem == "ahead" and (newer := newest_head(row)) and newer.size > head.size:
                # Somebody signed and sent a longer head meanwhile: the witness is not ahead of that one.
                head, sending = newer, _Sending(row, newer, ask)
                sending.to(witness, wait, now)
            kind = {"ahead": ROLLED_BACK, "forked": FORKED}.get(witness.problem)
            if kind:
                _alarm(row, kind, {"witness": witness.name, "size": head.size}, now)
    tail = tail_of(row, now=now)
    if tail.state is TailState.ALARM:
        _alarm(row, NOT_WITNESSED, {"entries": tail.length, "witnesses": tail.witnesses}, now)
    for witness in witnesses:
        behind = max(tail.entries - witness.last_size, 0)
        yield Sent(row.slug, witness.name, witness.last_size, behind, witness.last_answer, witness.problem)


def _alarm(row: models.Institution, kind: str, numbers: dict[str, object], now: datetime) -> None:
    """An alarm that nobody has seen yet is not raised a second time."""
    open_ones = models.Alarm.objects.filter(institution=row, kind=kind, seen_at=None)
    if all(known.numbers.get("witness") != numbers.get("witness") for known in open_ones):
        models.Alarm.objects.create(institution=row, kind=kind, numbers=numbers, raised_at=now)


# How it stands


def tail_of(row: models.Institution, *, now: datetime) -> Tail:
    """The newest part of the journal, which no quorum of its witnesses covers."""
    head = models.JournalHead.objects.filter(institution=row).first()
    entries = head.size if head else 0
    seen = row.witnesses.annotate(longest=Max("cosignatures__checkpoint__size"))
    sizes = sorted((size or 0 for size in seen.values_list("longest", flat=True)), reverse=True)
    witnessed = min(sizes[enough_of(len(sizes)) - 1], entries) if sizes else 0
    newest = newest_head(row)
    oldest = models.JournalEntry.objects.filter(institution=row, position=witnessed).first()
    return Tail(
        entries=entries,
        signed=newest.size if newest else 0,
        witnessed=witnessed,
        witnesses=len(sizes),
        since=read_entry(bytes(oldest.leaf)).t if oldest else None,
        at=now,
    )


@dataclass(frozen=True)
class WitnessStand:
    """How it stands with one witness."""

    name: str
    address: str
    size: int
    behind: int
    seen_on: datetime | None
    problem: str
    status: int | None

    def words(self, language: str) -> str:
        """What is wrong, in a sentence; empty when nothing is."""
        return _said(self.problem, self.status, language)


def witnesses_of(row: models.Institution) -> list[WitnessStand]:
    """Each witness of the institution's journal, and how many entries it has not signed for."""
    head = models.JournalHead.objects.filter(institution=row).first()
    entries = head.size if head else 0
    return [
        WitnessStand(
            name=witness.name,
            address=witness.address,
            size=witness.last_size,
            behind=max(entries - witness.last_size, 0),
            seen_on=witness.last_seen_on,
            problem=witness.problem,
            status=witness.last_answer,
        )
        for witness in row.witnesses.order_by("name")
    ]


def watched_by(row: models.Institution) -> list[tuple[str, int, datetime | None]]:
    """The journals of others that the institution witnesses: origin, entries, when it signed last."""
    logs = models.WitnessedLog.objects.filter(witness=row).order_by("origin")
    return list(logs.values_list("origin", "size", "seen_on"))


@dataclass(frozen=True)
class KeptHeads:
    """The newest heads of a journal that its witnesses keep, and the names of those that gave none."""

    heads: tuple[str, ...]
    silent: tuple[str, ...]


def heads_kept_by_witnesses(row: models.Institution, *, ask: Ask = over_http) -> KeptHeads:
    """What each witness of the institution's journal keeps of it, asked over the network."""
    origin = VerifierKey.read(journal_key(row.as_value())).name
    path = f"{sha256(origin.encode()).hexdigest()}/checkpoint"
    heads, silent = [], []
    for witness in row.witnesses.order_by("name"):
        heard = None
        with suppress(OSError):
            heard = ask(f"{witness.address}/{path}", None)
        if heard is not None and heard.status == 200:
            heads.append(heard.body)
        else:
            silent.append(witness.name)
    return KeptHeads(tuple(heads), tuple(silent))


def _key(text: str, kind: int) -> VerifierKey:
    read = VerifierKey.read(text)
    if len(read.name) > MOST_CHARACTERS:
        raise NotACheckpoint("not_a_key")
    if read.kind != kind:
        raise Refused(Problem("server.witness.other_kind_of_key"))
    return read
