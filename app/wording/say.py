"""Look-up of sentences and of translations."""

import gettext
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import Formatter

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from app.wording.languages import Language
from app.wording.sentences import SENTENCES


def say(message_id: str, figures: Mapping[str, object], language: Language = Language.ENGLISH) -> str:
    """The sentence of that id with its figures, in that language; a figure `in_part` is the file that it is about."""
    sentence = translations(language).gettext(SENTENCES[message_id]).format(**figures)
    if "in_part" not in figures:
        return sentence
    prefixed = translations(language).gettext(SENTENCES["source.in-part"])
    return prefixed.format(part=figures["in_part"], sentence=sentence)


@dataclass(frozen=True, slots=True)
class SentencePart:
    """A run of a sentence; `kind` is `text`, or says what a figure set apart from the words is."""

    kind: str
    text: str


def say_in_parts(
    message_id: str, figures: Mapping[str, object], kinds: Mapping[str, str], language: Language
) -> tuple[SentencePart, ...]:
    """The same sentence with the figures named in `kinds` set apart, each with its kind."""
    template = translations(language).gettext(SENTENCES[message_id])
    parts, text = [], ""
    for literal, name, _, _ in Formatter().parse(template):
        text += literal
        if name is None:
            continue
        if name in kinds and isinstance(figures[name], str):
            parts += [SentencePart("text", text), SentencePart(kinds[name], str(figures[name]))]
            text = ""
        else:
            text += str(figures[name])
    return tuple(part for part in (*parts, SentencePart("text", text)) if part.text)


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
