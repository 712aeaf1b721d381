"""Where this installation keeps what is its own: database, keys, files. One folder, ``var`` unless told."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

PACKAGE = Path(__file__).parent
PROJECT = PACKAGE.parent.parent


def own_folder() -> Path:
    """The folder named by ``RESGUARDO_VAR``, else ``var`` beside the project; readable by its owner alone."""
    folder = Path(os.environ.get("RESGUARDO_VAR") or PROJECT / "var").resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def write_private(path: Path, octets: bytes) -> None:
    """`path` holds `octets`, whole or not at all, readable by its owner alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def secret_key(folder: Path) -> str:
    """The key of sessions and forms: from ``RESGUARDO_SECRET_KEY``, else made once and kept in the folder."""
    told = os.environ.get("RESGUARDO_SECRET_KEY")
    if told:
        return told
    path = folder / "secret-key"
    if not path.is_file():
        write_private(path, secrets.token_urlsafe(64).encode())
    return path.read_text(encoding="ascii")
