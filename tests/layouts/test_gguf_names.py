"""Names, rows and file types of GGUF: held against the owner's own tables, and each way against the other."""

import gguf
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app.layouts.gguf_file_metadata import file_type_pairs
from app.layouts.gguf_names import FAMILIES, hf_name, is_left_out, place_of
from app.layouts.gguf_rows import RowOrder
from app.weightfiles.file_layout import StoredTensor
from app.weightfiles.gguf_types import TYPES

ARCHITECTURES = {
    "llama": gguf.MODEL_ARCH.LLAMA,
    "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
    "qwen3moe": gguf.MODEL_ARCH.QWEN3MOE,
    "bert": gguf.MODEL_ARCH.BERT,
}


def all_names(architecture: str) -> list[str]:
    family = FAMILIES[architecture]
    modules = [*family.whole, *(f"{family.layers}{layer}.{module}" for module in family.layer for layer in (0, 11))]
    return [f"{module}{kind}" for module in modules for kind in (".weight", ".bias")]


@pytest.mark.parametrize("architecture", FAMILIES)
def test_names_are_those_of_the_owner_and_lead_back(architecture: str) -> None:
    owner = gguf.get_tensor_name_map(ARCHITECTURES[architecture], 12)
    known = set(gguf.MODEL_TENSORS[ARCHITECTURES[architecture]])
    for template in all_names(architecture):
        name = template.format(expert=3)
        place = place_of(name, architecture)
        assert place is not None
        # The owner's converter has names of its own for experts that it has joined.
        joined = template.replace("block_sparse_moe.experts.{expert}", "feed_forward.experts").replace(".{expert}", "")
        joined = joined.replace("model.layers.", "layers.") if "feed_forward" in joined else joined
        found = owner.get_type_and_name(joined, (".weight", ".bias"))
        if found is not None and found[0] in known:
            assert found[1] == place.name, name
        assert hf_name(place.name, architecture, place.expert) == name
        assert (place.expert == 3) == ("{expert}" in template)


def test_old_names_and_prefixes_of_bert() -> None:
    for name in ("bert.embeddings.LayerNorm.gamma", "roberta.embeddings.LayerNorm.weight"):
        place = place_of(name, "bert")
        assert place is not None
        assert place.name == "token_embd_norm.weight"
    assert is_left_out("bert.pooler.dense.bias", "bert")
    assert is_left_out("embeddings.position_ids", "bert")
    assert is_left_out("cls.predictions.transform.dense.weight", "bert")
    assert is_left_out("model.layers.3.self_attn.rotary_emb.inv_freq", "llama")


@given(st.text(max_size=60))
def test_other_names_have_no_place(name: str) -> None:
    for architecture in FAMILIES:
        assert place_of(name, architecture) is None
        assert hf_name(name, architecture) is None


@pytest.mark.parametrize(
    "name",
    [
        "model.layers.01.mlp.up_proj.weight",
        "model.layers.-1.mlp.up_proj.weight",
        "model.layers.999999.mlp.up_proj.weight",
        "model.layers.٣.mlp.up_proj.weight",
        "model.layers.0.mlp.up_proj",
        "model.layers.0.block_sparse_moe.experts.w1.weight",
    ],
)
def test_names_that_look_right_have_none_either(name: str) -> None:
    assert place_of(name, "llama") is None


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 6), st.integers(0, 1 << 20), st.integers(0, 1 << 20))
def test_rows_go_where_llama_cpps_converter_puts_them_in_any_runs(
    heads: int, half: int, columns: int, begin: int, end: int
) -> None:
    rows = heads * 2 * half
    values = torch.arange(rows * columns).view(rows, columns)
    wanted = values.reshape(heads, 2, half, columns).swapaxes(1, 2).reshape(rows, columns)
    order = RowOrder(columns, 2 * half)
    assert torch.equal(order.reordered(values), wanted)
    assert torch.equal(order.restored(wanted), values)
    first, last = sorted((begin % (rows * columns + 1), end % (rows * columns + 1)))
    found = torch.full((rows * columns,), -1)
    for offset, length, place in order.runs(first, last - first):
        found[place : place + length] = values.view(-1)[first + offset : first + offset + length]
    inside = (wanted.view(-1) >= first) & (wanted.view(-1) < last)
    assert torch.equal(found, torch.where(inside, wanted.view(-1), -1))


@given(st.integers(0, 3), st.integers(1, 5), st.integers(0, 40), st.integers(0, 40))
def test_first_rows_are_left_out_in_any_runs(skipped: int, columns: int, begin: int, end: int) -> None:
    rows = skipped + 4
    first, last = sorted((begin % (rows * columns + 1), end % (rows * columns + 1)))
    order = RowOrder(columns, first_row=skipped)
    found = {
        place + step: first + offset + step
        for offset, length, place in order.runs(first, last - first)
        for step in range(length)
    }
    assert found == {
        element - skipped * columns: element for element in range(first, last) if element >= skipped * columns
    }


def test_the_file_type_is_what_most_numbers_are_stored_in() -> None:
    usual = {f"Q{bits}_K": f"Q{bits}_K_S" for bits in (3, 4, 5)} | {"F32": "ALL_F32", "MXFP4": "MXFP4_MOE"}
    for kind in TYPES.values():
        tensors = [StoredTensor("a", kind, (2, 256)), StoredTensor.of("b", "float32", (256,))]
        told = gguf.LlamaFileType(int(file_type_pairs(tensors)[0].value))  # type: ignore[arg-type]
        name = usual.get(kind.name, kind.name)
        assert told.name in {name, f"MOSTLY_{name}", "GUESSED"}, kind.name
        assert (told is gguf.LlamaFileType.GUESSED) == (
            kind.name in {"Q8_1", "Q8_K", "I8", "I16", "I32", "I64", "F64"}
        ), kind.name
