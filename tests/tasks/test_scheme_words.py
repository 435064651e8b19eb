"""Schemes as words: a custom format's name holds colons of its own."""

import pytest

from app.errors import InvalidInput
from app.tasks.scheme_words import read_scheme, scheme_text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("e4m3:bias=8:specials=nan-only", "e4m3:bias=8:specials=nan-only"),
        ("e3m2:specials=ieee:stochastic=3", "e3m2:specials=ieee"),
        ("posit16:stochastic=1", "posit16"),
        ("int8:tensor:absmax", "int8"),
    ],
)
def test_the_name_ends_where_the_options_of_the_scheme_begin(text: str, name: str) -> None:
    choice = read_scheme(text)
    assert choice.name == name
    assert scheme_text(choice) == text


@pytest.mark.parametrize("text", ["e5m2:bogus", "e4m3:bias=x", "int8:bias=8"])
def test_a_word_that_says_nothing_is_named(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_scheme(text)
    assert caught.value.code == "scheme.word"
    assert caught.value.figures["word"] == text.partition(":")[2]
