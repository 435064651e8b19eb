"""What is asked of the Quantize page: its query, and the permanent address that asks it again."""

import re
import struct
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from app.errors import InvalidInput
from app.exact import Finite, parse
from app.tasks.quantize_matrix import split_text
from app.tasks.quantize_request import COURSE_MATRIX, Distribution, DrawnMatrix, MatrixSource, TypedMatrix
from app.web.request_line import URL_LIMIT
from app.wording import Language

FIRST_SCHEMES = "int8:tensor int4:tensor nf4"
NAMES = ("matrix", "draw", "shape", "seed", "schemes", "clip", "at")
FIRST_SHAPE, FIRST_SEED = "16x64", "1"
SHAPE = re.compile(r"([0-9]{1,5})[x×]([0-9]{1,5})", re.ASCII)
SEED = re.compile(r"[0-9]{1,9}", re.ASCII)
CLIP = re.compile(r"[0-9]{1,3}(?:\.[0-9])?", re.ASCII)
CELL = re.compile(r"([0-9]{1,5}),([0-9]{1,5})", re.ASCII)
SAFE = ":=,;"
"""Marks of matrices and schemes that stay readable in an address."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The query of the page, as it was given; empty where the page has its own answer."""

    matrix: str = ""
    """Numbers between commas, rows between semicolons; empty: the matrix of the course."""
    draw: str = ""
    """A distribution; empty: the matrix is typed."""
    shape: str = ""
    seed: str = ""
    schemes: str = FIRST_SCHEMES
    clip: str = ""
    """Where the slider stands: percent of the largest magnitude."""
    at: str = ""
    """Row and column, counted from 1, where the tables begin."""

    @property
    def query(self) -> str:
        """The permalink's query: always in this order, without what goes without saying."""
        given = {name: text for name in NAMES if (text := getattr(self, name))}
        if self.draw:
            given.pop("matrix", None)
            given = {**given, "shape": self.shape or FIRST_SHAPE, "seed": self.seed or FIRST_SEED}
        else:
            given = {name: text for name, text in given.items() if name not in ("shape", "seed")}
        if self.schemes == FIRST_SCHEMES and len(given) == 1:
            return ""
        return urlencode({name: given[name] for name in NAMES if name in given}, safe=SAFE)

    def address(self, language: Language) -> str:
        """The permanent address of this view."""
        query = self.query
        return f"/{language}/quantize{'?' if query else ''}{query}"

    def changed(self, **changes: str) -> "Asked":
        """The same with other parts."""
        return replace(self, **changes)

    def source(self) -> MatrixSource:
        """Where the matrix comes from.

        Raises:
            InvalidInput: `quantize.distribution`, `quantize.shape-text`, `quantize.seed`.
        """
        if not self.draw:
            return TypedMatrix(self.matrix) if self.matrix else TypedMatrix()
        if self.draw not in set(Distribution):
            raise InvalidInput("quantize.distribution", name=self.draw[:40], known=", ".join(Distribution))
        shape = SHAPE.fullmatch(self.shape or FIRST_SHAPE)
        if shape is None:
            raise InvalidInput("quantize.shape-text", text=self.shape[:40])
        if SEED.fullmatch(self.seed or FIRST_SEED) is None:
            raise InvalidInput("quantize.seed", text=self.seed[:40])
        rows, columns = map(int, shape.groups())
        return DrawnMatrix(Distribution(self.draw), rows, columns, int(self.seed or FIRST_SEED))

    def cell(self) -> tuple[int, int]:
        """Where the tables begin, counted from 0; at the start where `at` does not say it."""
        found = CELL.fullmatch(self.at)
        return (max(int(found[1]), 1) - 1, max(int(found[2]), 1) - 1) if found else (0, 0)

    def clip_percent(self) -> float | None:
        """The slider's place; None where it was not moved."""
        return float(self.clip) if CLIP.fullmatch(self.clip) else None


def matrix_text(typed: str) -> str:
    """A typed matrix as the address has it; empty where it is that of the course."""
    rows = split_text(typed)
    return "" if rows == split_text(COURSE_MATRIX) else ";".join(",".join(row) for row in rows)


def matrix_lines(text: str) -> str:
    """A matrix for the field: a line for each row, its columns one under the other."""
    rows = split_text(text or COURSE_MATRIX)
    if sum(map(len, rows)) > 4096:
        return "\n".join(" ".join(row) for row in rows)
    columns = max(map(len, rows), default=0)
    widths = [max((len(row[place]) for row in rows if place < len(row)), default=0) for place in range(columns)]
    return "\n".join("  ".join(text.rjust(width) for text, width in zip(row, widths, strict=False)) for row in rows)


def fitted(asked: Asked, language: Language) -> Asked:
    """The same question with an address that fits: digits that float32 does not keep are left out where needed.

    Raises:
        InvalidInput: `quantize.long-matrix`, where it is too long even so.
    """
    if len(asked.address(language)) <= URL_LIMIT:
        return asked
    rows = split_text(asked.matrix)
    short = asked.changed(matrix=";".join(",".join(map(_shortest, row)) for row in rows))
    length = len(short.address(language))
    if length > URL_LIMIT:
        raise InvalidInput("quantize.long-matrix", length=len(asked.matrix), limit=URL_LIMIT)
    return short


def _shortest(text: str) -> str:
    """The shortest decimal that float32 rounds to the same number; other texts stay."""
    try:
        number = parse(text)
        if not isinstance(number, Finite) or len(text) < 8:
            return text
        single = struct.unpack("<f", struct.pack("<f", float(text)))[0]
    except (InvalidInput, ValueError, OverflowError):
        return text
    for digits in range(1, 10):
        short = f"{single:.{digits}g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
        if struct.unpack("<f", struct.pack("<f", float(short)))[0] == single:
            return short
    return text
