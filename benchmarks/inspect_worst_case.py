"""The slowest texts that fit into 4,096 characters, in every format: milliseconds of CPU time, best of three."""

import contextlib
import statistics
import time

from app.errors import AppError
from app.exact import LONGEST_TEXT
from app.formats import format_names
from app.tasks.inspect_number import inspect_number
from app.tasks.inspection import InspectRequest

LONG = LONGEST_TEXT
TEXTS = {
    "0.1": "0.1",
    "9 x 4096": "9" * LONG,
    "0. + 4093 zeros + 1": "0." + "0" * (LONG - 3) + "1",
    "0. + 4094 nines": "0." + "9" * (LONG - 2),
    "4000 nines e-4300": "9" * 4000 + "e-4300",
    "1.7..e-308, 4000 digits": "1." + "7" * 4000 + "e-308",
    "1.7..e308, 4000 digits": "1." + "7" * 4000 + "e308",
    "4000 digits e9999": "7" * 4000 + "e9999",
    "1e9900": "1e9900",
    "1e-9900": "1e-9900",
    "7e-12000": "7e-12000",
    "0x + 4094 f": "0x" + "f" * (LONG - 2),
    "0x. + 4000 f p-30000": "0x." + "f" * 4000 + "p-7000",
    "0b + 4094 ones": "0b" + "1" * (LONG - 2),
    "1e999999999": "1e999999999",
    "1e-999999999": "1e-999999999",
    "1e + 4000 nines": "1e" + "9" * 4000,
    "1e- + 4000 nines": "1e-" + "9" * 4000,
    "0x1p + 4000 nines": "0x1p" + "9" * 4000,
    "0x1p- + 4000 nines": "0x1p-" + "9" * 4000,
    "nan(0x + 4000 f)": "nan(0x" + "f" * 4000 + ")",
    "4096 spaces": " " * LONG,
    "4095 digits and x": "1" * (LONG - 1) + "x",
}


def milliseconds(request: InspectRequest) -> float:
    taken = []
    for _ in range(3):
        start = time.process_time()
        with contextlib.suppress(AppError):
            inspect_number(request)
        taken.append(1000 * (time.process_time() - start))
    return min(taken)


def main() -> None:
    inspect_number(InspectRequest(format="bfloat16", value="0.1"))
    print(f"{'text':<28}{'median ms':>10}{'worst ms':>10}  in")
    for name, text in TEXTS.items():
        rows = {
            (format_name, overflow): milliseconds(InspectRequest(format=format_name, value=text, overflow=overflow))
            for format_name in format_names()
            for overflow in (None, "saturate", "wrap")
        }
        slowest = max(rows, key=lambda row: rows[row])
        print(f"{name:<28}{statistics.median(rows.values()):>10.2f}{rows[slowest]:>10.2f}  {slowest[0]}")


if __name__ == "__main__":
    main()
