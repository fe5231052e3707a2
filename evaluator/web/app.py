"""The routes of the web app. Every page is a file of this package; what it shows comes as JSON, as text.

    /                       the list of runs                       /api/runs
    /watch?run=A&run=B      runs while they run, side by side  /api/watch
    /report?run=A&run=B     the report about runs
    /picture?run=A&image=7  the picture of a run's image

The functions below are called in threads, since they read files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from evaluator.core.errors import ImageError, StoreError
from evaluator.report.page.html import report_style
from evaluator.web.guard import refused
from evaluator.web.listed_runs import ListedRuns, NoSuchRun
from evaluator.web.shown_pictures import SIZES, ShownPictures, placeholder
from evaluator.web.shown_report import ShownReports
from evaluator.web.shown_runs import runs_document, watch_document

PAGES = Path(__file__).parent / "pages"
MOST_RUNS = 24  # in one comparison
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# A report brings a policy of its own, in its head: its style and script are within it.
REPORT_POLICY = "frame-ancestors 'none'; object-src 'none'; base-uri 'none'"


def web_app(runs: ListedRuns) -> Starlette:
    """The app without its guard."""
    pictures, reports = ShownPictures(), ShownReports()

    def list_of_runs(request: Request) -> Response:
        return as_json(runs_document(runs))

    def watched(request: Request) -> Response:
        names = run_names(request)
        after = [int(each) for each in request.query_params.getlist("after") if each.isdecimal()]
        return as_json(watch_document(runs, names, after if len(after) == len(names) else None))

    def picture(request: Request) -> Response:
        image, size = request.query_params.get("image", ""), request.query_params.get("size", "small")
        if not image.isdecimal() or len(image) > 9 or size not in SIZES:
            raise HTTPException(404)
        path = runs.picture(request.query_params.get("run", ""), int(image))
        if path is None:
            raise HTTPException(404)
        try:
            return Response(pictures.jpeg(path, SIZES[size]), media_type="image/jpeg")
        except (ImageError, MemoryError):
            return Response(placeholder("picture cannot be read"), media_type="image/svg+xml")

    def report(request: Request) -> Response:
        names = run_names(request)
        try:
            content = reports.page([runs.path(name) for name in names], runs.picture_folders)
        except StoreError as error:
            return refused(409, "There is no report yet", str(error))
        return Response(content, media_type="text/html", headers={"content-security-policy": REPORT_POLICY})

    return Starlette(
        routes=[
            Route("/", page("runs.html")),
            Route("/watch", page("watch.html")),
            Route("/report", report),
            Route("/picture", picture),
            Route("/api/runs", list_of_runs),
            Route("/api/watch", watched),
            *assets(),
        ],
        exception_handlers={NoSuchRun: no_such_run, HTTPException: http_error},
    )


def assets() -> list[Route]:
    """The styles and scripts of the pages."""
    own = [path for path in PAGES.iterdir() if path.suffix != ".html"]
    return [
        *(Route(f"/static/{path.name}", page(path.name)) for path in own),
        Route("/static/report.css", file(report_style(), TYPES[".css"])),
        Route("/favicon.ico", page("icon.svg")),  # browsers ask for it, whatever a page says
    ]


def page(name: str) -> Any:
    """An endpoint that gives a file of the package."""
    path = PAGES / name
    return file(path.read_text(encoding="utf-8"), TYPES[path.suffix])


def file(content: str, media_type: str) -> Any:
    encoded = content.encode()

    async def endpoint(request: Request) -> Response:
        return Response(encoded, media_type=media_type)

    return endpoint


def run_names(request: Request) -> list[str]:
    """The runs that are asked for, each once."""
    names = list(dict.fromkeys(request.query_params.getlist("run")))
    if not 1 <= len(names) <= MOST_RUNS:
        raise HTTPException(400, f"Choose between 1 and {MOST_RUNS} runs.")
    return names


def as_json(document: Mapping[str, Any]) -> Response:
    """JSON in ASCII, which holds every text, also half of a surrogate pair."""
    return Response(json.dumps(document, allow_nan=False).encode(), media_type="application/json")


async def no_such_run(request: Request, error: Exception) -> Response:
    return refused(404, "There is no such run", "It is not in the list of runs.")


async def http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refused(
        error.status_code, "Not found" if error.status_code == 404 else "Not possible", error.detail
    )
