"""Whether the invented region that lies in a folder is the one that the program would build today."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from resguardo.plan.programme import BUILT_IN

HERE = Path(__file__).parent
MARK = "demo-region.json"


def _story_digest() -> str:
    """Changes when the story, the news, a table or a programme changes: then the region is built anew."""
    digest = hashlib.sha256()
    for folder in (HERE, BUILT_IN, HERE.parent / "migrations"):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def is_built(folder: Path, seed: int) -> bool:
    """Whether the region of that seed is there, whole."""
    try:
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(mark == {"seed": seed, "story": _story_digest()})


def mark_region(folder: Path, seed: int, *, finished: bool) -> None:
    """The folder says which region lies in it; one that was not finished counts as none."""
    story = _story_digest() if finished else None
    (folder / MARK).write_text(json.dumps({"seed": seed, "story": story}), encoding="utf-8")


def clear_old_region(folder: Path, seed: int) -> None:
    """Another region than the one wanted is gone: a rehearsal is built again, never mended.

    Only a folder that says of itself that it holds an invented region is cleared.
    """
    if not (folder / MARK).is_file() or is_built(folder, seed):
        return
    for name in ("resguardo.sqlite3", "resguardo.sqlite3-wal", "resguardo.sqlite3-shm", MARK):
        (folder / name).unlink(missing_ok=True)
    for name in ("keys", "sheets", "to-mend", "pictures"):
        shutil.rmtree(folder / name, ignore_errors=True)
