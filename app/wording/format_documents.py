"""What the JSON API and `bitlens formats --json` say about formats."""

from collections.abc import Sequence
from typing import Any

from app.formats import BLOCKS, CATALOG, AnyFormat
from app.tasks.code_text import format_hex
from app.tasks.describe_format import FormatCard, describe_format
from app.tasks.format_blocks import BlockCard, describe_block
from app.tasks.format_codes import CodePage, CodeRow
from app.tasks.format_equals import same_values
from app.tasks.format_families import FAMILIES

Document = dict[str, Any]


def formats_document() -> Document:
    """The document of `GET /api/v1/formats`: every format of the table, and how other names are spelled."""
    return {
        "formats": [format_document(describe_format(number_format)) for number_format in CATALOG],
        "blocks": [block_document(describe_block(block)) for block in BLOCKS],
        "families": [
            {
                "family": each.family.value,
                "patterns": list(each.patterns),
                "options": list(each.options),
                "examples": list(each.examples),
            }
            for each in FAMILIES
        ],
    }


def format_document(card: FormatCard) -> Document:
    """What the table says of one format."""
    number_format = card.format
    return {
        "name": number_format.name,
        "kind": number_format.family.value,
        "width": number_format.width,
        "storage_bits": card.storage_bits,
        "signed": number_format.signed,
        "fields": [{"name": field.name, "bits": field.bits} for field in card.fields],
        "bias": card.bias,
        "max": card.max,
        "min": card.min,
        "min_positive": card.min_positive,
        "min_normal": card.min_normal,
        "min_subnormal": card.min_subnormal,
        "max_subnormal": card.max_subnormal,
        "eps": card.eps,
        "significant_bits": card.significant_bits,
        "digits": card.decimal_digits,
        "round_trip_digits": card.round_trip_digits,
        "specials": [{"value": special.value, "hex": special.hex} for special in card.specials],
        "finite_values": str(card.finite_values),
        "nan_codes": str(card.nan_codes),
        "infinities": card.infinities,
        "invalid_codes": str(card.invalid_codes),
        "overflow": [policy.value for policy in card.overflows],
        "overflow_from": card.overflow_from,
        "overflow_from_included": None if card.overflow_from is None else card.overflow_from_included,
        **_origin(number_format),
    }


def format_document_in_full(card: FormatCard, libraries: Sequence[Any] = ()) -> Document:
    """The document of `GET /api/v1/formats/{name}`; `libraries` are the `LibraryFigures` of the format."""
    return format_document(card) | {
        "landmarks": [{"role": each.role, "hex": each.hex, "value": each.value} for each in card.landmarks],
        "same_values": [{"name": each.format.name, "same_codes": each.same_codes} for each in same_values(card.format)],
        "libraries": [
            {
                "dtype": library.dtype,
                "call": library.call,
                "agrees": library.agrees,
                "figures": [
                    {"name": figure.name, "given": figure.given, "exact": figure.exact, "agrees": figure.agrees}
                    for figure in library.figures
                ],
            }
            for library in libraries
        ],
    }


def block_document(card: BlockCard) -> Document:
    """The document of a block format."""
    block = card.format
    return {
        "name": block.name,
        "kind": block.family.value,
        "width": block.width,
        "signed": block.signed,
        "fields": [{"name": field.name, "bits": field.bits} for field in card.fields],
        "element": block.element.name,
        "scale": block.scale.name,
        "tensor_scale": None if block.tensor_scale is None else block.tensor_scale.name,
        "block_size": block.block_size,
        "block_bits": card.block_bits,
        "bits_per_element": card.bits_per_element,
        "element_max_exponent": card.element_max_exponent,
        "max": card.max,
        "min": card.min,
        "min_positive": card.min_positive,
        **_origin(block),
    }


def codes_document(page: CodePage) -> Document:
    """The document of `GET /api/v1/formats/{name}/codes`."""
    return {
        "format": page.format.name,
        "page": page.page,
        "pages": page.pages,
        "first": format_hex(page.rows[0].code, page.format),
        "last": format_hex(page.rows[-1].code, page.format),
        "codes": [_code(row) for row in page.rows],
    }


def _code(row: CodeRow) -> Document:
    return {
        "hex": row.hex,
        "bits": "".join(bits for _, bits in row.fields),
        "fields": [{"name": name, "bits": bits} for name, bits in row.fields],
        "class": row.kind,
        "value": row.text,
    }


def _origin(number_format: AnyFormat) -> Document:
    origin = number_format.origin
    return {
        "aliases": list(origin.aliases),
        "used_by": list(origin.used_by),
        "reference": origin.reference,
    }
