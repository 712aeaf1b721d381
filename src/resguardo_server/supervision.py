"""The keyholder and the web server side by side: started together, the keyholder again when it falls.

A small process of its own, without Django: ``… -m resguardo_server.supervision HOST PORT SOCKET SQLITE``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Final

LOOKS_EVERY: Final = 0.5
"""Seconds between two looks at the children."""

FALLS_AT_MOST: Final = 5
"""Falls of the keyholder within a minute after which the service stops instead of trying again."""


TENDS_AFTER: Final = 60.0
TENDS_EVERY: Final = 3600.0
"""Seconds until the first round of what is due by itself, and between two."""


def keyholder_command(folder: Path, sqlite: str, socket: Path, parent: int) -> list[str]:
    """How a keyholder of our own is started; it stops when the descriptor `parent` closes.

    A PostgreSQL address stays in the environment: what is on a command line, everybody can read.
    """
    command = [sys.executable, "-m", "resguardo_keyholder", "--folder", str(folder)]
    return [*command, "--sqlite", sqlite, "--socket", str(socket), "--parent", str(parent)]


def asked_secret(folder: Path) -> str | None:
    """What a person at the terminal types to unlock the keys; None where nobody needs to be asked.

    It stays in this process, which talks to nobody, so that a keyholder that fell is there again by itself.
    """
    from resguardo_keyholder.unlocking import Secrets, is_new, way_of

    if is_new(folder) or (folder / "passphrase").is_file() or not sys.stdin.isatty():
        return None
    way = way_of(folder)
    usual = Secrets.usual(language=os.environ.get("RESGUARDO_LANGUAGE", "es")[:2])
    if way.name == "passphrase":
        return usual.passphrase()
    if way.name == "shares":
        return "\n".join(usual.shares(int(way.parameters["needed"]), int(way.parameters["set"])))
    return usual.pin() if way.name == "pkcs11" else usual.token()


def web_command(host: str, port: str) -> list[str]:
    """How the web server is started."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", port]
    command += ["--workers", "1", "--blocking-threads", "8", "--no-ws", "--log-level", "warning"]
    return [*command, "resguardo_server.wsgi:application"]


def main(host: str, port: str, socket: str, sqlite: str) -> int:
    """Runs both until the web server ends or somebody stops it; gives the web server's status."""
    reading, writing = os.pipe()
    own_keyholder = not os.environ.get("RESGUARDO_KEYHOLDER")

    secret = asked_secret(Path(socket).parent) if own_keyholder else None

    def keyholder() -> subprocess.Popen[bytes]:
        command = keyholder_command(Path(socket).parent, sqlite, Path(socket), reading)
        if secret is None:
            return subprocess.Popen(command, pass_fds=(reading,), stdin=subprocess.DEVNULL)
        taking, giving = os.pipe()
        os.write(giving, secret.encode())
        os.close(giving)
        child = subprocess.Popen(
            [*command, "--secret", str(taking)], pass_fds=(reading, taking), stdin=subprocess.DEVNULL
        )
        os.close(taking)
        return child

    keys = keyholder() if own_keyholder else None
    told = {**os.environ, "RESGUARDO_KEYHOLDER": os.environ.get("RESGUARDO_KEYHOLDER") or socket}
    web = subprocess.Popen(web_command(host, port), env=told)

    def stop(number: int, frame: FrameType | None) -> None:
        web.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    falls: list[float] = []
    tending: subprocess.Popen[bytes] | None = None
    next_round = time.monotonic() + TENDS_AFTER
    while web.poll() is None:
        time.sleep(LOOKS_EVERY)
        idle = tending is None or tending.poll() is not None
        if own_keyholder and idle and time.monotonic() >= next_round:
            # Where an administrator runs the keyholder, a timer does it (docs/systemd).
            next_round = time.monotonic() + TENDS_EVERY
            tending = subprocess.Popen([sys.executable, "-m", "resguardo_server", "tend"], env=told)
        if keys is None or keys.poll() is None:
            continue
        falls = [fall for fall in falls if time.monotonic() - fall < 60] + [time.monotonic()]
        if keys.returncode == 2 or len(falls) > FALLS_AT_MOST:
            web.terminate()  # it has said why on standard error
            web.wait()
            return 2
        keys = keyholder()
    os.close(writing)
    if keys is not None:
        keys.wait(timeout=10)
    return web.returncode if web.returncode >= 0 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
