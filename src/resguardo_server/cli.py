"""The command ``resguardo``: thin words around actions. Only a command that needs Django sets it up."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from typer.exceptions import Abort, TyperException

from resguardo.plan.languages import explain, say
from resguardo.values import Problem, Refused
from resguardo_server.keys_commands import keys_app
from resguardo_server.member_commands import member_app
from resguardo_server.terminal_help import PROGRAM, Commands, misspelt, terminal_language

LANGUAGE = terminal_language()


def words(key: str, **facts: object) -> str:
    """A sentence of the command line in the person's language."""
    return say(f"server.{key}", LANGUAGE, **facts)


STOPPED = 130
"""The status of a command that somebody stopped at the keyboard."""

screen = Console(highlight=False)
margin = Console(stderr=True, highlight=False)

app = Commands(
    name=PROGRAM,
    help=words("help.resguardo"),
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
programme_app = Commands(help=words("help.programme"), rich_markup_mode=None)
journal_app = Commands(help=words("help.journal"), rich_markup_mode=None)
witness_app = Commands(help=words("help.witness"), rich_markup_mode=None)
news_app = Commands(help=words("help.news"), rich_markup_mode=None)
record_app = Commands(help=words("help.record"), rich_markup_mode=None)
institution_app = Commands(help=words("help.institutions"), rich_markup_mode=None)
app.add_typer(programme_app, name="programme")
app.add_typer(journal_app, name="journal")
app.add_typer(witness_app, name="witness")
app.add_typer(news_app, name="news")
app.add_typer(record_app, name="record")
app.add_typer(institution_app, name="institution")
app.add_typer(keys_app, name="keys")
app.add_typer(member_app, name="member")

InJson = Annotated[bool, typer.Option("--json", help=words("help.json"))]
Institution = Annotated[str | None, typer.Option("--institution", "-i", help=words("help.institution"))]


def set_up_django() -> None:
    """The tables and settings of this installation are at hand, and the tables are up to date."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resguardo_server.settings")
    import django

    django.setup()


def set_up_tables() -> None:
    """As `set_up_django`, with missing tables made: a first command needs no other before it."""
    set_up_django()
    from resguardo_server.preparation import prepare_tables

    with progress(words("prepare.tables")):
        prepare_tables()


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on the terminal while something runs; what it yields takes how many are done, of how many."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=margin, transient=True, disable=not margin.is_terminal) as bar:
        task = bar.add_task(title, total=None)

        def advance(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield advance


def print_json(value: Any) -> None:
    """The value as JSON on standard output, for a machine."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def print_problems(problems: tuple[Problem, ...] | list[Problem], most: int = 30) -> None:
    """What is wrong, one line each, on standard error."""
    for problem in problems[:most]:
        margin.print("✗ " + explain(problem, LANGUAGE), style="red", markup=False, soft_wrap=True)
    if len(problems) > most:
        margin.print(words("import.more_problems", number=len(problems) - most))


def main() -> None:
    """Runs the command; a refusal is a sentence and status 2, never a trace."""
    try:
        status = app(prog_name=PROGRAM, standalone_mode=False)
        if status == STOPPED:
            margin.print(words("said.stopped"))
        sys.exit(status)
    except Refused as refused:
        print_problems(refused.problems)
        sys.exit(2)
    except (Abort, KeyboardInterrupt):
        margin.print(words("said.stopped"))
        sys.exit(STOPPED)
    except TyperException as wrong:
        if type(wrong).__name__ == "NoArgsIsHelpError":
            sys.stderr.write(f"{wrong.message}\n")
        else:
            print_problems([misspelt(wrong)])
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as fault:
        if os.environ.get("RESGUARDO_TRACE"):
            raise
        margin.print(words("said.our_fault", kind=type(fault).__name__), style="red")
        sys.exit(1)


# plan


@programme_app.command("list", help=words("help.programme_list"))
def programme_list(as_json: InJson = False) -> None:
    set_up_tables()
    from resguardo.plan.languages import in_language
    from resguardo_server.actions.plan import all_programmes

    programmes = all_programmes()
    if as_json:
        print_json(
            [
                {
                    "name": programme.name,
                    "title": dict(programme.title),
                    "folder": str(programme.folder),
                    "population": programme.population,
                    "forms": [form.name for form in programme.forms],
                    "purposes": [purpose.name for purpose in programme.purposes],
                    "indicators": [indicator.name for indicator in programme.indicators],
                    "digest": programme.digest,
                }
                for programme in programmes
            ]
        )
        return
    from rich.table import Table

    table = Table()
    table.add_column(words("programme.name"), no_wrap=True)
    table.add_column(words("programme.title"))
    table.add_column(words("programme.forms"), overflow="fold")
    table.add_column(words("programme.indicators"), justify="right")
    for programme in programmes:
        table.add_row(
            programme.name,
            in_language(programme.title, LANGUAGE),
            ", ".join(form.name for form in programme.forms),
            str(len(programme.indicators)),
        )
    screen.print(table)


@programme_app.command("check", help=words("help.programme_check"))
def programme_check(
    folders: Annotated[list[Path] | None, typer.Argument(help=words("help.programme_folder"))] = None,
    as_json: InJson = False,
) -> None:
    from resguardo.plan.programme import BUILT_IN, find_programmes, load_programme

    answers, broken = [], False
    for folder in folders or find_programmes([BUILT_IN]):
        try:
            programme = load_programme(folder)
            answers.append({"folder": str(folder), "name": programme.name, "problems": []})
            if not as_json:
                screen.print(
                    words(
                        "programme.loads",
                        name=programme.name,
                        forms=len(programme.forms),
                        indicators=len(programme.indicators),
                    ),
                    style="green",
                )
        except Refused as refused:
            broken = True
            answers.append(
                {
                    "folder": str(folder),
                    "problems": [explain(problem, LANGUAGE) for problem in refused.problems],
                }
            )
            if not as_json:
                print_problems(refused.problems)
    if as_json:
        print_json(answers)
    if broken:
        raise typer.Exit(2)


@programme_app.command("new", help=words("help.programme_new"))
def programme_new(
    name: Annotated[str, typer.Argument(help=words("help.programme_name"))],
    folder: Annotated[Path, typer.Option("--in", help=words("help.programme_in"))] = Path(),
) -> None:
    from resguardo.plan.programme import new_programme

    made = new_programme(folder, name)
    screen.print(words("programme.made", folder=made), markup=False, soft_wrap=True)


# collect


@app.command("import", help=words("help.import"))
def import_file(
    programme: Annotated[str, typer.Argument(help=words("help.import_programme"))],
    file: Annotated[Path, typer.Argument(help=words("help.import_file"))],
    form: Annotated[str | None, typer.Option("--form", "-f", help=words("help.import_form"))] = None,
    institution: Institution = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help=words("help.import_sheet"))] = None,
    encoding: Annotated[str | None, typer.Option("--encoding", help=words("help.import_encoding"))] = None,
    as_json: InJson = False,
) -> None:
    set_up_tables()
    from resguardo_server.actions.allow import import_sheet
    from resguardo_server.actions.members import operator_of

    with progress(words("import.reading", file=file.name)) as advance:
        outcome = import_sheet(
            operator_of(institution),
            programme,
            file,
            form_name=form,
            sheet_name=sheet,
            encoding=encoding,
            language=LANGUAGE,
            advance=advance,
            now=datetime.now(UTC),
        )
    if as_json:
        print_json(
            {
                "form": outcome.form,
                "institution": outcome.institution,
                "kept": outcome.kept,
                "known": outcome.known,
                "refused": outcome.refused,
                "mend": outcome.mend and str(outcome.mend),
                "problems": [explain(problem, LANGUAGE) for problem in outcome.problems],
                "ignored_columns": list(outcome.ignored_columns),
            }
        )
    else:
        screen.print(
            words(
                "import.done",
                form=outcome.form,
                institution=outcome.institution,
                kept=outcome.kept,
                known=outcome.known,
            ),
            soft_wrap=True,
        )
        if outcome.ignored_columns:
            margin.print(words("import.ignored", columns=", ".join(outcome.ignored_columns)), markup=False)
        if outcome.refused:
            print_problems(outcome.problems)
            margin.print(
                words("import.mend", number=outcome.refused, file=outcome.mend), markup=False, soft_wrap=True
            )
    if outcome.refused:
        raise typer.Exit(2)


# members


@institution_app.command("new", help=words("help.institution_new"))
def institution_new(
    slug: Annotated[str, typer.Argument(help=words("help.institution_slug"))],
    kind: Annotated[str, typer.Option("--kind", help=words("help.institution_kind"))],
    country: Annotated[str, typer.Option("--country", help=words("help.institution_country"))],
    name: Annotated[str | None, typer.Option("--name", help=words("help.institution_name"))] = None,
    address: Annotated[str, typer.Option("--address", help=words("help.institution_address"))] = "",
    contact: Annotated[str, typer.Option("--contact", help=words("help.institution_contact"))] = "",
) -> None:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug):
        raise Refused(Problem("server.said.wrong_slug", {"name": slug[:60]}))
    set_up_tables()
    from resguardo_server.actions.members import make_institution

    made = make_institution(slug, name or slug, kind, country.upper(), address, contact)
    screen.print(words("said.institution_made", name=made.slug))


@institution_app.command("list", help=words("help.institution_list"))
def institution_list(as_json: InJson = False) -> None:
    set_up_tables()
    from resguardo_server.actions.members import all_institutions

    rows = all_institutions()
    if as_json:
        print_json(
            [
                {"slug": row.slug, "name": row.name, "kind": row.kind, "country": row.country, "id": row.id}
                for row in rows
            ]
        )
        return
    for row in rows:
        screen.print(f"{row.slug} · {row.name} · {row.kind} · {row.country}", markup=False, soft_wrap=True)


# keep and allow


@record_app.command("list", help=words("help.record_list"))
def record_list(
    programme: Annotated[str, typer.Argument(help=words("help.import_programme"))],
    form: Annotated[str | None, typer.Option("--form", "-f", help=words("help.import_form"))] = None,
    institution: Institution = None,
    as_json: InJson = False,
) -> None:
    set_up_tables()
    from resguardo_server.actions.allow import list_records
    from resguardo_server.actions.members import operator_of
    from resguardo_server.actions.plan import form_named, programme_named

    if form is not None:
        form_named(programme_named(programme), form)
    rows = list_records(operator_of(institution), programme, form)
    if as_json:
        print_json(rows)
        return
    if not rows:
        margin.print(words("said.no_records"))
    for row in rows:
        screen.print(f"{row['record']}  {row['form']}  {row['received_on']}", markup=False)


@record_app.command("correct", help=words("help.record_correct"))
def record_correct(
    record: Annotated[str, typer.Argument(help=words("help.record_id"))],
    changes: Annotated[list[str], typer.Argument(help=words("help.changes"))],
    purpose: Annotated[str, typer.Option("--purpose", "-p", help=words("help.purpose"))],
    email: Annotated[str, typer.Option("--as", help=words("help.as"))],
) -> None:
    set_up_tables()
    from resguardo_server.actions.allow import correct_record
    from resguardo_server.actions.members import member_named

    wrong = [change for change in changes if "=" not in change]
    if wrong:
        raise Refused(*(Problem("server.said.no_change", {"text": change[:40]}) for change in wrong))
    pairs = dict(change.split("=", 1) for change in changes)
    correct_record(member_named(email), record, pairs, purpose, now=datetime.now(UTC))
    screen.print(words("said.corrected"))


@record_app.command("erase", help=words("help.record_erase"))
def record_erase(
    record: Annotated[str, typer.Argument(help=words("help.record_id"))],
    email: Annotated[str, typer.Option("--as", help=words("help.as"))],
) -> None:
    set_up_tables()
    from resguardo_server.actions.allow import erase_record
    from resguardo_server.actions.members import member_named

    erase_record(member_named(email), record, now=datetime.now(UTC))
    screen.print(words("said.erased"))


@record_app.command("withdraw", help=words("help.record_withdraw"))
def record_withdraw(
    record: Annotated[str, typer.Argument(help=words("help.record_id"))],
    purpose: Annotated[str, typer.Option("--purpose", "-p", help=words("help.purpose"))],
    email: Annotated[str, typer.Option("--as", help=words("help.as"))],
) -> None:
    set_up_tables()
    from resguardo_server.actions.allow import withdraw_consent
    from resguardo_server.actions.members import member_named

    withdraw_consent(member_named(email), record, purpose, now=datetime.now(UTC))
    screen.print(words("said.withdrawn"))


@record_app.command("open", help=words("help.record_open"))
def record_open(
    record: Annotated[str, typer.Argument(help=words("help.record_id"))],
    purpose: Annotated[str, typer.Option("--purpose", "-p", help=words("help.purpose"))],
    email: Annotated[str, typer.Option("--as", help=words("help.as"))],
    groups: Annotated[str | None, typer.Option("--groups", help=words("help.groups"))] = None,
) -> None:
    set_up_tables()
    from resguardo_server.actions.allow import open_record
    from resguardo_server.actions.members import member_named

    wanted = tuple(groups.split(",")) if groups else None
    answers = open_record(member_named(email), record, purpose, wanted, now=datetime.now(UTC))
    print_json(answers)


@journal_app.command("verify", help=words("help.journal_verify"))
def journal_verify(institution: Institution = None, as_json: InJson = False) -> None:
    set_up_tables()
    from resguardo_server.actions.keep import verify_journals

    with progress(words("journal.reading")) as advance:
        journals = verify_journals(institution, language=LANGUAGE, advance=advance)
    if as_json:
        print_json(journals)
    else:
        for journal in journals:
            for finding in journal["findings"]:
                margin.print(
                    f"✗ {journal['institution']}: {finding}", style="red", markup=False, soft_wrap=True
                )
            if not journal["findings"]:
                screen.print(
                    words(
                        "journal.intact",
                        institution=journal["institution"],
                        entries=journal["entries"],
                        root=journal["root"][:16],
                    ),
                    style="green",
                    soft_wrap=True,
                )
    if any(journal["findings"] for journal in journals):
        raise typer.Exit(2)


@journal_app.command("export", help=words("help.journal_export"))
def journal_export(
    institution: Annotated[str, typer.Argument(help=words("help.institution"))],
    folder: Annotated[Path, typer.Argument(help=words("help.journal_folder"))],
) -> None:
    set_up_tables()
    from resguardo_server.actions.keep import export_journal

    for path in export_journal(institution, folder):
        screen.print(str(path), markup=False, soft_wrap=True)


@journal_app.command("prove", help=words("help.journal_prove"))
def journal_prove(
    entry: Annotated[str | None, typer.Argument(help=words("help.journal_prove_entry"))] = None,
    record: Annotated[str | None, typer.Option("--record", help=words("help.journal_prove_record"))] = None,
    institution: Institution = None,
    folder: Annotated[Path, typer.Option("--in", help=words("help.journal_prove_folder"))] = Path(),
) -> None:
    set_up_tables()
    from resguardo_server.actions.keep import prove_entries

    for path in prove_entries(institution, entry, record, folder):
        screen.print(words("journal.proved", file=path), markup=False, soft_wrap=True)


@journal_app.command("fsck", help=words("help.journal_fsck"))
def journal_fsck(
    institution: Institution = None,
    ask: Annotated[bool, typer.Option("--ask", help=words("help.journal_fsck_ask"))] = False,
    as_json: InJson = False,
) -> None:
    set_up_tables()
    from resguardo_server.actions.keep import check_journals

    with progress(words("journal.reading")) as advance:
        journals = check_journals(institution, language=LANGUAGE, advance=advance, ask_witnesses=ask)
    if as_json:
        print_json(journals)
    else:
        for journal in journals:
            name = journal["institution"]
            for finding in journal["findings"]:
                margin.print(f"✗ {name}: {finding}", style="red", markup=False, soft_wrap=True)
            if not journal["findings"]:
                screen.print(words("journal.beside_whole", **journal), style="green", soft_wrap=True)
            for note in journal["notes"]:
                margin.print(words("journal.note", note=note), markup=False, soft_wrap=True)
    if any(journal["findings"] for journal in journals):
        raise typer.Exit(2)


@journal_app.command("keys", help=words("help.journal_keys"))
def journal_keys(
    institution: Annotated[str, typer.Argument(help=words("help.institution"))], as_json: InJson = False
) -> None:
    set_up_tables()
    from resguardo_server.actions.keep import public_keys

    keys = public_keys(institution)
    if as_json:
        print_json(keys)
        return
    screen.print(words("witness.journal_key", text=keys["journal"]), markup=False, soft_wrap=True)
    screen.print(words("witness.witness_key", text=keys["witness"]), markup=False, soft_wrap=True)
    screen.print(words("witness.address_is", address=keys["address"]), markup=False, soft_wrap=True)


@witness_app.command("add", help=words("help.witness_add"))
def witness_add(
    institution: Annotated[str, typer.Argument(help=words("help.institution"))],
    key: Annotated[str, typer.Argument(help=words("help.witness_key"))],
    address: Annotated[str, typer.Argument(help=words("help.witness_address"))],
) -> None:
    set_up_tables()
    from resguardo_server.actions.keep import institution_named
    from resguardo_server.actions.keep.witness import add_witness

    made = add_witness(institution_named(institution), key, address, now=datetime.now(UTC))
    screen.print(words("witness.added", name=made.name), markup=False, soft_wrap=True)


@witness_app.command("watch", help=words("help.witness_watch"))
def witness_watch(
    institution: Annotated[str, typer.Argument(help=words("help.institution"))],
    key: Annotated[str, typer.Argument(help=words("help.witness_log_key"))],
) -> None:
    set_up_tables()
    from resguardo_server.actions.keep import institution_named
    from resguardo_server.actions.keep.witness import watch

    watched = watch(institution_named(institution), key)
    screen.print(
        words("witness.watches", name=institution, origin=watched.origin), markup=False, soft_wrap=True
    )


@witness_app.command("list", help=words("help.witness_list"))
def witness_list(institution: Institution = None, as_json: InJson = False) -> None:
    set_up_tables()
    from resguardo_server.actions.keep import witnesses_said

    stands = witnesses_said(institution, language=LANGUAGE, now=datetime.now(UTC))
    if as_json:
        print_json(stands)
        return
    for stand in stands:
        screen.print(f"{stand['institution']}: {stand['tail']}", markup=False, soft_wrap=True)
        for witness in stand["witnesses"]:
            key = "behind" if witness["problem"] or witness["behind"] else "good"
            screen.print("  " + words(f"witness.{key}", **witness), markup=False, soft_wrap=True)
        for log in stand["watches"]:
            screen.print("  " + words("witness.watched", **log), markup=False, soft_wrap=True)


@witness_app.command("send", help=words("help.witness_send"))
def witness_send(institution: Institution = None, as_json: InJson = False) -> None:
    set_up_tables()
    from resguardo_server.actions.keep import send_to_witnesses

    with progress(words("journal.sends")):
        sendings = send_to_witnesses(institution, language=LANGUAGE, now=datetime.now(UTC))
    if as_json:
        print_json(sendings)
    for sent in sendings if not as_json else ():
        if sent["problem"]:
            margin.print(words("witness.not_sent", **sent), style="red", markup=False, soft_wrap=True)
        else:
            screen.print(words("witness.sent", **sent), markup=False, soft_wrap=True)
    if any(sent["problem"] for sent in sendings):
        raise typer.Exit(2)


# count


@app.command("count", help=words("help.count"))
def count(
    indicator: Annotated[str, typer.Argument(help=words("help.count_indicator"))],
    by: Annotated[str, typer.Option("--by", help=words("help.count_by"))] = "",
    where: Annotated[list[str] | None, typer.Option("--where", "-w", help=words("help.count_where"))] = None,
    period: Annotated[str | None, typer.Option("--period", help=words("help.count_period"))] = None,
    as_format: Annotated[str, typer.Option("--format", help=words("help.count_format"))] = "table",
    as_json: InJson = False,
) -> None:
    set_up_tables()
    from resguardo_server.actions.count import count_indicator

    table = count_indicator(
        indicator,
        by=tuple(name for name in by.replace(" ", "").split(",") if name),
        where=tuple(where or ()),
        period=period,
        now=datetime.now(UTC),
    )
    if as_json or as_format == "json":
        from resguardo.count.table_text import as_json as table_as_json

        sys.stdout.write(table_as_json(table, LANGUAGE) + "\n")
    elif as_format == "csv":
        from resguardo.count.table_text import as_csv

        sys.stdout.write(as_csv(table, LANGUAGE))
    elif as_format == "table":
        from resguardo_server.terminal_table import print_table

        print_table(screen, table, LANGUAGE)
    else:
        raise Refused(Problem("server.said.unknown_format", {"format": as_format}))


# tell


@news_app.command("import", help=words("help.news_import"))
def news_import(
    file: Annotated[Path, typer.Argument(help=words("help.news_file"))],
    claims: Annotated[Path | None, typer.Option("--claims", help=words("help.news_claims"))] = None,
    as_json: InJson = False,
) -> None:
    from resguardo.tell.listing import read_listing
    from resguardo_server.reading import read_text

    listing = read_listing(read_text(file), file=file.name)
    if as_json:
        from resguardo.tell.listing import as_json as listing_as_json

        print_json(listing_as_json(listing))
        return
    set_up_tables()
    from resguardo_server.actions.tell import import_claims, import_listing

    if claims:
        number = import_claims(read_text(claims), file=claims.name, now=datetime.now(UTC))
        screen.print(words("news.claims_read", number=number))
    outcome = import_listing(listing, file=file.name, now=datetime.now(UTC))
    screen.print(words("news.read", new=outcome.new, changed=outcome.changed, same=outcome.same))


@news_app.command("check", help=words("help.news_check"))
def news_check(as_json: InJson = False) -> None:
    set_up_tables()
    from resguardo_server.actions.tell import check_news
    from resguardo_server.terminal_table import print_news

    with progress(words("news.checking")) as advance:
        news = check_news(language=LANGUAGE, advance=advance, now=datetime.now(UTC))
    if as_json:
        print_json([item.as_json() for item in news])
    else:
        print_news(screen, news, LANGUAGE)
    if any(item.stops for item in news):
        raise typer.Exit(2)


@news_app.command("publish", help=words("help.news_publish"))
def news_publish() -> None:
    set_up_tables()
    from resguardo_server.actions.tell import check_news, publish_checked

    check_news(now=datetime.now(UTC))
    published, held = publish_checked(now=datetime.now(UTC))
    screen.print(words("news.published", published=published, held=held))
    if held:
        raise typer.Exit(2)


# the service


@app.command(help=words("help.serve"))
def serve(
    port: Annotated[int, typer.Option(help=words("help.port"))] = 8000,
    host: Annotated[str, typer.Option(help=words("help.host"))] = "127.0.0.1",
) -> None:
    prepare_all()
    run_server(host, port)


@app.command(help=words("help.tend"))
def tend() -> None:
    set_up_tables()
    from resguardo_server.actions.tending import tend as tend_all

    done = tend_all(now=datetime.now(UTC))
    facts = {"erased": done.erased, "blocked": done.blocked, "keys": done.destroyed_keys}
    screen.print(words("keys.tended", **facts), soft_wrap=True)
    if done.not_expired:
        raise Refused(Problem("server.keys.not_expired", {"institutions": ", ".join(done.not_expired)}))
    if done.not_signed:
        raise Refused(Problem("server.keys.not_signed", {"institutions": ", ".join(done.not_signed)}))


@app.command(help=words("help.prepare"))
def prepare() -> None:
    prepare_all()


@app.command(help=words("help.demo"))
def demo(
    once: Annotated[bool, typer.Option("--once", help=words("help.demo_once"))] = False,
    seed: Annotated[int, typer.Option("--seed", help=words("help.demo_seed"))] = 1,
    port: Annotated[int, typer.Option(help=words("help.port"))] = 8000,
) -> None:
    from resguardo_server.place import PROJECT

    os.environ.setdefault("RESGUARDO_VAR", str(PROJECT / "var" / "demo"))
    os.environ.setdefault("RESGUARDO_ADDRESS", f"http://127.0.0.1:{port}")
    os.environ.pop("DATABASE_URL", None)
    from resguardo_server.demo.rehearsal import clear_old_region

    clear_old_region(Path(os.environ["RESGUARDO_VAR"]), seed)
    prepare_all()
    from resguardo_server.demo.region import build_region, sign_in_lines
    from resguardo_server.terminal_table import print_news

    with progress(words("demo.building")) as advance:
        news = build_region(
            seed=seed, advance=advance, say=lambda line: margin.print(line, markup=False), language=LANGUAGE
        )
    print_news(screen, news, LANGUAGE)
    failed = any(item.stops for item in news)
    for line in sign_in_lines(LANGUAGE):
        screen.print(line, markup=False, soft_wrap=True)
    if once or failed:
        raise typer.Exit(2 if failed else 0)
    screen.print(words("demo.address", address=f"http://127.0.0.1:{port}/"), markup=False)
    run_server("127.0.0.1", port)


@app.command(help=words("help.code"))
def code(email: Annotated[str, typer.Argument(help=words("help.as"))]) -> None:
    from resguardo_server.place import PROJECT

    os.environ.setdefault("RESGUARDO_VAR", str(PROJECT / "var" / "demo"))
    set_up_django()
    from resguardo_server.demo.accounts import code_now

    screen.print(code_now(email))


@app.command(
    help=words("help.django"),
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def django(context: typer.Context) -> None:
    set_up_django()
    from django.core.management import execute_from_command_line

    execute_from_command_line(["resguardo django", *context.args])


def prepare_all() -> None:
    """Browser parts, message files, tables and static files are made where they are missing or old."""
    from resguardo_server.preparation import steps

    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=margin,
        transient=True,
        disable=not margin.is_terminal,
    ) as bar:
        for name, run in steps():
            task = bar.add_task(words(f"prepare.{name}"), total=1)
            run()
            bar.advance(task)


def run_server(host: str, port: int) -> None:
    """The keyholder and the web server in place of this process."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "resguardo_server.settings"
    from django.conf import settings

    sqlite = str(settings.DATABASES["default"]["NAME"])
    words = ["-m", "resguardo_server.supervision", host, str(port), str(settings.KEYHOLDER), sqlite]
    os.execv(sys.executable, [sys.executable, *words])  # noqa: S606  our own interpreter, no shell
