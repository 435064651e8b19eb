"""Fields of posits and takums, code by code, and of every family put together again."""

import pytest
import torch

from app import codec
from app.formats import CATALOG, Format, PositFormat, TakumFormat, find_format

TAPERED = [
    find_format(name) for name in ("posit8", "posit16", "posit9:es=1", "posit6:es=0", "takum_linear8", "takum_linear16")
]


@pytest.mark.parametrize("number_format", [f for f in CATALOG if f.width <= 16], ids=lambda f: f.name)
def test_fields_put_together_are_the_code(number_format: Format) -> None:
    codes = torch.arange(1 << number_format.width)
    fields = codec.split_fields(codec.narrow_codes(codes, number_format), number_format)
    whole = torch.zeros_like(codes)
    for field in fields:
        assert int(field.values.min()) >= 0
        assert int(field.values.max()) < 1 << field.width
        whole = (whole << field.width) | field.values
    assert torch.equal(whole, codes)


@pytest.mark.parametrize("number_format", TAPERED, ids=lambda f: f.name)
def test_tapered_fields_are_those_of_the_format(number_format: Format) -> None:
    assert isinstance(number_format, PositFormat | TakumFormat)
    ordinals = torch.arange(1, number_format.last_ordinal + 1)
    found = codec.tapered_fields(codec.narrow_codes(ordinals, number_format), number_format)
    for place, ordinal in enumerate(ordinals.tolist()):
        parts = number_format.parts(ordinal)
        assert int(found.exponent[place]) == parts.exponent
        fraction = int(found.fraction[place]) << parts.fraction_bits >> int(found.fraction_bits[place])
        assert fraction == parts.fraction
