"""The routes of the arena. A rater sees a picture and two captions, and nothing of the runs behind them.

/                    the page
/api/next            a rater's question
/api/vote            an answer, which is on the disk before the next question comes
/picture?ticket=...  the picture of an open question
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from evaluator.core.errors import EvaluatorError, ImageError
from evaluator.core.secrets import known_secrets
from evaluator.web.app import as_json, assets, http_error, page
from evaluator.web.arena_session import CHOICES, LONGEST_NAME, ArenaSession, Choice, Closed
from evaluator.web.guard import refused
from evaluator.web.shown_pictures import SIZES, ShownPictures, placeholder

logger = logging.getLogger(__name__)

LONGEST_CAPTION = 20_000  # characters


@dataclass(frozen=True)
class ArenaApp:
    """The endpoints; `goal` is how many votes there shall be in all."""

    session: ArenaSession
    goal: int | None
    pictures: ShownPictures

    async def next(self, request: Request) -> Response:
        rater = rater_of(await document_of(request))
        return await run_in_threadpool(self.question, rater)

    async def vote(self, request: Request) -> Response:
        document = await document_of(request)
        rater = rater_of(document)
        ticket, choice, reason = (document.get(name, "") for name in ("ticket", "choice", "reason"))
        is_vote = choice in CHOICES and isinstance(ticket, str) and ticket and isinstance(reason, str)
        if not is_vote:
            raise HTTPException(400, f"A vote has a ticket, a choice ({', '.join(CHOICES)}) and a reason.")
        try:
            await run_in_threadpool(self.session.answer, ticket, cast(Choice, choice), reason.strip())
        except Closed:  # sent twice, or of a session before: there is nothing to write
            pass
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise HTTPException(507, f"The vote could not be saved: {reason}. Vote again.") from error
        return await run_in_threadpool(self.question, rater)

    def question(self, rater: str) -> Response:
        """What the page shows next; it holds neither the systems' names nor the image's."""
        asked = self.session.ask(rater)
        votes, own = self.session.counts(rater)
        counts = {"votes": votes, "own": own, "goal": self.goal}
        if asked is None:
            return as_json({"ticket": "", **counts})
        scrubbed = known_secrets().scrubbed
        left, right = (scrubbed(text)[:LONGEST_CAPTION] for text in self.session.texts(asked))
        return as_json({"ticket": asked.ticket, "left": left, "right": right, **counts})

    def picture(self, request: Request) -> Response:
        try:
            path = self.session.picture(request.query_params.get("ticket", ""))
        except Closed:
            raise HTTPException(404) from None
        try:
            return Response(self.pictures.jpeg(path, SIZES["large"]), media_type="image/jpeg")
        except (ImageError, MemoryError):
            return Response(placeholder("picture cannot be read"), media_type="image/svg+xml")


def arena_app(session: ArenaSession, goal: int | None) -> Starlette:
    """The app without its guard."""
    app = ArenaApp(session, goal, ShownPictures())
    return Starlette(
        routes=[
            Route("/", page("arena.html")),
            Route("/api/next", app.next, methods=["POST"]),
            Route("/api/vote", app.vote, methods=["POST"]),
            Route("/picture", app.picture),
            *assets(),
        ],
        exception_handlers={HTTPException: http_error, EvaluatorError: votes_error},
    )


async def votes_error(request: Request, error: Exception) -> Response:
    """The file of votes was damaged meanwhile. What is wrong is for whoever started the arena."""
    logger.error("%s", error)
    message = "The votes cannot be read. The terminal in which the arena was started says why."
    return refused(500, "Not possible", message)


async def document_of(request: Request) -> dict[str, Any]:
    try:
        document = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise HTTPException(400, "This is not JSON.") from None
    if not isinstance(document, dict):
        raise HTTPException(400, "This is not an object.")
    return document


def rater_of(document: dict[str, Any]) -> str:
    """The rater's name or code, without what nobody can see in it."""
    rater = document.get("rater")
    name = " ".join("".join(c for c in rater if c.isprintable()).split()) if isinstance(rater, str) else ""
    if not 1 <= len(name) <= LONGEST_NAME:
        raise HTTPException(400, f"A rater has a name or a code of at most {LONGEST_NAME} characters.")
    return name
