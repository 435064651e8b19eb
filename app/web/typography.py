"""Figures as they are set on a page: groups of digits, a true minus, powers as superscripts; views hold plain text.

A filter cuts text into pieces and a macro (`macros/figures.html`) draws them. The gaps between groups are drawn, not
written, so what a reader copies is plain.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from itertools import chain

from app.wording import SentencePart

MINUS = "−"
THIN_SPACE = "\u2009"
SUPERSCRIPTS = str.maketrans("−-0123456789", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
RAISED = re.compile("([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "−0123456789")
DECIMAL = re.compile(r"(?P<sign>-?)(?P<whole>\d+)(?:\.(?P<fraction>\d+))?(?:e(?P<exponent>[+-]?\d+))?")
POWER = re.compile(r"(?<=[\w)])\^([-−]?\w+)")
HYPHEN_AS_MINUS = re.compile(r"(?<![\w.)])-(?=[\d∞]|$)")
WORDS = {"inf": "∞", "-inf": f"{MINUS}∞", "nan": "NaN"}
LONGEST_WHOLE = 21
MOST_LEADING_ZEROS = 6
LARGEST_IN_COLUMN = 1000
LONGEST_TERM = 7
LONGEST_INTEGER = 4000
GROUPS_IN_SENTENCE = 8
LONGEST_BITS_UNGROUPED = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of one kind.

    `kind`: `text`, `group` (digits after a thin gap), `tied` (the same, on one line with what is before), `gap` (digits
    left out), `times`, `power` (a superscript).
    """

    kind: str
    text: str


def figure(plain: str, most_groups: int = 400) -> tuple[Piece, ...]:
    """A number as pieces: in groups of three, in scientific notation where zeros would hide it, its middle left out."""
    if plain in WORDS:
        return (Piece("text", WORDS[plain]),)
    numerator, slash, denominator = plain.partition("/")
    if slash:
        return (*_term(numerator, most_groups), Piece("text", " / "), *_term(denominator, most_groups))
    match = DECIMAL.fullmatch(plain)
    if match is None:
        return prose(plain)
    return tuple(_decimal_pieces(match, most_groups))


def _term(digits: str, most_groups: int) -> tuple[Piece, ...]:
    """One side of a fraction: a long power of two says more as a power."""
    if digits.isdecimal() and LONGEST_TERM < len(digits) < LONGEST_INTEGER:
        value = int(digits)
        if value & (value - 1) == 0:
            return Piece("text", "2"), Piece("power", str(value.bit_length() - 1))
    return figure(digits, most_groups)


def positional(plain: str) -> tuple[Piece, ...]:
    """A number with all its digits where they stand."""
    match = DECIMAL.fullmatch(plain)
    if match is None or match["exponent"]:
        return figure(plain)
    return _signed(match, [*_groups_before_point(match["whole"]), *_after_point(match["fraction"] or "")])


def _decimal_pieces(match: re.Match[str], most_groups: int) -> tuple[Piece, ...]:
    whole, fraction, exponent = match["whole"], match["fraction"] or "", int(match["exponent"] or 0)
    leading_zeros = len(fraction) - len(fraction.lstrip("0")) if whole == "0" else 0
    if exponent == 0 and len(whole) <= LONGEST_WHOLE and leading_zeros <= MOST_LEADING_ZEROS:
        return _signed(match, _without_middle([*_groups_before_point(whole), *_after_point(fraction)], most_groups))
    digits = (whole + fraction).lstrip("0").rstrip("0") or "0"
    exponent += len(whole) - 1 if whole.strip("0") else -(leading_zeros + 1)
    pieces = _without_middle([Piece("text", digits[0]), *_after_point(digits[1:])], most_groups)
    power = Piece("power", str(exponent).replace("-", MINUS))
    return _signed(match, [*pieces, Piece("times", "×"), Piece("text", "10"), power])


def _signed(match: re.Match[str], pieces: list[Piece]) -> tuple[Piece, ...]:
    return (Piece("text", MINUS), *pieces) if match["sign"] else tuple(pieces)


def _groups_before_point(digits: str) -> list[Piece]:
    first = len(digits) % 3 or min(3, len(digits))
    if len(digits) == 4:  # four digits read well together
        return [Piece("text", digits)]
    rest = [Piece("group", digits[start : start + 3]) for start in range(first, len(digits), 3)]
    return [Piece("text", digits[:first]), *rest]


def _after_point(digits: str) -> list[Piece]:
    if not digits:
        return []
    width = 4 if len(digits) == 4 else 3
    rest = [Piece("group", digits[start : start + width]) for start in range(width, len(digits), width)]
    return [Piece("text", "." + digits[:width]), *rest]


def _without_middle(pieces: list[Piece], most_groups: int) -> list[Piece]:
    if len(pieces) <= most_groups:
        return pieces
    return [*pieces[: most_groups - 2], Piece("gap", "…"), *pieces[-2:]]


def is_shortened(plain: str, most_groups: int) -> bool:
    """Whether `figure` leaves digits out, or writes them in another place than the plain number has them."""
    return any(piece.kind in {"gap", "power"} for piece in figure(plain, most_groups))


def approximately(plain: str | None, digits: int = 4) -> str:
    """The same number rounded for reading, as plain text; text that `Decimal` cannot read stays as it is."""
    if plain is None or plain in WORDS:
        return plain or ""
    # Decimals keep their exponent apart, so that 1e-999999999 costs no more than 0.1.
    context = Context(prec=digits, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX)
    numerator, _, denominator = plain.partition("/")
    try:
        rounded = context.divide(Decimal(numerator), Decimal(denominator or 1)).normalize(context)
    except InvalidOperation:
        return plain
    scientific = bool(rounded) and not -MOST_LEADING_ZEROS <= rounded.adjusted() <= 9
    return f"{rounded:e}".replace("e+", "e") if scientific else f"{rounded:f}"


def is_rounded(plain: str, digits: int) -> bool:
    """Whether `approximately` gives another number than this finite decimal, or any for this fraction."""
    if "/" in plain:
        return approximately(plain, digits) != plain
    return plain not in WORDS and Decimal(approximately(plain, digits)) != Decimal(plain)


def proportion(plain: str) -> str:
    """A relative error for a column: four decimals where they say something, else three digits and a power of ten."""
    if plain in WORDS or not Decimal(plain):
        return plain
    error = Decimal(plain)
    return f"{error:.4f}" if Decimal("0.001") <= error < LARGEST_IN_COLUMN else f"{error:.2e}".replace("e+", "e")


def prose(sentence: str) -> tuple[Piece, ...]:
    """A sentence with its powers raised (`2^-4`) and true minus signs."""
    parts = POWER.split(HYPHEN_AS_MINUS.sub(MINUS, sentence))
    kinds = ("text", "power")
    return tuple(
        Piece(kinds[index % 2], part.replace("-", MINUS) if index % 2 else part)
        for index, part in enumerate(parts)
        if part
    )


def raised(text: str) -> tuple[Piece, ...]:
    """A text with superscript characters as pieces: few fonts have all of them, and a mixture looks uneven."""
    parts = RAISED.split(text)
    return tuple(
        Piece("power", part.translate(LOWERED)) if index % 2 else Piece("text", part)
        for index, part in enumerate(parts)
        if part
    )


def flat(pieces: Iterable[Piece]) -> str:
    """The pieces as one text, for pictures, where nothing is copied: thin spaces and superscript characters."""
    before = {"group": THIN_SPACE, "tied": THIN_SPACE}
    return "".join(
        f"{THIN_SPACE}×{THIN_SPACE}"
        if piece.kind == "times"
        else piece.text.translate(SUPERSCRIPTS)
        if piece.kind == "power"
        else before.get(piece.kind, "") + piece.text
        for piece in pieces
    )


def told(parts: tuple[SentencePart, ...]) -> tuple[Piece, ...]:
    """A sentence whose numbers are set as figures: digits in groups, the middle of a long one left out."""
    return tuple(piece for part in parts for piece in _told_part(part))


def _told_part(part: SentencePart) -> Iterable[Piece]:
    match part.kind:
        case "number":
            sign, _, plain = part.text.rpartition(" ")  # `≈ 1.5e-400`
            return (*prose(f"{sign} " if sign else ""), *_tied(plain))
        case "sum":
            terms = [_tied(term) for term in part.text.split(" + ")]
            return chain(terms[0], *((Piece("text", " + "), *term) for term in terms[1:]))
        case "bits" if len(part.text) > LONGEST_BITS_UNGROUPED:
            whole, point, fraction = part.text.rpartition(".")
            groups = [fraction[start : start + 4] for start in range(0, len(fraction), 4)]
            return Piece("text", whole + point + groups[0]), *(Piece("group", group) for group in groups[1:])
        case _:
            return prose(part.text)


def _tied(plain: str) -> tuple[Piece, ...]:
    pieces = figure(plain, GROUPS_IN_SENTENCE)
    return tuple(Piece("tied", piece.text) if piece.kind == "group" else piece for piece in pieces)


def bits_in_groups(bits: str, size: int = 4) -> tuple[Piece, ...]:
    """Binary or hexadecimal digits in groups counted from the right."""
    first = len(bits) % size or size
    later = (Piece("group", bits[start : start + size]) for start in range(first, len(bits), size))
    return tuple(chain([Piece("text", bits[:first])], later))


FILTERS = {
    "figure": figure,
    "positional": positional,
    "is_shortened": is_shortened,
    "approximately": approximately,
    "proportion": proportion,
    "is_rounded": is_rounded,
    "prose": prose,
    "told": told,
    "flat": flat,
    "raised": raised,
    "bits_in_groups": bits_in_groups,
}
