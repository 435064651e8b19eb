"""The use case behind the Inspect page: one number in one format, seen from every side."""

from app import exact
from app.errors import InvalidInput
from app.exact.distance import distance
from app.exact.text import exact_text, fraction_text, hexfloat_text, stored_text, value_text
from app.explain import tell_code, tell_encoding
from app.explain.figures import with_point
from app.formats import FloatFormat, PositFormat, TakumFormat, find_format
from app.formats.bits import power_of_two
from app.tasks.code_text import format_hex, parse_bits
from app.tasks.inspection import Formula, Inspection, InspectRequest, Neighbour, RoundingError
from app.tasks.number_elsewhere import elsewhere
from app.tasks.number_fields import fields_of, weights_of
from app.tasks.number_witnesses import witnesses_of_code, witnesses_of_text


def inspect_number(request: InspectRequest) -> Inspection:
    """Everything about the number that is asked for.

    Raises:
        InvalidInput: an unknown format or mode, a number or code that cannot be read, or one that the format refuses.
    """
    if (request.value is None) == (request.bits is None):
        raise InvalidInput("inspect.value-or-bits")
    number_format = find_format(request.format)
    encoding = None
    if request.value is not None:
        number = exact.parse(request.value)
        encoding = exact.encode(number, number_format, request.rounding, request.overflow)
        stored = exact.decode(encoding.code, number_format)
    else:
        assert request.bits is not None
        stored = exact.decode(parse_bits(request.bits, number_format), number_format)
        number = exact.to_number(stored)
    return _inspection(request, number, encoding, stored)


def _inspection(
    request: InspectRequest, number: exact.Number, encoding: exact.Encoding | None, stored: exact.Decoded
) -> Inspection:
    number_format, code = stored.format, stored.code
    typed = (request.value or "").strip(" ") if encoding else stored_text(stored)
    unit = exact.ulp(stored)
    before, after = exact.neighbours(code, number_format)
    return Inspection(
        format=number_format,
        input=typed,
        by_bits=encoding is None,
        code=code,
        hex=format_hex(code, number_format),
        bits=f"{code:0{number_format.width}b}",
        fields=fields_of(code, number_format),
        weights=weights_of(code, number_format),
        kind=stored.kind.value,
        value=value_text(stored),
        fraction=None if stored.value is None else fraction_text(stored.value),
        hexfloat=hexfloat_text(stored),
        formula=_formula(stored),
        ulp=None if unit is None else exact_text(unit),
        error=_error(number, stored) if encoding else None,
        previous=_neighbour(before, stored),
        next=_neighbour(after, stored),
        witnesses=witnesses_of_text(typed, encoding) if encoding else witnesses_of_code(stored),
        steps=tell_encoding(typed, encoding) if encoding else tell_code(stored),
        elsewhere=elsewhere(number, number_format, request.rounding, request.overflow),
    )


def _error(number: exact.Number, stored: exact.Decoded) -> RoundingError | None:
    found = distance(number, stored)
    if found is None:
        return None
    return RoundingError(found.absolute(), found.relative, found.ulps(), found.direction.value)


def _neighbour(code: int | None, stored: exact.Decoded) -> Neighbour | None:
    if code is None:
        return None
    return Neighbour(format_hex(code, stored.format), value_text(exact.decode(code, stored.format)))


def _formula(stored: exact.Decoded) -> Formula | None:
    number_format = stored.format
    if isinstance(number_format, PositFormat | TakumFormat):
        return _tapered_formula(stored, number_format)
    if stored.value is None or not isinstance(number_format, FloatFormat):
        return None
    if stored.kind is exact.Kind.ZERO and not number_format.has_subnormals:
        return None  # the one code that is not read by the formula
    parts = exact.float_parts(stored, number_format)
    return Formula(
        sign=int(stored.negative),
        exponent_field=parts.exponent_field,
        bias=number_format.bias,
        exponent=parts.exponent,
        significand_bits=with_point(parts.significand, number_format),
        significand=exact_text(parts.significand * power_of_two(-number_format.mantissa_bits)),
    )


def _tapered_formula(stored: exact.Decoded, number_format: PositFormat | TakumFormat) -> Formula | None:
    ordinal = number_format.ordinal_of(stored.code)
    if not ordinal:
        return None
    parts = number_format.parts(abs(ordinal))
    significand = 1 << parts.fraction_bits | parts.fraction
    return Formula(
        sign=int(stored.negative),
        exponent_field=None,
        bias=None,
        exponent=parts.exponent,
        significand_bits=f"1.{f'{significand:b}'[1:]}" if parts.fraction_bits else "1",
        significand=exact_text(significand * power_of_two(-parts.fraction_bits)),
    )
