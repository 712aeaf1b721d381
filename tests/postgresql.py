"""Runs a command with DATABASE_URL naming a PostgreSQL cluster that lives only as long as the command.

``python -m tests.postgresql pytest tests/server``: the cluster is made from the machine's PostgreSQL programs
in a folder of its own, listens on a socket there and on no port, and is gone afterwards. Where PostgreSQL is
not installed, says so and ends well.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SPEED = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"  # a test cluster may be lost


def programs() -> Path | None:
    """The folder of the newest PostgreSQL server on this machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("pg_ctl")
    return Path(on_path).resolve().parent if on_path else None


def main(command: list[str]) -> int:
    """The exit status of `command`, or 0 with a sentence when there is no PostgreSQL."""
    where = programs()
    if where is None:
        print("PostgreSQL is not installed: the server tests ran on SQLite alone.")  # noqa: T201
        return 0
    folder = Path(tempfile.mkdtemp(prefix="resguardo-pg-", dir="/tmp"))
    # The server refuses to run as root: hand the folder to the account that the packages made for it.
    as_owner: list[str] = []
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]

    def run(program: str, *words: str) -> None:
        subprocess.run(
            [*as_owner, str(where / program), *words],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"},
        )

    try:
        run(
            "initdb",
            "-D",
            f"{folder}/data",
            "-U",
            "resguardo",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
            "--no-sync",
        )
        run(
            "pg_ctl",
            "-D",
            f"{folder}/data",
            "-l",
            f"{folder}/log",
            "-w",
            "-o",
            f"-k {folder} -c listen_addresses='' {SPEED}",
            "start",
        )
        os.chmod(folder, 0o755)  # noqa: S103  whoever runs the tests reaches the socket
        try:
            address = f"postgresql://resguardo@/postgres?host={folder}"
            return subprocess.run(command, env=os.environ | {"DATABASE_URL": address}).returncode
        finally:
            run("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
