"""What must be there before anything is served: texts, browser parts, tables, static files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path


def steps() -> Iterable[tuple[str, Callable[[], object]]]:
    """The steps by name, in their order; each does nothing when its part is up to date."""
    from resguardo_server.frontend import build_if_old
    from resguardo_server.languages_build import compile_messages

    return (
        ("messages", compile_messages),
        ("frontend", build_if_old),
        ("tables", prepare_tables),
        ("static", prepare_static),
    )


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resguardo_server.settings")
    import django

    django.setup()


def prepare_tables() -> None:
    """Every table is there in its newest shape, and the front page of the news in each language."""
    _set_up()
    from django.core.management import call_command
    from django.db import DEFAULT_DB_ALIAS, connections
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        from resguardo_server.actions.tell.newsroom import prepare_newsroom

        prepare_newsroom()


def prepare_static() -> None:
    """The static files lie together under names that change with their content; only when one changed."""
    _set_up()
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            state = Path(storage.path(path)).stat()
            digest.update(f"{path} {state.st_size} {state.st_mtime_ns}\n".encode())
    mark = Path(settings.STATIC_ROOT) / "made-from"
    if mark.is_file() and mark.read_text() == digest.hexdigest():
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=mark.is_file())
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(digest.hexdigest())
