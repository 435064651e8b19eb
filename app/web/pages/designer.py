"""`/{language}/designer`: a float put together by its parts, seen at once beside a known one, and taken away."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.errors import InvalidInput
from app.formats import CATALOG, FloatFormat, Specials, find_format
from app.formats.names.custom_floats import (
    MOST_EXPONENT_BITS,
    MOST_MANTISSA_BITS,
    CustomParts,
    default_bias,
)
from app.tasks.design_format import CHOICES, build_format, parts_of_name, read_choices, resized
from app.web.pages.compare_tables import FormatsAnswer
from app.web.pages.designer_view import DesignCard, design_answer, design_card, design_map
from app.web.pages.formats_map import MapPage
from app.web.parameters import read_parameters
from app.web.rendering import render, wants_partial
from app.wording import Language, say
from app.wording.design_documents import c_header, constants_name, python_module

router = APIRouter(include_in_schema=False)
FIRST_FORMAT, FIRST_BESIDE = "e4m3:specials=ieee", "float8_e4m3fn"
BESIDE = tuple(each.name for each in CATALOG if isinstance(each, FloatFormat) and not each.has_explicit_integer_bit)
STARTS = ("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float6_e3m2fn", "float4_e2m1fn")
FIELD_OF = {
    "format.too-wide": "mantissa",
    "format.no-bits": "mantissa",
    "format.bias": "bias",
    "format.specials": "specials",
    "format.no-exponent-for-specials": "specials",
    "format.no-exponent-for-normals": "subnormals",
    "format.zero-without-subnormals": "zero",
    "format.no-minus-zero-anyway": "negative_zero",
    "format.minus-zero-means-nothing": "negative_zero",
    "format.nothing-left": "specials",
}


@dataclass(frozen=True, slots=True)
class Steps:
    """One bit fewer and one more; None where that is no format."""

    fewer: str | None
    more: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A sentence beside its field."""

    field: str
    sentence: str


@dataclass(frozen=True, slots=True)
class StartLink:
    """A known float to begin with."""

    name: str
    href: str


@dataclass(frozen=True, slots=True)
class DesignerForm:
    """The controls as they stand; texts, because what is refused is kept."""

    action: str
    exponent: str
    mantissa: str
    bias: str
    usual_bias: str
    specials: str
    switches: dict[str, bool]
    """The boxes that are ticked: `unsigned`, and what is left out of `subnormals`, `zero`, `negative_zero`."""
    beside: str
    last: str
    exponent_steps: Steps
    mantissa_steps: Steps
    refusal: Refusal | None
    starts: tuple[StartLink, ...]
    all_beside: tuple[str, ...] = BESIDE
    all_specials: tuple[str, ...] = tuple(Specials)
    most_exponent: int = MOST_EXPONENT_BITS
    most_mantissa: int = MOST_MANTISSA_BITS


@dataclass(frozen=True, slots=True)
class DesignerPage:
    """The view of `designer.html`; while the controls contradict each other, the card is the last that was built."""

    form: DesignerForm
    card: DesignCard
    answer: FormatsAnswer
    map: MapPage | None
    mirrors: bool
    """The negative numbers are left out of the map."""


@router.get("/{language}/designer")
def show(language: Language, request: Request) -> Response:
    """The page, or for htmx its panel. Choices made one by one become the address of the format they make."""
    given = read_parameters(request, "format", "beside", "last", *CHOICES)
    is_by_choices = any(name in given for name in CHOICES)
    last = given.get("last", "").strip() or FIRST_FORMAT
    try:
        beside = _float_named(given.get("beside", "").strip() or FIRST_BESIDE)
    except InvalidInput as error:
        return _refuse(language, request, given, last, ("beside", error))
    try:
        parts = read_choices(given) if is_by_choices else parts_of_name(given.get("format", "").strip() or FIRST_FORMAT)
        built = build_format(parts)
    except InvalidInput as error:
        return _refuse(language, request, given, last, (_field_of(error, given), error))
    address = design_address(language, built.name, beside.name)
    if is_by_choices and not wants_partial(request):
        return RedirectResponse(address, status_code=303)
    view = _page(language, _form(language, parts, built, beside), built, beside)
    return render(request, "designer.html", view, partial="_designer_partial.html", headers={"HX-Replace-Url": address})


@router.get("/{language}/designer.h")
def c_file(language: Language, request: Request) -> Response:  # noqa: ARG001  a part of the address
    """The constants as a C header."""
    built = _built(request)
    return _download(c_header(built), "text/x-c", f"{constants_name(built)}.h")


@router.get("/{language}/designer.py")
def python_file(language: Language, request: Request) -> Response:  # noqa: ARG001  as c_file
    """The constants as a Python module."""
    built = _built(request)
    return _download(python_module(built), "text/x-python", f"{constants_name(built)}.py")


def design_address(language: Language, name: str, beside: str) -> str:
    """The permanent address of a design."""
    return f"/{language}/designer?{urlencode({'format': name, 'beside': beside})}"


def _built(request: Request) -> FloatFormat:
    given = read_parameters(request, "format")
    if "format" not in given:
        raise InvalidInput("request.missing-parameter", name="format")
    return _built_from(given["format"])


def _built_from(name: str) -> FloatFormat:
    """The format under its canonical name."""
    return build_format(parts_of_name(name))


def _download(text: str, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=f"{kind}; charset=utf-8", headers=headers)


def _float_named(name: str) -> FloatFormat:
    found = find_format(name)
    if not isinstance(found, FloatFormat):
        raise InvalidInput("designer.not-a-float", name=found.name[:40])
    return found


def _page(language: Language, form: DesignerForm, built: FloatFormat, beside: FloatFormat) -> DesignerPage:
    return DesignerPage(
        form=form,
        card=design_card(language, built, beside),
        answer=design_answer(language, built, beside),
        map=design_map(language, built),
        mirrors=built.signed,
    )


def _form(language: Language, parts: CustomParts, built: FloatFormat, beside: FloatFormat) -> DesignerForm:
    def step(*, exponent: int = 0, mantissa: int = 0) -> str | None:
        other = resized(parts, exponent=exponent, mantissa=mantissa)
        return None if other is None else design_address(language, other.name, beside.name)

    usual = str(default_bias(parts.exponent_bits))
    return DesignerForm(
        action=f"/{language}/designer",
        exponent=str(parts.exponent_bits),
        mantissa=str(parts.mantissa_bits),
        bias="" if str(parts.bias) == usual else str(parts.bias),
        usual_bias=usual,
        specials=parts.specials,
        switches={
            "unsigned": not parts.signed,
            "subnormals": not parts.has_subnormals,
            "zero": not parts.has_zero,
            "negative_zero": not parts.allows_negative_zero,
        },
        beside=beside.name,
        last=built.name,
        exponent_steps=Steps(step(exponent=-1), step(exponent=1)),
        mantissa_steps=Steps(step(mantissa=-1), step(mantissa=1)),
        refusal=None,
        starts=tuple(StartLink(name, design_address(language, name, name)) for name in STARTS),
    )


def _refuse(
    language: Language, request: Request, given: dict[str, str], last: str, refused: tuple[str, InvalidInput]
) -> Response:
    """The controls as they were set, with the sentence at one of them, over the last format that could be built."""
    built = _first_readable(_built_from, last, FIRST_FORMAT)
    beside = _first_readable(_float_named, given.get("beside", "").strip(), FIRST_BESIDE)
    parts = parts_of_name(built.name)
    form = _form(language, parts, built, beside)
    field, error = refused
    refusal = Refusal(field, say(error.code, error.figures, language))
    choices = {name: text for name, text in given.items() if name in CHOICES}
    form = _as_given(form, choices, refusal)
    in_place = {"HX-Retarget": "#designer-form", "HX-Reswap": "outerMorph"}
    view = _page(language, form, built, beside)
    return render(request, "designer.html", view, partial="_designer_form.html", status=422, headers=in_place)


def _first_readable(read: Callable[[str], FloatFormat], name: str, otherwise: str) -> FloatFormat:
    try:
        return read(name)
    except InvalidInput:
        return read(otherwise)


def _field_of(error: InvalidInput, given: dict[str, str]) -> str:
    named = str(error.figures.get("option" if error.code == "format.option-range" else "name", ""))
    if named in CHOICES:
        return named
    is_by_choices = any(name in given for name in CHOICES)
    return FIELD_OF.get(error.code, "format") if is_by_choices else "format"


def _as_given(form: DesignerForm, given: dict[str, str], refused: Refusal) -> DesignerForm:
    ticked = {"unsigned": "yes", "subnormals": "no", "zero": "no", "negative_zero": "no"}
    return replace(
        form,
        exponent=given.get("exponent", form.exponent)[:8],
        mantissa=given.get("mantissa", form.mantissa)[:8],
        bias=given.get("bias", form.bias)[:20],
        specials=given.get("specials", form.specials)[:20],
        switches={name: given.get(name) == value for name, value in ticked.items()} if given else form.switches,
        refusal=refused,
    )
