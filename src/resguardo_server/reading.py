"""Small text files that a person hands in, read with a refusal instead of a fault."""

from __future__ import annotations

from pathlib import Path

from resguardo.values import Problem, Refused

MOST_BYTES = 10_000_000


def read_text(path: Path) -> str:
    """The text of a UTF-8 file; refuses what is missing, a folder, too large, or not text."""
    if not path.exists():
        raise Refused(Problem("server.said.no_file", file=str(path)))
    if path.is_dir():
        raise Refused(Problem("server.said.is_folder", file=str(path)))
    if path.stat().st_size > MOST_BYTES:
        raise Refused(
            Problem("server.said.too_large", {"limit": str(MOST_BYTES // 1_000_000)}, file=str(path))
        )
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(Problem("server.said.not_text", file=str(path))) from None
    except OSError:
        raise Refused(Problem("server.said.not_readable", file=str(path))) from None
