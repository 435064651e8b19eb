"""One literal of number text: a cursor that reads decimals, hex floats, prefixed integers, infinities and NaNs."""

from typing import Never

from app.errors import NumberSyntaxError
from app.exact.characters import hint, shown
from app.exact.number import Finite, Infinity, NaN

_DIGITS = "0123456789"
_BASES = {"x": (16, "0123456789abcdefABCDEF"), "b": (2, "01"), "o": (8, "01234567")}


def refuse(code: str, position: int, **figures: str | int) -> Never:
    """Raise the error of that code, pointing at the character."""
    raise NumberSyntaxError(code, position=position, place=position + 1, **figures)


class LiteralReader:
    """A cursor over the text; each method consumes what it names, or leaves the cursor where it was."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = len(text) - len(text.lstrip(" "))
        self.end = len(text.rstrip(" "))

    def literal(self) -> Finite:
        """One finite number without a sign."""
        return self._prefixed() or self._decimal()

    def skip_spaces(self) -> None:
        """Go on to what is no space."""
        while self.at < self.end and self.text[self.at] == " ":
            self.at += 1

    def peek(self) -> str:
        """The next character; empty at the end."""
        return self.text[self.at] if self.at < self.end else ""

    def take(self, characters: str) -> str:
        """One character, if it is one of these."""
        found = self.peek()
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

    def sign(self) -> bool:
        """Whether a minus was there; a plus is passed over."""
        return self.take("+-") == "-"

    def special(self, *, negative: bool) -> Infinity | NaN | None:
        """Infinity or NaN, if one of their words follows."""
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
            refuse("number.signalling-payload", self.at - 1)
        return NaN(negative, payload, signalling)

    def _payload(self) -> int | None:
        if not self.take("("):
            return None
        base, alphabet = 10, _DIGITS
        if self.text[self.at : self.at + 2].lower() == "0x":
            self.at += 2
            base, alphabet = _BASES["x"]
        digits = self._run(alphabet)
        if not digits or not self.take(")"):
            refuse("number.payload", self.at)
        return int(digits, base)

    def _prefixed(self) -> Finite | None:
        prefix = self.text[self.at : min(self.end, self.at + 2)].lower()
        if len(prefix) < 2 or prefix[0] != "0" or prefix[1] not in _BASES:
            return None
        self.at += 2
        base, alphabet = _BASES[prefix[1]]
        digits = self._run(alphabet)
        fraction = self._run(alphabet) if base == 16 and self.take(".") else ""
        if not digits and not fraction:
            self._refuse_missing_digits(base)
        exponent = self._exponent("pP") if base == 16 else 0
        if self.peek().isascii() and self.peek().isalnum():
            refuse("number.digit-of-base", self.at, character=self.peek(), base=base)
        return Finite(negative=False, numerator=int(digits + fraction, base), exponent2=exponent - 4 * len(fraction))

    def _decimal(self) -> Finite:
        digits = self._run(_DIGITS)
        fraction = self._run(_DIGITS) if self.take(".") else ""
        if not digits and not fraction:
            self._refuse_missing_digits(10)
        exponent = self._exponent("eE")
        return Finite(negative=False, numerator=int(digits + fraction), exponent10=exponent - len(fraction))

    def _exponent(self, letters: str) -> int:
        letter = self.take(letters)
        if not letter:
            return 0
        negative = self.sign()
        digits = self._run(_DIGITS)
        if not digits:
            if self.at < self.end:
                self.refuse_character()
            refuse("number.exponent-missing", self.at, letter=letter)
        return -int(digits) if negative else int(digits)

    def _refuse_missing_digits(self, base: int) -> Never:
        if self.at >= self.end:
            refuse("number.digits-missing", self.at)
        found = self.peek()
        if base != 10 and found.isascii() and found.isalnum():
            refuse("number.digit-of-base", self.at, character=found, base=base)
        self.refuse_character()

    def refuse_character(self) -> Never:
        """Refuse the next character, with the hint that helps."""
        character = self.text[self.at]
        refuse(hint(character), self.at, character=shown(character))
