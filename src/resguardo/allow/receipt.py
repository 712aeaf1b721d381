"""What a person takes home: what she allowed and refused, who keeps what and why, until when, and her rights.

A receipt is a consent receipt of ISO/IEC TS 27560:2023 in the terms of the W3C Data Privacy Vocabulary 2.3
(guide "Consent Records and Receipts as per ISO/IEC TS 27560:2023 using DPV"): JSON-LD that carries its own
context, so that reading it asks nothing of any network, as canonical JSON (RFC 8785), signed by the
institution. It holds one consent record per purpose and receiver, and names beside them the purposes that
need no consent and why. It never holds a name, a document, a telephone or the receipt's own code: about the
person there is room for a pseudonym, days and closed words only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID, uuid5
from xml.sax.saxutils import escape

import rfc8785
import segno
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from resguardo.allow.calendar import in_words
from resguardo.allow.consent import ConsentBy
from resguardo.allow.rights import Right
from resguardo.keep.journal import HeldEntry
from resguardo.plan.languages import in_language, say
from resguardo.values import LANGUAGES, Basis, InstitutionKind, Language, Problem, Refused, Sensitivity, Words

CONTEXT: Final = "resguardo/receipt/v1"
"""The context of the signature: `KeyRing.sign` puts it before the message."""

SCHEMA_OF_RECEIPT: Final = "https://w3id.org/dpv/schema/dpv-27560#receipt"
SCHEMA_OF_RECORD: Final = "https://w3id.org/dpv/schema/dpv-27560#record"

RIGHTS: Final = tuple(Right)
"""The rights that a receipt names."""

MOST_CHARACTERS: Final = 200_000
LONGEST_ADDRESS: Final = 150
_QUIET_ZONE: Final = 4


class ReceiptRefused(Refused):
    """A receipt was not written or read: one of its parts is missing or is not what it must be."""

    def __init__(self, member: str) -> None:
        super().__init__(Problem("allow.receipt.member", {"member": member}))
        self.member = member


class EventState(StrEnum):
    """What became of the question for consent (`event state` of the standard)."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    RENEWED = "renewed"
    ASKED_LATER = "asked_later"

    @property
    def term(self) -> str:
        """The term of the Data Privacy Vocabulary."""
        return _STATE_TERMS[self]


@dataclass(frozen=True)
class ConsentEvent:
    """What was answered, when, by whom and how. `manner` is a word of the form: ``spoken``, ``signed`` …"""

    state: EventState
    on: date
    by: ConsentBy = ConsentBy.SELF
    assent: bool | None = None
    """What the minor said when somebody else answered; None when too young to be asked."""
    manner: str | None = None


@dataclass(frozen=True)
class Party:
    """An institution, an office or an authority; its address and contact are those of its desk."""

    id: str
    """A name of its own in an address: a slug or a UUID."""
    name: str
    address: str
    contact: str
    country: str
    """ISO 3166-1 alpha-2 code."""


Receiver = Party | InstitutionKind
"""Who may receive: one institution, or any of a kind."""


@dataclass(frozen=True)
class StatedPurpose:
    """One use of the records as the receipt states it; for a purpose by consent, for one receiver."""

    name: str
    title: Words
    basis: Basis
    groups: frozenset[Sensitivity]
    keep_until: date
    receivers: tuple[Receiver, ...] = ()
    """Nobody but the collecting institution, if empty."""
    events: tuple[ConsentEvent, ...] = ()
    """The answers in the order of time; none for a purpose that needs no consent."""
    valid_until: date | None = None
    """The last day of the consent, if it ends before the records do."""

    @property
    def is_in_use(self) -> bool:
        """Whether the last answer lets the records be used; a guardian's yes falls to the child's own no."""
        if not self.events:
            return self.basis is not Basis.CONSENT
        last = self.events[-1]
        return last.state in _YES and last.assent is not False


@dataclass(frozen=True)
class NoticeRead:
    """The notice that was read to the person: its text's SHA-256, its language, where it can be read."""

    digest: str
    language: Language
    place: str


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """All that one receipt says. The parts that the standard demands have no default."""

    id: UUID
    issued_at: datetime
    language: Language
    principal: str
    """The person's pseudonym, 32 hexadecimal digits."""
    programme: str
    controller: Party
    notice: NoticeRead
    purposes: tuple[StatedPurpose, ...]
    jurisdiction: str
    """ISO 3166-1 alpha-2 code of the country whose law holds."""
    stored_in: tuple[str, ...]
    """The countries in which the records lie."""
    site: str
    """The address of the service; her own pages are below it."""
    laws: tuple[str, ...] = ()
    authority: Party | None = None
    """To whom she may complain besides the institution."""
    replaces: tuple[UUID, str] | None = None
    """Identifier and hash of the receipt that this one takes the place of."""
    held: HeldEntry | None = None
    """The newest entry of the journal about her: with it she can show that one was left out."""


# Writing and signing


def write_receipt(receipt: Receipt, sign: Callable[[bytes], bytes], public_key: bytes) -> str:
    """The signed receipt as text. `sign` signs in the context `CONTEXT`; `public_key` checks it."""
    _check(receipt)
    document = _document(receipt)
    signature = sign(rfc8785.dumps(document))
    document["rgd:signature"] = {
        "@type": "rgd:Ed25519Signature",
        "rgd:context": CONTEXT,
        "rgd:key": key_id(public_key),
        "rgd:octets": base64.b64encode(signature).decode("ascii"),
    }
    text: str = rfc8785.dumps(document).decode("utf-8")
    return text


def key_id(public_key: bytes) -> str:
    """By which the key of a signature is found: the first 8 bytes of its SHA-256, in hexadecimal."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def receipt_hash(text: str) -> str:
    """SHA-256 of the signed receipt, in hexadecimal: what the journal's entry holds as `consent`."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def verify_receipt(text: str, public_key: bytes) -> bool:
    """True when the text is, to the last byte, a receipt that the holder of this key signed."""
    document = _canonical_members(text)
    if document is None:
        return False
    proof = document.pop("rgd:signature", None)
    if not isinstance(proof, dict) or proof.get("rgd:context") != CONTEXT:
        return False
    if document.get("@type") != "dpv:ConsentReceipt" or proof.get("rgd:key") != key_id(public_key):
        return False
    try:
        signature = base64.b64decode(proof["rgd:octets"], validate=True)
        message = CONTEXT.encode() + b"\x00" + rfc8785.dumps(document)
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, KeyError, TypeError, ValueError, binascii.Error):
        return False
    return True


def after_withdrawal(
    receipt: Receipt,
    text: str,
    *,
    purpose: str,
    receiver: Receiver | None = None,
    id: UUID,
    issued_at: datetime,
    event: ConsentEvent,
) -> Receipt:
    """The receipt that takes the place of `receipt` (whose signed text is given) after a withdrawal.

    Every statement of that purpose and receiver gets the event; all others stay as they are.
    """
    found = False
    purposes: list[StatedPurpose] = []
    for stated in receipt.purposes:
        if stated.name == purpose and stated.events and (receiver is None or receiver in stated.receivers):
            found = True
            stated = replace(stated, events=(*stated.events, event))
        purposes.append(stated)
    if not found:
        raise ReceiptRefused("purposes")
    return replace(
        receipt,
        id=id,
        issued_at=issued_at,
        purposes=tuple(purposes),
        replaces=(receipt.id, receipt_hash(text)),
        held=None,
    )


# Reading


def read_receipt(text: str) -> Receipt:
    """The receipt in a signed text, to be said again in another language; trusts no signature.

    Refuses a text that `write_receipt` would not have written.
    """
    document = _canonical_members(text)
    if document is None:
        raise ReceiptRefused("json")
    try:
        receipt = _read(document)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, StopIteration):
        raise ReceiptRefused("json") from None
    _check(receipt)
    return receipt


# Saying it


def spoken(receipt: Receipt, language: Language) -> str:
    """The receipt as it is read aloud, one thought a line, every sentence short."""
    return "\n".join(_spoken_lines(receipt, language))


def rights_in_words(language: Language) -> tuple[str, ...]:
    """What a person may ask for, a line each, in the order of `RIGHTS`."""
    return tuple(say(f"allow.receipt.right_{right}", language) for right in RIGHTS)


def group_in_words(group: Sensitivity, language: Language) -> str:
    """What a group of answers is called to the person who gave them."""
    return say(f"allow.receipt.group_{group}", language)


def basis_in_words(basis: Basis, language: Language) -> str:
    """Why the records may be used: with her permission, or why without it."""
    return say(f"allow.receipt.basis_{basis}", language)


def receiver_in_words(receiver: Receiver, language: Language) -> str:
    """An institution's name, or the kind of institution."""
    if isinstance(receiver, Party):
        return receiver.name
    return say(f"allow.receipt.kind_{receiver}", language)


def answer_in_words(event: ConsentEvent, language: Language) -> tuple[str, ...]:
    """What was answered, by whom and when; to somebody else's yes also what the minor said."""
    told = say(
        f"allow.receipt.spoken_{event.state}",
        language,
        who=say(f"allow.receipt.who_{event.by}", language),
        day=in_words(event.on, language),
    )
    if event.by is ConsentBy.SELF or event.state not in _YES:
        return (told,)
    return told, say(f"allow.receipt.assent_{_ASSENTS[event.assent]}", language)


def handing_over(language: Language) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The sheet for the worker who hands a receipt over: printed, shown or said. Headings, each with lines.

    The first heading is the sheet's title and its lines are what to do in any case.
    """
    parts = (say(f"allow.receipt.hand_{part}", language).split("\n") for part in _SHEET)
    return tuple((lines[0], tuple(lines[1:])) for lines in parts)


# The square for a camera


def qr_svg(address: str, language: Language = "es") -> str:
    """A QR code as SVG in the colour of the text around it, with its quiet zone; it has no size of its own.

    Error level Q: a quarter of it may be folded or smudged. Put it on a light ground.
    """
    path: list[str] = []
    rows = [bytes(row) for row in _square(address).matrix_iter(scale=1, border=_QUIET_ZONE)]
    for y, row in enumerate(rows):
        for run in re.finditer(rb"\x01+", row):
            length = run.end() - run.start()
            path.append(f"M{run.start()} {y}h{length}v1h-{length}z")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(rows)} {len(rows)}" role="img"'
        f' shape-rendering="crispEdges"><title>{escape(say("allow.receipt.qr_title", language))}</title>'
        f'<path fill="currentColor" d="{"".join(path)}"/></svg>'
    )


def qr_png(address: str, *, module: int = 8) -> bytes:
    """The same QR code as a picture for a printer, black on white, `module` (2 to 40) pixels a square."""
    if not 2 <= module <= 40:
        raise Refused(Problem("allow.receipt.qr_module"))
    picture = io.BytesIO()
    _square(address).save(picture, kind="png", scale=module, border=_QUIET_ZONE)
    return picture.getvalue()


def _square(address: str) -> segno.QRCode:
    if len(address) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
        raise Refused(Problem("allow.receipt.qr_address", {"longest": str(LONGEST_ADDRESS)}))
    return segno.make_qr(address, error="q", boost_error=False)


# Inside: the document

_GROUP_TERMS: Final = {
    Sensitivity.IDENTIFIER: "dpv:IdentifyingPersonalData",
    Sensitivity.QUASI: "dpv:PersonalData",
    Sensitivity.SENSITIVE: "dpv:SensitivePersonalData",
    Sensitivity.PLAIN: "dpv:PersonalData",
}
_BASIS_TERMS: Final = {
    Basis.CONSENT: "dpv:ExplicitlyExpressedConsent",
    Basis.LEGAL_OBLIGATION: "dpv:LegalObligation",
    Basis.PUBLIC_TASK: "dpv:PublicInterest",
    Basis.VITAL_INTEREST: "dpv:VitalInterestOfDataSubject",
    Basis.LEGITIMATE_INTEREST: "dpv:LegitimateInterestOfController",
    Basis.CONTRACT: "dpv:Contract",
}
_STATE_TERMS: Final = {
    EventState.GIVEN: "dpv:ConsentGiven",
    EventState.REFUSED: "dpv:ConsentRefused",
    EventState.WITHDRAWN: "dpv:ConsentWithdrawn",
    EventState.EXPIRED: "dpv:ConsentExpired",
    EventState.RENEWED: "dpv:RenewedConsentGiven",
    EventState.ASKED_LATER: "dpv:ConsentRequestDeferred",
}
_YES: Final = (EventState.GIVEN, EventState.RENEWED)
_SAID_BY_TERMS: Final = {
    ConsentBy.SELF: "dpv:DataSubject",
    ConsentBy.GUARDIAN: "dpv:GuardianOfDataSubject",
    ConsentBy.AUTHORITY: "dpv:Authority",
}
_ASSENTS: Final[Mapping[bool | None, str]] = {True: "yes", False: "no", None: "not_asked"}

JSON_LD_CONTEXT: Final[Mapping[str, Any]] = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "loc": "https://w3id.org/dpv/loc#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rgd": "urn:x-resguardo:",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dct:conformsTo": {"@type": "@id"},
    "dct:created": {"@type": "xsd:dateTime"},
    "dct:publisher": {"@type": "@id"},
    "dct:title": {"@container": "@language"},
    "dpv:hasAuthority": {"@type": "@id"},
    "dpv:hasDataController": {"@type": "@id"},
    "dpv:hasDataSubject": {"@type": "@id"},
    "dpv:hasJurisdiction": {"@type": "@id"},
    "dpv:hasLegalBasis": {"@type": "@id"},
    "dpv:hasLocation": {"@type": "@id"},
    "dpv:hasNotice": {"@type": "@id"},
    "dpv:hasPersonalData": {"@type": "@id"},
    "dpv:hasRecipient": {"@type": "@id"},
    "dpv:hasRight": {"@type": "@id"},
    "dpv:isExercisedAt": {"@type": "@id"},
    "dpv:isIndicatedAtTime": {"@type": "xsd:date"},
    "dpv:isIndicatedBy": {"@type": "@id"},
    "schema:recipient": {"@type": "@id"},
    "skos:broader": {"@type": "@id"},
}
"""How the members of a receipt are read as linked data, without fetching anything."""


def _document(receipt: Receipt) -> dict[str, Any]:
    """The receipt without its signature. What several records share is said once and referred to."""
    exercised_at = f"{receipt.site.rstrip('/')}/r/"
    consents = [stated for stated in receipt.purposes if stated.basis is Basis.CONSENT]
    others = [stated for stated in receipt.purposes if stated.basis is not Basis.CONSENT]
    used = {group for stated in receipt.purposes for group in stated.groups}
    document: dict[str, Any] = {
        "@context": JSON_LD_CONTEXT,
        "@id": f"urn:uuid:{receipt.id}",
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": SCHEMA_OF_RECEIPT,
        "dpv:hasIdentifier": str(receipt.id),
        "dct:created": receipt.issued_at.isoformat(timespec="seconds"),
        "dct:language": receipt.language,
        "dct:publisher": _party_id(receipt.controller),
        "schema:recipient": "dpv:DataSubject",
        "dpv:hasDataSubject": {
            "@id": f"rgd:subject:{receipt.principal}",
            "@type": "dpv:DataSubject",
            "dct:identifier": receipt.principal,
        },
        "dpv:hasJurisdiction": f"loc:{receipt.jurisdiction}",
        "rgd:programme": receipt.programme,
        "rgd:site": receipt.site,
        "dpv:hasEntity": [_party(party, role) for party, role in _parties(receipt)],
        "dpv:hasNotice": {
            "@id": f"rgd:notice:{receipt.notice.digest}",
            "@type": "dpv:ConsentNotice",
            "dct:language": receipt.notice.language,
            "rgd:sha256": receipt.notice.digest,
            "schema:url": receipt.notice.place,
        },
        "dpv:hasPersonalData": [_group(group) for group in Sensitivity if group in used],
        "dpv:hasRight": [
            {
                "@id": f"rgd:right:{right}",
                "@type": "dpv:DataSubjectRight",
                "dct:title": _in_all_languages(f"right_{right}"),
                "dpv:isExercisedAt": exercised_at,
            }
            for right in RIGHTS
        ],
        "dpv:hasRecordOfActivity": [_record(receipt, stated, exercised_at) for stated in consents],
        "dpv:hasProcess": [_use(receipt, stated) for stated in others],
    }
    if receipt.authority:
        document["dpv:hasAuthority"] = _party_id(receipt.authority)
    if receipt.laws:
        document["dpv:hasApplicableLaw"] = list(receipt.laws)
    if receipt.replaces:
        document["dct:replaces"] = {
            "@id": f"urn:uuid:{receipt.replaces[0]}",
            "rgd:sha256": receipt.replaces[1],
        }
    if receipt.held:
        document["rgd:newestEntry"] = {
            "rgd:subj": receipt.held.subj,
            "rgd:sn": receipt.held.sn,
            "rgd:hash": receipt.held.hash,
        }
    return document


def _record(receipt: Receipt, stated: StatedPurpose, exercised_at: str) -> dict[str, Any]:
    """One consent record, with every part that ISO/IEC TS 27560 demands of a record."""
    identifier = record_id(receipt, stated)
    record = {
        "@id": f"urn:uuid:{identifier}",
        "@type": "dpv:ConsentRecord",
        "dct:conformsTo": SCHEMA_OF_RECORD,
        "dct:identifier": str(identifier),
        "dpv:hasDataSubject": f"rgd:subject:{receipt.principal}",
        "dct:language": receipt.notice.language,
        "dpv:hasNotice": f"rgd:notice:{receipt.notice.digest}",
        "dpv:hasDataController": _party_id(receipt.controller),
        "dpv:hasJurisdiction": f"loc:{receipt.jurisdiction}",
        "dpv:hasConsentControl": {"@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": exercised_at},
        "dpv:hasRight": [f"rgd:right:{right}" for right in RIGHTS],
        "dpv:hasProcess": _use(receipt, stated),
        "dpv:hasConsentStatus": [_event(event, stated) for event in stated.events],
    }
    if receipt.authority:
        record["dpv:hasAuthority"] = _party_id(receipt.authority)
    return record


def record_id(receipt: Receipt, stated: StatedPurpose) -> UUID:
    """The identifier of a consent record: the same in every receipt of one person, purpose and receivers."""
    receivers = ",".join(sorted(_receiver_id(receiver) for receiver in stated.receivers))
    return uuid5(UUID(hex=receipt.principal), f"{receipt.programme}|{stated.name}|{receivers}")


def _use(receipt: Receipt, stated: StatedPurpose) -> dict[str, Any]:
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": {
            "@type": "dpv:Purpose",
            "dct:identifier": stated.name,
            "dct:title": dict(stated.title),
        },
        "dpv:hasLegalBasis": _BASIS_TERMS[stated.basis],
        "dpv:hasDataController": _party_id(receipt.controller),
        "dpv:hasPersonalData": [f"rgd:group:{group}" for group in Sensitivity if group in stated.groups],
        "dpv:hasRecipient": [
            _party_id(receipt.controller),
            *(_receiver_id(receiver) for receiver in stated.receivers),
        ],
        "dpv:hasStorageCondition": [
            {
                "@type": "dpv:StorageLocation",
                "dpv:hasLocation": [f"loc:{country}" for country in receipt.stored_in],
            },
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": _until(stated.keep_until)},
        ],
    }


def _event(event: ConsentEvent, stated: StatedPurpose) -> dict[str, Any]:
    said_by: list[Any] = [_SAID_BY_TERMS[event.by]]
    if event.by is not ConsentBy.SELF and event.assent:
        said_by.append("dpv:DataSubject")
    written: dict[str, Any] = {
        "@type": [event.state.term, "dpv:ExplicitlyExpressedConsent"],
        "dpv:isIndicatedBy": said_by,
        "dpv:isIndicatedAtTime": event.on.isoformat(),
        "dpv:hasDuration": _until(stated.valid_until or stated.keep_until),
    }
    if event.by is not ConsentBy.SELF:
        written["rgd:assent"] = _ASSENTS[event.assent]
    if event.manner:
        written["dpv:hasIndicationMethod"] = event.manner
    return written


def _until(day: date) -> dict[str, str]:
    return {"@type": "dpv:UntilTimeDuration", "rdf:value": day.isoformat()}


def _group(group: Sensitivity) -> dict[str, Any]:
    return {
        "@id": f"rgd:group:{group}",
        "@type": "dpv:PersonalData",
        "dct:title": _in_all_languages(f"group_{group}"),
        "skos:broader": _GROUP_TERMS[group],
    }


def _parties(receipt: Receipt) -> list[tuple[Receiver, str]]:
    """Every party once: the institution, then the receivers by name, then the authority."""
    receivers = {
        _receiver_id(receiver): receiver for stated in receipt.purposes for receiver in stated.receivers
    }
    found: list[tuple[Receiver, str]] = [(receipt.controller, "dpv:DataController")]
    found += [(receivers[each], "dpv:Recipient") for each in sorted(receivers)]
    if receipt.authority:
        found.append((receipt.authority, "dpv:Authority"))
    return found


def _party(party: Receiver, role: str) -> dict[str, Any]:
    if isinstance(party, InstitutionKind):
        return {
            "@id": _receiver_id(party),
            "@type": role,
            "dct:title": _in_all_languages(f"kind_{party}"),
        }
    return {
        "@id": _party_id(party),
        "@type": role,
        "dpv:hasIdentifier": party.id,
        "dpv:hasName": party.name,
        "dpv:hasAddress": party.address,
        "dpv:hasContact": party.contact,
        "dpv:hasLocation": f"loc:{party.country}",
    }


def _party_id(party: Party) -> str:
    return f"rgd:party:{party.id}"


def _receiver_id(receiver: Receiver) -> str:
    return _party_id(receiver) if isinstance(receiver, Party) else f"rgd:kind:{receiver}"


def _in_all_languages(key: str) -> dict[str, str]:
    return {language: say(f"allow.receipt.{key}", language) for language in LANGUAGES}


# Inside: what may stand in a receipt

_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
_HEX_16: Final = re.compile(r"[0-9a-f]{32}")
_HEX_32: Final = re.compile(r"[0-9a-f]{64}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_PARTY_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
_TONGUE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}", re.ASCII)
_LINE: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,300}")
_ADDRESS: Final = re.compile(r"https?://[!-~]+")


def _check(receipt: Receipt) -> None:
    """Refuses whatever could be a person's own words: about her only closed alphabets pass."""
    for member, is_right in _conditions(receipt):
        if not is_right:
            raise ReceiptRefused(member)


def _conditions(receipt: Receipt) -> Iterator[tuple[str, bool]]:
    yield "issued_at", receipt.issued_at.tzinfo is not None
    yield "language", receipt.language in LANGUAGES
    yield "principal", bool(_HEX_16.fullmatch(receipt.principal))
    yield "programme", bool(_WORD.fullmatch(receipt.programme))
    yield "jurisdiction", bool(_COUNTRY.fullmatch(receipt.jurisdiction))
    yield "stored_in", bool(receipt.stored_in) and all(map(_COUNTRY.fullmatch, receipt.stored_in))
    yield "site", bool(_ADDRESS.fullmatch(receipt.site)) and len(receipt.site) <= LONGEST_ADDRESS
    yield "laws", all(map(_LINE.fullmatch, receipt.laws))
    yield "notice", bool(_HEX_32.fullmatch(receipt.notice.digest))
    yield "notice", bool(_TONGUE.fullmatch(receipt.notice.language))
    yield "notice", bool(_ADDRESS.fullmatch(receipt.notice.place)) and len(receipt.notice.place) <= 300
    parties = [party for party, _ in _parties(receipt) if isinstance(party, Party)]
    yield "parties", all(map(_is_party, parties))
    if receipt.replaces:
        yield "replaces", bool(_HEX_32.fullmatch(receipt.replaces[1]))
    if receipt.held:
        held = receipt.held
        yield "held", bool(_HEX_16.fullmatch(held.subj) and _HEX_16.fullmatch(held.hash))
        yield "held", 0 < held.sn < 10**15
    yield "purposes", bool(receipt.purposes)
    for stated in receipt.purposes:
        yield "purposes", _is_stated(stated)
    records = [record_id(receipt, stated) for stated in receipt.purposes if stated.events]
    yield "purposes", len(set(records)) == len(records)


def _is_party(party: Party) -> bool:
    lines = (party.name, party.address, party.contact)
    return bool(
        _PARTY_ID.fullmatch(party.id)
        and _COUNTRY.fullmatch(party.country)
        and all(map(_LINE.fullmatch, lines))
    )


def _is_stated(stated: StatedPurpose) -> bool:
    by_consent = stated.basis is Basis.CONSENT
    return (
        bool(_WORD.fullmatch(stated.name))
        and bool(stated.title)
        and all(map(_TONGUE.fullmatch, stated.title))
        and all(map(_LINE.fullmatch, stated.title.values()))
        and bool(stated.groups)
        and by_consent == bool(stated.events)
        and (stated.valid_until is None or by_consent)
        and all(event.manner is None or _WORD.fullmatch(event.manner) for event in stated.events)
        and all(event.assent is None or event.by is not ConsentBy.SELF for event in stated.events)
    )


# Inside: reading


def _canonical_members(text: str) -> dict[str, Any] | None:
    """The members of a text that is canonical JSON to the last byte; None for any other text."""
    try:
        if len(text) > MOST_CHARACTERS:
            return None
        members = json.loads(text)
        if not isinstance(members, dict) or rfc8785.dumps(members) != text.encode("utf-8"):
            return None
    except (ValueError, RecursionError, rfc8785.CanonicalizationError):
        return None
    return members


def _read(document: Mapping[str, Any]) -> Receipt:
    parties = {
        entity["@id"]: Party(
            entity["dpv:hasIdentifier"],
            entity["dpv:hasName"],
            entity["dpv:hasAddress"],
            entity["dpv:hasContact"],
            entity["dpv:hasLocation"].removeprefix("loc:"),
        )
        for entity in document["dpv:hasEntity"]
        if "dpv:hasName" in entity
    }
    records = document["dpv:hasRecordOfActivity"]
    uses = [(record["dpv:hasProcess"], record["dpv:hasConsentStatus"]) for record in records]
    uses += [(use, []) for use in document["dpv:hasProcess"]]
    notice = document["dpv:hasNotice"]
    authority = document.get("dpv:hasAuthority")
    held = document.get("rgd:newestEntry")
    replaced = document.get("dct:replaces")
    return Receipt(
        id=UUID(document["dpv:hasIdentifier"]),
        issued_at=datetime.fromisoformat(document["dct:created"]),
        language=document["dct:language"],
        principal=document["dpv:hasDataSubject"]["dct:identifier"],
        programme=document["rgd:programme"],
        controller=parties[document["dct:publisher"]],
        notice=NoticeRead(notice["rgd:sha256"], notice["dct:language"], notice["schema:url"]),
        purposes=tuple(_read_use(use, events, parties) for use, events in uses),
        jurisdiction=document["dpv:hasJurisdiction"].removeprefix("loc:"),
        stored_in=tuple(
            country.removeprefix("loc:")
            for country in uses[0][0]["dpv:hasStorageCondition"][0]["dpv:hasLocation"]
        ),
        site=document["rgd:site"],
        laws=tuple(document.get("dpv:hasApplicableLaw", ())),
        authority=parties[authority] if authority else None,
        replaces=_read_replaced(replaced) if replaced else None,
        held=HeldEntry(held["rgd:subj"], held["rgd:sn"], held["rgd:hash"]) if held else None,
    )


def _read_replaced(replaced: Mapping[str, str]) -> tuple[UUID, str]:
    return UUID(replaced["@id"].removeprefix("urn:uuid:")), replaced["rgd:sha256"]


def _read_use(
    use: Mapping[str, Any], events: list[Mapping[str, Any]], parties: Mapping[str, Party]
) -> StatedPurpose:
    keep_until = date.fromisoformat(use["dpv:hasStorageCondition"][1]["dpv:hasDuration"]["rdf:value"])
    ends = [date.fromisoformat(event["dpv:hasDuration"]["rdf:value"]) for event in events]
    receivers = use["dpv:hasRecipient"][1:]
    return StatedPurpose(
        name=use["dpv:hasPurpose"]["dct:identifier"],
        title=use["dpv:hasPurpose"]["dct:title"],
        basis=_key_of(_BASIS_TERMS, use["dpv:hasLegalBasis"]),
        groups=frozenset(Sensitivity(each.removeprefix("rgd:group:")) for each in use["dpv:hasPersonalData"]),
        keep_until=keep_until,
        receivers=tuple(
            parties[each] if each in parties else InstitutionKind(each.removeprefix("rgd:kind:"))
            for each in receivers
        ),
        events=tuple(map(_read_event, events)),
        valid_until=next((end for end in ends if end != keep_until), None),
    )


def _read_event(event: Mapping[str, Any]) -> ConsentEvent:
    return ConsentEvent(
        state=_key_of(_STATE_TERMS, event["@type"][0]),
        on=date.fromisoformat(event["dpv:isIndicatedAtTime"]),
        by=_key_of(_SAID_BY_TERMS, event["dpv:isIndicatedBy"][0]),
        assent=_key_of(_ASSENTS, event["rgd:assent"]) if "rgd:assent" in event else None,
        manner=event.get("dpv:hasIndicationMethod"),
    )


_Known = TypeVar("_Known")


def _key_of(terms: Mapping[_Known, str], term: str) -> _Known:
    return next(known for known, its_term in terms.items() if its_term == term)


# Inside: the sentences

_SHEET: Final = ("always", "printed", "shown", "said", "child", "danger")


def _spoken_lines(receipt: Receipt, language: Language) -> Iterator[str]:
    institution = receipt.controller.name

    def said(key: str, **facts: str) -> str:
        return say(f"allow.receipt.spoken_{key}", language, **facts)

    yield said("from", institution=institution)
    yield said("made", day=in_words(receipt.issued_at.date(), language))
    if receipt.replaces:
        yield said("replaces")
    if receipt.notice.language in LANGUAGES:
        yield said("notice", tongue=say(f"allow.receipt.tongue_{receipt.notice.language}", language))
    for stated in receipt.purposes:
        yield said("purpose", purpose=in_language(stated.title, language))
        yield from _spoken_answer(stated, language)
        if stated.is_in_use:
            yield from _spoken_use(stated, institution, language)
    used = [stated.keep_until for stated in receipt.purposes if stated.is_in_use]
    if used:
        yield said("erased", day=in_words(max(used), language))
    yield said("rights")
    yield said("no_harm")
    yield said("how", institution=institution)
    if receipt.authority:
        yield said("authority", authority=receipt.authority.name)
    yield said("guard")


def _spoken_answer(stated: StatedPurpose, language: Language) -> Iterator[str]:
    """What was answered at last; or why it was not asked."""
    if not stated.events:
        yield basis_in_words(stated.basis, language)
        return
    yield from answer_in_words(stated.events[-1], language)


def _spoken_use(stated: StatedPurpose, institution: str, language: Language) -> Iterator[str]:
    """Which answers are used, who may receive them, until when."""
    if stated.groups == frozenset(Sensitivity):
        yield say("allow.receipt.spoken_everything", language)
    else:
        for group in Sensitivity:
            if group in stated.groups:
                yield say("allow.receipt.spoken_group", language, group=group_in_words(group, language))
    for receiver in stated.receivers:
        receiving = receiver_in_words(receiver, language)
        yield say("allow.receipt.spoken_receiver", language, receiver=receiving)
    if not stated.receivers:
        yield say("allow.receipt.spoken_stays", language, institution=institution)
    if stated.valid_until:
        yield say("allow.receipt.spoken_valid", language, day=in_words(stated.valid_until, language))
    yield say("allow.receipt.spoken_keep", language, day=in_words(stated.keep_until, language))
