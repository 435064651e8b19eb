"""The fields of the Quantize page: where the matrix comes from, and four places for schemes with their options."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.errors import AppError
from app.schemes.entries import SchemeEntry
from app.schemes.registry import ENTRIES, entry_or_none
from app.schemes.scheme import ScaleRule
from app.tasks.quantize_request import MOST_SCHEMES, Distribution, SchemeChoice
from app.tasks.scheme_words import read_scheme
from app.web.pages.quantize_query import FIRST_SEED, FIRST_SHAPE, Asked, matrix_lines, matrix_text

RULES = tuple(ScaleRule)
MX_RULES = ("mse", "floor", "ceil", "rceil", "even")
SELECTS = {
    "symmetric": ("symmetric", "asymmetric"),
    "scale_format": ("float32", "float16", "bfloat16"),
    "zero_point": ("integer", "float"),
}
"""Options of a few words each; the first choice, nothing, is the scheme's own default."""
WORDS = {"scale_format": "scales=", "zero_point": "zero=", "seed": "stochastic=", "rotation": "rotation="}
CHECKS = {"double_quant": "double-quant", "signed_scales": "signed-scales"}
NUMBERS = ("seed", "rotation")


@dataclass(frozen=True, slots=True)
class Extra:
    """A further option of a scheme: a `select` of words, a `check`, or a `number`."""

    name: str
    kind: str
    value: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """One place for a scheme; `name` is empty where none is chosen."""

    number: int
    name: str
    is_listed: bool
    """Whether it is among the families; others can be asked for by an address."""
    granularity: str
    granularities: tuple[str, ...]
    """The first is the default; empty where the layout fixes it."""
    rule: str
    rules: tuple[str, ...]
    percentile: str
    """Empty where the rule takes none."""
    extras: tuple[Extra, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """Schemes of one kind."""

    name: str
    schemes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuantizeForm:
    """The fields, filled in; `errors` holds a sentence for each field by its name."""

    action: str
    asked: Asked
    matrix: str
    rows: str
    columns: str
    seed: str
    distributions: tuple[str, ...]
    slots: tuple[Slot, ...]
    families: tuple[Family, ...]
    errors: Mapping[str, str]


def quantize_form(action: str, asked: Asked, typed: str | None, errors: Mapping[str, str]) -> QuantizeForm:
    """The fields as they were filled in; `typed` is the matrix as it stands in the field."""
    words = asked.schemes.split()[:MOST_SCHEMES]
    rows, _, columns = (asked.shape or FIRST_SHAPE).partition("x")
    return QuantizeForm(
        action=action,
        asked=asked,
        matrix=matrix_lines(asked.matrix) if typed is None else typed,
        rows=rows,
        columns=columns,
        seed=asked.seed or FIRST_SEED,
        distributions=tuple(Distribution),
        slots=tuple(_slot(place + 1, words[place] if place < len(words) else "") for place in range(MOST_SCHEMES)),
        families=_families(),
        errors=errors,
    )


def asked_in(fields: Mapping[str, str]) -> Asked:
    """The question of a form that was sent: options that a newly chosen scheme does not take are left out.

    Raises:
        TooLarge: `quantize.text-too-long`.
    """
    draw = fields.get("draw", "").strip()
    shape = f"{fields.get('rows', '').strip()}x{fields.get('columns', '').strip()}"
    return Asked(
        matrix=matrix_text(fields.get("matrix", "")) if fields.get("matrix", "").strip() else fields.get("kept", ""),
        draw=draw,
        shape=shape if draw and shape != "x" else "",
        seed=fields.get("seed", "").strip() if draw else "",
        schemes=" ".join(filter(None, (_slot_text(fields, number) for number in range(1, MOST_SCHEMES + 1)))),
        clip=fields.get("clip", "").strip(),
        at=fields.get("at", "").strip(),
    )


def _slot_text(fields: Mapping[str, str], number: int) -> str:
    name = fields.get(f"scheme{number}", "").strip()
    entry = entry_or_none(name)
    if entry is None:
        return name.replace(" ", "")
    is_new = fields.get(f"previous{number}", name) != name
    given = {
        field.removesuffix(str(number)): text.strip().replace(" ", "")
        for field, text in fields.items()
        if field.endswith(str(number)) and text.strip()
    }
    return ":".join((name, *_slot_words(entry, given, is_new=is_new)))


def _slot_words(entry: SchemeEntry, given: Mapping[str, str], *, is_new: bool) -> Iterator[str]:
    granularity = given.get("granularity", "")
    is_default = granularity == next(iter(entry.granularities), "")
    is_another_schemes = is_new and granularity not in entry.granularities
    if "granularity" in entry.options and granularity and not is_default and not is_another_schemes:
        yield granularity
    yield from _rule_words(entry, given)
    for option in ("symmetric", "scale_format", "zero_point", *NUMBERS):
        if _takes(entry, option) and option in given:
            yield WORDS.get(option, "") + given[option]
    for option, word in CHECKS.items():
        if option in entry.options and option in given:
            yield word


def _rule_words(entry: SchemeEntry, given: Mapping[str, str]) -> Iterator[str]:
    rule = given.get("rule", "")
    if "mx_scale" in entry.options:
        if rule in MX_RULES[1:]:
            yield f"mx={rule}"
    elif rule in RULES and rule != ScaleRule.MSE and (rule != ScaleRule.PERCENTILE or "percentile" in entry.options):
        percentile = given.get("percentile", "")
        yield f"{rule}={percentile}" if rule == ScaleRule.PERCENTILE and percentile else rule


def _slot(number: int, text: str) -> Slot:
    try:
        choice = read_scheme(text)
    except AppError:
        choice = SchemeChoice(text.partition(":")[0])
    entry = entry_or_none(choice.name)
    if entry is None:
        return Slot(number, choice.name, not choice.name, "", (), "", (), "", ())
    extras = tuple(_extras(choice, entry))
    granularity = choice.options.granularity or ""
    shown = entry.granularities
    rules = _rules(entry)
    return Slot(
        number=number,
        name=choice.name,
        is_listed=choice.name in ENTRIES,
        granularity=granularity or (shown[0] if shown else ""),
        granularities=shown if granularity in ("", *shown) else (*shown, granularity),
        rule=(choice.options.mx_scale or MX_RULES[0]) if rules == MX_RULES else str(choice.scale or ScaleRule.MSE),
        rules=rules,
        percentile=f"{choice.percentile or 99.9:g}" if choice.scale is ScaleRule.PERCENTILE else "",
        extras=extras,
    )


def _rules(entry: SchemeEntry) -> tuple[str, ...]:
    if "mx_scale" in entry.options:
        return MX_RULES
    if "scale" not in entry.options:
        return ()
    return tuple(rule for rule in RULES[::-1] if rule != ScaleRule.PERCENTILE or "percentile" in entry.options)


def _extras(choice: SchemeChoice, entry: SchemeEntry) -> Iterator[Extra]:
    for name, choices in SELECTS.items():
        if name in entry.options:
            value = getattr(choice.options, name)
            text = value if isinstance(value, str) else {None: "", True: choices[0], False: choices[1]}[value]
            yield Extra(name, "select", text, choices)
    values = {
        "double_quant": choice.options.double_quant,
        "signed_scales": choice.signed_scales,
        "seed": choice.seed,
        "rotation": choice.rotation,
    }
    for name, value in values.items():
        if _takes(entry, name):
            kind = "check" if name in CHECKS else "number"
            yield Extra(name, kind, "" if value is None or value is False else str(value))


def _takes(entry: SchemeEntry, option: str) -> bool:
    """A rotation goes around every scheme; it does nothing for casts, whose error depends on the number alone."""
    return option in entry.options or (option == "rotation" and entry.family != "cast")


def _families() -> tuple[Family, ...]:
    found: dict[str, list[str]] = {}
    for entry in ENTRIES.values():
        found.setdefault(entry.family, []).append(entry.name)
    return tuple(Family(name, tuple(schemes)) for name, schemes in found.items())
