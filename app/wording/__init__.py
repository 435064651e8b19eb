"""From message ids and figures to sentences, in English and Chinese."""

from app.wording.languages import Language
from app.wording.say import say, translations

__all__ = ["Language", "say", "translations"]
