"""What a person takes home: it says all that the standard demands, nothing of her, and cannot be changed."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from dataclasses import fields, replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.allow.receipts import (
    AUTHORITY,
    BY_GUARDIAN,
    CLINIC,
    DAY,
    EVENING,
    GIVEN,
    HOUSE,
    LOOK_AFTER,
    PUBLIC_KEY,
    RECEIPT,
    REFER,
    RING,
    receipt_for,
    receipts,
    signed,
)
from tests.rules.keep.places import ring_of

from resguardo.allow.consent import ConsentBy
from resguardo.allow.receipt import (
    JSON_LD_CONTEXT,
    LONGEST_ADDRESS,
    RIGHTS,
    ConsentEvent,
    EventState,
    Receipt,
    ReceiptRefused,
    StatedPurpose,
    after_withdrawal,
    basis_in_words,
    group_in_words,
    handing_over,
    key_id,
    qr_png,
    qr_svg,
    read_receipt,
    receipt_hash,
    receiver_in_words,
    rights_in_words,
    spoken,
    verify_receipt,
    write_receipt,
)
from resguardo.keep.journal import HeldEntry
from resguardo.plan.languages import explain_all
from resguardo.plan.programme import built_in
from resguardo.values import LANGUAGES, Basis, InstitutionKind, Refused, Sensitivity

TEXT = signed(RECEIPT)
MEMBERS: dict[str, Any] = json.loads(TEXT)
RECORD: dict[str, Any] = MEMBERS["dpv:hasRecordOfActivity"][1]
USE: dict[str, Any] = RECORD["dpv:hasProcess"]
EVENT: dict[str, Any] = RECORD["dpv:hasConsentStatus"][0]


def entity(id: str) -> dict[str, Any]:
    return next(each for each in MEMBERS["dpv:hasEntity"] if each["@id"] == id)


# What the standard demands

CONTROLLER = entity(RECORD["dpv:hasDataController"])
DEMANDED = {
    "schema version": RECORD["dct:conformsTo"],
    "record id": UUID(RECORD["dct:identifier"]),
    "receipt id": UUID(MEMBERS["dpv:hasIdentifier"]),
    "receipt schema version": MEMBERS["dct:conformsTo"],
    "receipt creation": MEMBERS["dct:created"],
    "PII principal id": RECORD["dpv:hasDataSubject"],
    "privacy notice": RECORD["dpv:hasNotice"],
    "language": RECORD["dct:language"],
    "purpose": USE["dpv:hasPurpose"]["dct:title"]["es"],
    "lawful basis": USE["dpv:hasLegalBasis"],
    "PII information": USE["dpv:hasPersonalData"],
    "PII type": MEMBERS["dpv:hasPersonalData"][0]["skos:broader"],
    "PII controllers": RECORD["dpv:hasDataController"],
    "storage locations": USE["dpv:hasStorageCondition"][0]["dpv:hasLocation"],
    "retention period": USE["dpv:hasStorageCondition"][1]["dpv:hasDuration"]["rdf:value"],
    "jurisdiction": RECORD["dpv:hasJurisdiction"],
    "recipient third parties": USE["dpv:hasRecipient"],
    "withdrawal method": RECORD["dpv:hasConsentControl"]["dpv:isExercisedAt"],
    "privacy rights": RECORD["dpv:hasRight"],
    "authority party": RECORD["dpv:hasAuthority"],
    "party id": CONTROLLER["dpv:hasIdentifier"],
    "party address": CONTROLLER["dpv:hasAddress"],
    "party name": CONTROLLER["dpv:hasName"],
    "party contact": CONTROLLER["dpv:hasContact"],
    "party type": CONTROLLER["@type"],
    "event time": EVENT["dpv:isIndicatedAtTime"],
    "event type": EVENT["@type"][1],
    "event state": EVENT["@type"][0],
    "validity duration": EVENT["dpv:hasDuration"]["rdf:value"],
    "entity id": EVENT["dpv:isIndicatedBy"],
}


@pytest.mark.parametrize("part", DEMANDED)
def test_a_record_has_every_part_that_the_standard_demands(part: str) -> None:
    assert DEMANDED[part]


def test_what_a_record_refers_to_is_in_the_receipt() -> None:
    said = {
        each["@id"]
        for key in ("dpv:hasEntity", "dpv:hasRight", "dpv:hasPersonalData")
        for each in MEMBERS[key]
    }
    said |= {MEMBERS["dpv:hasNotice"]["@id"], MEMBERS["dpv:hasDataSubject"]["@id"]}
    uses = [record["dpv:hasProcess"] for record in MEMBERS["dpv:hasRecordOfActivity"]] + MEMBERS[
        "dpv:hasProcess"
    ]
    referred = {
        each for use in uses for key in ("dpv:hasPersonalData", "dpv:hasRecipient") for each in use[key]
    }
    for record in MEMBERS["dpv:hasRecordOfActivity"]:
        referred |= {record["dpv:hasNotice"], record["dpv:hasDataSubject"], record["dpv:hasDataController"]}
        referred |= {*record["dpv:hasRight"], record["dpv:hasAuthority"]}
    assert referred <= said


def test_the_receipt_states_the_purposes_that_need_no_consent_and_why() -> None:
    (use,) = MEMBERS["dpv:hasProcess"]
    assert use["dpv:hasLegalBasis"] == "dpv:LegalObligation"
    assert use["dpv:hasRecipient"] == ["rgd:party:casa-tres-rios", "rgd:kind:ministry"]
    assert entity("rgd:kind:ministry")["dct:title"]["es"] == "un ministerio"


def test_rights_are_named_with_where_to_use_them() -> None:
    rights = MEMBERS["dpv:hasRight"]
    assert [right["@id"] for right in rights] == [f"rgd:right:{right}" for right in RIGHTS]
    assert {right["dpv:isExercisedAt"] for right in rights} == {"https://resguardo.example/r/"}
    assert all(set(right["dct:title"]) == set(LANGUAGES) for right in rights)


def test_the_receipt_carries_its_own_context_and_asks_nothing_of_a_network() -> None:
    assert MEMBERS["@context"] == JSON_LD_CONTEXT
    assert all(isinstance(value, (dict, str)) for value in JSON_LD_CONTEXT.values())
    prefixes = {word for word in JSON_LD_CONTEXT if ":" not in word}
    assert all(str(JSON_LD_CONTEXT[prefix])[-1] in "#/:" for prefix in prefixes)

    def names(value: object) -> set[str]:
        if isinstance(value, dict):
            return {*value, *(name for inner in value.values() for name in names(inner))}
        return {name for inner in value for name in names(inner)} if isinstance(value, list) else set()

    used = {name for name in names({**MEMBERS, "@context": {}}) if not name.startswith("@")}
    assert {name.partition(":")[0] for name in used - set(LANGUAGES)} <= prefixes


# Signed


def by_hand(text: str, public_key: bytes) -> None:
    """The signature, checked without our code; raises where it does not hold."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    members = json.loads(text)
    proof = members.pop("rgd:signature")
    # Every name of a member is ASCII, so Python's order of names is that of RFC 8785.
    message = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    signature = base64.b64decode(proof["rgd:octets"])
    Ed25519PublicKey.from_public_bytes(public_key).verify(signature, b"resguardo/receipt/v1\x00" + message)


def test_a_receipt_verifies_also_without_our_code() -> None:
    assert verify_receipt(TEXT, PUBLIC_KEY)
    by_hand(TEXT, PUBLIC_KEY)
    assert (
        MEMBERS["rgd:signature"]["rgd:key"]
        == key_id(PUBLIC_KEY)
        == hashlib.sha256(PUBLIC_KEY).hexdigest()[:16]
    )


def test_its_hash_is_that_of_its_bytes_and_fits_the_journal() -> None:
    assert receipt_hash(TEXT) == hashlib.sha256(TEXT.encode()).hexdigest()
    assert re.fullmatch(r"[0-9a-f]{64}", receipt_hash(TEXT))


@given(st.data())
def test_a_receipt_with_one_letter_changed_does_not_verify(draws: st.DataObject) -> None:
    place = draws.draw(st.integers(0, len(TEXT) - 1))
    letter = draws.draw(st.characters(exclude_categories=["Cs"]).filter(lambda sign: sign != TEXT[place]))
    assert not verify_receipt(TEXT[:place] + letter + TEXT[place + 1 :], PUBLIC_KEY)


@given(st.data())
def test_a_receipt_cut_off_or_lengthened_does_not_verify(draws: st.DataObject) -> None:
    assert not verify_receipt(TEXT[: draws.draw(st.integers(0, len(TEXT) - 1))], PUBLIC_KEY)
    assert not verify_receipt(TEXT + draws.draw(st.text(min_size=1, max_size=3)), PUBLIC_KEY)


def test_the_same_members_written_in_another_way_do_not_verify() -> None:
    assert not verify_receipt(json.dumps(MEMBERS), PUBLIC_KEY)
    doubled = TEXT.replace('"dct:language":"ht"', '"dct:language":"en","dct:language":"ht"', 1)
    assert json.loads(doubled) == MEMBERS
    assert not verify_receipt(doubled, PUBLIC_KEY)


def test_another_key_or_another_context_does_not_verify() -> None:
    other = ring_of(seed="another")
    assert not verify_receipt(TEXT, other.signature_public_key)
    wrong = write_receipt(RECEIPT, lambda message: RING.sign("resguardo/referral/v1", message), PUBLIC_KEY)
    assert not verify_receipt(wrong, PUBLIC_KEY)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "[" * 100_000, '{"rgd:signature":1}', "9" * 300_000, "\ud800"]
)
def test_what_is_no_receipt_does_not_verify_and_is_not_read(text: str) -> None:
    assert not verify_receipt(text, PUBLIC_KEY)
    with pytest.raises(ReceiptRefused):
        read_receipt(text)


# Read again


@given(receipts())
@settings(max_examples=60)
def test_every_receipt_verifies_and_is_read_as_it_was_written(receipt: Receipt) -> None:
    text = signed(receipt)
    assert verify_receipt(text, PUBLIC_KEY)
    assert read_receipt(text) == receipt
    assert signed(read_receipt(text)) == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_stored_receipt_is_read_aloud_in_any_language(language: str) -> None:
    assert spoken(read_receipt(TEXT), language) == spoken(RECEIPT, language)


@given(st.data())
@settings(max_examples=60)
def test_a_receipt_with_a_part_missing_is_not_read(draws: st.DataObject) -> None:
    name = draws.draw(st.sampled_from(sorted(set(MEMBERS) - {"@context", "@type", "@id", "dct:conformsTo"})))
    optional = {
        "dpv:hasApplicableLaw",
        "dct:replaces",
        "rgd:newestEntry",
        "rgd:signature",
        "schema:recipient",
    }
    shared = {"dpv:hasPersonalData", "dpv:hasRight", "dpv:hasAuthority"}
    rest = {key: value for key, value in MEMBERS.items() if key != name}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert not verify_receipt(text, PUBLIC_KEY)
    if name not in optional | shared:
        with pytest.raises(ReceiptRefused):
            read_receipt(text)


# Nothing of the person

CANARIES = (
    "María Canaria López",
    "CURP-CANR850101HDF",
    "+52 962 555 0199",
    "canaria@example.com",
    "me golpeó",
)


@pytest.mark.parametrize("canary", CANARIES)
def test_no_part_that_speaks_of_the_person_takes_a_word_of_hers(canary: str) -> None:
    wrong = (
        replace(RECEIPT, principal=canary),
        replace(RECEIPT, programme=canary),
        replace(RECEIPT, language=canary),
        replace(RECEIPT, jurisdiction=canary),
        replace(RECEIPT, stored_in=(canary,)),
        replace(RECEIPT, site=f"https://resguardo.example/?{canary} "),
        replace(RECEIPT, replaces=(UUID(int=1), canary)),
        replace(RECEIPT, held=HeldEntry(canary, 1, "01" * 16)),
        replace(RECEIPT, held=HeldEntry("ef" * 16, 1, canary)),
        replace(RECEIPT, notice=replace(RECEIPT.notice, digest=canary)),
        replace(RECEIPT, notice=replace(RECEIPT.notice, language=canary)),
        replace(RECEIPT, purposes=(replace(LOOK_AFTER, name=canary),)),
        replace(RECEIPT, purposes=(replace(LOOK_AFTER, events=(replace(GIVEN, manner=canary),)),)),
    )
    for receipt in wrong:
        with pytest.raises(ReceiptRefused) as refused:
            signed(receipt)
        told = " ".join(line for language in LANGUAGES for line in explain_all(refused.value, language))
        assert canary not in told


def test_the_only_free_lines_are_words_of_institutions_programmes_and_laws() -> None:
    """Whatever text a receipt holds is from a closed list below: a new member must be thought about here."""
    assert {each.name for each in fields(Receipt)} == {
        *("id", "issued_at", "language", "principal", "programme", "controller", "notice", "purposes"),
        *("jurisdiction", "stored_in", "site", "laws", "authority", "replaces", "held"),
    }
    assert {each.name for each in fields(StatedPurpose)} == {
        *("name", "title", "basis", "groups", "keep_until", "receivers", "events", "valid_until"),
    }
    assert {each.name for each in fields(ConsentEvent)} == {"state", "on", "by", "assent", "manner"}


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("issued_at", {"issued_at": EVENING.replace(tzinfo=None)}),
        ("purposes", {"purposes": ()}),
        ("purposes", {"purposes": (LOOK_AFTER, LOOK_AFTER)}),
        ("purposes", {"purposes": (replace(LOOK_AFTER, events=()),)}),
        ("purposes", {"purposes": (replace(LOOK_AFTER, basis=Basis.CONTRACT),)}),
        ("purposes", {"purposes": (replace(LOOK_AFTER, groups=frozenset()),)}),
        ("purposes", {"purposes": (replace(LOOK_AFTER, title={}),)}),
        ("purposes", {"purposes": (replace(LOOK_AFTER, events=(replace(GIVEN, assent=True),)),)}),
        ("stored_in", {"stored_in": ()}),
        ("site", {"site": "resguardo.example"}),
        ("site", {"site": "https://" + "a" * LONGEST_ADDRESS}),
        ("parties", {"controller": replace(HOUSE, address="")}),
        ("parties", {"controller": replace(HOUSE, contact="a\nb")}),
        ("parties", {"authority": replace(AUTHORITY, id="La Autoridad")}),
        ("held", {"held": HeldEntry("ef" * 16, 0, "01" * 16)}),
    ],
)
def test_a_receipt_that_lacks_a_part_is_not_written_and_the_part_is_named(
    member: str, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ReceiptRefused) as refused:
        signed(replace(RECEIPT, **wrong))
    assert refused.value.member == member


# Withdrawn, and said by somebody else


def test_a_withdrawal_gives_a_new_receipt_that_names_the_old_one() -> None:
    event = ConsentEvent(EventState.WITHDRAWN, DAY + timedelta(days=3), manner="receipt")
    new = after_withdrawal(
        RECEIPT, TEXT, purpose="referral", receiver=CLINIC, id=UUID(int=9), issued_at=EVENING, event=event
    )
    members = json.loads(signed(new))
    assert members["dct:replaces"] == {"@id": f"urn:uuid:{RECEIPT.id}", "rgd:sha256": receipt_hash(TEXT)}
    before, after = MEMBERS["dpv:hasRecordOfActivity"], members["dpv:hasRecordOfActivity"]
    assert [record["@id"] for record in after] == [record["@id"] for record in before]
    assert after[0] == before[0]
    assert [event["@type"][0] for event in after[1]["dpv:hasConsentStatus"]] == [
        "dpv:ConsentGiven",
        "dpv:ConsentWithdrawn",
    ]
    assert "Usted retiró este permiso. Fue el martes 24 de noviembre de 2026." in spoken(new, "es")


@pytest.mark.parametrize(
    ("purpose", "receiver"), [("child_protection", None), ("referral", HOUSE), ("x", None)]
)
def test_only_a_consent_of_the_receipt_can_be_withdrawn(purpose: str, receiver: Any) -> None:
    event = ConsentEvent(EventState.WITHDRAWN, DAY)
    with pytest.raises(ReceiptRefused):
        after_withdrawal(
            RECEIPT, TEXT, purpose=purpose, receiver=receiver, id=UUID(int=9), issued_at=EVENING, event=event
        )


def test_who_answered_for_a_minor_and_what_the_minor_said_are_stated() -> None:
    assert EVENT["dpv:isIndicatedBy"] == ["dpv:GuardianOfDataSubject", "dpv:DataSubject"]
    assert EVENT["rgd:assent"] == "yes"
    assert "La persona que le cuida dijo que sí" in spoken(RECEIPT, "es")
    assert "Usted también dijo que sí." in spoken(RECEIPT, "es")


@pytest.mark.parametrize(
    ("assent", "written", "told"),
    [
        (False, "no", "Usted dijo que no. Por eso no se hace."),
        (None, "not_asked", "Por su edad, a usted no se le"),
    ],
)
def test_a_childs_no_and_a_child_too_young_are_stated(assent: bool | None, written: str, told: str) -> None:
    stated = replace(REFER, events=(replace(BY_GUARDIAN, assent=assent),))
    receipt = replace(RECEIPT, purposes=(stated,))
    (record,) = json.loads(signed(receipt))["dpv:hasRecordOfActivity"]
    assert record["dpv:hasConsentStatus"][0]["rgd:assent"] == written
    assert record["dpv:hasConsentStatus"][0]["dpv:isIndicatedBy"] == ["dpv:GuardianOfDataSubject"]
    assert told in spoken(receipt, "es")
    assert stated.is_in_use is (assent is not False)
    assert ("Lo puede recibir" in spoken(receipt, "es")) is stated.is_in_use


def test_a_guardians_no_is_not_followed_by_the_childs_yes() -> None:
    """The yes is on record; read aloud after the no it would sound like consent."""
    refused = replace(BY_GUARDIAN, state=EventState.REFUSED)
    told = spoken(replace(RECEIPT, purposes=(replace(REFER, events=(refused,)),)), "es")
    assert "La persona que le cuida dijo que no." in told
    assert "dijo que sí" not in told


# Said aloud

EVERY_ANSWER = [
    ConsentEvent(state, DAY, by, assent if by is not ConsentBy.SELF else None)
    for state in EventState
    for by in ConsentBy
    for assent in (True, False, None)
]


def sentences_of(text: str) -> list[str]:
    return [part for line in text.split("\n") for part in re.split(r"(?<=[.!?])\s+", line) if part]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("programme", built_in(), ids=lambda programme: programme.name)
def test_every_sentence_of_every_programme_has_fewer_than_sixteen_words(
    programme: Any, language: str
) -> None:
    for event in EVERY_ANSWER:
        receipt = replace(receipt_for(programme, event), replaces=(UUID(int=1), "ab" * 32))
        for sentence in sentences_of(spoken(receipt, language)):
            words = re.findall(r"[^\W_]+(?:[’'-][^\W_]+)*", sentence)
            assert len(words) < 16, sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_said_is_plain(language: str) -> None:
    jargon = (
        r"consent|titular|tratamiento|base legal|responsable|finalidad|cifra|bitácora|expediente"
        r"|journal|hash|processing|controller|traitement|finalité"
    )
    told = "\n".join(
        spoken(replace(RECEIPT, purposes=(replace(LOOK_AFTER, events=(event,)),)), language)
        for event in EVERY_ANSWER
    )
    told += "\n".join(rights_in_words(language))
    assert not re.findall(jargon, told, re.IGNORECASE)


def test_she_is_always_called_usted() -> None:
    told = " ".join(
        spoken(replace(RECEIPT, purposes=(replace(LOOK_AFTER, events=(event,)),)), "es")
        for event in EVERY_ANSWER
    )
    assert not re.search(r"\b(?:tú|te|ti|tu|tus|vos|puedes|dijiste|tienes)\b", told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_a_receipt_exists_in_every_language(language: str) -> None:
    said = [group_in_words(group, language) for group in Sensitivity]
    said += [basis_in_words(basis, language) for basis in Basis]
    said += [receiver_in_words(kind, language) for kind in InstitutionKind]
    said += rights_in_words(language)
    assert all(said)
    assert len(set(said)) == len(said)
    if language != "es":
        assert not set(said) & {group_in_words(group, "es") for group in Sensitivity}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_day_said_is_the_day_of_the_place(language: str) -> None:
    """In the evening of the Americas it is tomorrow in UTC; the paper says today."""
    assert " 21 " in spoken(RECEIPT, language).split("\n")[1]


def test_a_refusal_says_what_is_not_done_and_nothing_of_uses() -> None:
    refused = replace(LOOK_AFTER, events=(ConsentEvent(EventState.REFUSED, DAY),))
    told = spoken(replace(RECEIPT, purposes=(refused,)), "es").split("\n")
    assert "Usted dijo que no. Fue el sábado 21 de noviembre de 2026. No se hace." in told
    assert not [line for line in told if "usamos" in line or "se borra" in line]
    assert "Si dice que no, le atendemos igual." in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sheet_for_the_worker_has_three_ways_and_what_to_mind(language: str) -> None:
    sheet = handing_over(language)
    assert len(sheet) == 6
    assert all(heading and lines for heading, lines in sheet)
    assert sum(len(lines) for _, lines in sheet) < 30


def test_the_worker_is_told_that_paper_screen_and_voice_are_worth_the_same() -> None:
    assert [heading for heading, _ in handing_over("es")][1:4] == ["En papel", "En su teléfono", "Dicho"]
    assert "Las tres formas valen igual." in handing_over("es")[0][1][2]


# The square

ADDRESS = "https://resguardo.example/r/N4WW91591C6J065TM08P"


class Drawing(HTMLParser):
    """What an SVG draws: every tag with its attributes."""

    def __init__(self, svg: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(svg)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def squares_of(svg: str) -> tuple[int, set[tuple[int, int]]]:
    """The side of the drawing and its dark squares."""
    tags = dict(Drawing(svg).tags)
    side = int(str(tags["svg"]["viewbox"]).split()[2])
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", str(tags["path"]["d"]))
    assert "".join(f"M{x} {y}h{n}v1h-{m}z" for x, y, n, m in runs) == tags["path"]["d"]
    assert all(n == m for _, _, n, m in runs)
    return side, {(int(x) + step, int(y)) for x, y, n, _ in runs for step in range(int(n))}


def pixels_of(png: bytes) -> list[list[bool]]:
    """The dark pixels of a picture of one bit a pixel, read by hand."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    place, chunks = 8, {}
    while place < len(png):
        length = int.from_bytes(png[place : place + 4], "big")
        kind = png[place + 4 : place + 8]
        chunks[kind] = chunks.get(kind, b"") + png[place + 8 : place + 8 + length]
        place += 12 + length
    width, height = (int.from_bytes(chunks[b"IHDR"][at : at + 4], "big") for at in (0, 4))
    assert chunks[b"IHDR"][8:10] == b"\x01\x00", "one bit, grey"
    raw = zlib.decompress(chunks[b"IDAT"])
    stride = (width + 7) // 8 + 1
    rows: list[bytes] = [bytes(stride - 1)]
    for start in range(0, stride * height, stride):
        kind_of_row, row = raw[start], raw[start + 1 : start + stride]
        assert kind_of_row in (0, 2), "as it is, or added to the row above"
        rows.append(bytes((a + b) % 256 for a, b in zip(row, rows[-1], strict=True)) if kind_of_row else row)
    return [[not row[x // 8] >> (7 - x % 8) & 1 for x in range(width)] for row in rows[1:]]


def test_the_square_is_the_qr_code_of_the_address_with_its_quiet_zone() -> None:
    matrix = [bytes(row) for row in segno.make_qr(ADDRESS, error="q", boost_error=False).matrix]
    expected = {(x + 4, y + 4) for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark & 1}
    assert squares_of(qr_svg(ADDRESS)) == (len(matrix) + 8, expected)


def test_the_picture_for_the_printer_is_the_same_square() -> None:
    side, dark = squares_of(qr_svg(ADDRESS))
    pixels = pixels_of(qr_png(ADDRESS, module=5))
    assert len(pixels) == len(pixels[0]) == side * 5
    assert {
        (x // 5, y // 5) for y, row in enumerate(pixels) for x, is_dark in enumerate(row) if is_dark
    } == dark
    assert sum(map(sum, pixels)) == len(dark) * 25


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_drawing_takes_the_colour_of_the_text_and_breaks_no_policy_of_styles(language: str) -> None:
    svg = qr_svg(ADDRESS, language)
    assert 'fill="currentColor"' in svg
    assert "style" not in svg
    assert "<title>" in svg
    assert ADDRESS not in svg
    assert [tag for tag, _ in Drawing(svg).tags] == ["svg", "title", "path"]
    assert len(svg) < 20_000


@pytest.mark.parametrize(
    "address",
    ["", "resguardo", "javascript:alert(1)", "https://a b", "https://" + "a" * 150, "https://ñ.example"],
)
def test_what_is_no_short_address_becomes_no_square(address: str) -> None:
    for draw in (qr_svg, qr_png):
        with pytest.raises(Refused):
            draw(address)


@pytest.mark.parametrize("module", [1, 41, -3])
def test_a_picture_too_small_or_too_large_is_refused(module: int) -> None:
    with pytest.raises(Refused):
        qr_png(ADDRESS, module=module)


def test_the_longest_address_still_fits_on_a_hand_wide_square() -> None:
    side, _ = squares_of(qr_svg("https://" + "a" * (LONGEST_ADDRESS - 8)))
    assert side <= 57 + 8
    assert 40 / side > 0.5, "millimetres a module at 40 mm"
