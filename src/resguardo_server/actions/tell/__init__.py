"""The newsroom: listings and claims come in, claims are checked, items are published, the public reads."""

from resguardo_server.actions.tell.checking import CheckedClaim, CheckedItem, check_news, publish_checked
from resguardo_server.actions.tell.listing import Imported, import_claims, import_listing

__all__ = [
    "CheckedClaim",
    "CheckedItem",
    "Imported",
    "check_news",
    "import_claims",
    "import_listing",
    "publish_checked",
]
