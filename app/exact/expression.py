"""Expressions of finite literals: + - * / ^ and parentheses, read from left to right with a bounded depth."""

from typing import Never

from app.exact.expression_arithmetic import Arithmetic, check_reach, negated
from app.exact.literals import LiteralReader, refuse
from app.exact.number import Finite

DEEPEST = 64
"""Parentheses and powers inside each other."""


class Expression:
    """The grammar's levels, one method each: sum, product, signed, power, atom."""

    def __init__(self, reader: LiteralReader) -> None:
        self.reader = reader
        self.arithmetic = Arithmetic()
        self.depth = 0
        self.opened: list[int] = []
        self.operator = ""
        """The last one read, which wants a number behind it."""

    def number(self) -> Finite:
        """The value of the whole text."""
        start = self.reader.at
        value = self._sum()
        if self.reader.at < self.reader.end:
            self._refuse_behind_number()
        return check_reach(value, start)

    def refuse_beside_special(self) -> Never:
        """An infinity or a NaN stands alone; what follows it does not belong."""
        reader = self.reader
        at = reader.at
        reader.skip_spaces()
        if reader.peek() in tuple("+-*/^"):
            refuse("number.special-not-alone", reader.at)
        reader.at = at
        reader.refuse_character()

    def _sum(self) -> Finite:
        value = self._product()
        while (operator := self._operator("+-")) is not None:
            at = operator
            right = self._product_after(at)
            value = self.arithmetic.add(value, right, at)
        return value

    def _product_after(self, at: int) -> Finite:
        right = self._product()
        return negated(right) if self.reader.text[at] == "-" else right

    def _product(self) -> Finite:
        value = self._signed()
        while (at := self._operator("*/")) is not None:
            right = self._signed()
            if self.reader.text[at] == "*":
                value = self.arithmetic.multiply(value, right, at)
            else:
                value = self.arithmetic.divide(value, right, at)
        return value

    def _signed(self) -> Finite:
        self.reader.skip_spaces()
        negative = self.reader.sign()
        value = self._power()
        return negated(value) if negative else value

    def _power(self) -> Finite:
        base = self._atom()
        at = self._operator("^")
        if at is None:
            return base
        self._enter(at)
        exponent = self._signed()
        self.depth -= 1
        return self.arithmetic.power(base, exponent, at)

    def _atom(self) -> Finite:
        reader = self.reader
        reader.skip_spaces()
        opened = reader.at
        if not reader.take("("):
            self._require_number()
            return reader.literal()
        self._enter(opened)
        self.opened.append(opened)
        self.operator = "("
        value = self._sum()
        reader.skip_spaces()
        if reader.at >= reader.end:
            refuse("number.parenthesis-open", reader.at, opened=opened + 1)
        if not reader.take(")"):
            self._refuse_behind_number()
        self.opened.pop()
        self.depth -= 1
        return value

    def _enter(self, at: int) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            refuse("number.too-deep", at, limit=DEEPEST)

    def _operator(self, operators: str) -> int | None:
        """The place of one of these operators, now read; the cursor stays where it was if none follows."""
        reader, before = self.reader, self.reader.at
        reader.skip_spaces()
        at = reader.at
        found = reader.take(operators)
        if not found:
            reader.at = before
            return None
        self.operator = found
        return at

    def _require_number(self) -> None:
        """Refuse here what is no number and would be told better than by its first character alone."""
        reader = self.reader
        found, at = reader.peek(), reader.at
        if found == "*" and self.operator == "*" and at and reader.text[at - 1] == "*":
            refuse("number.double-star", at)
        if self.operator and (found in ("", ")")):
            refuse("number.operand-missing", at, operator=self.operator)
        if found == ")":
            refuse("number.parenthesis-close", at)
        if reader.special(negative=False) is not None:
            refuse("number.special-not-alone", at)

    def _refuse_behind_number(self) -> Never:
        reader, before = self.reader, self.reader.at
        reader.skip_spaces()
        found = reader.peek()
        if found == ")":
            refuse("number.parenthesis-close", reader.at)
        if found == "(" or (found in "0123456789." and reader.text[before - 1] == ")"):
            refuse("number.operator-missing", reader.at)
        if found in "0123456789.":
            # A space among digits groups thousands: the hint is about the space.
            reader.at = before
        reader.refuse_character()
