"""Which hint helps for a character that does not belong in a number, and how to name it safely."""

import unicodedata

_MINUS_SIGNS = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_SEPARATORS = ", _'\u2019"
_OPERATORS = "+-*/^()!<>=%"


def hint(character: str) -> str:
    """The code of the sentence that says what to do about this character."""
    if character in _MINUS_SIGNS:
        return "number.minus-sign"
    if character in _SEPARATORS:
        return "number.separator"
    if character == ".":
        return "number.second-point"
    if character in _OPERATORS:
        return "number.operator"
    if character.isascii():
        return "number.unexpected-character" if character.isprintable() else "number.invisible-character"
    if character.isnumeric() or character == "\u221e":
        return "number.foreign-digit"
    if character.isspace() or not character.isprintable():
        return "number.invisible-character"
    return "number.unexpected-character"


def shown(character: str) -> str:
    """The character itself where it prints, with its code point outside ASCII; else its code point and name alone."""
    if character.isascii() and character.isprintable() and character != " ":
        return character
    name = " ".join(part for part in (f"U+{ord(character):04X}", unicodedata.name(character, "")) if part)
    return f"{character} ({name})" if character.isprintable() and character != " " else name
