"""Text to number: a linear, hand-written reader of an ASCII grammar. Nothing is evaluated, nothing large is built.

number  = special | sum                                spaces are allowed around numbers and operators, never inside one
special = [sign] ("inf" | "infinity" | ("nan" | "snan") ["(" digits or 0x digits ")"])       alone, in any case
sum     = product {("+" | "-") product}                product = signed {("*" | "/") signed}
signed  = [sign] power                                 power = atom ["^" signed], so -2^2 is -4 and 2^3^2 is 512
atom    = decimal | hex | integer | "(" sum ")"
decimal = digits ["." [digits]] [("e"|"E") [sign] digits]  |  "." digits ...          010 is ten
hex     = "0x" like decimal in hexadecimal digits, its exponent ("p"|"P") a decimal power of two
integer = "0b" binary digits | "0o" octal digits
"""

from app.exact.expression import Expression
from app.exact.literals import LiteralReader, refuse
from app.exact.number import Number

LONGEST_TEXT = 4096
"""Characters of a number's text: below the 4,300 digits at which CPython refuses to convert."""


def parse(text: str) -> Number:
    """The number that the text spells.

    Raises:
        NumberSyntaxError: with `position`, the 0-based index of the character that does not belong (the length of
            the text where something is missing at its end) and `place`, the same counted from 1.
    """
    if len(text) > LONGEST_TEXT:
        refuse("number.too-long", LONGEST_TEXT, limit=LONGEST_TEXT, length=len(text))
    reader = LiteralReader(text)
    if reader.at >= reader.end:
        refuse("number.empty", 0)
    start = reader.at
    special = reader.special(negative=reader.sign())
    if special is None:
        reader.at = start
        return Expression(reader).number()
    if reader.at < reader.end:
        Expression(reader).refuse_beside_special()
    return special
