"""Key rings as sealed files: nothing in clear, nothing half, nothing from elsewhere."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pyrage
import pytest

from resguardo.keep.keys import KeyRing, new_key_ring
from resguardo.values import Refused
from resguardo_keyholder.identity import Identity
from resguardo_keyholder.rings import Rings

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SOURCE = Path(__file__).parent.parent.parent / "src"


def code(refused: pytest.ExceptionInfo[Refused]) -> str:
    (problem,) = refused.value.problems
    return problem.code


def keyholders_folder(tmp_path: Path) -> tuple[Path, Identity]:
    """A folder with a recipient, and the identity in memory: what is left once it is unlocked."""
    folder, identity = tmp_path / "keyholder", Identity.new()
    folder.mkdir(mode=0o700)
    (folder / "recipient").write_text(identity.recipient + "\n")
    return folder, identity


def started(script: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Another process with the project's own code."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
    )


def clear_forms(ring: KeyRing) -> list[bytes]:
    """Every key of a ring, as it would stand in clear: raw, and as the ring's file writes it."""
    text = ring.to_file().decode()
    written = re.findall(r'"([A-Za-z0-9+/]{43}=)"', text)
    assert len(written) >= 12
    return [form for key in written for form in (key.encode(), base64.b64decode(key))]


def every_file(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_first_question_makes_a_ring_and_the_next_ones_give_the_same(tmp_path: Path) -> None:
    folder, identity = keyholders_folder(tmp_path)
    rings, institution = Rings(folder, identity), uuid4()
    assert not rings.has(institution)
    ring = rings.of(institution)
    assert rings.has(institution)
    assert rings.of(institution) is ring
    assert Rings(folder, identity).of(institution).to_file() == ring.to_file()
    assert rings.institutions() == (institution,)


def test_institutions_of_one_installation_share_the_noise_of_counts_and_nothing_else(tmp_path: Path) -> None:
    folder, identity = keyholders_folder(tmp_path)
    rings = Rings(folder, identity)
    first, second = rings.of(uuid4()), rings.of(uuid4())
    assert first.record_key == second.record_key
    assert first.pseudonym_key != second.pseudonym_key
    (folder / "network-record-key.age").unlink()
    assert Rings(folder, identity).of(uuid4()).record_key == first.record_key


def test_no_key_lies_on_the_disk_in_clear_and_every_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder, identity = keyholders_folder(tmp_path)
    rings = Rings(folder, identity)
    forms = [identity.secret]
    for _ in range(3):
        ring = rings.of(uuid4()).with_compartment("albergue/assistance", secrets.token_bytes, NOW)
        rings.put(ring)
        forms += clear_forms(ring)
    assert len(every_file(folder)) == 6
    for path in every_file(folder):
        octets = path.read_bytes()
        assert not any(form in octets for form in forms), path.name
        if path.name != "recipient":
            assert path.stat().st_mode & 0o777 == 0o600
    assert (folder / "rings").stat().st_mode & 0o777 == 0o700


def test_a_changed_ring_is_there_after_a_restart_and_no_draft_is_left(tmp_path: Path) -> None:
    folder, identity = keyholders_folder(tmp_path)
    rings, institution = Rings(folder, identity), uuid4()
    changed = rings.of(institution).with_compartment("consulado/notes", secrets.token_bytes, NOW)
    rings.put(changed)
    assert rings.of(institution).has_compartment("consulado/notes")
    assert Rings(folder, identity).of(institution).to_file() == changed.to_file()
    assert [path.name for path in (folder / "rings").iterdir()] == [f"{institution}.age"]


def test_a_ring_that_another_process_changed_is_not_written_over(tmp_path: Path) -> None:
    folder, identity = keyholders_folder(tmp_path)
    here, there, institution = Rings(folder, identity), Rings(folder, identity), uuid4()
    stale = here.of(institution)
    newer = there.of(institution).with_compartment("a", secrets.token_bytes, NOW)
    there.put(newer)
    with pytest.raises(Refused) as refused:
        here.put(stale.with_compartment("b", secrets.token_bytes, NOW))
    assert code(refused) == "unlocking.rings.changed_meanwhile"
    here.put(here.of(institution).with_compartment("b", secrets.token_bytes, NOW))
    both = there.of(institution)
    assert both.has_compartment("a")
    assert both.has_compartment("b")


def test_a_ring_that_was_never_read_here_is_not_written_over(tmp_path: Path) -> None:
    folder, identity = keyholders_folder(tmp_path)
    institution = uuid4()
    Rings(folder, identity).of(institution)
    with pytest.raises(Refused) as refused:
        Rings(folder, identity).put(new_key_ring(institution, secrets.token_bytes))
    assert code(refused) == "unlocking.rings.changed_meanwhile"


ADD_COMPARTMENTS = """
import secrets, sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID
from resguardo.values import Refused
from resguardo_keyholder.identity import Identity
from resguardo_keyholder.rings import Rings
folder, name, institution = Path(sys.argv[1]), sys.argv[2], UUID(sys.argv[3])
rings = Rings(folder, Identity(sys.argv[4].encode()))
for number in range(15):
    while True:
        ring = rings.of(institution)
        try:
            rings.put(ring.with_compartment(f"{name}/{number}", secrets.token_bytes, datetime.now(UTC)))
            break
        except Refused as refused:
            assert refused.problems[0].code == "unlocking.rings.changed_meanwhile"
"""


def test_two_processes_that_change_one_ring_lose_no_key(tmp_path: Path) -> None:
    folder, identity = keyholders_folder(tmp_path)
    institution = uuid4()
    secret = identity.secret.decode()
    both = [started(ADD_COMPARTMENTS, str(folder), name, str(institution), secret) for name in ("a", "b")]
    assert [process.wait(60) for process in both] == [0, 0]
    for process in both:
        process.communicate()
    ring = Rings(folder, identity).of(institution)
    assert {key.compartment for key in ring.compartment_keys} == {
        f"{name}/{number}" for name in ("a", "b") for number in range(15)
    }
    assert len({key.id for key in ring.compartment_keys}) == 30


PUT_FOR_EVER = """
import secrets, sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID
from resguardo_keyholder.identity import Identity
from resguardo_keyholder.rings import Rings
rings = Rings(Path(sys.argv[1]), Identity(sys.argv[2].encode()))
institution = UUID(sys.argv[3])
while True:
    ring = rings.of(institution)
    ring = ring.with_new_version("albergue/assistance", secrets.token_bytes, datetime.now(UTC))
    rings.put(ring)
    print(ring.last_key_id, flush=True)
"""


def test_a_keyholder_killed_while_it_writes_loses_no_ring_that_it_had_written(tmp_path: Path) -> None:
    folder, identity = keyholders_folder(tmp_path)
    institution, written = uuid4(), 0
    for _ in range(8):
        process = started(PUT_FOR_EVER, str(folder), identity.secret.decode(), str(institution))
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(random.random() / 20)
        process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0]
        whole = [line for line in (first + rest).splitlines(keepends=True) if line.endswith(b"\n")]
        written = max(written, int(whole[-1]))
        assert Rings(folder, identity).of(institution).last_key_id >= written
    assert written > 8


FULL_DISK = """
import resource, secrets, sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID
from resguardo_keyholder.identity import Identity
from resguardo_keyholder.rings import Rings
rings = Rings(Path(sys.argv[1]), Identity(sys.argv[2].encode()))
ring = rings.of(UUID(sys.argv[3]))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    rings.put(ring.with_compartment("a", secrets.token_bytes, datetime.now(UTC)))
except OSError:
    print("disk full")
"""


def test_a_full_disk_leaves_the_older_ring_whole(tmp_path: Path) -> None:
    folder, identity = keyholders_folder(tmp_path)
    institution = uuid4()
    before = Rings(folder, identity).of(institution).to_file()
    process = started(FULL_DISK, str(folder), identity.secret.decode(), str(institution))
    assert process.communicate()[0] == b"disk full\n"
    assert Rings(folder, identity).of(institution).to_file() == before
    assert [path.name for path in (folder / "rings").iterdir()] == [f"{institution}.age"]


def test_a_changed_byte_in_a_ring_file_is_refused(tmp_path: Path) -> None:
    folder, identity = keyholders_folder(tmp_path)
    institution = uuid4()
    Rings(folder, identity).of(institution)
    path = folder / "rings" / f"{institution}.age"
    right, chance = path.read_bytes(), random.Random(7)
    for _ in range(300):
        at, bit = chance.randrange(len(right)), 1 << chance.randrange(8)
        path.write_bytes(right[:at] + bytes([right[at] ^ bit]) + right[at + 1 :])
        with pytest.raises(Refused):
            Rings(folder, identity).of(institution)
    for length in (0, 1, 100, len(right) - 1):
        path.write_bytes(right[:length])
        with pytest.raises(Refused) as refused:
            Rings(folder, identity).of(institution)
        assert code(refused) == "unlocking.rings.damaged"


def test_a_ring_that_anybody_sealed_for_the_recipient_is_refused(tmp_path: Path) -> None:
    folder, identity = keyholders_folder(tmp_path)
    institution = uuid4()
    rings = Rings(folder, identity)
    rings.of(institution)
    recipient = pyrage.x25519.Recipient.from_str((folder / "recipient").read_text().strip())
    forged = new_key_ring(institution, secrets.token_bytes).to_file()
    first_line = b"resguardo sealed file 1\n"
    for content in (forged, first_line + forged, first_line + b"0" * 64 + b"\n" + forged):
        (folder / "rings" / f"{institution}.age").write_bytes(pyrage.encrypt(content, [recipient]))
        with pytest.raises(Refused) as refused:
            rings.of(institution)
        assert code(refused) == "unlocking.rings.not_from_here"


def test_a_ring_under_the_name_of_another_institution_is_refused(tmp_path: Path) -> None:
    folder, identity = keyholders_folder(tmp_path)
    one, other = uuid4(), uuid4()
    rings = Rings(folder, identity)
    rings.of(one), rings.of(other)
    shutil.copy(folder / "rings" / f"{one}.age", folder / "rings" / f"{other}.age")
    with pytest.raises(Refused) as refused:
        Rings(folder, identity).of(other)
    assert code(refused) == "unlocking.rings.not_from_here"


def test_nothing_opens_after_the_keys_were_forgotten(tmp_path: Path) -> None:
    folder, identity = keyholders_folder(tmp_path)
    rings, institution = Rings(folder, identity), uuid4()
    ring = rings.of(institution)
    rings.forget()
    for question in (lambda: rings.of(institution), lambda: rings.of(uuid4())):
        with pytest.raises(Refused) as refused:
            question()
        assert code(refused) == "unlocking.rings.locked"
    with pytest.raises(Refused):
        rings.put(ring)


def test_neither_rings_nor_identity_show_their_keys_when_printed(tmp_path: Path) -> None:
    folder, identity = keyholders_folder(tmp_path)
    shown = repr(identity) + repr(Rings(folder, identity)) + str(identity)
    assert "SECRET" not in shown
    with pytest.raises(TypeError):
        __import__("pickle").dumps(identity)


def test_rings_are_read_and_written_without_the_work_of_a_passphrase(tmp_path: Path) -> None:
    folder, identity = keyholders_folder(tmp_path)
    rings, institution = Rings(folder, identity), uuid4()
    rings.of(institution)
    began = time.perf_counter()
    for _ in range(20):
        rings.put(rings.of(institution).with_new_version("a", secrets.token_bytes, NOW))
    assert (time.perf_counter() - began) / 20 < 0.2
    began = time.perf_counter()
    for _ in range(1000):
        rings.of(institution)
    assert (time.perf_counter() - began) / 1000 < 0.001


def test_a_ring_file_opens_with_the_age_program_alone(tmp_path: Path) -> None:
    program = shutil.which("age") or shutil.which("rage")
    if program is None:
        pytest.skip("needs the program age (Debian's package age)")
    folder, identity = keyholders_folder(tmp_path)
    institution = uuid4()
    ring = Rings(folder, identity).of(institution)
    (tmp_path / "identity").write_bytes(identity.secret + b"\n")
    ring_file = folder / "rings" / f"{institution}.age"
    command = [program, "--decrypt", "-i", str(tmp_path / "identity"), str(ring_file)]
    opened = subprocess.run(command, capture_output=True, check=True).stdout
    assert opened.split(b"\n", 2)[2] == ring.to_file()


# The memory of the process

MEMORY = """
import ctypes, json, os, resource
from resguardo_keyholder.identity import protect_process

NOBODY = 65534

def looked_at(pid):
    "What another process of the same account reads of this one's memory."
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setgroups([]), os.setresgid(NOBODY, NOBODY, NOBODY), os.setresuid(NOBODY, NOBODY, NOBODY)
        found = {}
        for name in ("maps", "environ", "mem"):
            try:
                with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:
                    if name == "mem":
                        file.seek(ADDRESS)
                    found[name] = bool(file.read(8))
            except OSError:
                found[name] = False
        os.write(writing, json.dumps(found).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    return json.loads(os.read(reading, 1000))

secret = ctypes.create_string_buffer(b"AGE-SECRET-KEY")
ADDRESS = ctypes.addressof(secret)
asking, asked = os.pipe()
answering, answered = os.pipe()
holder = os.fork()
if holder == 0:
    if os.geteuid() == 0:
        os.setgroups([]), os.setresgid(NOBODY, NOBODY, NOBODY), os.setresuid(NOBODY, NOBODY, NOBODY)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as any program starts; a change of account had taken it away
    os.write(answered, b"1")
    os.read(asking, 1)
    os.write(answered, b"1" if protect_process() else b"0")
    os.read(asking, 1)
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
    os._exit(0)
os.read(answering, 1)
before = looked_at(holder)
os.write(asked, b"1")
protected = os.read(answering, 1) == b"1"
after = looked_at(holder)
os.write(asked, b"1")
print(json.dumps({"protected": protected, "before": before, "after": after, "end": os.waitpid(holder, 0)[1]}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux and its /proc")
def test_no_process_of_the_same_account_reads_the_memory_of_a_protected_one() -> None:
    found = json.loads(started(MEMORY).communicate(timeout=30)[0])
    assert found["protected"]
    assert found["end"] == 0
    assert found["after"] == {"maps": False, "environ": False, "mem": False}
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    # The control: without protection it is read, unless this machine's Yama forbids reading others' memory.
    assert found["before"]["maps"]
    assert found["before"]["mem"] or (scope.is_file() and scope.read_text().strip() != "0")


def test_an_institutions_name_is_its_file(tmp_path: Path) -> None:
    folder, identity = keyholders_folder(tmp_path)
    institution = UUID("6f0c8f6e-9d0b-4a53-8f5e-0b1f0a9a7c11")
    Rings(folder, identity).of(institution)
    assert (folder / "rings" / "6f0c8f6e-9d0b-4a53-8f5e-0b1f0a9a7c11.age").is_file()
