"""The one family of errors that a user may see: a stable code and figures, no prose.

`app.wording` turns a code and its figures into a sentence in the reader's language; `app.web` turns the class into an
HTTP status and `app.cli` into an exit code. A message therefore lives in one place only.
"""

from collections.abc import Mapping

Figure = str | int


class AppError(Exception):
    """Something that the user can understand and mend.

    `code` is stable and names the sentence (`number.unexpected-character`); `figures` are what the sentence quotes.
    """

    def __init__(self, code: str, **figures: Figure) -> None:
        super().__init__(code)
        self.code = code
        self.figures: Mapping[str, Figure] = figures

    def __str__(self) -> str:
        figures = " ".join(f"{name}={value!r}" for name, value in self.figures.items())
        return f"{self.code} {figures}".rstrip()

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.code, dict(self.figures)))


def _rebuild(kind: type[AppError], code: str, figures: dict[str, Figure]) -> AppError:
    return kind(code, **figures)


class InvalidInput(AppError):
    """What was typed or asked for cannot be used as it is."""


class NumberSyntaxError(InvalidInput):
    """Text that is no number; the figure `position` (0-based) points at the character."""


class WeightFileError(AppError):
    """A weight file that breaks a rule of its container, or holds what the chosen scheme cannot store."""


class NotFound(AppError):
    """Nothing of that name, or nothing that this owner may see: the two look the same."""


class TooLarge(AppError):
    """Beyond a documented limit; the figure `limit` says which."""


class Conflict(AppError):
    """It exists already, or is in a state that does not allow this."""


class Forbidden(AppError):
    """A request from another site, or one that no owner may make."""


class StorageFull(AppError):
    """The disk or the owner's quota has no room left."""


class Busy(AppError):
    """More work than the service takes at once; trying again later helps."""


class JobCrashed(AppError):
    """A job's process died more often than it is restarted."""
