"""The copy that a person takes away: what is kept of her, why, until when, who opened it, and the proofs.

One ZIP that a person can read and a machine can parse. `leame.html` opens in any browser, without script and
without a request to anywhere; `datos.jsonld` and `datos.csv` hold the answers; `registro.json` and `pruebas/`
hold every use of her records with a proof that the journal of the institution has it; `verificar/` holds the
program that checks those proofs without believing anybody. The same copy gives the same bytes (on the same
version of zlib). Whatever a person, an institution or an export wrote is text here, never markup, a formula
or a path. Staff stand in it by role and institution: there is no room for a name.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from html import escape
from typing import Any, Final

from resguardo.allow.calendar import in_words
from resguardo.allow.receipt import (
    JSON_LD_CONTEXT,
    ConsentEvent,
    Party,
    Receiver,
    answer_in_words,
    basis_in_words,
    group_in_words,
    receiver_in_words,
    rights_in_words,
)
from resguardo.keep.journal import Access, Act, HeldEntry, Outcome, chain_hash, left_out, read_entry
from resguardo.keep.proof import EntryProof
from resguardo.plan.languages import FIRST_LANGUAGE, say
from resguardo.values import PACKAGE, Basis, Language, Problem, Refused, Sensitivity, Words

LONGEST_CELL: Final = 30_000
"""Characters of an answer in the table: a spreadsheet cuts a cell at 32,767; the whole is in the JSON."""


@dataclass(frozen=True)
class CopiedAnswer:
    """One question and what was answered: as a person reads it, and as a machine does (any JSON value)."""

    label: Words
    name: str
    group: Sensitivity
    shown: str = field(repr=False)
    value: Any = field(repr=False)


@dataclass(frozen=True)
class CopiedRecord:
    """One form that was filled in."""

    programme: str
    form: str
    title: Words
    received_on: date
    keep_until: date | None
    answers: tuple[CopiedAnswer, ...]


@dataclass(frozen=True)
class CopiedPurpose:
    """One use that the programme makes of the records."""

    title: Words
    basis: Basis
    groups: frozenset[Sensitivity]
    receivers: tuple[Receiver, ...] = ()


@dataclass(frozen=True)
class CopiedProgramme:
    """A programme that keeps something of her, and its uses."""

    name: str
    title: Words
    purposes: tuple[CopiedPurpose, ...]


@dataclass(frozen=True)
class CopiedConsent:
    """What she was asked and answered, in the order of time, for one purpose and receiver."""

    purpose: Words
    events: tuple[ConsentEvent, ...]
    receiver: Receiver | None = None
    until: date | None = None


@dataclass(frozen=True)
class Opening:
    """One use of her records as the journal tells it. Who it was: a role and an institution, never a name."""

    when: datetime
    role: Words
    institution: str
    act: Act
    outcome: Outcome
    purpose: Words | None = None
    groups: frozenset[Sensitivity] = frozenset()
    entry: int | None = None
    """Its place in the journal, where the copy has its proof."""


@dataclass(frozen=True)
class Attachment:
    """A photograph or document that she gave."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class PersonsCopy:
    """All that goes into one person's copy."""

    reference: str
    """By which the institution finds the request; no name, no case code."""
    institution: Party
    made_on: date
    programmes: tuple[CopiedProgramme, ...]
    records: tuple[CopiedRecord, ...]
    consents: tuple[CopiedConsent, ...]
    openings: tuple[Opening, ...]
    journal_key: str
    """The journal's public key, or a policy (c2sp.org/tlog-policy) that names it and its witnesses."""
    signature_key: bytes
    """The public key that the receipts are checked with."""
    proofs: tuple[str, ...] = ()
    """One text of c2sp.org/tlog-proof@v1 per entry about her, each carrying its entry."""
    witness_heads: tuple[str, ...] = ()
    """Heads of the journal that witnesses signed, the newest last."""
    held: tuple[HeldEntry, ...] = ()
    """What her receipts say of entries about her."""
    receipts: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    authority: Party | None = None


def portable_zip(copy: PersonsCopy, language: Language) -> bytes:
    """The copy as the bytes of a ZIP, its page and its tables in the person's language."""
    files = dict(_files(copy, language))
    sums = "".join(f"{hashlib.sha256(files[path]).hexdigest()}  {path}\n" for path in sorted(files))
    files["CHECKSUMS"] = sums.encode("ascii")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, _NO_TIME)
            entry.create_system = _UNIX
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compresslevel=6)
    return packed.getvalue()


def attachment_path(number: int, name: str) -> str:
    """Where an attachment lies in the ZIP: a number and what is harmless of its name.

    >>> attachment_path(1, "../../etc/Cédula de Ana.JPG"), attachment_path(2, "page.html")
    ('adjuntos/01-Cedula_de_Ana.jpg', 'adjuntos/02-page.bin')
    """
    stem, _, ending = name.replace("\\", "/").rpartition("/")[2].rpartition(".")
    if not stem:
        stem, ending = ending, ""
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode("ascii")
    kept = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")[:40] or "archivo"
    ending = ending.lower() if ending.lower() in _HARMLESS_ENDINGS else "bin"
    return f"adjuntos/{number:02}-{kept}.{ending}"


# The files

_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_HARMLESS_ENDINGS: Final = frozenset(
    {
        *("bmp", "gif", "heic", "jpeg", "jpg", "png", "webp"),
        *("aac", "amr", "m4a", "mp3", "ogg", "opus", "wav"),
        *("3gp", "mov", "mp4", "webm"),
        *("csv", "pdf", "txt"),
    }
)
"""What a click on an attachment opens as a picture, a sound, a film or a text, and never as a program."""


def _files(copy: PersonsCopy, language: Language) -> Iterator[tuple[str, bytes]]:
    """Every file but the checksums, the one to read first."""
    proofs = _read_proofs(copy)
    paths = [attachment_path(number, each.name) for number, each in enumerate(copy.attachments, start=1)]
    yield "leame.html", _page(copy, language, [access for access, _ in proofs], paths)
    yield "datos.jsonld", _json(_answers_document(copy, language))
    yield "datos.csv", _table(copy, language)
    yield "registro.json", _json(_journal_document(copy, proofs))
    for access, text in proofs:
        yield _proof_path(access.index), text.encode("utf-8")
    yield "llaves/bitacora.txt", f"{copy.journal_key.strip()}\n".encode()
    yield "llaves/comprobantes.txt", base64.b64encode(copy.signature_key) + b"\n"
    if copy.witness_heads:
        yield "llaves/testigos.txt", "\n".join(copy.witness_heads).encode()
    for number, receipt in enumerate(copy.receipts, start=1):
        yield f"comprobantes/{number:02}.jsonld", receipt.encode("utf-8")
    for path, attachment in zip(paths, copy.attachments, strict=True):
        yield path, attachment.content
    yield "verificar/verifier.py", (PACKAGE / "keep" / "verifier.py").read_bytes()
    yield "verificar/LEAME.txt", _how_to_check(copy, language, [access for access, _ in proofs])


def _read_proofs(copy: PersonsCopy) -> list[tuple[Access, str]]:
    """The entries that the proofs carry, in the order of the journal, each with its proof."""
    found: list[tuple[Access, str]] = []
    for text in copy.proofs:
        proof = EntryProof.read(text)
        if proof.extra is None:
            raise Refused(Problem("allow.portable.proof"))
        access = Access(proof.index, read_entry(proof.extra), chain_hash(proof.extra))
        found.append((access, text))
    return sorted(found, key=lambda pair: pair[0].index)


def _proof_path(index: int) -> str:
    return f"pruebas/{index:08}.tlog-proof"


def _order_to_check(copy: PersonsCopy, index: int) -> str:
    order = f"python verificar/verifier.py proof {_proof_path(index)} llaves/bitacora.txt"
    return f"{order} --witness-head llaves/testigos.txt" if copy.witness_heads else order


def _how_to_check(copy: PersonsCopy, language: Language, accesses: list[Access]) -> bytes:
    lines = [_say("check_title", language), "", *_say("check_steps", language).split("\n"), ""]
    lines += [f"    {_order_to_check(copy, access.index)}" for access in accesses]
    return "\n".join([*lines, "", _say("check_answer", language), ""]).encode()


# For machines

_CONTEXT: Final[Mapping[str, Any]] = {
    **JSON_LD_CONTEXT,
    "dct:issued": {"@type": "xsd:date"},
    "rgd:until": {"@type": "xsd:date"},
    "rgd:value": {"@type": "@json"},
}


def _answers_document(copy: PersonsCopy, language: Language) -> dict[str, Any]:
    return {
        "@context": _CONTEXT,
        "@type": "rgd:Copy",
        "rgd:version": 1,
        "dct:identifier": copy.reference,
        "dct:issued": copy.made_on.isoformat(),
        "dct:language": language,
        "dct:publisher": _party_document(copy.institution),
        "rgd:programme": [
            {
                "@type": "dpv:Process",
                "dct:identifier": programme.name,
                "dct:title": dict(programme.title),
                "dpv:hasPurpose": [
                    {
                        "@type": "dpv:Purpose",
                        "dct:title": dict(purpose.title),
                        "rgd:basis": str(purpose.basis),
                        "rgd:group": _group_names(purpose.groups),
                        "rgd:receiver": list(map(_receiver_name, purpose.receivers)),
                    }
                    for purpose in programme.purposes
                ],
            }
            for programme in copy.programmes
        ],
        "rgd:record": [
            {
                "@type": "rgd:Record",
                "rgd:programme": record.programme,
                "rgd:form": record.form,
                "dct:title": dict(record.title),
                "dct:issued": record.received_on.isoformat(),
                "rgd:until": record.keep_until.isoformat() if record.keep_until else None,
                "rgd:answer": [
                    {
                        "@type": "dpv:PersonalData",
                        "dct:identifier": answer.name,
                        "dct:title": dict(answer.label),
                        "rgd:group": str(answer.group),
                        "rgd:shown": answer.shown,
                        "rgd:value": answer.value,
                    }
                    for answer in record.answers
                ],
            }
            for record in copy.records
        ],
        "rgd:consent": [
            {
                "@type": "dpv:ConsentRecord",
                "dct:title": dict(consent.purpose),
                "rgd:receiver": _receiver_name(consent.receiver) if consent.receiver else None,
                "rgd:until": consent.until.isoformat() if consent.until else None,
                "dpv:hasConsentStatus": [
                    {
                        "@type": event.state.term,
                        "dpv:isIndicatedAtTime": event.on.isoformat(),
                        "rgd:by": str(event.by),
                        "rgd:assent": event.assent,
                    }
                    for event in consent.events
                ],
            }
            for consent in copy.consents
        ],
    }


def _journal_document(copy: PersonsCopy, proofs: list[tuple[Access, str]]) -> dict[str, Any]:
    carried = {access.index for access, _ in proofs}
    return {
        "format": "resguardo journal of one person",
        "version": 1,
        "institution": copy.institution.name,
        "openings": [
            {
                "when": opening.when.isoformat(),
                "act": str(opening.act),
                "outcome": str(opening.outcome),
                "role": dict(opening.role),
                "institution": opening.institution,
                "purpose": dict(opening.purpose) if opening.purpose else None,
                "groups": _group_names(opening.groups),
                "proof": _proof_path(opening.entry) if opening.entry in carried else None,
            }
            for opening in sorted(copy.openings, key=lambda each: each.when)
        ],
        "entries": [
            {
                "index": access.index,
                "entry": json.loads(EntryProof.read(text).extra or b"{}"),
                "hash": access.hash,
                "proof": _proof_path(access.index),
            }
            for access, text in proofs
        ],
        "whole": not left_out([access for access, _ in proofs], copy.held) if proofs else None,
        "key": copy.journal_key.strip(),
    }


def _party_document(party: Party) -> dict[str, str]:
    return {
        "@id": f"rgd:party:{party.id}",
        "@type": "dpv:DataController",
        "dpv:hasName": party.name,
        "dpv:hasAddress": party.address,
        "dpv:hasContact": party.contact,
    }


def _receiver_name(receiver: Receiver) -> str:
    return receiver.name if isinstance(receiver, Party) else str(receiver)


def _group_names(groups: Iterable[Sensitivity]) -> list[str]:
    chosen = frozenset(groups)
    return [str(group) for group in Sensitivity if group in chosen]


def _json(document: Mapping[str, Any]) -> bytes:
    """UTF-8; half a pair of surrogates, which UTF-8 cannot hold, is written as JSON's own escape."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
    return f"{text}\n".encode("utf-8", "backslashreplace")


def _table(copy: PersonsCopy, language: Language) -> bytes:
    """The answers as CSV with a byte order mark, so that a spreadsheet reads the accents."""
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(_say(f"csv_{name}", language) for name in _COLUMNS)
    for record in copy.records:
        title, _ = _in_words(record.title, language)
        for answer in record.answers:
            label, _ = _in_words(answer.label, language)
            group = group_in_words(answer.group, language)
            shown = answer.shown
            if len(shown) > LONGEST_CELL:
                shown = shown[:LONGEST_CELL] + _say("csv_cut", language)
            row = (title, record.received_on.isoformat(), label, answer.name, group, shown)
            table.writerow(map(_cell, row))
    return ("\ufeff" + written.getvalue()).encode("utf-8")


_COLUMNS: Final = ("form", "received", "question", "name", "group", "answer")
_FORMULA: Final = re.compile(r"^[\s'\"]*[=+\-@＝＋－＠]")
_PLAIN_NUMBER: Final = re.compile(r"^[+-]?\d+(?:[.,]\d+)?$", re.ASCII)


def _cell(text: str) -> str:
    """The text as a spreadsheet may hold it: an apostrophe in front of what it would run as a formula."""
    plain = _visible(text)
    return "'" + plain if _FORMULA.match(plain) and not _PLAIN_NUMBER.match(plain) else plain


_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def _visible(text: str) -> str:
    """The text without signs that no page and no table can show; line ends are those of Unix."""
    return _CONTROLS.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


# For the person


class _Markup(str):
    """Text that is HTML already. Everything else is escaped where it enters a tag."""

    __slots__ = ()


def _tag(name: str, *inside: str, **attributes: str) -> _Markup:
    """An element; a text that is no markup is shown letter by letter, whatever is in it."""
    told = "".join(f' {key}="{escape(_visible(value))}"' for key, value in attributes.items() if value)
    return _Markup(f"<{name}{told}>{''.join(map(_text, inside))}</{name}>")


def _text(text: str) -> str:
    return text if isinstance(text, _Markup) else escape(_visible(text))


def _say(key: str, language: Language, **facts: str) -> str:
    return say(f"allow.portable.{key}", language, **facts)


def _in_words(words: Words, language: Language) -> tuple[str, Language]:
    """What is said and in which language: the person's, or the first that has it."""
    for tongue in (language, FIRST_LANGUAGE, "en", *words):
        if words.get(tongue):
            return words[tongue], tongue
    return "", language


def _words(words: Words, language: Language) -> str:
    """The words, marked where they are in another language than the page."""
    text, tongue = _in_words(words, language)
    return text if tongue == language else _tag("span", text, lang=tongue)


def _sentence(key: str, language: Language, **facts: str) -> _Markup:
    """A sentence of the house whose blanks may be markup; texts in them keep their own direction."""
    values = [value if isinstance(value, _Markup) else _tag("bdi", value) for value in facts.values()]
    marks = {name: f"\ue000{number}\ue001" for number, name in enumerate(facts)}
    told = _text(_say(key, language, **marks))
    return _Markup(re.sub("\ue000(\\d+)\ue001", lambda found: values[int(found[1])], told))


def _heading(key: str, language: Language) -> _Markup:
    return _tag("h2", _say(key, language))


def _paragraph(*inside: str) -> _Markup:
    return _tag("p", *inside)


def _list(items: Iterable[str], *, ordered: bool = False) -> _Markup:
    return _tag("ol" if ordered else "ul", *(_tag("li", item) for item in items))


def _page(copy: PersonsCopy, language: Language, accesses: list[Access], attachments: list[str]) -> bytes:
    """`leame.html`: everything, for a person, in the order in which she will ask."""
    institution = copy.institution.name
    parts: list[str] = [
        _tag("h1", _say("title", language)),
        _paragraph(
            _sentence("made", language, institution=institution, day=in_words(copy.made_on, language)),
            _Markup("<br>"),
            _sentence("reference", language, reference=copy.reference),
        ),
        _paragraph(_say("yours", language)),
        _paragraph(_tag("strong", _say("careful", language))),
        *_kept(copy, language),
        *_told(copy, language, attachments),
        *_allowed(copy, language),
        *_opened(copy, language, accesses),
        _heading("rights_title", language),
        _list(rights_in_words(language)),
        _paragraph(_sentence("rights_where", language, institution=institution)),
    ]
    if copy.authority:
        parts.append(_paragraph(_sentence("authority", language, authority=copy.authority.name)))
    parts += _packed(copy, language, accesses)
    head = _tag(
        "head",
        _Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        _Markup(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        _Markup(
            '<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">'
        ),
        _tag("title", _say("tab", language)),
        _tag("style", _STYLE),
    )
    page = _tag("html", head, _tag("body", _tag("main", *parts)), lang=language)
    return f"<!doctype html>\n{page}\n".encode()


def _kept(copy: PersonsCopy, language: Language) -> Iterator[str]:
    house = copy.institution
    yield _heading("kept_title", language)
    yield _paragraph(
        _sentence("kept_by", language, institution=house.name),
        _Markup("<br>"),
        _sentence("kept_where", language, address=house.address),
        _Markup("<br>"),
        _sentence("kept_contact", language, contact=house.contact),
    )
    for programme in copy.programmes:
        yield _tag("h3", _words(programme.title, language))
        yield _list(_kept_for(purpose, language) for purpose in programme.purposes)


def _kept_for(purpose: CopiedPurpose, language: Language) -> _Markup:
    lines: list[str] = [
        _tag("strong", _words(purpose.title, language)),
        basis_in_words(purpose.basis, language),
    ]
    lines += (
        _sentence("kept_uses", language, group=_Markup(_text(group_in_words(group, language))))
        for group in Sensitivity
        if group in purpose.groups
    )
    lines += (
        _sentence("kept_receiver", language, receiver=receiver_in_words(receiver, language))
        for receiver in purpose.receivers
    )
    return _lines(lines)


def _told(copy: PersonsCopy, language: Language, attachments: list[str]) -> Iterator[str]:
    yield _heading("answers_title", language)
    if not copy.records:
        yield _paragraph(_say("no_records", language))
    for record in copy.records:
        yield _tag("h3", _words(record.title, language))
        days: list[str] = [_sentence("received", language, day=in_words(record.received_on, language))]
        if record.keep_until:
            days.append(_sentence("keep_until", language, day=in_words(record.keep_until, language)))
        yield _paragraph(_lines(days))
        answers: list[str] = []
        for answer in record.answers:
            told = _tag("bdi", answer.shown) if answer.shown else _tag("i", _say("no_answer", language))
            answers += (_tag("dt", _words(answer.label, language)), _tag("dd", told))
        if answers:
            yield _tag("dl", *answers)
    if attachments:
        yield _tag("h3", _say("attachments_title", language))
        yield _list(
            _tag("a", _tag("bdi", attachment.name or path), href=path)
            for path, attachment in zip(attachments, copy.attachments, strict=True)
        )


def _allowed(copy: PersonsCopy, language: Language) -> Iterator[str]:
    yield _heading("consents_title", language)
    if not copy.consents:
        yield _paragraph(_say("no_consents", language))
    for consent in copy.consents:
        yield _tag("h3", _words(consent.purpose, language))
        lines: list[str] = [told for event in consent.events for told in answer_in_words(event, language)]
        if consent.receiver:
            receiver = receiver_in_words(consent.receiver, language)
            lines.append(_sentence("kept_receiver", language, receiver=receiver))
        if consent.until:
            lines.append(_sentence("consent_until", language, day=in_words(consent.until, language)))
        yield _paragraph(_lines(lines))
    if copy.receipts:
        yield _paragraph(_sentence("receipts", language, folder="comprobantes"))


def _opened(copy: PersonsCopy, language: Language, accesses: list[Access]) -> Iterator[str]:
    yield _heading("opened_title", language)
    if copy.openings:
        yield _paragraph(_sentence("opened_count", language, count=str(len(copy.openings))))
        newest_first = sorted(copy.openings, key=lambda each: each.when, reverse=True)
        yield _list((_opening(each, language) for each in newest_first), ordered=True)
    else:
        yield _paragraph(_say("no_openings", language))
    institution = copy.institution.name
    if not accesses:
        yield _paragraph(_say("chain_none", language))
    elif left_out(accesses, copy.held):
        yield _paragraph(_tag("strong", _sentence("chain_broken", language, institution=institution)))
    else:
        yield _paragraph(_sentence("chain_whole", language, count=str(len(accesses))))


def _opening(opening: Opening, language: Language) -> _Markup:
    role = _Markup(_text(_words(opening.role, language)))
    lines: list[str] = [
        _tag("strong", _sentence("opened_by", language, role=role, institution=opening.institution)),
        _say(f"act_{opening.act}", language),
    ]
    if opening.purpose:
        purpose = _Markup(_text(_words(opening.purpose, language)))
        lines.append(_sentence("opened_why", language, purpose=purpose))
    for group in Sensitivity:
        if group in opening.groups:
            lines.append(_sentence("opened_what", language, group=group_in_words(group, language)))
    lines.append(_say(f"outcome_{opening.outcome}", language))
    lines.append(f"{in_words(opening.when.date(), language)}, {_hour(opening.when)}")
    if opening.entry is not None:
        lines.append(_sentence("opened_entry", language, entry=str(opening.entry)))
    return _lines(lines)


def _hour(moment: datetime) -> str:
    """The hour of the place, and which clock it is: ``14:05 (UTC-06:00)``."""
    clock = moment.tzname()
    return f"{moment:%H:%M} ({clock})" if clock else f"{moment:%H:%M}"


def _packed(copy: PersonsCopy, language: Language, accesses: list[Access]) -> Iterator[str]:
    yield _heading("files_title", language)
    yield _paragraph(_say("unpack", language))
    listed = [("leame.html", "page"), ("datos.csv", "table"), ("datos.jsonld", "machine")]
    listed += [("registro.json", "journal")]
    listed += [("pruebas/", "proofs")] if accesses else []
    listed += [("comprobantes/", "receipts")] if copy.receipts else []
    listed += [("adjuntos/", "attachments")] if copy.attachments else []
    listed += [("llaves/", "keys"), ("verificar/", "program"), ("CHECKSUMS", "checksums")]
    yield _list(_lines([_tag("code", path), _say(f"file_{name}", language)]) for path, name in listed)
    yield _heading("check_title", language)
    yield _list(_say("check_steps", language).split("\n"), ordered=True)
    if accesses:
        yield _tag("pre", _tag("code", _order_to_check(copy, accesses[-1].index)))
        yield _paragraph(_say("check_answer", language))


def _lines(lines: Iterable[str]) -> _Markup:
    return _Markup("<br>".join(map(_text, lines)))


_STYLE: Final = _Markup(
    ":root{color-scheme:light dark}"
    "body{font:1.1875rem/1.55 system-ui,sans-serif;margin:0;overflow-wrap:anywhere}"
    "main{max-width:44rem;margin:0 auto;padding:1.5rem 1rem 4rem}"
    "h1{font-size:1.875rem;line-height:1.2}h2{font-size:1.5rem;margin-top:2.5rem}h3{font-size:1.1875rem}"
    "li{margin:0 0 1rem}dt{font-weight:600}dd{margin:0 0 1rem;white-space:pre-wrap}"
    "pre{white-space:pre-wrap;border:1px solid;padding:.75rem}a{display:inline-block;padding:.5rem 0}"
)
_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'"
)
