"""Made-up number text and format names, through every step to the printed value: `--seconds N`, `--seed N`.

No exception but the application's own may come out, and no answer may take more than 50 ms of processor time. A slow
one is timed once more, since the first time may have been another program's doing.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.errors import AppError
from app.exact import LONGEST_TEXT, decode, encode, parse
from app.exact.text import value_text
from app.formats import find_format, format_names
from app.wording import say

LIMIT = 0.05
TARGETS = ("float16", "float128", "float8_e8m0fnu", "binary16p1ue", "posit64", "takum_linear32", "int8", "q7.8", "nf4")
NAMES = (
    *format_names(),
    *("e5m10", "e4m3:bias=8:specials=nan-only", "int5:sign-magnitude", "posit12:es=1", "takum_linear16", "uq8.8"),
    *("binary8p3se", "codebook:-1,0,1", "e15m112:bias=32000", "e0m7:no-subnormals", "e8m7:unsigned:no-zero"),
)
PIECES = (
    *"0123456789+-*/^().eExXpPbo _,'%!<>=",
    *("0x", "0b1", "0o7", "inf", "nan", "snan(", "nan(0x1)", "1e", "e-", "p+", "**", "<<", "9^9", "2^-", "1e999999999"),
    *("1e-999999999", "3^20000", "(", ")", "1/", "/0", "\x00", "\n", "\u2212", "\u00a0", "\u200b", "\u0663", "\ud800"),
    *("9" * 40, "9" * 900, "0" * 700, "1+" * 30, "(" * 20, ")" * 20, "1e9900", "2^16384", "10^-9000"),
)
NAME_PIECES = (
    *"0123456789:=,.-+_e",
    *("bias=", "specials=", "ieee", "es=", "unsigned", "codebook:", "int", "posit", "q", "\u0663"),
    *(
        "9" * 5,
        "9" * 500,
        ":bias=1" * 40,
        "1/3,",
        "1e99999,",
        "9^9^9,",
        "\x00",
        "\u00a0",
        "\ud800",
        "binary",
        "takum_linear",
    ),
)


@dataclass(slots=True)
class Found:
    """What a campaign has to tell."""

    tried: int = 0
    answered: int = 0
    slowest: float = 0.0
    slowest_text: str = ""


def made_number(chance: random.Random) -> str:
    """A number text: mostly nearly right, sometimes long."""
    kind = chance.randrange(4)
    if kind == 0:
        text = "".join(chance.choices(PIECES, k=chance.randrange(1, 12)))
    elif kind == 1:
        text = _expression(chance, chance.randrange(6))
    elif kind == 2:
        text = chance.choice("+-*/^").join(_literal(chance) for _ in range(chance.randrange(1, 400)))
    else:
        text = _mutated(_expression(chance, 3), PIECES, chance)
    return text[: LONGEST_TEXT + chance.randrange(2)]


def made_name(chance: random.Random) -> str:
    """A format name: a known one, mutated none to three times."""
    name = chance.choice(NAMES)
    for _ in range(chance.randrange(4)):
        name = _mutated(name, NAME_PIECES, chance)
    return name


def _literal(chance: random.Random) -> str:
    digits = str(chance.getrandbits(chance.choice((1, 4, 12, 60, 400))))
    kind = chance.randrange(6)
    if kind == 0:
        return f"{digits}e{chance.choice(('', '-'))}{chance.getrandbits(chance.choice((3, 9, 15, 60)))}"
    if kind == 1:
        return f"0x{chance.getrandbits(40):x}.{chance.getrandbits(20):x}p{chance.randrange(-40000, 40000)}"
    return f"{digits}.{digits}" if kind == 2 else digits


def _expression(chance: random.Random, depth: int) -> str:
    if depth == 0 or chance.random() < 0.2:
        return _literal(chance)
    operator = chance.choice("+-*/^")
    text = f"{_expression(chance, depth - 1)}{operator}{_expression(chance, depth - 1)}"
    return f"({text})" if chance.random() < 0.5 else text


def _mutated(text: str, pieces: tuple[str, ...], chance: random.Random) -> str:
    at, end = sorted((chance.randrange(len(text) + 1), chance.randrange(len(text) + 1)))
    end = min(end, at + chance.randrange(4))
    return text[:at] + chance.choice(pieces) + text[end:]


def answer(text: str, name: str) -> bool:
    """Read, encode, print; whether there was an answer and no refusal. Refusals are told in words too."""
    try:
        number_format = find_format(name)
        value_text(decode(encode(parse(text), number_format).code, number_format))
    except AppError as refused:
        say(refused.code, refused.figures)
        return False
    return True


def timed(action: Callable[[], bool]) -> tuple[float, bool]:
    """Seconds of processor time, the better of two where the first is slow."""
    taken, result = 1e9, False
    for _ in range(2):
        start = time.thread_time()
        result = action()
        taken = min(taken, time.thread_time() - start)
        if taken < LIMIT / 2:
            break
    return taken, result


def campaign(seconds: float, seed: int) -> Found:
    """Run for so long.

    Raises:
        AssertionError: with the text and the format's name, where an answer failed or took too long.
    """
    chance, found, end = random.Random(seed), Found(), time.monotonic() + seconds
    while time.monotonic() < end:
        text = made_number(chance)
        for name in (*chance.sample(TARGETS, 3), made_name(chance)):
            try:
                taken, answered = timed(lambda text=text, name=name: answer(text, name))  # type: ignore[misc]
            except Exception as error:
                raise AssertionError(f"seed {seed}: {text!r} in {name!r}") from error
            found.tried += 1
            found.answered += answered
            if taken > found.slowest:
                found.slowest, found.slowest_text = taken, f"{text!r} in {name!r}"
            assert taken < LIMIT, f"seed {seed}: {1000 * taken:.0f} ms for {text!r} in {name!r}"
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    arguments = parser.parse_args()
    found = campaign(arguments.seconds, arguments.seed)
    print(f"seed {arguments.seed}: {found.tried:,} tried, {found.answered:,} answered, the rest refused in words")
    print(f"slowest {1000 * found.slowest:.1f} ms: {found.slowest_text[:300]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
