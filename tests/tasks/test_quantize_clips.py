"""Many clipping points in one pass give what quantizing the matrix at each of them gives."""

import math

import pytest
import torch

from app.metrics.tensor_error import tensor_error
from app.schemes.grid_scheme import GridScheme
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices, ScaleRule
from app.tasks.quantize_clips import GridClips, PairClips, clip_points, clips_of
from app.tasks.scheme_words import read_scheme

CLIPS = (0.1, 0.37, 0.8, 1.0, 1.55)


@pytest.mark.parametrize(
    "text", ["int8:tensor", "int4:channel", "int3:group=4", "int2:block=2x3", "fp8:tensor", "nf4", "mxfp4"]
)
def test_as_quantizing_at_each_point(text: str) -> None:
    values = torch.randn(5, 7, generator=torch.Generator().manual_seed(3))
    values[2] = 0
    scheme = find_scheme(*((choice := read_scheme(text)).name, choice.options))
    assert isinstance(scheme, GridScheme)
    moved = clips_of(scheme, values)
    assert isinstance(moved, GridClips)
    full, storable = moved.full, scheme.fitted_format(values)
    for point in clip_points(values, scheme, CLIPS):
        scales = storable.nearest(torch.where(full == 0, 1.0, full * point.clip))
        stored = scheme.with_scales(values, scales, storable)
        figures = tensor_error(values, scheme.dequantize(stored)).figures
        assert point.mse == pytest.approx(figures.mse, rel=1e-9)
        assert point.sqnr_db == pytest.approx(figures.sqnr_db, rel=1e-9)
        ends = [
            scheme.partition.spread(scales * end, stored.shape) for end in (scheme.grid.smallest, scheme.grid.largest)
        ]
        assert point.clipped_share == int(((values < ends[0]) | (values > ends[1])).sum()) / values.numel()


@pytest.mark.parametrize(
    "text", ["affine4:group=8", "int4:asymmetric:group=8", "int3:zero=float:channel", "q4_1", "q5_1"]
)
def test_pairs_clipped_at_their_ends_are_those_of_absmax(text: str) -> None:
    values = torch.randn(4, 32, generator=torch.Generator().manual_seed(5)) + 0.4
    choice = read_scheme(text)
    scheme = find_scheme(choice.name, choice.options)
    moved = clips_of(scheme, values)
    assert isinstance(moved, PairClips)
    stored = scheme.quantize(values, Choices(scale=ScaleRule.ABSMAX))
    figures = tensor_error(values, scheme.dequantize(stored)).figures
    whole, half = clip_points(values, scheme, [1.0, 0.5])
    assert whole.mse == pytest.approx(figures.mse, rel=1e-9)
    assert half.clipped_share > whole.clipped_share
    assert moved.chosen(stored) == pytest.approx(torch.ones(len(moved.blocks)), abs=0.2)


@pytest.mark.parametrize("text", ["q4_0", "q8_0", "iq4_nl", "gguf_mxfp4", "gguf_nvfp4"])
def test_blocks_of_gguf_move_too(text: str) -> None:
    values = torch.randn(2, 64, generator=torch.Generator().manual_seed(6))
    scheme = find_scheme(text)
    moved = clips_of(scheme, values)
    assert isinstance(moved, GridClips)
    best = min(point.mse or 0 for point in clip_points(values, scheme, [0.7, 0.8, 0.9, 1.0, 1.1]))
    chosen = tensor_error(values, scheme.dequantize(scheme.quantize(values, Choices()))).figures.mse
    assert chosen is not None
    assert 0 < chosen <= best * 1.01
    assert bool((moved.chosen(scheme.quantize(values, Choices())) > 0.5).all())


def test_passes_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    values = torch.randn(8, 8, generator=torch.Generator().manual_seed(4))
    scheme = find_scheme("int4")
    assert isinstance(scheme, GridScheme)
    whole = clip_points(values, scheme, CLIPS)
    monkeypatch.setattr("app.tasks.quantize_clips._TOGETHER", 1)
    assert clip_points(values, scheme, CLIPS) == whole


def test_nothing_to_lose_and_nothing_there() -> None:
    scheme = find_scheme("int8")
    assert isinstance(scheme, GridScheme)
    (zero,) = clip_points(torch.zeros(2, 2), scheme, [0.5])
    assert (zero.mse, zero.sqnr_db, zero.clipped_share) == (0, math.inf, 0)
    (huge,) = clip_points(torch.full((1, 2), 3e38), scheme, [0.1])
    assert huge.mse is not None
    assert huge.clipped_share == 1
