"""Files whose parts contradict each other: read, or refused with one of our sentences, never anything else."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from app.errors import WeightFileError
from app.tasks.threads import one_thread
from app.wording import say
from tests.layouts.made import NAMES, Made, made
from tests.layouts.reading import read_back, save


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.mark.parametrize("name", NAMES)
def test_what_is_mutated_below_is_whole(tmp_path: Path, name: str) -> None:
    whole = made(name)
    found = read_back(save(tmp_path, whole.tensors, whole.config, whole.metadata))
    (back,) = found.values()
    assert back.weight.encoding is not None
    assert back.weight.shape in {(9, 31), (9, 64), (10, 31), (32, 64)}
    assert {part.name for part in back.weight.parts} == set(whole.tensors)
    assert back.weight.bytes == sum(tensor.nbytes for tensor in whole.tensors.values())


@pytest.mark.parametrize("name", NAMES)
def test_rows_may_be_none(tmp_path: Path, name: str) -> None:
    whole = made(name)
    tensors = {each: tensor[:0] if tensor.dim() else tensor for each, tensor in whole.tensors.items()}
    read_or_refuse(tmp_path, Made(tensors, whole.config, whole.metadata))


_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.sampled_from([0, 1, 2, 3, 4, 7, 8, 16, 31, 32, 64, 128, -1]),
    st.floats(),
    st.text(max_size=6),
    st.lists(st.integers(-2, 300), max_size=4),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
)
_DTYPES = (
    torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64, torch.uint32, torch.float16, torch.bfloat16,
    torch.float32, torch.float64, torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e8m0fnu, torch.bool,
)  # fmt: skip


def _mutate_tensor(draw: st.DrawFn, tensor: Tensor) -> Tensor:
    kind = draw(st.sampled_from(["dtype", "shape", "cut", "contents", "flat", "more"]))
    if kind == "dtype":
        return tensor.to(torch.float32).nan_to_num(1).to(draw(st.sampled_from(_DTYPES)))
    if kind == "shape":
        shape = draw(st.lists(st.integers(0, 70), max_size=4))
        size = 1
        for each in shape:
            size *= each
        return torch.zeros(shape if size < 20_000 else [1], dtype=tensor.dtype)
    if kind == "contents":
        seed = draw(st.integers(0, 1000))
        generator = torch.Generator().manual_seed(seed)
        stored = torch.randint(0, 256, (tensor.nbytes,), dtype=torch.uint8, generator=generator)
        return stored.view(tensor.dtype).view(tensor.shape) if tensor.dim() else tensor
    if kind == "flat":
        return tensor.reshape(-1)
    if kind == "more":
        return tensor[None] if draw(st.booleans()) else tensor[..., None]
    if not tensor.dim():
        return tensor
    dimension = draw(st.integers(0, tensor.dim() - 1))
    return tensor.narrow(dimension, 0, draw(st.integers(0, tensor.shape[dimension]))).contiguous()


def _mutate_document(draw: st.DrawFn, document: Any) -> Any:
    """One place of a JSON document changed."""
    if isinstance(document, dict) and document and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(document)))
        if draw(st.integers(0, 4)) == 0:
            return {name: value for name, value in document.items() if name != key}
        return {**document, key: _mutate_document(draw, document[key])}
    if isinstance(document, list) and document and draw(st.booleans()):
        place = draw(st.integers(0, len(document) - 1))
        return [*document[:place], _mutate_document(draw, document[place]), *document[place + 1 :]]
    return draw(_ODD)


@st.composite
def mutated(draw: st.DrawFn) -> Made:
    """A whole file with up to three things changed."""
    whole = made(draw(st.sampled_from(NAMES)))
    tensors, config, metadata = dict(whole.tensors), copy.deepcopy(whole.config), dict(whole.metadata)
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["tensor", "drop", "config", "metadata", "state", "config gone"]))
        name = draw(st.sampled_from(sorted(tensors)))
        if kind == "tensor":
            tensors[name] = _mutate_tensor(draw, tensors[name])
        elif kind == "drop" and len(tensors) > 1:
            del tensors[name]
        elif kind == "config":
            config = _mutate_document(draw, config)
        elif kind == "config gone":
            config = {}
        elif kind == "metadata" and metadata:
            key = draw(st.sampled_from(sorted(metadata)))
            metadata[key] = json.dumps(_mutate_document(draw, json.loads(metadata[key])))
        elif kind == "state":
            state = next((each for each in tensors if "quant_state" in each), None)
            if state is not None and tensors[state].dtype is torch.uint8:
                tensors[state] = _mutated_state(draw, tensors[state])
    return Made(tensors, config, metadata)


def _mutated_state(draw: st.DrawFn, stored: Tensor) -> Tensor:
    try:
        document = json.loads(bytes(stored.flatten().tolist()))
    except ValueError:
        return stored
    text = json.dumps(_mutate_document(draw, document)).encode()
    return torch.tensor(list(text), dtype=torch.uint8)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changed=mutated())
def test_contradictions(tmp_path: Path, changed: Made) -> None:
    read_or_refuse(tmp_path, changed)


def read_or_refuse(folder: Path, changed: Made) -> None:
    """The one or the other; fails at anything else."""
    path = save(folder, changed.tensors, changed.config, changed.metadata or None)
    try:
        found = read_back(path)
    except WeightFileError as error:
        # A refusal: one of this layer's, with a sentence.
        assert error.code.startswith("layout."), error  # noqa: PT017
        assert say(error.code, error.figures)  # noqa: PT017
        return
    for back in found.values():
        assert back.numbers.shape == back.weight.shape
