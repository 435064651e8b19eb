"""What compressed-tensors itself makes of the tensors and the config that are written for it."""

from pathlib import Path

import pytest
import torch

from app.errors import InvalidInput
from app.layouts.compressed_tensors_config import WeightArguments, quantization_config
from app.layouts.compressed_tensors_writing import CompressedTensorsSession
from app.layouts.weights import Weight
from app.layouts.writing import Obstacle
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.storage_types import BY_FORMAT
from tests.layouts.coding import NAME, Coded, chosen

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

WORDS = [
    *(f"int{bits}" for bits in range(2, 9)),
    *(f"int{bits}:channel:absmax" for bits in range(2, 9)),
    *(f"int{bits}:asymmetric:group=32:absmax" for bits in range(2, 9)),
    "int8:asymmetric:channel",
    *("int4:tensor", "int8:tensor:absmax", "int8:tensor:percentile=99.5", "int8:tensor:asymmetric"),
    *("fp8", "fp8:tensor", "fp8:group=128", "fp8:block=128x128", "fp8:block=64x48"),
    *("nvfp4", "nvfp4:absmax", "nvfp4:mx=four-over-six", "mxfp4", "mxfp4:mx=floor", "mxfp6", "mxfp8", "mxfp8:mx=rceil"),
]


def read_by_owner(coded: Coded) -> torch.Tensor:
    from compressed_tensors.compressors import BaseCompressor
    from compressed_tensors.compressors.format import infer_module_format
    from compressed_tensors.quantization import QuantizationConfig

    config = QuantizationConfig.model_validate(coded.description.config["quantization_config"])
    (scheme,) = config.config_groups.values()
    assert infer_module_format(torch.nn.Linear, scheme).value == config.format == scheme.format
    compressor = BaseCompressor.get_value_from_registry(config.format)
    state = {f"weight{name.removeprefix(NAME)}": tensor for name, tensor in coded.tensors.items()}
    return compressor.decompress(state, scheme)["weight"]


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_owner_reads_what_we_read(words: str, dtype: torch.dtype, tmp_path: Path) -> None:
    values = torch.randn(76, 384, generator=torch.Generator().manual_seed(5)).to(dtype) * 0.02
    coded = Coded(tmp_path, "compressed-tensors", words, values, band_elements=4096)
    theirs, ours = read_by_owner(coded), coded.read_back(tmp_path)
    assert ours.dtype == theirs.dtype
    assert torch.equal(ours.view(torch.uint8), theirs.view(torch.uint8))
    sums = coded.outcome.sums
    assert sums is not None
    assert sums.count == values.numel()
    errors = theirs.double() - values.double()
    assert sums.error_squares == pytest.approx(float(errors.square().sum()), rel=1e-9)
    assert sums.max_error == float(errors.abs().max())


@pytest.mark.parametrize("columns", [1, 5, 37, 130])
@pytest.mark.parametrize("words", ["int3:channel", "int8:channel:absmax", "int4:channel:asymmetric", "fp8"])
def test_rows_that_end_within_a_word(words: str, columns: int, tmp_path: Path) -> None:
    values = torch.randn(35, columns, generator=torch.Generator().manual_seed(columns))
    values[3] = 0
    values[4] *= 1e-6
    coded = Coded(tmp_path, "compressed-tensors", words, values, band_elements=64)
    assert torch.equal(read_by_owner(coded), coded.read_back(tmp_path))


@pytest.mark.parametrize("words", ["int4", "int8:channel", "int8:tensor:absmax", "mxfp4", "nvfp4", "fp8:block=16x32"])
def test_bands_change_nothing(words: str, tmp_path: Path) -> None:
    values = torch.randn(96, 1280, generator=torch.Generator().manual_seed(2))
    whole = Coded(tmp_path, "compressed-tensors", words, values)
    for elements in (700, 5000):
        assert Coded(tmp_path, "compressed-tensors", words, values, band_elements=elements).buffers == whole.buffers


def test_a_seed_gives_each_band_numbers_of_its_own(tmp_path: Path) -> None:
    row = torch.randn(1, 256, generator=torch.Generator().manual_seed(2))
    coded = Coded(tmp_path, "compressed-tensors", "int2:stochastic=7", row.repeat(8, 1), band_elements=256)
    again = Coded(tmp_path, "compressed-tensors", "int2:stochastic=7", row.repeat(8, 1), band_elements=256)
    assert coded.buffers == again.buffers
    assert len({row.numpy().tobytes() for row in coded.tensors[f"{NAME}_packed"]}) > 4


def obstacle(words: str, shape: tuple[int, ...]) -> object:
    entry = TensorEntry(NAME, BY_FORMAT["float32"], shape, 0, 0)
    found = CompressedTensorsSession({}).coder(Weight(NAME, shape, "float32", (entry,)), chosen(words))
    return found.reason if isinstance(found, Obstacle) else None


def test_what_it_has_no_room_for_is_said() -> None:
    assert obstacle("int4", (8, 128)) is None
    assert obstacle("int4", (8, 100)) == "row-length"
    assert obstacle("nvfp4", (8, 24)) == "row-length"
    assert obstacle("int8", (2, 8, 128)) == "layout"
    assert obstacle("int8:channel", (2, 1 << 23)) == "long-rows"
    assert obstacle("int4:group=128", (2, 1 << 40)) is None
    for words in ("int4:column", "int4:block=128x128", "fp8:column"):
        with pytest.raises(InvalidInput, match=r"layout\.granularity"):
            obstacle(words, (8, 128))
    with pytest.raises(InvalidInput, match=r"layout\.option"):
        obstacle("int4:zero=float", (8, 128))


def test_several_ways_have_patterns_that_match_their_modules_alone() -> None:
    from compressed_tensors.utils.match import match_name

    eight = WeightArguments("pack-quantized", 8, "int", "channel")
    four = WeightArguments("pack-quantized", 4, "int", "group", 128)
    small = WeightArguments("nvfp4-pack-quantized", 4, "float", "tensor_group", 16)
    groups = {
        eight: [f"model.layers.{layer}.self_attn.q_proj" for layer in range(12)],
        four: [f"model.layers.{layer}.mlp.up_proj" for layer in range(6)],
        small: [f"model.layers.{layer}.mlp.up_proj" for layer in range(6, 12)],
    }
    config = quantization_config(groups, ["model.layers.0.mlp.gate"], has_embeddings=False)
    assert config["format"] == "mixed-precision"
    found = list(config["config_groups"].values())
    assert [len(group["targets"]) for group in found] == [1, 6, 6]
    names = [name for each in groups.values() for name in each]
    for arguments, group in zip(groups, found, strict=True):
        matched = [name for name in names if any(match_name(name, target) for target in group["targets"])]
        assert matched == groups[arguments]
        assert any(match_name(f"base.{matched[0]}", target) for target in group["targets"])
