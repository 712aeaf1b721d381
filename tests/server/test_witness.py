"""Institutions witness each other's journals over the network; what a thief takes back is then seen."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from tests.people import NOW, PURPOSE, RIGHTS, House, bring, codes, quietly, record_about

from resguardo.keep import verifier
from resguardo.keep.checkpoint import VerifierKey, is_signed_by, moment_signed_by, read_checkpoint
from resguardo.keep.tree import Frontier
from resguardo.keep.witness import MOST_BYTES, TailState
from resguardo.values import Refused
from resguardo_server import cli, models
from resguardo_server.actions.allow import open_record
from resguardo_server.actions.keep import (
    check_journals,
    export_journal,
    fsck,
    prove_entries,
    public_keys,
    witnesses_said,
)
from resguardo_server.actions.keep.witness import (
    Heard,
    add_witness,
    heads_kept_by_witnesses,
    over_http,
    send_heads,
    tail_of,
    watch,
    witness_address,
    witnesses_of,
)
from resguardo_server.actions.members import make_institution

SHELTER = "albergue-tapachula"
NAMES = ("ministerio-tegucigalpa", "consulado-b", "oficina-c")


class Network:
    """Carries requests to this installation's own pages; an address in `dead` does not answer."""

    def __init__(self) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.dead: set[str] = set()
        self.asked: list[str] = []
        self.instead: dict[str, Heard] = {}

    def __call__(self, address: str, octets: bytes | None) -> Heard:
        self.asked.append(address)
        if any(name in address for name in self.dead):
            raise ConnectionRefusedError
        for name, heard in self.instead.items():
            if name in address:
                return heard
        path = urlsplit(address).path
        came = (
            self.client.get(path)
            if octets is None
            else self.client.post(path, data=octets, content_type="text/plain")
        )
        return Heard(came.status_code, came.content.decode())


@pytest.fixture(autouse=True)
def static_files() -> None:
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def watched(kept: House) -> House:
    """The shelter, with a journal of three entries and three witnesses that know it."""
    for slug in NAMES[1:]:
        make_institution(slug, slug, "consulate", "GT")
    shelter = models.Institution.objects.get(slug=SHELTER)
    for slug in NAMES:
        row = models.Institution.objects.get(slug=slug)
        watch(row, public_keys(SHELTER)["journal"])
        keys = public_keys(slug)
        add_witness(shelter, keys["witness"], keys["address"], now=NOW)
    return kept


def shelter() -> models.Institution:
    return models.Institution.objects.get(slug=SHELTER)


def send(network: Network, *, now: datetime | None = None) -> dict[str, str]:
    """Sends without waiting; gives what is wrong with each witness, nothing where it signed."""
    sent = send_heads([shelter()], now=now or datetime.now(UTC), ask=network, wait=lambda _: None)
    return {each.witness.split(".")[0]: each.problem for each in sent}


def sizes() -> dict[str, int]:
    """How far each witness has signed, by its own table."""
    return dict(models.WitnessedLog.objects.values_list("witness__slug", "size"))


def grow(house: House) -> None:
    open_record(house.bruno, record_about(house.ana, "C-0002").id, RIGHTS, now=NOW)


def head() -> models.JournalCheckpoint:
    row = models.JournalCheckpoint.objects.filter(institution=shelter()).order_by("-size", "-pk").first()
    assert row is not None
    return row


def put_back(size: int) -> None:
    """The whole journal as it was before, by whoever holds the database."""
    frontier = Frontier()
    for row in models.JournalEntry.objects.filter(institution=shelter(), position__lt=size).order_by(
        "position"
    ):
        frontier = frontier.append(bytes(row.leaf_hash))
    models.JournalEntry.objects.filter(institution=shelter(), position__gte=size).delete()
    models.JournalCheckpoint.objects.filter(institution=shelter(), size__gt=size).delete()
    models.JournalHead.objects.filter(institution=shelter()).update(size=size, frontier=frontier.octets)
    models.JournalWitness.objects.update(last_size=size)


# Sending and signing


def test_every_witness_signs_and_its_signature_is_kept(watched: House, network: Network) -> None:
    assert send(network) == dict.fromkeys(NAMES, "")
    assert sizes() == dict.fromkeys(NAMES, 3)
    lines = models.Cosignature.objects.filter(checkpoint=head())
    assert lines.count() == 3
    for row in lines.select_related("witness"):
        key = VerifierKey.read(row.witness.key)
        signed = read_checkpoint(head().text + row.line)
        assert moment_signed_by(signed, key) == row.at
        assert abs(row.at - datetime.now(UTC)) < timedelta(minutes=1)
    assert tail_of(shelter(), now=NOW).state is TailState.COVERED


def test_a_journal_that_grew_is_sent_with_the_proof_that_it_grew(watched: House, network: Network) -> None:
    send(network)
    for _ in range(4):
        grow(watched)
    assert send(network) == dict.fromkeys(NAMES, "")
    assert sizes() == dict.fromkeys(NAMES, 7)
    asked = len(network.asked)
    assert send(network) == dict.fromkeys(NAMES, "")
    assert len(network.asked) == asked, "who signed the newest head is not asked again"


def test_a_witness_that_was_asked_by_another_copy_names_the_size_that_it_knows(
    watched: House, network: Network
) -> None:
    send(network)
    grow(watched)
    models.JournalWitness.objects.update(last_size=0)
    assert send(network) == dict.fromkeys(NAMES, "")
    assert models.JournalWitness.objects.filter(last_answer=200, last_size=4).count() == 3
    assert len(network.asked) == 3 + 2 * 3, "once with the wrong size, once with the right one"


def test_a_witness_that_does_not_answer_is_tried_again_and_named(watched: House, network: Network) -> None:
    network.dead.add("consulado-b")
    assert send(network) == {**dict.fromkeys(NAMES, ""), "consulado-b": "unreachable"}
    assert sum("consulado-b" in address for address in network.asked) == 3
    (stand,) = [each for each in witnesses_of(shelter()) if each.problem]
    assert (stand.name, stand.size, stand.behind) == ("consulado-b.resguardo/witness", 0, 3)
    assert "no contesta" in stand.words("es")
    tail = tail_of(shelter(), now=NOW)
    assert (tail.state, tail.enough) == (TailState.COVERED, 2), "two of three are enough"
    network.dead.clear()
    assert send(network)["consulado-b"] == ""
    assert witnesses_of(shelter())[0].problem == ""


def test_a_busy_witness_is_asked_again(watched: House, network: Network) -> None:
    network.instead["oficina-c"] = Heard(503, "")
    assert send(network)["oficina-c"] == "unreachable"
    assert sum("oficina-c" in address for address in network.asked) == 3


@pytest.mark.parametrize(
    ("heard", "problem"),
    [
        (Heard(200, "— x.example/w AAAA\n"), "not_an_answer"),
        (Heard(200, ""), "not_an_answer"),
        (Heard(200, "<html>" * 2000), "not_an_answer"),
        (Heard(403, ""), "not_trusted_there"),
        (Heard(404, ""), "unknown_there"),
        (Heard(400, ""), "refused"),
        (Heard(302, ""), "refused"),
        (Heard(409, "many\n"), "refused"),
        (Heard(409, "1\n"), "refused"),
        (Heard(409, "9" * 40), "refused"),
        (Heard(409, "٣"), "refused"),
    ],
)
def test_an_answer_that_is_no_signature_is_noted_and_nothing_is_kept(
    watched: House, network: Network, heard: Heard, problem: str
) -> None:
    network.instead["consulado-b"] = heard
    assert send(network)["consulado-b"] == problem
    assert not models.Cosignature.objects.filter(witness__name__startswith="consulado-b").exists()
    (stand,) = [each for each in witnesses_of(shelter()) if each.problem]
    assert stand.words("es") != stand.words("en")
    assert "{" not in stand.words("es")


def test_the_signature_of_another_witness_is_not_taken_for_this_ones(
    watched: House, network: Network
) -> None:
    send(network)
    other = models.Cosignature.objects.get(witness__name__startswith="oficina-c").line
    models.Cosignature.objects.all().delete()
    network.instead["consulado-b"] = Heard(200, other)
    assert send(network)["consulado-b"] == "false_cosignature"


def test_a_journal_whose_entries_were_changed_is_not_sent(watched: House, network: Network) -> None:
    row = models.JournalEntry.objects.get(institution=shelter(), position=1)
    row.leaf_hash = bytes(32)
    row.save()
    assert send(network) == dict.fromkeys(NAMES, "own_root")
    assert network.asked == []


# What a thief takes back


def alarms() -> list[str]:
    return sorted(models.Alarm.objects.filter(institution=shelter()).values_list("kind", flat=True))


def test_a_journal_put_back_to_an_earlier_end_is_seen_by_every_witness(
    watched: House, network: Network
) -> None:
    """The thief holds database and keys: inside the house nothing contradicts it."""
    grow(watched)
    send(network)
    put_back(3)
    (journal,) = check_journals(SHELTER, language="en")
    assert not any("missing" in finding for finding in journal["findings"])
    assert send(network) == dict.fromkeys(NAMES, "ahead")
    assert alarms() == ["journal_rolled_back"] * 3
    assert sizes() == dict.fromkeys(NAMES, 4), "nothing was signed"
    send(network)
    assert len(alarms()) == 3, "an alarm that nobody has seen is not raised again"
    models.Alarm.objects.update(seen_at=NOW)
    send(network)
    assert len(alarms()) == 6


def test_a_journal_that_was_written_anew_is_refused_by_every_witness(
    watched: House, network: Network
) -> None:
    for _ in range(3):
        grow(watched)
    send(network)
    put_back(4)
    for _ in range(4):
        open_record(watched.ana, record_about(watched.ana, "C-0001").id, PURPOSE, now=NOW)
    assert send(network) == dict.fromkeys(NAMES, "forked")
    assert alarms() == ["journal_forked"] * 3
    assert sizes() == dict.fromkeys(NAMES, 6)
    (problem,) = {each.words("en") for each in witnesses_of(shelter())}
    assert "Delete nothing" in problem


def test_an_auditor_sees_the_roll_back_with_the_heads_that_the_witnesses_keep(
    watched: House, network: Network, tmp_path: Path
) -> None:
    grow(watched)
    send(network)
    kept = heads_kept_by_witnesses(shelter(), ask=network)
    assert (len(kept.heads), kept.silent) == (3, ())
    (tmp_path / "kept").write_text("\n".join(kept.heads), encoding="utf-8", newline="")
    (whole,) = check_journals(SHELTER, language="en")
    assert whole["findings"] == []
    asked = fsck.check(shelter(), language="en", advance=quietly, kept=kept)
    assert (asked["findings"], asked["notes"]) == ([], [])
    put_back(3)
    found = fsck.check(shelter(), language="en", advance=quietly, kept=kept)["findings"]
    rolled_back = [finding for finding in found if "rolled back" in finding]
    assert len(rolled_back) == 1, "said once, however many witnesses saw it"
    assert "A witness saw this journal with 4 entries. The last 1 are missing" in rolled_back[0]
    files = export_journal(SHELTER, tmp_path / "now")
    words = [str(path) for path in (files[0], files[1], files[3])]
    assert run(*words).returncode == 1, "the shorter journal has no quorum"
    done = run(*words[:2], str(files[2]), "--witness-head", str(tmp_path / "kept"))
    assert done.returncode == 1
    assert "the last 1 are missing" in done.stdout


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """The verifier, as a program of its own."""
    return subprocess.run(
        [sys.executable, "-I", "-W", "error", verifier.__file__, *words],
        capture_output=True, text=True, check=False, env={"PATH": "", "PYTHONUTF8": "1"}, timeout=60,
    )  # fmt: skip


def test_exported_files_and_proofs_carry_the_witnesses_and_their_quorum(
    watched: House, network: Network, tmp_path: Path
) -> None:
    send(network)
    files = [str(path) for path in export_journal(SHELTER, tmp_path)]
    done = run(files[0], files[1], files[3], "--witness-head", files[1])
    assert (done.returncode, done.stderr) == (0, "")
    assert "The journal is whole." in done.stdout
    (proof,) = prove_entries(SHELTER, "1", None, tmp_path)
    done = run("proof", str(proof), files[3])
    assert done.returncode == 0
    assert done.stdout.count("Signed by the witness") == 3
    models.Cosignature.objects.filter(witness__name__startswith="consulado-b").delete()
    (proof,) = prove_entries(SHELTER, "1", None, tmp_path)
    assert run("proof", str(proof), files[3]).returncode == 0
    models.Cosignature.objects.filter(witness__name__startswith="oficina-c").delete()
    (proof,) = prove_entries(SHELTER, "1", None, tmp_path)
    assert run("proof", str(proof), files[3]).returncode == 1, "one of three is not enough"
    export_journal(SHELTER, tmp_path)
    assert "under no head that enough witnesses signed" in run(files[0], files[1], files[3]).stdout


def test_a_proof_is_made_under_the_newest_head_that_enough_witnesses_signed(
    watched: House, network: Network, tmp_path: Path
) -> None:
    send(network)
    grow(watched)
    (proof,) = prove_entries(SHELTER, "1", None, tmp_path)
    assert "\n3\n" in proof.read_text(encoding="utf-8")
    (newest,) = prove_entries(SHELTER, "3", None, tmp_path)
    assert "\n4\n" in newest.read_text(encoding="utf-8"), "not covered yet: under the institution's own head"


# The tail


def test_the_uncovered_part_grows_late_and_after_a_day_an_alarm_is_raised(
    watched: House, network: Network
) -> None:
    oldest = NOW
    assert tail_of(shelter(), now=oldest + timedelta(minutes=59)).state is TailState.WAITING
    assert tail_of(shelter(), now=oldest + timedelta(hours=2)).state is TailState.LATE
    network.dead.update(NAMES[:2])
    send(network, now=oldest + timedelta(hours=23))
    assert alarms() == []
    tail = tail_of(shelter(), now=oldest + timedelta(hours=24))
    assert (tail.state, tail.entries, tail.witnessed, tail.length) == (TailState.ALARM, 3, 0, 3)
    send(network, now=oldest + timedelta(hours=24))
    send(network, now=oldest + timedelta(hours=25))
    assert alarms() == ["journal_not_witnessed"]
    network.dead.clear()
    assert send(network, now=oldest + timedelta(hours=26)) == dict.fromkeys(NAMES, "")
    assert tail_of(shelter(), now=oldest + timedelta(hours=26)).state is TailState.COVERED


def test_what_two_of_three_signed_for_is_covered_also_when_they_signed_different_heads(
    watched: House, network: Network
) -> None:
    send(network)
    grow(watched)
    network.dead.update(NAMES[:2])
    send(network)
    assert sizes() == {NAMES[0]: 3, NAMES[1]: 3, NAMES[2]: 4}
    tail = tail_of(shelter(), now=NOW)
    assert (tail.entries, tail.witnessed, tail.since) == (4, 3, NOW)


def test_an_institution_without_witnesses_answers_alone(kept: House, network: Network) -> None:
    tail = tail_of(shelter(), now=NOW + timedelta(days=9))
    assert (tail.state, tail.entries) == (TailState.ALONE, 3)
    assert send(network) == {}
    assert alarms() == []
    said = witnesses_said(None, language="es", now=NOW)
    assert [row["state"] for row in said] == ["alone", "alone"]
    assert "Ningún testigo" in said[0]["tail"]


def test_an_institution_that_wrote_nothing_has_nothing_to_send(house: House, network: Network) -> None:
    row = models.Institution.objects.get(slug=NAMES[0])
    add_witness(row, public_keys(SHELTER)["witness"], public_keys(SHELTER)["address"], now=NOW)
    (sent,) = send_heads([row], now=NOW, ask=network)
    assert (sent.size, sent.behind, sent.problem) == (0, 0, "")
    assert network.asked == []


# As a witness


def post(body: bytes, slug: str = NAMES[0], **words: Any) -> Any:
    words = {"content_type": "text/plain", **words}
    return Client(enforce_csrf_checks=True).post(f"/witness/{slug}/add-checkpoint", data=body, **words)


def request_of(old: int) -> bytes:
    return f"old {old}\n\n{head().text}".encode()


def test_a_witness_answers_as_the_specification_says(watched: House) -> None:
    answer = post(request_of(0))
    assert answer.status_code == 200
    assert answer.content.decode().startswith(f"— {NAMES[0]}.resguardo/witness ")
    key = VerifierKey.read(public_keys(NAMES[0])["witness"])
    assert is_signed_by(read_checkpoint(head().text + answer.content.decode()), key)
    conflict = post(request_of(0))
    assert (conflict.status_code, conflict["Content-Type"], conflict.content) == (
        409,
        "text/x.tlog.size",
        b"3\n",
    )
    assert post(request_of(3)).status_code == 200, "the same head again"
    assert post(request_of(4)).status_code == 400
    assert post(request_of(3).replace(b"\n3\n", b"\n4\n")).status_code == 403
    assert post(request_of(3).replace(SHELTER.encode(), b"otro-albergue")).status_code == 404
    assert post(request_of(0), "nadie").status_code == 404
    assert post(request_of(0), "ministerio-otro").status_code == 404
    for wrong in (b"", b"old 3", b"\xff" * 100, b"old 0\n\n", request_of(0).replace(b"old 0", b"old 00")):
        assert post(wrong).status_code == 400


def test_a_forked_head_is_unprocessable_and_nothing_is_kept_of_it(watched: House) -> None:
    assert post(request_of(0)).status_code == 200
    from tests.people import ring_of

    forged = ring_of(shelter().id).sign_checkpoint(f"{SHELTER}.resguardo/journal", 3, bytes(32))
    assert post(f"old 3\n\n{forged}".encode()).status_code == 422
    log = models.WitnessedLog.objects.get(witness__slug=NAMES[0])
    assert bytes(log.root) == read_checkpoint(head().text).checkpoint.root


def test_the_page_takes_no_session_no_cookie_and_no_token_and_gives_none(watched: House) -> None:
    answer = post(request_of(0))
    assert answer.status_code == 200
    assert not answer.cookies
    for method in ("get", "put", "delete", "patch"):
        assert getattr(Client(), method)(f"/witness/{NAMES[0]}/add-checkpoint").status_code == 405


def test_a_body_beyond_the_limit_is_refused(watched: House) -> None:
    body = request_of(0)
    lines = b"".join(b"\xe2\x80\x94 x.example/w%d AAAAAAAA\n" % number for number in range(50))
    assert post(body + lines).status_code == 200, "unknown signatures are passed over"
    assert post(body + b"\n" * MOST_BYTES).status_code == 400
    assert post(b"x" * (MOST_BYTES + 1)).status_code == 400
    assert post(b"x" * 5_000_000).status_code == 400


@pytest.mark.parametrize("odd", ["\x00", "%", "a" * 300, "ñ", "-", "'", "1"])
def test_an_odd_name_of_a_witness_or_a_journal_is_not_found(watched: House, odd: str) -> None:
    from urllib.parse import quote

    for path in (f"/witness/{quote(odd)}/add-checkpoint", f"/witness/{quote(odd)}/{'0' * 64}/checkpoint"):
        assert Client().post(path, data=b"", content_type="text/plain").status_code in (404, 405)
        assert Client().get(path).status_code in (404, 405)
    assert post(f"old 0\n\n{odd}\n3\n{'A' * 43}=\n\n— x AAAAAAAA\n".encode()).status_code in (400, 404)


def test_whoever_checks_a_journal_gets_the_head_that_the_witness_keeps(watched: House) -> None:
    origin = f"{SHELTER}.resguardo/journal"
    path = f"/witness/{NAMES[0]}/{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint"
    assert Client().get(path).status_code == 404, "never signed"
    answer = post(request_of(0))
    kept = Client().get(path)
    assert kept.status_code == 200
    assert kept.content.decode() == head().text + answer.content.decode()
    assert Client().get(path.replace(NAMES[0], NAMES[1])).status_code == 404
    assert Client().get(path.replace("/checkpoint", "/checkpoints")).status_code == 404


def test_what_is_answered_was_kept_before(watched: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A witness that cannot keep the head does not sign it: the signature would be forgotten."""

    def full(*words: Any, **more: Any) -> None:
        raise OSError("no space left on the device")

    monkeypatch.setattr(models.WitnessedLog, "save", full)
    client = Client(raise_request_exception=False)
    answer = client.post(f"/witness/{NAMES[0]}/add-checkpoint", data=request_of(0), content_type="text/plain")
    assert answer.status_code == 500
    assert b"witness" not in answer.content
    assert sizes()[NAMES[0]] == 0


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_two_heads_at_once_one_is_signed_and_the_other_hears_the_new_size(
    transactional_db: None, tmp_path: Path
) -> None:
    """Without the lock both would be signed, and the second would put the first back."""
    from tests.people import JEAN, MARTA, ROSA, make_house, table
    from tests.rules.collect.sheets import write_csv

    house = make_house()
    bring(house.ana, write_csv(tmp_path / "one.csv", table(ROSA, JEAN, MARTA)))
    ministry = models.Institution.objects.get(slug=NAMES[0])
    watch(ministry, public_keys(SHELTER)["journal"])
    assert post(request_of(0)).status_code == 200
    bodies = []
    from resguardo.keep.tree import Tree
    from resguardo.keep.witness import AddCheckpoint
    from resguardo_server.actions.keep.journal import leaf_hashes

    for _ in range(6):
        grow(house)
        tree = Tree(leaf_hashes(shelter().id, head().size))
        bodies.append(AddCheckpoint(3, tree.consistency_proof(3), read_checkpoint(head().text)).octets)
    answers: list[int] = []

    def ask(body: bytes) -> None:
        try:
            answers.append(post(body).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409, 409, 409, 409, 409]


# Who may be a witness of whom


def test_nobody_is_a_witness_of_themselves(watched: House) -> None:
    keys = public_keys(SHELTER)
    with pytest.raises(Refused) as refusal:
        watch(shelter(), keys["journal"])
    assert codes(refusal.value.problems) == ["server.witness.own_journal"]
    with pytest.raises(Refused) as refusal:
        add_witness(shelter(), keys["witness"], keys["address"], now=NOW)
    assert codes(refusal.value.problems) == ["server.witness.own_witness"]


def test_one_witness_is_added_once_whatever_its_name(watched: House) -> None:
    key = VerifierKey.read(public_keys(NAMES[0])["witness"])
    other_name = VerifierKey("other.example/witness", key.kind, key.public_key).text
    for text in (key.text, other_name):
        with pytest.raises(Refused) as refusal:
            add_witness(shelter(), text, "https://other.example/witness", now=NOW)
        assert codes(refusal.value.problems) == ["server.witness.known_witness"]


def test_a_journal_does_not_change_its_key_without_anybody_noticing(watched: House) -> None:
    row = models.Institution.objects.get(slug=NAMES[0])
    assert watch(row, public_keys(SHELTER)["journal"]).size == 0, "said twice is said once"
    other = VerifierKey.read(public_keys(NAMES[1])["journal"])
    forged = VerifierKey(f"{SHELTER}.resguardo/journal", other.kind, other.public_key).text
    with pytest.raises(Refused) as refusal:
        watch(row, forged)
    assert codes(refusal.value.problems) == ["server.witness.other_key"]


@pytest.mark.parametrize("kind", ["journal", "witness"])
def test_a_journals_key_is_no_witnesss_key(watched: House, kind: str) -> None:
    make_institution("oficina-d", "oficina-d", "ngo", "GT")
    keys = public_keys("oficina-d")
    wrong: Callable[[], object] = {
        "journal": lambda: add_witness(shelter(), keys["journal"], keys["address"], now=NOW),
        "witness": lambda: watch(shelter(), keys["witness"]),
    }[kind]
    with pytest.raises(Refused) as refusal:
        wrong()
    assert codes(refusal.value.problems) == ["server.witness.other_kind_of_key"]
    with pytest.raises(Refused):
        watch(shelter(), "no key")


@pytest.mark.parametrize(
    "address",
    [
        "", "x", "ftp://a.example/w", "http://a.example/w", "file:///etc/passwd", "https://", "javascript:1",
        "https://a.example/w?x=1", "//a.example/w", "https://a.example:99999/w", "https://a:x/w", "https://[::1/w",
        "https://u:p@a.example/w", "https://a.example/w#x", f"https://a.example/{'w' * 200}",
    ],
)  # fmt: skip
def test_a_witness_is_reached_by_https_alone(house: House, address: str) -> None:
    with pytest.raises(Refused) as refusal:
        add_witness(shelter(), public_keys(NAMES[0])["witness"], address, now=NOW)
    assert codes(refusal.value.problems) == ["server.witness.address"]


def test_a_name_that_is_too_long_is_refused(house: House) -> None:
    key = VerifierKey.read(public_keys(NAMES[0])["witness"])
    long = VerifierKey("w" * 201, key.kind, key.public_key).text
    with pytest.raises(Refused):
        add_witness(shelter(), long, "https://a.example/w", now=NOW)


def test_a_witness_that_gives_no_head_is_named(watched: House, network: Network) -> None:
    send(network)
    network.dead.add("consulado-b")
    network.instead["oficina-c"] = Heard(404, "")
    kept = heads_kept_by_witnesses(shelter(), ask=network)
    assert (len(kept.heads), kept.silent) == (
        1,
        ("consulado-b.resguardo/witness", "oficina-c.resguardo/witness"),
    )
    notes = fsck.check(shelter(), language="en", advance=quietly, kept=kept)["notes"]
    assert notes == [f"The witness {name} did not give the head that it keeps." for name in kept.silent]


def test_the_address_that_is_shown_is_the_one_that_answers(watched: House, network: Network) -> None:
    row = models.Institution.objects.get(slug=NAMES[0])
    assert urlsplit(witness_address(row.as_value())).path == f"/witness/{NAMES[0]}"
    assert network(f"{witness_address(row.as_value())}/add-checkpoint", request_of(0)).status == 200


# Over a real network


class Odd(BaseHTTPRequestHandler):
    """Answers what no witness should."""

    def do_POST(self) -> None:
        if self.path.startswith("/away"):
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
        elif self.path.startswith("/long"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * 500_000)
        elif self.path.startswith("/none"):
            self.wfile.write(b"no http\r\n\r\n")
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body[::-1])

    def log_message(self, *words: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def odd() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Odd)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_request_goes_over_http_and_no_redirect_is_followed(odd: str) -> None:
    assert over_http(f"{odd}/w/add-checkpoint", b"old 0") == Heard(200, "0 dlo")
    assert over_http(f"{odd}/away", b"x").status == 302
    assert len(over_http(f"{odd}/long", b"x").body) == MOST_BYTES
    with pytest.raises(OSError, match="BadStatusLine"):
        over_http(f"{odd}/none", b"x")
    with pytest.raises(OSError, match="refused"):
        over_http("http://127.0.0.1:1/w", b"x")


def test_a_witness_that_answers_nonsense_over_the_network_gets_no_signature_in(
    watched: House, odd: str, network: Network
) -> None:
    models.JournalWitness.objects.filter(name__startswith="consulado-b").update(address=f"{odd}/w")

    def ask(address: str, octets: bytes | None) -> Heard:
        return over_http(address, octets) if address.startswith(odd) else network(address, octets)

    sent = send_heads([shelter()], now=datetime.now(UTC), ask=ask, wait=lambda _: None)
    assert [each.problem for each in sent] == ["not_an_answer", "", ""]


# The stored signatures


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lambda: models.Cosignature.objects.update(line="— x.example/w AAAAAAAA\n"), "is false"),
        (lambda: models.Cosignature.objects.update(line="no line"), "is false"),
        (lambda: models.WitnessedLog.objects.update(size=2), "kept as a witness"),
        (lambda: models.WitnessedLog.objects.update(root=bytes(32)), "kept as a witness"),
        (lambda: models.WitnessedLog.objects.update(checkpoint=""), "kept as a witness"),
    ],
)
def test_signatures_and_kept_heads_that_were_changed_are_found(
    watched: House, network: Network, tamper: Callable[[], object], said: str
) -> None:
    send(network)

    def found() -> list[str]:
        journals = [check_journals(slug, language="en")[0] for slug in (SHELTER, NAMES[0])]
        return [finding for journal in journals for finding in journal["findings"]]

    before = found()
    tamper()
    assert any(said in finding for finding in set(found()) - set(before))


# From the terminal


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """The command inside this process: status, and all that it said."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(cli, "LANGUAGE", "en")

    def run(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["resguardo", *map(str, words)])
        capsys.readouterr()
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = int(end.code or 0)
        written = capsys.readouterr()
        assert "Traceback" not in written.out + written.err
        return status, " ".join((written.out + written.err).split())

    return run


def test_two_institutions_become_each_others_witnesses_by_what_their_commands_show(
    kept: House, command: Callable[..., Any]
) -> None:
    status, shown = command("journal", "keys", NAMES[0])
    assert status == 0
    keys = public_keys(NAMES[0])
    assert all(keys[name] in shown for name in ("journal", "witness", "address"))
    status, said = command("witness", "add", SHELTER, keys["witness"], keys["address"])
    assert (status, f"Witness added: {NAMES[0]}.resguardo/witness" in said) == (0, True)
    status, said = command("witness", "watch", NAMES[0], public_keys(SHELTER)["journal"])
    assert (status, "is a witness of" in said) == (0, True)
    status, said = command("witness", "list")
    assert status == 0
    assert f"{NAMES[0]}.resguardo/witness: signed 0 entries; 3 are missing." in said
    assert f"Is a witness of {SHELTER}.resguardo/journal: 0 entries" in said
    status, said = command("witness", "add", SHELTER, keys["journal"], keys["address"])
    assert (status, "the other kind" in said) == (2, True)


def test_sending_from_the_terminal_says_which_witness_failed(
    watched: House, command: Callable[..., Any], odd: str
) -> None:
    models.JournalWitness.objects.exclude(name__startswith="consulado-b").delete()
    models.JournalWitness.objects.update(address=f"{odd}/w")
    status, said = command("witness", "send", "-i", SHELTER)
    assert status == 2
    assert "consulado-b.resguardo/witness: The witness answered something that is no signature" in said


def test_fsck_and_prove_from_the_terminal(kept: House, command: Callable[..., Any], tmp_path: Path) -> None:
    status, said = command("journal", "fsck")
    assert status == 0
    assert "3 entries, 3 records and 3 chains agree" in said
    assert "fsck --ask" in said
    status, said = command("journal", "prove", "2", "-i", SHELTER, "--in", tmp_path)
    assert (status, list(tmp_path.glob("*.tlog-proof"))) == (0, [tmp_path / f"{SHELTER}-2.tlog-proof"])
    assert command("journal", "prove", "9", "-i", SHELTER, "--in", tmp_path)[0] == 2
    assert command("journal", "prove", "-i", SHELTER, "--in", tmp_path)[0] == 2
    models.SealedGroup.objects.order_by("pk").first().delete()  # type: ignore[union-attr]
    status, said = command("journal", "fsck", "-i", SHELTER)
    assert status == 2
    assert "Restore it from the newest backup" in said


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_the_real_service_signs_over_a_real_connection(
    transactional_db: None, live_server: Any, tmp_path: Path
) -> None:
    """Client and witness meet over HTTP, as two machines do; the fsck asks the witness for its head."""
    from tests.people import JEAN, MARTA, ROSA, make_house, table
    from tests.rules.collect.sheets import write_csv

    house = make_house()
    bring(house.ana, write_csv(tmp_path / "one.csv", table(ROSA, JEAN, MARTA)))
    watch(models.Institution.objects.get(slug=NAMES[0]), public_keys(SHELTER)["journal"])
    address = f"{live_server.url}/witness/{NAMES[0]}"
    add_witness(
        shelter(), public_keys(NAMES[0])["witness"], address.replace("localhost", "127.0.0.1"), now=NOW
    )
    for size in (3, 4):
        (sent,) = send_heads([shelter()], now=datetime.now(UTC))
        assert (sent.size, sent.problem, sent.status) == (size, "", 200)
        kept = heads_kept_by_witnesses(shelter())
        assert kept.silent == ()
        assert f"\n{size}\n" in kept.heads[0]
        grow(house)
    (journal,) = check_journals(SHELTER, language="en", ask_witnesses=True)
    assert (journal["findings"], journal["notes"]) == ([], [])
    put_back(3)
    (journal,) = check_journals(SHELTER, language="en", ask_witnesses=True)
    assert any("rolled back" in finding for finding in journal["findings"])
