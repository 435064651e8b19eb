"""`/api/v1/quantize`: a small matrix through one scheme; `/schemes` and `/leaderboard` beside it, as JSON."""

from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.tasks.leaderboard import Leaderboard, drawn_leaderboard
from app.tasks.number_text import NumberText
from app.tasks.quantize_json import find_distribution, request_from_json
from app.tasks.quantize_request import Distribution
from app.tasks.quantize_values import quantize_values
from app.tasks.threads import one_thread
from app.web.parameters import read_parameters
from app.web.strict_json import parse_object
from app.wording.quantize_documents import leaderboard_document, quantized_document, schemes_document

router = APIRouter(prefix="/api/v1", tags=["quantization"])
BODY_LIMIT = 2 << 20
"""Bytes: 65,536 numbers of 17 digits and their commas, and half as much again."""
AT_ONCE = 2
"""Matrices that are quantized at the same time; others wait."""


@router.post("/quantize")
async def quantize(request: Request) -> JSONResponse:
    """A matrix through one scheme: `{"values": [[...]], "scheme": "int8", "granularity": "channel", "scale": "mse"}`.

    Instead of `values` (rows of numbers, or text), `distribution` with `rows`, `columns` and `seed` draws a matrix. The
    options are those that `GET /api/v1/schemes` lists for the scheme, `rotation` (a seed) and `importance`. The answer
    has codes, levels, scales, zero_points, dequantized, the error and the bits that are stored.
    """
    body = await request.body()
    return await to_thread.run_sync(_quantize, body, limiter=_limiter(request))


def _quantize(body: bytes) -> JSONResponse:
    with one_thread():
        answer = quantize_values(request_from_json(parse_object(body, NumberText)))
        return JSONResponse(quantized_document(answer, answer.views[0]))


def _limiter(request: Request, name: str = "quantize_limiter", tokens: int = AT_ONCE) -> CapacityLimiter:
    """One for each application: it belongs to the event loop in which it is first used."""
    state = request.app.state
    if not hasattr(state, name):
        setattr(state, name, CapacityLimiter(tokens))
    found = getattr(state, name)
    assert isinstance(found, CapacityLimiter)
    return found


@router.get("/leaderboard")
async def leaderboard(request: Request) -> dict[str, Any]:
    """Every scheme on 1,024 numbers of a distribution, by its distance to the rate-distortion bound and by its error.

    Parameter: `distribution` (normal, laplace, student_t5, uniform, outliers). The first answer takes seconds.
    """
    given = read_parameters(request, "distribution")
    distribution = find_distribution(given.get("distribution") or Distribution.NORMAL)
    limiter = _limiter(request, "leaderboard_limiter", 1)
    return leaderboard_document(await to_thread.run_sync(_ranked, distribution, limiter=limiter))


def _ranked(distribution: Distribution) -> Leaderboard:
    with one_thread():
        return drawn_leaderboard(distribution)


@router.get("/schemes")
def schemes() -> dict[str, Any]:
    """All schemes with the layout of their bytes, the options that they take, and examples of granularities."""
    return schemes_document()
