"""Where institutions of this installation witness the journals of others (c2sp.org/tlog-witness).

No account and no session: a request says who it is by the signature of the journal that it shows.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from resguardo.keep.witness import MOST_BYTES
from resguardo_server.actions.keep import witness


@csrf_exempt
@require_POST
def add_checkpoint(request: HttpRequest, slug: str) -> HttpResponse:
    """A journal's new head is cosigned when it follows from the one before."""
    # One byte more than a request may have is enough to know that it is none.
    given = witness.answer(slug, request.read(MOST_BYTES + 1), now=datetime.now(UTC))
    return HttpResponse(given.body, content_type=given.content_type, status=given.status)


@require_safe
def checkpoint(request: HttpRequest, slug: str, origin: str) -> HttpResponse:
    """The newest head that was cosigned of one journal, for whoever checks that journal."""
    text = witness.newest_cosigned(slug, origin)
    if text is None:
        raise Http404
    answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
    answer["Cache-Control"] = "public, max-age=60"
    return answer
