import json

import pytest

from app.errors import InvalidInput
from app.tasks.compress_options import SCHEMES, CompressOptions
from app.wording import Language, say


@pytest.mark.parametrize("card", SCHEMES, ids=lambda card: card.name)
def test_options_survive_json(card) -> None:
    for granularity in card.granularities or (None,):
        options = CompressOptions(scheme=card.name, granularity=granularity, include=("a*",), exclude=("b", "c"))
        assert CompressOptions.from_json(json.loads(json.dumps(options.to_json()))) == options


def test_defaults_are_filled_in() -> None:
    options = CompressOptions.from_json({"scheme": "int8", "granularity": "", "scale": None})
    assert (options.granularity, options.scale, options.symmetric) == ("channel", "absmax", True)
    assert CompressOptions(scheme="float16").granularity is None


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({}, "options.scheme"),
        ({"scheme": "int9"}, "options.scheme"),
        ({"scheme": 8}, "options.type"),
        ({"scheme": "int8", "granularity": "group=128"}, "options.choice"),
        ({"scheme": "float16", "granularity": "channel"}, "options.not-taken"),
        ({"scheme": "int8", "scale": "mse"}, "options.choice"),
        ({"scheme": "int8", "symmetric": False}, "options.asymmetric"),
        ({"scheme": "int8", "symmetric": "no"}, "options.type"),
        ({"scheme": "int8", "include": "a"}, "options.type"),
        ({"scheme": "int8", "include": [1]}, "options.type"),
        ({"scheme": "int8", "include": [""]}, "options.pattern-length"),
        ({"scheme": "int8", "exclude": ["x" * 257]}, "options.pattern-length"),
        ({"scheme": "int8", "exclude": ["x"] * 65}, "options.too-many-patterns"),
        ({"scheme": "int8", "colour": "red"}, "options.unknown"),
    ],
)
def test_wrong_options_are_refused_with_a_sentence(document, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        CompressOptions.from_json(document)
    assert caught.value.code == code
    assert all(say(code, caught.value.figures, language) for language in Language)
