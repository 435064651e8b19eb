"""A model's config.json, a stranger's: values are checked as they are asked for, and become pairs of GGUF."""

from collections.abc import Mapping
from typing import Any

from app.weightfiles.gguf_layout import KeyValue, ValueType

MOST_LAYERS, MOST_HEAD_SIZE, MOST = 65_536, 1024, 1 << 31


class UnsupportedModel(Exception):
    """llama.cpp cannot run the model; `remark` is the id of the sentence that says why."""

    def __init__(self, remark: str) -> None:
        super().__init__(remark)
        self.remark = remark


class ModelSettings:
    """A config's values, checked as they are asked for, and the pairs made of them."""

    def __init__(self, config: Mapping[str, Any], architecture: str) -> None:
        self.config = config
        self.architecture = architecture
        self.pairs: list[KeyValue] = []

    def whole(self, *names: str, most: int = MOST, default: int | None = None) -> int:
        """A whole number from 1 to `most`, under the first of these names that is there."""
        value = next((self.config[name] for name in names if self.config.get(name) is not None), default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
            raise UnsupportedModel("remark.gguf-bad-config")
        return value

    def real(self, name: str, default: float | None = None) -> float:
        """A positive number."""
        return positive(self.config.get(name) if self.config.get(name) is not None else default)

    def demand(self, name: str, *usual: Any, default: Any = None) -> None:
        """Checks a setting that llama.cpp has no other way of; a missing one has that default, or is the usual one."""
        value = self.config.get(name, default)
        if value is not None and value not in usual:
            raise UnsupportedModel("remark.gguf-other-setting")

    def count(self, key: str, value: int) -> None:
        """Adds a pair of the architecture."""
        self.pairs.append(KeyValue(f"{self.architecture}.{key}", ValueType.UINT32, value))

    def number(self, key: str, value: float) -> None:
        """The same of a float32."""
        self.pairs.append(KeyValue(f"{self.architecture}.{key}", ValueType.FLOAT32, value))

    def layers(self) -> int:
        """How many layers there are."""
        return self.whole("num_hidden_layers", most=MOST_LAYERS)

    def sizes(self) -> tuple[int, int]:
        """What all architectures have: adds those pairs; heads, and numbers in a head."""
        heads = self.whole("num_attention_heads", most=MOST_LAYERS)
        hidden = self.whole("hidden_size")
        self.count("block_count", self.layers())
        self.count("embedding_length", hidden)
        self.count("feed_forward_length", self.whole("intermediate_size"))
        self.count("attention.head_count", heads)
        return heads, self.whole("head_dim", most=MOST_HEAD_SIZE, default=hidden // heads)


def positive(value: Any) -> float:
    """A positive number that float32 holds.

    Raises:
        UnsupportedModel: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e38:
        raise UnsupportedModel("remark.gguf-bad-config")
    return float(value)
