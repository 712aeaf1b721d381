"""Receiving, opening, correcting and erasing records: each asks first whether it may, and leaves a line."""

from resguardo_server.actions.allow.changing import correct_record
from resguardo_server.actions.allow.consenting import withdraw_consent
from resguardo_server.actions.allow.erasing import erase_record
from resguardo_server.actions.allow.opening import NotAllowed, list_records, open_record
from resguardo_server.actions.allow.receiving import Received, import_sheet, receive

__all__ = [
    "NotAllowed",
    "Received",
    "correct_record",
    "erase_record",
    "import_sheet",
    "list_records",
    "open_record",
    "receive",
    "withdraw_consent",
]
