"""A keyholder that is started again at once after each death: ``python -m tests.attacks.cut.keeping WORDS``.

Each line of input forks one, with everything imported; its words are those of ``python -m
resguardo_keyholder``, but it believes the day that it is told. With
CUT_SYNCHRONOUS=NORMAL it syncs less, for the control.
"""

from __future__ import annotations

import json
import os
import sys

import resguardo_keyholder.store as store
from resguardo_keyholder.__main__ import main as keep


def main() -> None:
    """Forks a keyholder for each line, says its number, and that it ended."""
    import cedarpy  # noqa: F401
    import pysqlite3  # noqa: F401

    if os.environ.get("CUT_SYNCHRONOUS") == "NORMAL":
        words = tuple(word.replace("FULL", "NORMAL") for word in store.SQLITE_WORDS)
        store.SQLITE_WORDS = words  # type: ignore[misc, assignment]
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            sys.stderr = open(os.devnull, "w")  # noqa: SIM115
            os._exit(keep(None))
        os.write(1, (json.dumps({"pid": child}) + "\n").encode())
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.write(1, (json.dumps({"ended": status}) + "\n").encode())


if __name__ == "__main__":
    main()
