"""Blocks of GGUF byte for byte: ours are read by gguf-py and by ggml's C library as we read them, bit for bit."""

import ggml_library
import numpy as np
import pytest
import torch
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.schemes.gguf_layouts import LAYOUTS, BlockParts, pack_blocks, unpack_blocks
from app.schemes.gguf_schemes import ENTRIES, IQ4_NL_LEVELS
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule

NAMES = tuple(entry.name for entry in ENTRIES)
RULES = tuple(ScaleRule)


def same_bits(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Of all numbers; NaN has no one sign."""
    return bool(((ours.view(np.uint32) == theirs.view(np.uint32)) | (np.isnan(ours) & np.isnan(theirs))).all())


def read_by_owners(name: str, stored: QuantizedTensor) -> list[np.ndarray]:
    layout = find_scheme(name).layout
    rows = stored.codes.numpy()
    with np.errstate(all="ignore"):
        found = [quants.dequantize(rows, GGMLQuantizationType(layout.type_id))]
    found.append(ggml_library.dequantize(layout.name, rows, stored.shape[1]))
    unit = stored.others.get("scale")
    return [each if unit is None else each * unit.numpy() for each in found]


def random_blocks(name: str) -> QuantizedTensor:
    layout = find_scheme(name).layout
    rows = np.random.default_rng(layout.type_id).integers(0, 256, (512, layout.bytes), dtype=np.uint8)
    if len(range(*layout.place("d").indices(layout.bytes))) != 2:
        rows[:256, layout.place("d").start] = np.arange(256)  # every scale of a byte
    return QuantizedTensor((512, layout.elements), torch.from_numpy(rows))


def adversarial(columns: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(11)
    rows = torch.randn(24, columns, generator=random)
    rows[0], rows[1], rows[2] = 0, 1, -1
    rows[3] = 0.1
    rows[4] = torch.linspace(-1, 1, columns)
    rows[5] = 0
    rows[5, 3] = -2.5
    rows[6] *= 1e-7
    rows[7] *= 1e-40
    rows[8] *= 1e5
    rows[9] = torch.where(rows[9] > 0, 3.4e38, -3.4e38)
    rows[10] = 3.4028234663852886e38
    rows[11, 0] *= 1e6
    rows[12] = rows[12].abs()
    rows[13] = -rows[13].abs()
    rows[14] = 100 + rows[14] * 1e-3
    rows[15] = torch.where(torch.arange(columns) % 2 == 0, 1.0, -1.0)
    rows[16] = -0.0
    rows[17] = 1.401298464324817e-45
    rows[18] *= torch.logspace(-6, 6, columns)
    return rows


@pytest.mark.parametrize("name", LAYOUTS)
def test_type_ids_and_sizes_are_those_of_the_package(name: str) -> None:
    layout = LAYOUTS[name]
    number = GGMLQuantizationType[name.upper()]
    assert (number.value, GGML_QUANT_SIZES[number]) == (layout.type_id, (layout.elements, layout.bytes))
    assert ggml_library.block_bytes(name) == (layout.elements, layout.bytes)


@pytest.mark.parametrize("name", NAMES)
def test_any_bytes_are_read_as_their_owners_read_them(name: str) -> None:
    stored = random_blocks(name)
    ours = find_scheme(name).dequantize(stored).numpy()
    for theirs in read_by_owners(name, stored):
        assert same_bits(ours, theirs)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_quantized_is_read_as_its_owners_read_it(name: str, rule: ScaleRule) -> None:
    scheme = find_scheme(name)
    values = adversarial(scheme.layout.elements)
    stored = scheme.quantize(values, Choices(scale=rule))
    ours = scheme.dequantize(stored).numpy()
    assert np.isfinite(ours).all()
    for theirs in read_by_owners(name, stored):
        assert same_bits(ours, theirs)
    assert not ours[0].any(), "zeros stay zeros"


@pytest.mark.parametrize("name", NAMES)
def test_elements_are_what_the_numbers_are_made_of(name: str) -> None:
    scheme, stored = find_scheme(name), random_blocks(name)
    elements = scheme.elements(stored)
    made = elements.levels * elements.scales
    if elements.offsets is not None:
        made = made + elements.offsets
    assert same_bits(made.numpy(), scheme.dequantize(stored).numpy())
    parts = unpack_blocks(scheme.layout, stored.codes)
    assert torch.equal(elements.codes, parts.codes.to(torch.int64))


@pytest.mark.parametrize("name", LAYOUTS)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_packing_has_an_inverse(name: str, data: st.DataObject) -> None:
    layout = LAYOUTS[name]
    random = torch.Generator().manual_seed(data.draw(st.integers(0, 2**31)))
    most = 3 if name.startswith("tq1") else 1 << layout.coding.bits
    codes = torch.randint(most, (7, layout.elements), generator=random).to(torch.uint8)
    scales, minima = (torch.randint(256, (7, 4), generator=random).to(torch.uint8) for _ in range(2))
    scales = scales[:, : layout.place("d").stop - layout.place("d").start]
    blocks = pack_blocks(layout, BlockParts(codes, scales, minima[:, :2] if layout.has_minimum else None))
    assert blocks.shape == (7, layout.bytes)
    parts = unpack_blocks(layout, blocks)
    assert torch.equal(parts.codes, codes)
    assert torch.equal(parts.scales, scales)
    assert layout.has_minimum == (parts.minima is not None and torch.equal(parts.minima, minima[:, :2]))


@pytest.mark.parametrize("name", ["q4_0", "q5_0", "q8_0", "iq4_nl", "tq1_0", "tq2_0", "mxfp4"])
def test_codes_are_packed_where_ggml_packs_them(name: str) -> None:
    """Numbers that are levels times a power of two leave no choice of codes, so the bytes of codes must be ggml's."""
    layout = LAYOUTS[name]
    scheme = find_scheme("gguf_mxfp4" if name == "mxfp4" else name)
    levels = torch.tensor(scheme.grid.levels)
    random = torch.Generator().manual_seed(5)
    values = levels[torch.randint(len(levels), (16, layout.elements), generator=random)]
    values[:, 0] = levels[levels.abs().argmax()]
    if name == "q8_0":
        values = values.clamp(min=-127)
        values[:, 0] = 127
    theirs = ggml_library.quantize(name, values.numpy())
    ours = scheme.quantize(values, Choices(scale=ScaleRule.ABSMAX)).codes.numpy()
    assert np.array_equal(ours, theirs)


def test_the_levels_of_iq4_nl_are_those_of_the_package() -> None:
    assert tuple(quants.IQ4_NL.kvalues) == IQ4_NL_LEVELS


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 256), (3, 512), (5, 768)])
def test_storage_counts_every_byte(name: str, shape: tuple[int, int]) -> None:
    scheme = find_scheme(name)
    stored = scheme.quantize(torch.randn(shape, generator=torch.Generator().manual_seed(1)), Choices(scale="absmax"))
    storage = scheme.storage(shape)
    assert storage.total == stored.stored_bytes * 8
    assert storage.weights == shape[0] * shape[1]
    assert stored.codes.shape == (shape[0], shape[1] // scheme.layout.elements * scheme.layout.bytes)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("columns", [1, 31, 48, 300])
def test_rows_of_broken_blocks_are_refused(name: str, columns: int) -> None:
    scheme = find_scheme(name)
    for ask in (lambda: scheme.storage((2, columns)), lambda: scheme.quantize(torch.ones(2, columns), Choices())):
        with pytest.raises(InvalidInput) as refused:
            ask()
        assert refused.value.code == "scheme.row-length"
        assert refused.value.figures == {"name": name, "block": scheme.layout.elements, "columns": columns}
