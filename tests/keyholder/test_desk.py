"""What a service that was taken over tries at the keyholder's desk, and does not get."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection, transaction

from resguardo.values import Refused
from resguardo_keyholder import wire
from resguardo_keyholder.asked import Ceilings, Opening, Released, Search, WantedToken, Withheld
from resguardo_keyholder.budget import Budget
from resguardo_keyholder.client import Client
from resguardo_keyholder.listening import MOST_LINES, Listening
from resguardo_server import models
from resguardo_server.actions.allow import erase_record, withdraw_consent
from resguardo_server.keyholders import keyholder
from tests.keyholder.running import Running, keyholder_process, start
from tests.people import NOW, PURPOSE, RIGHTS, ROSA, House, bring, leaves, make_house, table
from tests.rules.collect.sheets import write_csv


def opening(of: models.Record, **other: object) -> Opening:
    """Ana asks for everything of the record's subject, for the training."""
    asked = Opening(
        institution=of.institution_id,
        subject=of.subject_id,
        purpose=PURPOSE,
        groups=(1, 2, 3, 4),
        member="ana@albergue.example",
        second_factor=True,
        reauthenticated=True,
    )
    return replace(asked, **other)  # type: ignore[arg-type]


def code(answer: object) -> str:
    """Why no key was given."""
    assert isinstance(answer, Withheld), answer
    return answer.problem.code


@pytest.fixture
def house(db: None, tmp_path: Path) -> House:
    made = make_house()
    bring(made.ana, write_csv(tmp_path / "a.csv", table(ROSA)))
    return made


@pytest.fixture
def rosa(house: House) -> models.Record:
    return models.Record.objects.get(institution=house.shelter)


# What is asked for under another name


@pytest.mark.parametrize("action", ["erase", "withdraw", "restrict", "aggregate", "search", "nothing"])
def test_no_key_is_given_for_a_deed_that_reads_nothing(
    house: House, rosa: models.Record, action: str
) -> None:
    withdraw_consent(house.ana, rosa.id, PURPOSE, now=NOW)
    assert code(keyholder().release(opening(rosa), now=NOW)) == "allow.decision.consent"
    before = len(leaves(house.shelter))
    with pytest.raises(Refused) as refused:
        keyholder().release(opening(rosa, action=action), now=NOW)
    assert refused.value.problems[0].code == "keyholder.desk.not_understood"
    assert len(leaves(house.shelter)) == before


def test_a_line_names_no_record_that_is_another_subjects(
    house: House, rosa: models.Record, tmp_path: Path
) -> None:
    bring(house.ana, write_csv(tmp_path / "b.csv", table({**ROSA, "participant_code": "C-0009"})))
    other = models.Record.objects.exclude(id=rosa.id).get()
    for wrong in (other.id, uuid4()):
        assert code(keyholder().release(opening(rosa, record=wrong), now=NOW)) == "server.said.unknown_record"
    assert isinstance(keyholder().release(opening(rosa, record=rosa.id), now=NOW), Released)


def test_a_subject_is_opened_by_the_rules_of_the_programme_that_its_key_was_made_in(
    house: House, rosa: models.Record
) -> None:
    models.Subject.objects.filter(id=rosa.subject_id).update(programme="assistance")
    assert code(keyholder().release(opening(rosa), now=NOW)) == "server.said.unknown_record"


@pytest.mark.parametrize(
    "programme", ["../../../../../../..{folder}", "{folder}", "training/../training", ""]
)
def test_a_programmes_name_leads_to_no_other_folder(house: House, tmp_path: Path, programme: str) -> None:
    (tmp_path / "programme.toml").write_text("", encoding="utf-8")
    name = programme.format(folder=tmp_path)
    asked = Search(house.shelter.id, "ana@albergue.example", name, PURPOSE, "name", (("x",),), True)
    with pytest.raises(Refused) as refused:
        keyholder().search(asked, now=NOW)
    assert refused.value.problems[0].code == "keyholder.desk.no_such_programme"


def test_one_search_asks_for_one_person_and_not_for_thousands(house: House) -> None:
    terms = tuple((f"name {number}",) for number in range(1000))
    asked = Search(house.shelter.id, "ana@albergue.example", "training", PURPOSE, "name", terms, True)
    with pytest.raises(Refused) as refused:
        keyholder().search(asked, now=NOW)
    assert refused.value.problems[0].code == "keyholder.desk.not_understood"


# Keys that were lost


def test_the_lost_ring_of_a_journal_that_has_lines_is_replaced_by_no_question(
    house: House, rosa: models.Record
) -> None:
    path = Path(settings.VAR) / "keyholder" / "rings" / f"{house.shelter.id}.age"
    kept = path.read_bytes()
    path.unlink()
    try:
        for ask in (
            lambda: keyholder().pseudonym(house.shelter.id, "ana@albergue.example"),
            lambda: keyholder().signature_key(house.shelter.id),
            lambda: keyholder().tokens(house.shelter.id, [WantedToken("phone", ("1",))]),
            lambda: keyholder().sign_journal(house.shelter.id, now=NOW),
        ):
            with pytest.raises(Refused) as refused:
                ask()
            assert refused.value.problems[0].code == "keyholder.desk.ring_missing"
        assert not path.is_file()
    finally:
        path.write_bytes(kept)


# The person herself


def forged(record: models.Record, number: int) -> bytes:
    """A ticket by a receipt and an answer that somebody who writes in the tables put there."""
    told = f"receipt code {number}"
    keys = keyholder()
    institution = record.institution_id
    ((receipt,), (answer,)) = keys.tokens(
        institution,
        [
            WantedToken("receipt", (told,)),
            WantedToken("answer", ("made_up", "yes"), subject=record.subject_id),
        ],
    )
    models.Receipt.objects.create(
        institution_id=institution, subject_id=record.subject_id, code_token=receipt.token, issued_on=NOW
    )
    models.RecognisedAnswer.objects.create(
        subject_id=record.subject_id, record=record, question="made_up", token=answer.token
    )
    found = keys.recognise(told, "made_up", "yes", now=NOW)
    assert not isinstance(found, Withheld)
    return found.ticket


def test_people_who_look_at_their_own_records_are_counted_too(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [{**ROSA, "participant_code": f"C-1{number}"} for number in range(4)]
    bring(house.ana, write_csv(tmp_path / "b.csv", table(*people)))
    desk = keyholder()
    monkeypatch.setattr(desk, "_budget", Budget(usual=Ceilings(persons_day=3)))
    rows = list(models.Record.objects.order_by("id"))
    answers = [
        desk.release(opening(row, member="", ticket=forged(row, number), purpose=RIGHTS), now=NOW)
        for number, row in enumerate(rows)
    ]
    assert [type(answer) for answer in answers[:3]] == [Released] * 3
    assert [code(answer) for answer in answers[3:]] == ["keyholder.budget.persons_day"] * 2
    assert models.Alarm.objects.get().kind == "budget_persons_day"
    again = opening(rows[0], member="", ticket=forged(rows[0], 99), purpose=RIGHTS)
    assert isinstance(desk.release(again, now=NOW), Released)  # who looked already costs nothing


def test_a_ticket_is_worth_nothing_once_its_receipt_is_revoked_or_its_time_is_over(
    house: House, rosa: models.Record
) -> None:
    asked = opening(rosa, member="", ticket=forged(rosa, 1), purpose=RIGHTS)
    assert isinstance(keyholder().release(asked, now=NOW), Released)
    later = NOW + timedelta(minutes=16)
    assert code(keyholder().release(asked, now=later)) == "server.said.unknown_member"
    models.Receipt.objects.update(revoked_on=NOW)
    assert code(keyholder().release(asked, now=NOW)) == "server.said.unknown_member"


# Guesses


def test_guesses_of_documents_and_answers_by_tokens_come_to_an_end_and_the_alarm_stands(
    house: House, rosa: models.Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = keyholder()
    budget = Budget(usual=Ceilings(tokens_day=100))
    monkeypatch.setattr(desk, "_budget", budget)
    guesses = [
        WantedToken("answer", ("country", f"{number}"), subject=rosa.subject_id) for number in range(60)
    ]
    assert len(desk.tokens(house.shelter.id, guesses)) == 60
    with pytest.raises(Refused) as refused:
        desk.tokens(house.shelter.id, guesses)
    assert refused.value.problems[0].code == "keyholder.budget.tokens_day"
    assert len(desk.tokens(house.ministry.id, guesses)) == 60  # another institution has its own
    assert desk.tokens(house.shelter.id, [WantedToken("arrival", octets=b"x")])
    assert not models.Alarm.objects.exists()  # it was asked within the service's transaction
    desk.sign_journal(house.shelter.id, now=NOW)
    alarm = models.Alarm.objects.get()
    assert (alarm.kind, alarm.numbers) == ("budget_tokens_day", {"most": 100})


def test_what_was_spent_on_tokens_outlives_a_restart_and_falls_due_after_a_day(tmp_path: Path) -> None:
    institution, usual = uuid4(), Ceilings(tokens_day=100)
    first = Budget(tmp_path, usual=usual)
    assert first.take_tokens(institution, 90, now=NOW) is None
    again = Budget(tmp_path, usual=usual)
    over = again.take_tokens(institution, 20, now=NOW + timedelta(hours=23))
    assert over is not None
    assert (over.ceiling, over.most) == ("tokens_day", 100)
    assert again.take_tokens(institution, 20, now=NOW + timedelta(hours=25)) is None


# Many at once


def test_a_thread_that_hurries_passes_no_ceiling(tmp_path: Path) -> None:
    institution = uuid4()
    budget = Budget(tmp_path, usual=Ceilings(member_hour=5))
    gate = threading.Barrier(24)

    def take(number: int) -> bool:
        gate.wait()
        return budget.take(institution, "ana", "c", f"mark-{number}", now=NOW) is None

    with ThreadPoolExecutor(24) as threads:
        assert sum(threads.map(take, range(24))) == 5


class Answering:
    """A desk that answers a few questions of the socket."""

    def ceilings(self, institution: UUID) -> Ceilings:
        return Ceilings()

    def sign_journal(self, institution: UUID, *, now: datetime) -> str:
        return now.isoformat()


@pytest.fixture
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="rk-", dir="/tmp") as folder:
        path = Path(folder) / "desk.sock"
        behind = Listening(Answering(), path)  # type: ignore[arg-type]
        thread = threading.Thread(target=behind.answer_for_ever, daemon=True)
        thread.start()
        yield path
        behind.close()


def test_the_moment_of_a_question_is_the_keyholders_own(listening: Path) -> None:
    """Else whoever asks could let a day pass and start the budget afresh, or bring back an old permit."""
    for told in (datetime(2100, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC)):
        client = Client(listening)
        answer = client.sign_journal(uuid4(), now=told)
        client.close()
        assert answer is not None
        assert abs(datetime.fromisoformat(answer) - datetime.now(UTC)) < timedelta(minutes=1)


def test_lines_without_end_are_hung_up_and_the_keyholder_goes_on(listening: Path) -> None:
    held = []
    for _ in range(MOST_LINES + 40):
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(listening))
        held.append(line)
    hung_up = held[-1]
    hung_up.settimeout(5)
    assert hung_up.recv(1) == b""
    assert threading.active_count() < MOST_LINES + 40
    for line in held:
        line.close()
    client = Client(listening)
    for _ in range(50):
        if client.answers():
            break
        threading.Event().wait(0.1)
    assert client.answers()
    client.close()


def test_a_question_of_any_shape_hurts_nobody_elses_line(listening: Path) -> None:
    good = Client(listening)
    assert good.answers()
    shapes: list[object] = [
        None, 7, "x", (), {"question": ("a",), "words": (), "named": {}},
        {"question": "ceilings", "words": 5, "named": {}}, {"question": "ceilings", "words": (), "named": 5},
        {"question": {"a": 1}, "words": (), "named": {}}, {"question": None, "words": (), "named": {}},
        {"question": "ceilings", "words": ("x",) * 1000, "named": {}},
        {"question": "sign_journal", "words": (), "named": {"now": "never"}},
    ]  # fmt: skip
    for shape in shapes:
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(5)
        line.connect(str(listening))
        wire.send(line, shape)
        with suppress(OSError):
            answer = wire.receive(line)
            assert answer is None or "refused" in answer, shape
        line.close()
        assert good.answers()
    good.close()


# The process itself


class TestAtTheProcess:
    pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

    @pytest.fixture
    def running(self, transactional_db: None) -> Iterator[Running]:
        with keyholder_process() as running:
            yield running

    def test_hurrying_threads_open_no_more_than_the_ceiling_and_each_has_an_answer(
        self, running: Running, tmp_path: Path
    ) -> None:
        house = make_house()
        (running.folder / "ceilings.toml").write_text(
            f'["{house.shelter.id}"]\nmember_hour = 3\n', encoding="utf-8"
        )
        people = [{**ROSA, "participant_code": f"C-{number}"} for number in range(12)]
        bring(house.ana, write_csv(tmp_path / "a.csv", table(*people)))
        rows = list(models.Record.objects.order_by("id"))
        before = len(leaves(house.shelter))
        gate = threading.Barrier(len(rows))

        def release(row: models.Record) -> object:
            gate.wait()
            return running.client.release(opening(row), now=NOW)

        with ThreadPoolExecutor(len(rows)) as threads:
            answers = list(threads.map(release, rows))
            running.client.close()
        assert sum(isinstance(answer, Released) for answer in answers) == 3
        withheld = {code(answer) for answer in answers if not isinstance(answer, Released)}
        assert withheld == {"keyholder.budget.member_hour"}
        assert len(leaves(house.shelter)) == before + 12

    def test_a_key_is_destroyed_or_refused_while_somebody_writes_and_the_writer_does_not_wait(
        self, running: Running, tmp_path: Path
    ) -> None:
        house = make_house()
        bring(house.ana, write_csv(tmp_path / "a.csv", table(ROSA)))
        running.client.rotate(house.shelter.id, now=NOW)
        other = Client(running.folder / "desk.sock")
        with ThreadPoolExecutor(1) as threads, transaction.atomic():
            models.Institution.objects.filter(id=house.shelter.id).update(name="x")
            due = NOW + timedelta(days=31)
            destroying = threads.submit(other.destroy, house.shelter.id, 1, now=due)
            threading.Event().wait(0.5)
            began = datetime.now(UTC)
            running.client.prepare(house.shelter.id, "albergue-tapachula/training", may_be_new=False, now=NOW)
            assert datetime.now(UTC) - began < timedelta(seconds=5)
            transaction.set_rollback(True)
        with pytest.raises(Refused) as refused:
            destroying.result(timeout=30)
        other.close()
        assert refused.value.problems[0].code == "keyholder.desk.key_still_wraps"

    def test_answers_guessed_at_once_are_counted_one_by_one(self, running: Running, tmp_path: Path) -> None:
        house = make_house()
        bring(house.ana, write_csv(tmp_path / "a.csv", table(ROSA)))
        row = models.Record.objects.get()
        ((receipt,),) = keyholder().tokens(house.shelter.id, [WantedToken("receipt", ("code",))])
        held = models.Receipt.objects.create(
            institution=house.shelter, subject_id=row.subject_id, code_token=receipt.token, issued_on=NOW
        )
        gate = threading.Barrier(12)

        def guess(number: int) -> str:
            gate.wait()
            return code(running.client.recognise("code", "country", f"{number}", now=NOW))

        with ThreadPoolExecutor(12) as threads:
            said = sorted(threads.map(guess, range(12)))
            running.client.close()
        assert said == ["keyholder.person.locked"] * 7 + ["keyholder.person.not_recognised"] * 5
        held.refresh_from_db()
        assert held.wrong_answers == 5

    def test_a_key_that_is_gone_already_is_destroyed_again_without_harm(
        self, running: Running, tmp_path: Path
    ) -> None:
        """The service fell after the key was gone and before it had written it down: it goes on."""
        house = make_house()
        bring(house.ana, write_csv(tmp_path / "a.csv", table(ROSA)))
        erase_record(house.bruno, models.Record.objects.get().id, now=NOW)
        running.client.rotate(house.shelter.id, now=NOW)
        for _ in range(2):
            running.client.destroy(house.shelter.id, 1, now=NOW + timedelta(days=30))
        with pytest.raises(Refused) as refused:
            running.client.destroy(house.shelter.id, 99, now=NOW)
        assert refused.value.problems[0].code == "keyholder.desk.no_such_key"

    def test_a_key_that_a_backup_may_need_is_not_destroyed_whoever_asks(
        self, running: Running, tmp_path: Path
    ) -> None:
        house = make_house()
        bring(house.ana, write_csv(tmp_path / "a.csv", table(ROSA)))
        erase_record(house.bruno, models.Record.objects.get().id, now=NOW)
        for number in (1, 2):
            running.client.rotate(house.shelter.id, now=NOW + timedelta(days=number))
        for number, days, code in (
            (1, 30, "key_in_backups"),
            (2, 31, "key_in_backups"),
            (3, 99, "key_in_use"),
        ):
            with pytest.raises(Refused) as refused:
                running.client.destroy(house.shelter.id, number, now=NOW + timedelta(days=days))
            assert refused.value.problems[0].code == f"keyholder.desk.{code}"
        for number, days in ((1, 31), (2, 32)):
            running.client.destroy(house.shelter.id, number, now=NOW + timedelta(days=days))

    def test_a_keyholder_that_ends_leaves_the_socket_of_the_one_that_took_its_place(
        self, running: Running
    ) -> None:
        socket_file = running.folder / "desk.sock"
        first = socket_file.stat().st_ino
        later = start(running.folder)
        try:
            for _ in range(600):
                if socket_file.exists() and socket_file.stat().st_ino != first:
                    break
                threading.Event().wait(0.05)
            running.stop()
            afresh = Client(socket_file)
            assert afresh.answers()
            afresh.close()
        finally:
            later.stop()

    def test_transactions_of_many_threads_share_no_connection(self, transactional_db: None) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite opens a connection for each transaction")
        import sys

        from resguardo_keyholder.store import PostgresqlStore
        from tests.keyholder.running import environment

        store = PostgresqlStore(environment(Path("/"))[0]["DATABASE_URL"])
        used: set[int] = set()
        shared: list[int] = []
        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)

        def work(_: int) -> None:
            for _ in range(100):
                with store.transaction() as tables:
                    who = tables._one("SELECT pg_backend_pid()")[0]
                    if who in used:
                        shared.append(who)
                    used.add(who)
                    tables._one("SELECT 1")
                    used.discard(who)

        try:
            with ThreadPoolExecutor(8) as threads:
                list(threads.map(work, range(8)))
        finally:
            sys.setswitchinterval(before)
            store.close()
        assert shared == []
