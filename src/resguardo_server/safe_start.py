"""What the service refuses to start with, because nobody would notice that it protects nothing."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from resguardo.values import Problem, Refused

SHORTEST_SECRET = 50
IDLE_MINUTES = 15
LONGEST_IDLE_MINUTES = 60


def is_this_machine(host: str) -> bool:
    """Whether what is sent to that host never leaves this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def idle_minutes(told: str | None) -> int:
    """After how many minutes without use a session ends; refuses more than an hour, and what is no number."""
    if not told:
        return IDLE_MINUTES
    if not told.isascii() or not told.isdigit() or not 1 <= int(told) <= LONGEST_IDLE_MINUTES:
        raise Refused(Problem("server.start.idle_minutes", {"told": told, "most": str(LONGEST_IDLE_MINUTES)}))
    return int(told)


def host_of(address: str) -> str:
    """The host of the installation's address; refuses an address without one."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https") or parts.path or parts.query:
        raise Refused(Problem("server.start.address", {"address": address}))
    return host


def refuse_unsafe_start(*, address: str, secret: str, debug: bool) -> None:
    """Refuses pages that show the program's inside, a secret that can be guessed, and readable traffic."""
    problems = []
    if debug:
        problems.append(Problem("server.start.debug"))
    if len(secret) < SHORTEST_SECRET or len(set(secret)) < 5 or secret.startswith("django-insecure-"):
        problems.append(Problem("server.start.short_secret", {"least": str(SHORTEST_SECRET)}))
    if not address.startswith("https://") and not is_this_machine(host_of(address)):
        problems.append(Problem("server.start.readable", {"address": address}))
    if problems:
        raise Refused(*problems)
