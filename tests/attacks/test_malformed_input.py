"""Whatever arrives from outside and is not what it should be is refused as such.

Good things of each kind are changed in some place, cut, doubled or mixed with octets that mean something to a
reader. Each is then read as the service reads it: what is not whole is refused with a sentence, never with a
fault of ours, and never taken for what it was. A usual run tries about 3,000; RESGUARDO_LONG=1 tries 100,000.
"""

from __future__ import annotations

import json
import os
import resource
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from tests.attacks.test_every_address_decides import LEAVES_IT, examples
from tests.people import NOW, ROSA, House, table
from tests.rules.collect.sheets import write_csv, write_workbook
from tests.server.test_addresses import EVERY
from tests.signed_in import signed_in

from resguardo.allow.receipt_code import new_code, read_code
from resguardo.collect.sheet import open_sheet
from resguardo.collect.submission import read_submissions
from resguardo.keep.checkpoint import Checkpoint, read_checkpoint, sign_checkpoint
from resguardo.keep.journal import read_entry
from resguardo.keep.keys import KeyRing, SubjectKey, new_key_ring
from resguardo.keep.sealing import group_key, seal_group
from resguardo.keep.tree import Frontier
from resguardo.keep.witness import AddCheckpoint
from resguardo.plan.programme import built_in
from resguardo.values import Refused, Sensitivity
from resguardo_keyholder import wire
from resguardo_keyholder.asked import Opening
from resguardo_server import models
from resguardo_server.actions.tell.newsroom import prepare_newsroom
from resguardo_server.languages_build import compile_messages

LONG = os.environ.get("RESGUARDO_LONG") == "1"
TIMES = 30 if LONG else 1
SEED = 20261124
MOST_MEMORY = 400 * 1024 * 1024
"""By how much the process may grow while one kind is tried."""

SPICE = (
    b"\x00", b"\xff\xfe", b"\r\n", b"\n\n", b'"', b"'", b"\\", b"{}", b"[[[[", b"]]", b"=", b";", b"\t",
    b"-1", b"9" * 40, b"NaN", b"1e999", b"null", b"true", "ı".encode(), "\u202e".encode(), b"\xed\xa0\x80",
    b"%s%n", b"' OR 1=1 --", b"<script>", b"../../etc/passwd", b"A" * 5000, "\N{EM DASH} ".encode(), b"\x1a",
    b"PK\x03\x04",
)  # fmt: skip


def changed(draw: Random, good: bytes) -> bytes:
    """The octets with one to four things wrong."""
    octets = bytearray(good)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(octets) + 1)
        kind = draw.randrange(6)
        if kind == 0 and octets:
            octets[min(at, len(octets) - 1)] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del octets[at:]
        elif kind == 2:
            octets[at:at] = draw.choice(SPICE)
        elif kind == 3:
            octets[at : at + draw.randrange(1, 20)] = draw.randbytes(draw.randrange(8))
        elif kind == 4:
            octets[at:at] = octets[at : at + draw.randrange(1, 200)]
        else:
            del octets[at : at + draw.randrange(1, 20)]
    return bytes(octets)


def try_out(good: bytes, read: Callable[[bytes], object], number: int, seed: int) -> Counter[str]:
    """How many were refused and how many read; a fault of ours goes through."""
    draw, told = Random(SEED + seed), Counter[str]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(number * TIMES):
        octets = changed(draw, good)
        try:
            read(octets)
        except Refused as refused:
            told["refused" if refused.problems else "refused without a word"] += 1
        else:
            told["read"] += 1
    assert not told["refused without a word"]
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MOST_MEMORY
    return told


def text_of(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")


# Files with answers


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_that_is_damaged_is_refused_or_read_row_by_row(tmp_path: Path, kind: str) -> None:
    (training,) = (programme for programme in built_in() if programme.name == "training")
    form = training.form("enrolment")
    if kind == "csv":
        good = write_csv(tmp_path / "a.csv", table(ROSA, ROSA)).read_bytes()
    else:
        good = write_workbook(tmp_path / "a.xlsx", {"enrolment": table(ROSA)}).read_bytes()
    path = tmp_path / f"changed.{kind}"

    def read(octets: bytes) -> None:
        path.write_bytes(octets)
        for _ in read_submissions(form, open_sheet(path), today=NOW.date()):
            pass

    told = try_out(good, read, 300 if kind == "csv" else 60, 1)
    assert told["refused"] > 0


# The keyholder's socket


def test_what_is_no_question_on_the_socket_is_not_understood() -> None:
    opening = Opening(UUID(int=1), UUID(int=2), "rights", (1, 2), "ana@albergue.example")
    ours, theirs = socket.socketpair()
    wire.send(ours, {"question": "release", "words": (opening,), "named": {"now": NOW}})
    ours.close()
    good = b"".join(iter(lambda: theirs.recv(65536), b""))
    theirs.close()

    def read(octets: bytes) -> None:
        one, other = socket.socketpair()
        with one, other:
            one.sendall(len(octets).to_bytes(4, "big") + octets)
            one.shutdown(socket.SHUT_WR)
            other.settimeout(5)
            value = wire.receive(other)
        if value is None:
            raise wire.NotUnderstood

    told = try_out(good[4:], read, 700, 2)
    assert told["refused"] > told["read"]


def test_a_length_that_is_never_reached_takes_no_memory() -> None:
    for length in (2**32 - 1, 2**31, wire.MOST_BYTES):
        one, other = socket.socketpair()
        with one, other:
            one.sendall(length.to_bytes(4, "big") + b"[]")
            one.shutdown(socket.SHUT_WR)
            try:
                assert wire.receive(other) is None
            except wire.NotUnderstood:
                continue


# The journal, its heads and its witnesses


def head() -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
    root = bytes(range(32))
    return sign_checkpoint(Checkpoint("shelter.resguardo/journal", 7, root), key).text.encode()


def entries() -> Iterator[bytes]:
    vectors = json.loads((Path(__file__).parents[1] / "vectors" / "journal.json").read_text(encoding="utf-8"))
    for found in _strings(vectors):
        if found.startswith("{") and '"act"' in found:
            yield found.encode()


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def test_a_head_that_was_changed_is_read_as_what_it_says_or_refused() -> None:
    good = head()
    told = try_out(good, lambda octets: read_checkpoint(text_of(octets)), 400, 3)
    assert told["refused"] > 0


def test_a_request_to_a_witness_that_was_changed_is_refused() -> None:
    good = b"old 5\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n" + head()
    told = try_out(good, AddCheckpoint.read, 400, 4)
    assert told["refused"] > 0


def test_a_line_of_the_journal_that_was_changed_is_no_line_or_another_canonical_one() -> None:
    lines = list(entries())[:3]
    assert lines
    for number, good in enumerate(lines):
        told = try_out(good, read_entry, 200, 5 + number)
        assert told["refused"] > told["read"]


def test_a_frontier_that_was_changed_is_refused_or_another() -> None:
    good = Frontier().extend([bytes([number]) * 32 for number in range(11)]).octets

    def read(octets: bytes) -> None:
        try:
            Frontier.read(octets)
        except ValueError as fault:
            raise Refused from fault

    draw = Random(SEED + 9)
    for _ in range(200 * TIMES):
        with suppress(Refused):
            read(changed(draw, good))


# Keys, seals and receipts


def test_a_key_ring_that_was_changed_is_no_ring() -> None:
    ring = new_key_ring(UUID(int=1), lambda count: b"\x07" * count)
    ring = ring.with_compartment("shelter/training", lambda count: b"\x08" * count, NOW)
    good = ring.to_file()
    try_out(good, KeyRing.from_file, 150, 10)


def test_no_sealed_group_that_was_changed_opens() -> None:
    key = SubjectKey(b"k" * 32)
    place = {
        "institution": UUID(int=1), "subject": UUID(int=2), "record": UUID(int=3), "row_version": 1,
        "key_version": 1,
    }  # fmt: skip
    good = seal_group(
        key, group=Sensitivity.SENSITIVE, text=b'{"diet":"x"}', nonce=b"n" * 12, **place,  # type: ignore[arg-type]
    ).octets  # fmt: skip
    opened = 0
    draw = Random(SEED)
    from resguardo.keep.opening import open_group
    from resguardo.values import Basis, Permit, Sealed

    until = datetime(2027, 1, 1, tzinfo=UTC)
    permit = Permit(
        who="0" * 32, role="caseworker", institution=UUID(int=1), subject=UUID(int=2), purpose="care",
        basis=Basis.PUBLIC_TASK, consent=None, groups=frozenset(Sensitivity), until=until, policy="0" * 64,
        action="read", forms=None,
    )  # fmt: skip

    def read(octets: bytes) -> object:
        return open_group(
            permit, group_key(key, Sensitivity.SENSITIVE), Sealed(octets), group=Sensitivity.SENSITIVE,
            now=NOW, **place,  # type: ignore[arg-type]
        )  # fmt: skip

    assert read(good)
    for _ in range(300 * TIMES):
        octets = changed(draw, good)
        if octets == good:
            continue
        try:
            read(octets)
        except Refused:
            continue
        opened += 1
    assert opened == 0


def test_no_receipts_code_that_was_changed_passes_for_another() -> None:
    good = new_code(lambda count: b"\x05" * count)
    draw, passed = Random(SEED), 0
    for _ in range(300 * TIMES):
        text = text_of(changed(draw, good.text.encode()))
        try:
            passed += read_code(text).token_text != good.token_text
        except Refused:
            continue
    assert passed <= 1 * TIMES, "two check signs: about one in a thousand guesses has them"


# The pages


FIELDS = (
    "purpose", "open", "add", "seal", "reason", "for", "by", "value", "year", "programme", "code", "right",
    "channel", "language", "received", "words", "act", "question", "answer", "understood", "next", "login",
    "password", "page", "lang", "month", "country", "day", "path", "source", "status", "field",
)  # fmt: skip


@pytest.mark.django_db
def test_no_address_answers_nonsense_with_a_fault_or_a_trace(house: House) -> None:
    compile_messages()
    cache.clear()
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    prepare_newsroom()
    draw, told, faults = Random(SEED), Counter[int](), []
    member = models.Member.objects.get(email="bruno@albergue.example")
    client = signed_in(Client(raise_request_exception=False), member)
    addresses = [
        one for one in EVERY
        if not one.startswith(("edit/", "enter/")) and one not in LEAVES_IT and not one.startswith("es/")
    ]  # fmt: skip
    subject = ["00000000-0000-4000-8000-000000000000"]
    for number in range(300 * TIMES):
        address = next(examples(draw.choice(addresses), subject))
        fields = {
            name: text_of(changed(draw, draw.choice((b"rights", b"2026-11-24", b"C-0001", b"1", b"access"))))
            for name in draw.sample(FIELDS, draw.randint(1, 6))
        }
        answer = client.get(address, fields) if number % 3 == 0 else client.post(address, fields)
        told[answer.status_code // 100] += 1
        octets = b"" if getattr(answer, "streaming", False) else answer.content
        if answer.status_code >= 500 or b"Traceback (most recent" in octets:
            faults.append((address, answer.status_code, fields))
    assert faults[:3] == []
    assert told[2] + told[3] + told[4] == 300 * TIMES
