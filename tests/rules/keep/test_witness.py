"""A witness signs that a journal only grew, and answers all else as c2sp.org/tlog-witness says."""

from __future__ import annotations

import base64
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.keep.journals import (
    LOG_KEY,
    ORIGIN,
    WITNESS,
    WITNESS_KEY,
    WITNESS_NAME,
    cosigned,
    head,
    journal_of,
    policy_of,
    quorum_of,
    witness_named,
)
from tests.rules.keep.places import NOW, chance_of

from resguardo.keep import verifier
from resguardo.keep.checkpoint import (
    Checkpoint,
    NoteSignature,
    VerifierKey,
    cosign_checkpoint,
    read_checkpoint,
    sign_checkpoint,
)
from resguardo.keep.tree import EMPTY_ROOT, Tree, leaf_hash
from resguardo.keep.witness import (
    MOST_BYTES,
    AddCheckpoint,
    NotARequest,
    Quorum,
    Tail,
    TailState,
    WatchedJournal,
    cosignature_in,
    enough_of,
)

ENTRIES = journal_of(43).entries
TREE = Tree(map(leaf_hash, ENTRIES))
SIZES = st.integers(0, len(ENTRIES))

# The example request of c2sp.org/tlog-witness.
EXAMPLE = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa \
Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa \
opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""


def known_at(size: int) -> WatchedJournal:
    """The journal as a witness knows it that cosigned it at that size."""
    return WatchedJournal(LOG_KEY, size, TREE.root(size))


def grown(old: int, size: int) -> AddCheckpoint:
    """What an honest journal sends."""
    proof = TREE.consistency_proof(old, size) if 0 < old <= size else ()
    return AddCheckpoint(old, proof, read_checkpoint(head(ENTRIES[:size])))


def signed_head(size: int, root: bytes, origin: str = ORIGIN) -> AddCheckpoint:
    """What whoever holds the journal's key can send."""
    from tests.rules.keep.journals import RING

    return AddCheckpoint(0, (), read_checkpoint(RING.sign_checkpoint(origin, size, root)))


def status(request: AddCheckpoint, known: WatchedJournal | None) -> int:
    refusal = AddCheckpoint.read(request.octets).refusal(known)
    return 200 if refusal is None else refusal.status


def test_the_example_of_the_specification_is_read_to_the_last_byte() -> None:
    request = AddCheckpoint.read(EXAMPLE.encode())
    assert (request.old_size, len(request.proof)) == (20852014, 4)
    assert request.signed.checkpoint.size == 20852163
    assert request.octets == EXAMPLE.encode()


@given(SIZES, SIZES)
def test_every_growth_is_cosigned_and_nothing_else_is(old: int, size: int) -> None:
    assert status(grown(old, size), known_at(old)) == (200 if old <= size else 400)


@given(SIZES, SIZES, SIZES)
def test_another_old_size_than_the_one_last_cosigned_is_answered_with_that_one(
    held: int, old: int, size: int
) -> None:
    if old == held or old > size:
        return
    refusal = grown(old, size).refusal(known_at(held))
    assert refusal is not None
    assert (refusal.status, refusal.body, refusal.content_type) == (409, f"{held}\n", "text/x.tlog.size")


def test_an_unknown_journal_is_not_found() -> None:
    assert status(grown(0, 5), None) == 404


def test_a_head_without_a_good_signature_of_the_known_key_is_forbidden() -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(chance_of("stranger")(32))
    forged = sign_checkpoint(Checkpoint(ORIGIN, 5, TREE.root(5)), stranger)
    assert status(AddCheckpoint(0, (), forged), known_at(0)) == 403
    good = grown(0, 5)
    false = NoteSignature(ORIGIN, LOG_KEY.key_id, bytes(64))
    for spoilt in (
        replace(good.signed, signatures=(false,)),
        good.signed.with_signature(false),
        replace(good.signed, signatures=(*forged.signatures,)),
    ):
        assert status(AddCheckpoint(0, (), spoilt), known_at(0)) == 403
    assert status(signed_head(5, TREE.root(5), "shelter-a.example/other"), known_at(0)) == 403


def test_signatures_of_unknown_keys_are_passed_over() -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(chance_of("stranger")(32))
    good = grown(3, 9)
    both = good.signed.with_signature(cosign_checkpoint(good.signed, "x.example/w", stranger, now=NOW))
    assert status(replace(good, signed=both), known_at(3)) == 200


@given(st.integers(1, 42), st.integers(1, 43), st.data())
def test_a_proof_that_does_not_prove_is_refused(old: int, size: int, data: st.DataObject) -> None:
    if old > size:
        return
    good = grown(old, size)
    if good.proof:
        at = data.draw(st.integers(0, len(good.proof) - 1))
        wrong = bytes(32)
        spoilt = [
            (*good.proof[:at], wrong, *good.proof[at + 1 :]),
            (*good.proof[:at], *good.proof[at + 1 :]),
            (*good.proof, wrong),
        ]
    else:
        spoilt = [(bytes(32),)]
    for proof in spoilt:
        assert status(replace(good, proof=proof), known_at(old)) == 422


def test_a_proof_is_refused_where_none_belongs() -> None:
    assert status(replace(grown(0, 5), proof=(bytes(32),)), known_at(0)) == 422
    assert status(replace(grown(5, 5), proof=(bytes(32),)), known_at(5)) == 422


def test_another_root_of_the_same_size_is_refused() -> None:
    forked = replace(signed_head(9, bytes(32)), old_size=9)
    assert status(forked, known_at(9)) == 422
    assert status(signed_head(0, bytes(32)), known_at(0)) == 422
    assert status(signed_head(0, EMPTY_ROOT), known_at(0)) == 200


def test_a_journal_that_was_rewritten_or_rolled_back_is_not_cosigned() -> None:
    """The thief holds the log's own key; the witness holds the head of before."""
    forged = Tree(map(leaf_hash, (*ENTRIES[:20], *reversed(ENTRIES[20:]))))
    rewritten = signed_head(43, forged.root())
    assert status(replace(rewritten, old_size=30, proof=forged.consistency_proof(30)), known_at(30)) == 422
    assert status(replace(rewritten, old_size=30, proof=TREE.consistency_proof(30)), known_at(30)) == 422
    for size in range(1, 30):
        back = replace(signed_head(size, TREE.root(size)), old_size=size)
        assert status(back, known_at(30)) == 409
        assert status(replace(back, old_size=30), known_at(30)) == 400


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        ("old 3", "old 03"),
        ("old 3", "old -3"),
        ("old 3", "old  3"),
        ("old 3", "old ٣"),
        ("old 3", "OLD 3"),
        ("old 3\n", ""),
        ("old 3\n", "old 3\nAAAA\n"),
        ("old 3\n", "old 3\n" + base64.b64encode(bytes(32)).decode() * 2 + "\n"),
        ("old 3\n", "old 3\n" + (base64.b64encode(bytes(32)).decode() + "\n") * 64),
        ("old 3\n", "old 3\r\n"),
        ("old 3", "old 9223372036854775808"),
        ("old 3", "old 99999999999999999999"),
        ("\n9\n", "\n9223372036854775808\n"),
        ("\n\n", "\n"),
        ("— ", "- "),
        (ORIGIN, ""),
        ("=\n", "\n"),
        ("old", "\x00"),
        ("old", "\N{EM DASH}"),
    ],
)
def test_a_body_that_strays_from_the_format_is_no_request(part: str, instead: str) -> None:
    text = grown(3, 9).octets.decode()
    assert part in text
    with pytest.raises(NotARequest):
        AddCheckpoint.read(text.replace(part, instead, 1).encode())


@given(st.binary(max_size=400))
def test_other_bytes_are_no_request(octets: bytes) -> None:
    for body in (octets, b"old 0\n\n" + octets):
        with pytest.raises(NotARequest):
            AddCheckpoint.read(body)


def test_a_body_beyond_the_limit_is_not_read() -> None:
    with pytest.raises(NotARequest):
        AddCheckpoint.read(grown(3, 9).octets.ljust(MOST_BYTES + 1, b"\n"))


# What the witness answers


ANSWERED = read_checkpoint(head(ENTRIES))
KEY = VerifierKey.read(WITNESS_KEY)
LINE = cosign_checkpoint(ANSWERED, WITNESS_NAME, WITNESS, now=NOW)


def test_the_line_of_the_known_witness_is_taken_from_the_answer() -> None:
    assert cosignature_in(LINE.line, ANSWERED, KEY, now=NOW) == (LINE, NOW)
    other = cosign_checkpoint(
        ANSWERED, "x.example/w", Ed25519PrivateKey.from_private_bytes(bytes(32)), now=NOW
    )
    assert cosignature_in(other.line + LINE.line, ANSWERED, KEY, now=NOW) == (LINE, NOW)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("", "not_an_answer"),
        ("43\n", "not_an_answer"),
        ("<html>", "not_an_answer"),
        (LINE.line.rstrip("\n"), "not_an_answer"),
        (LINE.line.replace(WITNESS_NAME, "x.example/w"), "false_cosignature"),
        (NoteSignature(WITNESS_NAME, KEY.key_id, bytes(72)).line, "false_cosignature"),
        (NoteSignature(WITNESS_NAME, KEY.key_id, LINE.octets[:-1]).line, "false_cosignature"),
        (LINE.line + NoteSignature(WITNESS_NAME, KEY.key_id, bytes(72)).line, "false_cosignature"),
        (
            cosign_checkpoint(read_checkpoint(head(ENTRIES[:9])), WITNESS_NAME, WITNESS, now=NOW).line,
            "false_cosignature",
        ),
    ],
)
def test_an_answer_that_is_no_signature_of_the_witness_is_refused(answer: str, code: str) -> None:
    with pytest.raises(NotARequest, match=code):
        cosignature_in(answer, ANSWERED, KEY, now=NOW)


def test_a_signature_without_a_time_or_of_the_future_does_not_count() -> None:
    never = cosign_checkpoint(ANSWERED, WITNESS_NAME, WITNESS, now=NOW - timedelta(seconds=NOW.timestamp()))
    with pytest.raises(NotARequest, match="false_cosignature"):
        cosignature_in(never.line, ANSWERED, KEY, now=NOW)
    assert Quorum(LOG_KEY, (KEY,)).signed_by(ANSWERED.with_signature(never)) == {}
    ahead = cosign_checkpoint(ANSWERED, WITNESS_NAME, WITNESS, now=NOW + timedelta(hours=1))
    with pytest.raises(NotARequest, match="clock_ahead"):
        cosignature_in(ahead.line, ANSWERED, KEY, now=NOW)


# How many are enough


def test_more_than_half_of_the_others_are_enough_and_two_of_three() -> None:
    assert [enough_of(count) for count in (0, 1, 2, 3, 4, 5, 9)] == [0, 1, 2, 2, 3, 3, 5]
    for count in range(1, 50):
        assert enough_of(count) * 2 > count
        assert enough_of(count) >= min(count, 2)


@pytest.mark.parametrize(
    ("signers", "met"), [("", False), ("a", False), ("ab", True), ("bc", True), ("abc", True), ("ax", False)]
)
def test_a_head_counts_when_enough_witnesses_signed_it(signers: str, met: bool) -> None:
    note = cosigned(head(ENTRIES), *signers)
    assert quorum_of(*"abc").is_met_by(read_checkpoint(note)) == met
    policy = verifier.Policy(policy_of(*"abc"))
    named = {name for name, key in policy.witnesses.items() if key.times(verifier.Head(note))}
    assert policy.is_met(named) == met


def test_one_witness_counts_once_whatever_its_names() -> None:
    key = witness_named("a")
    with pytest.raises(ValueError, match="once"):
        Quorum(LOG_KEY, (key, replace(key, name="b.example/witness")))


def test_a_journal_without_witnesses_says_so_in_its_policy() -> None:
    assert quorum_of().policy() == f"log {LOG_KEY.text}\nquorum none\n"
    assert not verifier.Policy(quorum_of().policy()).demands
    assert quorum_of().is_met_by(ANSWERED)


def test_the_policy_is_a_file_of_the_format() -> None:
    key = witness_named("a")
    assert quorum_of("a").policy({key.name: "https://a.example/witness/"}) == (
        f"log {LOG_KEY.text}\nwitness w1 {key.text} https://a.example/witness/\n"
        "group enough 1 w1\nquorum enough\n"
    )


# The example of c2sp.org/tlog-policy, with keys in the places that it leaves out.
X_AND_Y = """# an example policy
log {log}

witness X1 {a}
witness X2 {b} https://x2.example/
  witness\tX3 {c}
group X-witnesses 2 X1 X2 X3

witness Y1 {d}
witness Y2 {e}
witness Y3 {f}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""
KEYS = {"log": LOG_KEY.text} | {letter: witness_named(letter).text for letter in "abcdef"}


@pytest.mark.parametrize(
    ("signed", "met"),
    [
        ("X1 X2 Y1", True),
        ("X1 X3 Y2 Y3", True),
        ("X1 X2 X3 Y1 Y2 Y3", True),
        ("X1 Y1 Y2 Y3", False),
        ("X1 X2 X3", False),
        ("", False),
    ],
)
def test_the_example_of_the_policy_specification_is_judged_as_it_says(signed: str, met: bool) -> None:
    assert verifier.Policy(X_AND_Y.format(**KEYS)).is_met(set(signed.split())) == met


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        ("log {log}\n", ""),
        ("log {log}\n", "log {log}\nlog {log}\n"),
        ("log {log}", "log {a}"),
        ("witness Y1 {d}", "witness Y1 {a}"),
        ("witness Y1 {d}", "witness X1 {d}"),
        ("witness Y1 {d}", "witness Y1 {log}"),
        ("witness Y1 {d}", "witness none {d}"),
        ("witness Y1 {d}", "witness Y1"),
        ("group X-witnesses 2", "group X-witnesses 4"),
        ("group X-witnesses 2", "group X-witnesses 0"),
        ("group X-witnesses 2", "group X-witnesses two"),
        ("2 X1 X2 X3", "2 X1 X2 X2"),
        ("2 X1 X2 X3", "2 X1 X2 Y1"),
        ("2 X1 X2 X3", "2"),
        ("quorum X-and-Y", "quorum Z"),
        ("quorum X-and-Y", "quorum X-and-Y\nquorum none"),
        ("quorum X-and-Y", ""),
        ("quorum X-and-Y", "quorums X-and-Y"),
    ],
)
def test_a_policy_that_strays_from_the_format_is_refused(part: str, instead: str) -> None:
    assert part in X_AND_Y
    with pytest.raises(verifier.Unreadable):
        verifier.Policy(X_AND_Y.replace(part, instead, 1).format(**KEYS))


# The part that no witness covers


def tail(hours: float = 0, entries: int = 43, witnessed: int = 40, witnesses: int = 3) -> Tail:
    since = NOW - timedelta(hours=hours) if witnessed < entries else None
    return Tail(entries, entries, witnessed, witnesses, since, NOW)


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (tail(witnesses=0), TailState.ALONE),
        (tail(witnessed=43), TailState.COVERED),
        (tail(entries=0, witnessed=0), TailState.COVERED),
        (tail(hours=0.9), TailState.WAITING),
        (tail(hours=1), TailState.LATE),
        (tail(hours=23.9), TailState.LATE),
        (tail(hours=24), TailState.ALARM),
    ],
)
def test_the_uncovered_part_is_late_after_an_hour_and_an_alarm_after_a_day(
    told: Tail, state: TailState
) -> None:
    assert told.state is state
    for language in ("es", "en"):
        assert "{" not in told.words(language)
    assert told.words("es") != told.words("en")


def test_the_uncovered_part_is_said_with_its_numbers() -> None:
    assert tail(hours=30).words("en") == (
        "For 30 h no 2 of 3 witnesses have signed: 3 entries could be rewritten without anybody noticing. "
        "See today which witness is missing."
    )


# The program and old witnesses


def test_the_program_demands_a_witness_from_a_moment_on(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b"".join(entry + b"\n" for entry in ENTRIES))
    note = cosigned(head(ENTRIES), "a", "b", now=NOW)
    (tmp_path / "heads").write_text(note, encoding="utf-8", newline="")
    (tmp_path / "policy").write_text(policy_of(*"abc"), encoding="utf-8")

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        words = ["journal", "heads", "policy", "--witness-head", "heads", *more]
        return subprocess.run(
            [sys.executable, "-I", "-W", "error", verifier.__file__, *words],
            capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip

    assert run().returncode == 0
    assert run("--since", "2022-08-11T15:00Z").returncode == 0
    late = run("--since", "2022-08-11T16:00Z")
    assert late.returncode == 1
    assert "No witness signed since 2022-08-11 16:00 UTC: the heads given are old." in late.stdout
    assert run("--since", "yesterday").returncode == 2
