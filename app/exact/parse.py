"""Text to number: a linear, hand-written reader of an ASCII grammar. Nothing is evaluated, nothing large is built.

number  = [sign] (decimal | hex | integer | word)       only spaces around it are trimmed
decimal = digits ["." [digits]] [("e"|"E") [sign] digits]  |  "." digits ...          010 is ten
hex     = "0x" like decimal in hexadecimal digits, its exponent ("p"|"P") a decimal power of two
integer = "0b" binary digits | "0o" octal digits
word    = "inf" | "infinity" | ("nan" | "snan") ["(" digits or 0x digits ")"]         in any case
"""

from typing import Never

from app.errors import NumberSyntaxError
from app.exact.characters import hint, shown
from app.exact.number import Finite, Infinity, NaN, Number

LONGEST_TEXT = 4096
"""Characters of a number's text: below the 4,300 digits at which CPython refuses to convert."""

_DIGITS = "0123456789"
_BASES = {"x": (16, "0123456789abcdefABCDEF"), "b": (2, "01"), "o": (8, "01234567")}


def parse(text: str) -> Number:
    """The number that the text spells.

    Raises:
        NumberSyntaxError: with `position`, the 0-based index of the character that does not belong (the length of
            the text where something is missing at its end) and `place`, the same counted from 1.
    """
    if len(text) > LONGEST_TEXT:
        _refuse("number.too-long", LONGEST_TEXT, limit=LONGEST_TEXT, length=len(text))
    return _Reader(text).number()


def _refuse(code: str, position: int, **figures: str | int) -> Never:
    raise NumberSyntaxError(code, position=position, place=position + 1, **figures)


class _Reader:
    """A cursor over the text; each method consumes what it names, or leaves the cursor where it was."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = len(text) - len(text.lstrip(" "))
        self.end = len(text.rstrip(" "))

    def number(self) -> Number:
        if self.at >= self.end:
            _refuse("number.empty", 0)
        negative = self._sign()
        number = self._word(negative) or self._prefixed(negative) or self._decimal(negative)
        if self.at < self.end:
            self._refuse_character()
        return number

    def _peek(self) -> str:
        return self.text[self.at] if self.at < self.end else ""

    def _take(self, characters: str) -> str:
        """One character, if it is one of these."""
        found = self._peek()
        if found == "" or found not in characters:
            return ""
        self.at += 1
        return found

    def _run(self, alphabet: str) -> str:
        """As many characters of the alphabet as follow."""
        start, text, end = self.at, self.text, self.end
        at = start
        while at < end and text[at] in alphabet:
            at += 1
        self.at = at
        return text[start:at]

    def _sign(self) -> bool:
        return self._take("+-") == "-"

    def _word(self, negative: bool) -> Number | None:  # noqa: FBT001  the sign already read, one of three readers
        rest = self.text[self.at : min(self.end, self.at + 8)].lower()
        for word in ("infinity", "inf", "snan", "nan"):
            if rest.startswith(word):
                self.at += len(word)
                break
        else:
            return None
        if word.startswith("inf"):
            return Infinity(negative)
        payload = self._payload()
        signalling = word == "snan"
        if signalling and payload == 0:
            _refuse("number.signalling-payload", self.at - 1)
        return NaN(negative, payload, signalling)

    def _payload(self) -> int | None:
        if not self._take("("):
            return None
        base, alphabet = 10, _DIGITS
        if self.text[self.at : self.at + 2].lower() == "0x":
            self.at += 2
            base, alphabet = _BASES["x"]
        digits = self._run(alphabet)
        if not digits or not self._take(")"):
            _refuse("number.payload", self.at)
        return int(digits, base)

    def _prefixed(self, negative: bool) -> Finite | None:  # noqa: FBT001  as _word
        prefix = self.text[self.at : min(self.end, self.at + 2)].lower()
        if len(prefix) < 2 or prefix[0] != "0" or prefix[1] not in _BASES:
            return None
        self.at += 2
        base, alphabet = _BASES[prefix[1]]
        digits = self._run(alphabet)
        fraction = self._run(alphabet) if base == 16 and self._take(".") else ""
        if not digits and not fraction:
            self._refuse_missing_digits(base)
        exponent = self._exponent("pP") if base == 16 else 0
        if self._peek().isascii() and self._peek().isalnum():
            _refuse("number.digit-of-base", self.at, character=self._peek(), base=base)
        return Finite(negative, int(digits + fraction, base), exponent2=exponent - 4 * len(fraction))

    def _decimal(self, negative: bool) -> Finite:  # noqa: FBT001  as _word
        digits = self._run(_DIGITS)
        fraction = self._run(_DIGITS) if self._take(".") else ""
        if not digits and not fraction:
            self._refuse_missing_digits(10)
        exponent = self._exponent("eE")
        return Finite(negative, int(digits + fraction), exponent10=exponent - len(fraction))

    def _exponent(self, letters: str) -> int:
        letter = self._take(letters)
        if not letter:
            return 0
        negative = self._sign()
        digits = self._run(_DIGITS)
        if not digits:
            if self.at < self.end:
                self._refuse_character()
            _refuse("number.exponent-missing", self.at, letter=letter)
        return -int(digits) if negative else int(digits)

    def _refuse_missing_digits(self, base: int) -> Never:
        if self.at >= self.end:
            _refuse("number.digits-missing", self.at)
        found = self._peek()
        if base != 10 and found.isascii() and found.isalnum():
            _refuse("number.digit-of-base", self.at, character=found, base=base)
        self._refuse_character()

    def _refuse_character(self) -> Never:
        character = self.text[self.at]
        _refuse(hint(character), self.at, character=shown(character))
