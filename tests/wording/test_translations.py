"""Every sentence exists, is used, and is said in every language with the same figures."""

import ast
import importlib
import io
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from app import errors
from app.wording import Language, say, sentences, translations
from app.wording.sentences import SENTENCES

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
CODE = re.compile(r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*\.[a-z0-9]+(?:-[a-z0-9]+)*")
NAMED = re.compile(r"%\((\w+)\)s|%\((\w+)\)d|\{(\w+)\}")
RAISED = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.AppError)}


def placeholders(text: str) -> set[str]:
    return {name for match in NAMED.findall(text) for name in match if name}


def page_texts() -> set[str | tuple[str, str]]:
    """What templates and web modules hand to gettext."""
    found: set[str | tuple[str, str]] = set()
    sources = [(path, "jinja2") for path in (ROOT / "templates").rglob("*.html")]
    sources += [(path, "python") for path in (APP / "web").rglob("*.py")]
    for path, method in sources:
        with path.open("rb") as file:
            options = {"newstyle_gettext": "true"} if method == "jinja2" else {}
            for _, message, _, _ in extract(method, file, options=options):
                found.add(message if isinstance(message, str) else (message[0], message[1]))
    return found


def translated() -> dict[str, dict[str | tuple[str, str], str]]:
    """The Chinese texts by file and English text."""
    catalogs = {}
    for path in (APP / "wording" / "zh").glob("*.po"):
        catalog = read_po(io.StringIO(path.read_text(encoding="utf-8")))
        catalogs[path.name] = {
            message.id if isinstance(message.id, str) else tuple(message.id): (
                message.string if isinstance(message.string, str) else message.string[0]
            )
            for message in catalog
            if message.id
        }
    return catalogs


def constants(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in APP.rglob("*.py"):
        if "sentences" not in path.parts:
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def codes_given() -> dict[str, str]:
    """The message ids that are written where an error is raised or a step is told."""
    found = {}
    for path, tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            first = node.args[0]
            if name in RAISED | {"Step"} and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found[first.value] = path.name
    return found


def test_each_raised_code_and_each_step_has_a_sentence() -> None:
    assert {code: where for code, where in codes_given().items() if code not in SENTENCES} == {}
    assert len(codes_given()) > 50


def test_each_sentence_is_used() -> None:
    used = {text for _, tree in trees() for text in constants(tree)}
    stems = {text for text in used if text.endswith((".", "-"))}
    unused = [code for code in SENTENCES if code not in used and not code.startswith(tuple(stems))]
    assert unused == []


def test_no_sentence_is_written_twice() -> None:
    names = [module.name for module in pkgutil.iter_modules(sentences.__path__)]
    parts = [importlib.import_module(f"app.wording.sentences.{name}").SENTENCES for name in names]
    assert sum(len(part) for part in parts) == len(SENTENCES)
    for code, sentence in SENTENCES.items():
        assert CODE.fullmatch(code), code
        assert sentence.strip() == sentence, code
        assert "!" not in sentence.replace("!=", ""), code


def test_each_sentence_is_translated_with_the_same_figures() -> None:
    chinese = {english: text for part in translated().values() for english, text in part.items()}
    for code, sentence in SENTENCES.items():
        assert chinese.get(sentence), f"{code} is not translated"
        assert placeholders(chinese[sentence]) == placeholders(sentence), code


def test_each_text_of_a_page_is_translated_with_the_same_figures() -> None:
    chinese = {english: text for part in translated().values() for english, text in part.items()}
    for english in page_texts():
        assert chinese.get(english), f"{english!r} is not translated"
        first = english if isinstance(english, str) else english[0]
        assert placeholders(chinese[english]) == placeholders(first), english


def test_no_translation_is_left_over_or_given_twice() -> None:
    known = page_texts() | set(SENTENCES.values())
    seen: set[str | tuple[str, str]] = set()
    for name, part in translated().items():
        assert [english for english in part if english not in known] == [], name
        assert [english for english in part if english in seen] == [], name
        seen |= set(part)


def test_say_fills_in_the_figures_in_both_languages() -> None:
    assert "no format named “e9m9”" in say("format.unknown", {"name": "e9m9"})
    assert "“e9m9”" in say("format.unknown", {"name": "e9m9"}, Language.CHINESE)
    assert translations(Language.CHINESE).gettext("mantissa") == "尾数"


def test_a_sentence_without_its_figure_fails() -> None:
    with pytest.raises(KeyError):
        say("format.unknown", {})
