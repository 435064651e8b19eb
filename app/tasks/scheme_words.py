"""Schemes with their options as one text: `int8:tensor int4:group=32:absmax`, words after colons, in any order."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from app.errors import InvalidInput, TooLarge
from app.schemes.plain_casts import cast_entry
from app.schemes.registry import ENTRIES
from app.schemes.scheme import ScaleRule
from app.tasks.quantize_request import MOST_SCHEMES, SchemeChoice

_PARTITIONS = ("tensor", "channel", "column", "group", "block")
_SEED = re.compile(r"[0-9]{1,9}", re.ASCII)
_PERCENT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})?", re.ASCII)


def read_schemes(text: str) -> tuple[SchemeChoice, ...]:
    """The schemes of a text, separated by spaces.

    Raises:
        TooLarge: `quantize.too-many-schemes`.
        InvalidInput: `scheme.word`, one that says nothing; `scheme.seed`, `quantize.percentile`. What an option itself
            is refused for is said by `find_scheme`.
    """
    words = text.split()
    if len(words) > MOST_SCHEMES:
        raise TooLarge("quantize.too-many-schemes", limit=MOST_SCHEMES)
    return tuple(read_scheme(word) for word in words)


def read_scheme(text: str) -> SchemeChoice:
    """One scheme; its words may stand in any order, and the last of a kind holds."""
    parts = text.split(":")
    count = _parts_of_name(parts)
    choice = SchemeChoice(":".join(parts[:count]))
    for word in parts[count:]:
        choice = _with_word(choice, word)
    return choice


def _parts_of_name(parts: list[str]) -> int:
    """A custom format's name holds colons of its own: `e4m3:bias=8:specials=nan-only`."""
    if parts[0] in ENTRIES:
        return 1
    count = 1
    while count < len(parts) and cast_entry(":".join(parts[: count + 1])) is not None:
        count += 1
    return count


def scheme_text(choice: SchemeChoice) -> str:
    """The text that `read_scheme` reads back, always in one order, without what is the default."""
    return ":".join((choice.name, *scheme_words(choice)))


def scheme_words(choice: SchemeChoice) -> tuple[str, ...]:
    """The words of a choice that is not the default."""
    return tuple(_words_of(choice))


def _words_of(choice: SchemeChoice) -> Iterator[str]:
    options = choice.options
    if options.granularity is not None:
        yield options.granularity
    if options.symmetric is not None:
        yield "symmetric" if options.symmetric else "asymmetric"
    if choice.scale is ScaleRule.PERCENTILE and choice.percentile is not None:
        yield f"percentile={choice.percentile:g}"
    elif choice.scale is not None:
        yield choice.scale.value
    flags = {"double-quant": options.double_quant, "signed-scales": choice.signed_scales}
    yield from (word for word, is_set in flags.items() if is_set)
    named = {
        **{word: getattr(options, field) for field, word in _NAMES.items()},
        "stochastic": choice.seed,
        "rotation": choice.rotation,
    }
    yield from (f"{word}={value}" for word, value in named.items() if value is not None)


_NAMES = {"scale_format": "scales", "zero_point": "zero", "mx_scale": "mx"}


def _with_word(choice: SchemeChoice, word: str) -> SchemeChoice:
    name, separator, value = word.partition("=")
    if name in _PARTITIONS:
        return _with_options(choice, granularity=word)
    if name == "percentile":
        percent = float(value) if _PERCENT.fullmatch(value) else None
        if separator and (percent is None or not 0 < percent <= 100):
            raise InvalidInput("quantize.percentile", percentile=value[:40])
        return replace(choice, scale=ScaleRule.PERCENTILE, percentile=percent)
    read = (_VALUES if separator else _FLAGS).get(name)
    if read is None:
        raise InvalidInput("scheme.word", name=choice.name[:40], word=word[:40])
    return read(choice, value)


def _with_options(choice: SchemeChoice, **changes: object) -> SchemeChoice:
    return replace(choice, options=replace(choice.options, **changes))  # type: ignore[arg-type]  # the caller's fields


def _option(field: str) -> Callable[[SchemeChoice, str], SchemeChoice]:
    return lambda choice, value: _with_options(choice, **{field: value})


def _seed(field: str) -> Callable[[SchemeChoice, str], SchemeChoice]:
    def read(choice: SchemeChoice, value: str) -> SchemeChoice:
        if _SEED.fullmatch(value) is None:
            raise InvalidInput("scheme.seed", text=value[:40])
        return replace(choice, **{field: int(value)})  # type: ignore[arg-type]  # `seed` or `rotation`

    return read


_FLAGS: dict[str, Callable[[SchemeChoice, str], SchemeChoice]] = {
    "symmetric": lambda choice, _: _with_options(choice, symmetric=True),
    "asymmetric": lambda choice, _: _with_options(choice, symmetric=False),
    "absmax": lambda choice, _: replace(choice, scale=ScaleRule.ABSMAX, percentile=None),
    "mse": lambda choice, _: replace(choice, scale=ScaleRule.MSE, percentile=None),
    "double-quant": lambda choice, _: _with_options(choice, double_quant=True),
    "signed-scales": lambda choice, _: replace(choice, signed_scales=True),
}
_VALUES: dict[str, Callable[[SchemeChoice, str], SchemeChoice]] = {
    "scales": _option("scale_format"),
    "zero": _option("zero_point"),
    "mx": _option("mx_scale"),
    "stochastic": _seed("seed"),
    "rotation": _seed("rotation"),
}
