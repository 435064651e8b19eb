"""Every pair of codes of small formats, every operation and mode: `python tests/campaigns/arithmetic.py [FORMAT ...]`.

The oracle looks the exact result up among all values of the format. About 10 seconds of one core a format of 6 bits.
"""

import operator
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from app.exact import decode
from app.exact.arithmetic import Operation, calculate
from app.formats import find_format
from tests.exact.arithmetic_oracle import MODES, agrees

EXACTLY = {
    Operation.ADD: operator.add,
    Operation.SUBTRACT: operator.sub,
    Operation.MULTIPLY: operator.mul,
    Operation.DIVIDE: operator.truediv,
}
FORMATS = ("float6_e2m3fn", "float6_e3m2fn", "binary6p3sf", "e3m2", "posit6", "takum_linear6", "int6", "q2.3", "nf4")


def check(name: str) -> int:
    number_format = find_format(name)
    operands = [decode(code, number_format) for code in range(1 << number_format.width)]
    numbers = [each for each in operands if each.value is not None]
    checked = 0
    for left in numbers:
        for right in numbers:
            for operation, exactly in EXACTLY.items():
                if operation is Operation.DIVIDE and right.value == 0:
                    continue
                exact = exactly(left.value, right.value)
                if exact == 0:
                    continue
                for mode in MODES:
                    result = calculate(operation, (left, right), number_format, mode)
                    assert agrees(result.stored, exact, mode), (operation, left, right, mode, result)
                    checked += 1
    return checked


if __name__ == "__main__":
    for each in sys.argv[1:] or FORMATS:
        print(each, check(each), flush=True)
