"""Look-up of sentences and of translations."""

import gettext
import io
from collections.abc import Mapping
from functools import cache
from importlib import resources

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from app.wording.languages import Language
from app.wording.sentences import SENTENCES


def say(message_id: str, figures: Mapping[str, object], language: Language = Language.ENGLISH) -> str:
    """The sentence of that id with its figures, in that language."""
    return translations(language).gettext(SENTENCES[message_id]).format(**figures)


@cache
def translations(language: Language) -> gettext.NullTranslations:
    """The catalog of a language, read from its .po files in memory: no compile step, no binary file to go stale."""
    if language is Language.ENGLISH:
        return gettext.NullTranslations()
    merged = Catalog(locale="zh_Hans")
    for entry in (resources.files("app.wording") / language.value).iterdir():
        if entry.name.endswith(".po"):
            for message in read_po(io.StringIO(entry.read_text(encoding="utf-8"))):
                if message.id:
                    merged.add(message.id, message.string, context=message.context)
    compiled = io.BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
