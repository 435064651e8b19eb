"""`/{language}/quantize`: a small matrix, quantized by up to four schemes side by side."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import BoundedSemaphore
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from app.errors import AppError, InvalidInput, TooLarge
from app.tasks.quantize_charts import LAST_CLIP, ClipCurve, clip_at, clip_curve
from app.tasks.quantize_matrix import split_text
from app.tasks.quantize_request import COURSE_MATRIX, MOST_SCHEMES, MOST_TEXT, QuantizeRequest
from app.tasks.quantize_values import QuantizeAnswer, quantize_values
from app.tasks.scheme_words import read_scheme
from app.tasks.threads import one_thread
from app.web.pages.quantize_cards import SchemeCard, largest_error, scheme_cards
from app.web.pages.quantize_cells import WINDOW_COLUMNS, WINDOW_ROWS, Window, weight_cells
from app.web.pages.quantize_clip_chart import FIRST, CurveInput, clip_charts, clip_rows
from app.web.pages.quantize_form import asked_in, quantize_form
from app.web.pages.quantize_query import FIRST_SCHEMES, NAMES, Asked, fitted
from app.web.pages.quantize_rate_chart import RatePoint, rate_charts, source_named, theory_rows
from app.web.pages.quantize_view import ClipView, QuantizeAnswerView, QuantizePage, WindowMoves
from app.web.parameters import read_parameters
from app.web.rendering import render, wants_partial
from app.web.typography import approximately
from app.wording import Language, say

router = APIRouter(include_in_schema=False)
CURVE_POINTS = 76
FARTHEST_CLIP = 4.0
"""A few weights may be best held by a few levels far below the grid's end."""
USUAL_CLIP = 100.0
MOST_SENT, MOST_READ = 3 * MOST_TEXT, 32 * MOST_TEXT
"""Bytes of the fields that are kept, and that are read at all; a line end takes six."""
MOST_FIELDS = 100
_AT_ONCE = BoundedSemaphore(2)
"""How many matrices are quantized at the same time; what is kept already waits for none."""


@router.get("/{language}/quantize")
def show(language: Language, request: Request) -> Response:
    """The page; what cannot be read is told beside its field, and everything else is shown."""
    given = read_parameters(request, *NAMES)
    given.setdefault("schemes", FIRST_SCHEMES)
    return _answer(language, request, Asked(**{name: " ".join(text.split()) for name, text in given.items()}))


@router.post("/{language}/quantize")
async def change(language: Language, request: Request) -> Response:
    """The form: its fields become the permanent address of what they ask for."""
    body = await _body(request)
    fields = {} if body is None else _fields(body)
    return await run_in_threadpool(_changed, language, request, fields, is_cut=body is None)


async def _body(request: Request) -> bytes | None:
    """The fields as they were sent; None where they are too long: read to their end so that the answer is read too."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_READ:
            break
        if size <= MOST_SENT:
            parts.append(part)
    return b"".join(parts) if size <= MOST_SENT else None


def _fields(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise InvalidInput("request.invalid") from error


def _changed(language: Language, request: Request, fields: dict[str, str], *, is_cut: bool) -> Response:
    typed = fields.get("matrix")
    try:
        if is_cut:
            raise TooLarge("quantize.text-too-long", limit=MOST_TEXT)
        asked = fitted(asked_in(fields), language)
    except AppError as error:
        asked = Asked(schemes=fields.get("shown", FIRST_SCHEMES))
        return _answer(language, request, asked, typed, error)
    if not wants_partial(request):
        return RedirectResponse(asked.address(language), status_code=303)
    return _answer(language, request, asked, typed)


def _answer(
    language: Language, request: Request, asked: Asked, typed: str | None = None, refused: AppError | None = None
) -> Response:
    errors = {} if refused is None else {"matrix": say(refused.code, refused.figures, language)}
    readable = _readable(language, asked.schemes, errors)
    answer = None
    if refused is None and readable:
        try:
            still = _still_view(language, asked.changed(schemes=readable, clip=""))
            worked = _worked(QuantizeRequest(asked.source(), tuple(map(read_scheme, readable.split()))))
            answer = replace(still, clip=_clip(asked, worked, still.cards))
        except AppError as error:
            errors["draw" if asked.draw else "matrix"] = say(error.code, error.figures, language)
    view = QuantizePage(quantize_form(f"/{language}/quantize", asked, typed, errors), answer)
    status = 422 if errors else 200
    if answer is None:
        # The last answer stays where it is while someone types.
        headers = {"HX-Retarget": "#quantize-form", "HX-Reswap": "outerMorph"}
        return render(request, "quantize.html", view, partial="_quantize_form.html", status=status, headers=headers)
    headers = {"HX-Replace-Url": asked.address(language)} if wants_partial(request) else {}
    return render(request, "quantize.html", view, partial="_quantize_partial.html", status=status, headers=headers)


def _readable(language: Language, text: str, errors: dict[str, str]) -> str:
    """The schemes that can be read; a sentence about the first that cannot."""
    found, words = [], text.split()
    for word in words[:MOST_SCHEMES]:
        try:
            read_scheme(word)
            found.append(word)
        except AppError as error:
            errors.setdefault("schemes", say(error.code, error.figures, language))
    if len(words) > MOST_SCHEMES:
        errors["schemes"] = say("quantize.too-many-schemes", {"limit": MOST_SCHEMES}, language)
    elif not words:
        errors["schemes"] = say("quantize.schemes", {}, language)
    return " ".join(found)


@dataclass(frozen=True, slots=True)
class Worked:
    """What a request comes to, and the curve of each scheme that has one."""

    answer: QuantizeAnswer
    curves: tuple[ClipCurve | None, ...]


@lru_cache(maxsize=4)
def _worked(request: QuantizeRequest) -> Worked:
    """Kept, because the slider and the tables' window ask for the same again and again."""
    with _AT_ONCE, one_thread():
        answer = quantize_values(request)
        curves = _curves(answer, LAST_CLIP)
        farthest = max((each.chosen_clip or 0 for each in curves if each is not None), default=0)
        if farthest > LAST_CLIP:
            curves = _curves(answer, min(math.ceil(farthest * 5.5) / 5, FARTHEST_CLIP))
        return Worked(answer, curves)


def _curves(answer: QuantizeAnswer, last: float) -> tuple[ClipCurve | None, ...]:
    return tuple(
        None
        if each.quantized is None
        else clip_curve(each.quantized.values, each.choice, CURVE_POINTS, each.quantized, last)
        for each in answer.views
    )


@lru_cache(maxsize=8)
def _still_view(language: Language, asked: Asked) -> QuantizeAnswerView:
    """All but what the slider moves; kept for the same reason."""
    choices = tuple(map(read_scheme, asked.schemes.split()))
    answer = _worked(QuantizeRequest(asked.source(), choices)).answer
    rows, columns = answer.values.shape
    window = Window.at(asked.cell(), (rows, columns), len(answer.views))
    typed = None if asked.draw else split_text(asked.matrix or COURSE_MATRIX)
    cards = scheme_cards(language, answer, window)
    source = source_named(asked.draw)
    return QuantizeAnswerView(
        rows=rows,
        columns=columns,
        bytes_before=str(answer.bytes_before),
        window=window,
        is_cut=(window.bottom - window.top, window.right - window.left) != (rows, columns),
        moves=_moves(language, asked, window, (rows, columns), len(answer.views)),
        weights=weight_cells(language, answer.values, window, typed),
        cards=cards,
        story=next((card for card in cards if card.work is not None), None),
        largest_error=approximately(f"{largest_error(answer):.9g}", 3),
        rates=rate_charts(_rate_points(answer, cards), source),
        theory=theory_rows(source),
        source=source.name,
        clip=None,
    )


def _rate_points(answer: QuantizeAnswer, cards: tuple[SchemeCard, ...]) -> tuple[RatePoint, ...]:
    """Each scheme as a point; those whose error is unknown are left out."""
    return tuple(
        RatePoint(card.short, float(each.quantized.storage.bits_per_weight), sqnr)
        for card, each in zip(cards, answer.views, strict=True)
        if each.quantized is not None and (sqnr := each.quantized.error.figures.sqnr_db) is not None
    )


def _moves(language: Language, asked: Asked, window: Window, shape: tuple[int, int], schemes: int) -> WindowMoves:
    height, width = WINDOW_ROWS, WINDOW_COLUMNS[schemes]

    def to(top: int, left: int) -> str:
        top = min(max(top, 0), max(shape[0] - height, 0))
        left = min(max(left, 0), max(shape[1] - width, 0))
        if (top, left) == (window.top, window.left):
            return ""
        return f"{asked.changed(at=f'{top + 1},{left + 1}').address(language)}#matrices"

    return WindowMoves(
        left=to(window.top, window.left - width),
        right=to(window.top, window.left + width),
        up=to(window.top - height, window.left),
        down=to(window.top + height, window.left),
    )


def _clip(asked: Asked, worked: Worked, cards: tuple[SchemeCard, ...]) -> ClipView | None:
    """The charts with the slider; None where no scheme has a scale to move, or all weights are 0."""
    last = max((round(each.points[-1].clip * 100) for each in worked.curves if each is not None), default=FIRST)
    percent = min(max(asked.clip_percent() or USUAL_CLIP, FIRST), last)
    curves, fixed = [], []
    with one_thread():
        for card, curve, view in zip(cards, worked.curves, worked.answer.views, strict=True):
            at = None
            if curve is not None and view.quantized is not None:
                at = clip_at(view.quantized.values, view.choice, percent / 100)
            if curve is not None and at is not None:
                is_by_block = card.work is not None and card.work.scale_count > 1
                is_on_curve = not is_by_block and view.choice.seed is None
                curves.append(CurveInput(card.short, curve, at, is_by_block, is_on_curve))
            elif card.work is not None:
                fixed.append(card.short)
    if not curves or not bool(worked.answer.values.any()):
        return None
    found = tuple(curves)
    return ClipView(f"{percent:g}", str(last), clip_charts(found, percent), clip_rows(found), tuple(fixed))
