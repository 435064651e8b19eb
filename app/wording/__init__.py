"""From message ids and figures to sentences, in English and Chinese."""

from app.wording.languages import Language
from app.wording.say import SentencePart, say, say_in_parts, translations

__all__ = ["Language", "SentencePart", "say", "say_in_parts", "translations"]
