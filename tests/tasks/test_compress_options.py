"""Every option that can be chosen, and the sentence for each that cannot."""

import json

import pytest

from app.errors import InvalidInput
from app.schemes.scheme import ScaleRule
from app.tasks.compress_options import SCHEMES, CompressOptions, parse_size
from app.wording import Language, say


@pytest.mark.parametrize("name", [entry.name for entry in SCHEMES])
def test_options_survive_json(name: str) -> None:
    options = CompressOptions(scheme=name, include=("a*",), exclude=("b", "c"), max_shard_size=None)
    again = CompressOptions.from_json(json.loads(json.dumps(options.to_json())))
    assert again == options
    assert again.chosen == options.chosen


def test_defaults_are_the_engines() -> None:
    options = CompressOptions.from_json({"scheme": "int8", "granularity": "", "scale": None})
    assert str(options.chosen.scheme().partition) == "channel"
    assert options.chosen.choices.scale is ScaleRule.MSE
    assert options.output_layout.name == "compressed-tensors"
    assert CompressOptions(scheme="float16").output_layout.name == "safetensors"


def test_words_and_fields_say_the_same() -> None:
    words = CompressOptions(scheme="int4:group=32:asymmetric:percentile=99.5")
    fields = CompressOptions(scheme="int4", granularity="group=32", symmetric=False, scale="percentile=99.5")
    assert words.chosen == fields.chosen
    assert CompressOptions(scheme="int4:group=32", granularity="channel").chosen.options.granularity == "channel"


def test_the_last_pattern_that_matches_gives_the_scheme() -> None:
    options = CompressOptions(scheme="int4", set=("*.mlp.*=int8", "*.0.mlp.up*=nvfp4", "x=fp8:channel"))
    assert options.scheme_of("layers.0.mlp.up_proj.weight").name == "nvfp4"
    assert options.scheme_of("layers.1.mlp.up_proj.weight").name == "int8"
    assert options.scheme_of("layers.1.attn.q.weight").name == "int4"
    assert options.scheme_of("x").options.granularity == "channel"


@pytest.mark.parametrize(
    ("text", "size"), [("5GB", 5 * 10**9), ("500MiB", 500 << 20), ("1.5 gb", 1_500_000_000), ("2000000", 2_000_000)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({}, "options.no-scheme"),
        ({"scheme": "nothing"}, "scheme.unknown"),
        ({"scheme": 8}, "options.type"),
        ({"scheme": "int8", "granularity": "rows"}, "scheme.granularity"),
        ({"scheme": "float16", "granularity": "channel"}, "scheme.option"),
        ({"scheme": "int8", "scale": "best"}, "options.scale"),
        ({"scheme": "float16", "scale": "absmax"}, "scheme.option"),
        ({"scheme": "int8:rotation=1"}, "scheme.option"),
        ({"scheme": "int8:loud"}, "scheme.word"),
        ({"scheme": "int8", "symmetric": "no"}, "options.type"),
        ({"scheme": "int8", "include": "a"}, "options.type"),
        ({"scheme": "int8", "include": [1]}, "options.type"),
        ({"scheme": "int8", "include": [""]}, "options.pattern-length"),
        ({"scheme": "int8", "exclude": ["x" * 257]}, "options.pattern-length"),
        ({"scheme": "int8", "exclude": ["x"] * 65}, "options.too-many-patterns"),
        ({"scheme": "int8", "set": ["a"]}, "options.set"),
        ({"scheme": "int8", "set": ["a=nothing"]}, "scheme.unknown"),
        ({"scheme": "int8", "layout": "zip"}, "layout.unknown"),
        ({"scheme": "int8", "layout": "safetensors"}, "layout.scheme"),
        ({"scheme": "int8", "max_shard_size": "5 miles"}, "options.size"),
        ({"scheme": "int8", "max_shard_size": "10"}, "options.size"),
        ({"scheme": "int8", "colour": "red"}, "options.unknown"),
    ],
)
def test_wrong_options_are_refused_with_a_sentence(document, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        CompressOptions.from_json(document)
    assert caught.value.code == code
    assert all(say(code, caught.value.figures, language) for language in Language)
