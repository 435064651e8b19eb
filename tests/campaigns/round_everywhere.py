"""Rounding between all neighbours of formats of up to 16 bits, in every mode: the law that the tests try on samples.

Run as `python tests/campaigns/round_everywhere.py [FORMAT ...]`; without names, every listed format of at most 16 bits.
One or two minutes a format of 16 bits. Ends at the first number that is rounded otherwise than by definition.
"""

import sys
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from app.exact import Rounding, decode, encode, from_fraction
from app.formats import CATALOG, BooleanFormat, Format, find_format

LAWS = Path(__file__).parents[1] / "exact" / "test_rounding_laws.py"


def load_laws() -> ModuleType:
    spec = spec_from_file_location("rounding_laws", LAWS)
    assert spec is not None
    assert spec.loader is not None
    laws = module_from_spec(spec)
    spec.loader.exec_module(laws)
    return laws


def try_every_gap(number_format: Format, laws: ModuleType) -> int:
    """How many roundings were right; all of them, or the program ends here."""
    order, tried = laws.numbers_in_order(number_format), 0
    for rank in range(len(order) - 1):
        low, high = order[rank], order[rank + 1]
        for value in laws.places(low[0], high[0], laws.halfway(low, high, number_format)):
            if value == 0:
                continue
            for rounding in Rounding:
                found = decode(encode(from_fraction(value), number_format, rounding).code, number_format).value
                expected = laws.by_definition(value, rank, number_format, rounding)
                if found != expected:
                    sys.exit(f"{number_format.name}: {value} becomes {found} by {rounding}, and should be {expected}")
                tried += 1
    return tried


def main() -> None:
    laws = load_laws()
    listed = [each for each in CATALOG if each.width <= 16 and not isinstance(each, BooleanFormat)]
    for number_format in map(find_format, sys.argv[1:]) if sys.argv[1:] else listed:
        start = time.perf_counter()
        tried = try_every_gap(number_format, laws)
        print(
            f"{number_format.name:<24}{tried:>10,} roundings right in {time.perf_counter() - start:6.1f} s", flush=True
        )


if __name__ == "__main__":
    main()
