"""A GGUF file made of a GGUF file: metadata and kept tensors byte for byte, any block type for each tensor."""

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from gguf import GGMLQuantizationType as Type

from app.errors import WeightFileError
from app.layouts import gguf_file_metadata
from app.weightfiles.range_reader import WeightFile
from tests.layouts.gguf_files import write_gguf
from tests.layouts.test_gguf_writing import read_by_owner, read_by_us

RANDOM = np.random.default_rng(5)


def source_file(path: Path, *, extra: bool = True, alignment: int | None = None, split: bool = False) -> Path:
    """A file as its owner's library writes it."""
    writer = gguf.GGUFWriter(path, "llama")
    if alignment is not None:
        writer.add_custom_alignment(alignment)
    if split:
        writer.add_uint16("split.no", 0)
        writer.add_uint16("split.count", 2)
    if extra:
        writer.add_file_type(gguf.LlamaFileType.ALL_F32)
        writer.add_string("general.name", "名字 🦙")
        writer.add_array("tokenizer.ggml.tokens", [f"token{number}" for number in range(3000)])
        writer.add_array("tokenizer.ggml.scores", [-float(number) for number in range(3000)])
        writer.add_bool("some.truth", val=True)
        writer.add_float64("some.double", 1e-300)
    writer.add_tensor("blk.0.attn_q.weight", RANDOM.standard_normal((8, 256)).astype(np.float32))
    writer.add_tensor("blk.0.attn_k.weight", RANDOM.standard_normal((8, 48)).astype(np.float16))
    writer.add_tensor("blk.0.attn_norm.weight", RANDOM.standard_normal(256).astype(np.float32))
    writer.add_tensor("blk.0.ffn_gate_inp.weight", RANDOM.standard_normal((4, 256)).astype(np.float32))
    values = RANDOM.standard_normal((4, 256)).astype(np.float32)
    for kind in (Type.Q8_0, Type.Q4_0):
        writer.add_tensor(f"blk.0.{kind.name.lower()}.weight", gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.add_tensor("token_embd.weight", RANDOM.standard_normal((6, 256)).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def raw_tensors(path: Path) -> dict[str, tuple[str, bytes]]:
    return {each.name: (each.tensor_type.name, each.data.tobytes()) for each in gguf.GGUFReader(path).tensors}


def metadata_bytes(path: Path) -> bytes:
    with WeightFile(path) as file:
        details = file.header.details
    return path.read_bytes()[details["metadata_begin"] : details["metadata_end"]]


@pytest.mark.parametrize("alignment", [None, 64])
def test_what_is_kept_is_the_same_bytes(alignment: int | None, tmp_path: Path) -> None:
    source = source_file(tmp_path / "in.gguf", alignment=alignment)
    others = {"*q4_0*": "q6_k", "*q8_0*": "iq4_xs"}
    made = write_gguf(source, tmp_path / "out.gguf", "q4_k", others=others, include=("*ffn_gate_inp*",))
    before, after = raw_tensors(source), raw_tensors(made.path)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"blk.0.attn_q.weight", "blk.0.q8_0.weight", "blk.0.q4_0.weight"}
    assert {name: after[name][0] for name in changed} == {
        "blk.0.attn_q.weight": "Q4_K",
        "blk.0.q8_0.weight": "IQ4_XS",
        "blk.0.q4_0.weight": "Q6_K",
    }
    assert {name: each.reason for name, each in made.obstacles.items()} == {
        "blk.0.attn_k.weight": "row-length",
        "blk.0.ffn_gate_inp.weight": "gguf-float32",
    }
    old, new = read_by_owner(source)[0], read_by_owner(made.path)[0]
    assert new.pop("general.file_type") == gguf.LlamaFileType.MOSTLY_Q4_K_S
    assert new.pop("general.quantization_version") == gguf.GGML_QUANT_VERSION
    del old["general.file_type"]
    assert list(new) == list(old)
    assert new == old
    assert gguf.GGUFReader(made.path).alignment == (alignment or 32)
    # All but one value is where it was, and one pair came behind.
    kept = metadata_bytes(source)
    found = metadata_bytes(made.path)[: len(kept)]
    assert sum(a != b for a, b in zip(kept, found, strict=True)) == 1


def test_nothing_chosen_gives_the_same_tensors_in_the_same_order(tmp_path: Path) -> None:
    source = source_file(tmp_path / "in.gguf")
    once = write_gguf(source, tmp_path / "once.gguf").path
    assert list(raw_tensors(source).items()) == list(raw_tensors(once).items())
    twice = write_gguf(once, tmp_path / "twice.gguf").path
    assert once.read_bytes() == twice.read_bytes()


def test_numbers_of_blocks_are_decoded_and_stored_anew(tmp_path: Path) -> None:
    source = source_file(tmp_path / "in.gguf")
    made = write_gguf(source, tmp_path / "out.gguf", "bfloat16")
    before, after = read_by_us(source), read_by_us(made.path)
    assert raw_tensors(made.path)["blk.0.q4_0.weight"][0] == "BF16"
    for name, values in before.items():
        assert np.allclose(values.float().numpy(), after[name].float().numpy(), rtol=2**-8), name


def test_a_piece_of_a_split_model_becomes_a_whole_file(tmp_path: Path) -> None:
    made = write_gguf(source_file(tmp_path / "in.gguf", split=True), tmp_path / "out.gguf")
    fields, _ = read_by_owner(made.path)
    assert [name for name in fields if name.startswith("split.")] == []
    assert fields["some.truth"] is True


def test_a_file_without_these_keys_gets_them(tmp_path: Path) -> None:
    made = write_gguf(source_file(tmp_path / "in.gguf", extra=False), tmp_path / "out.gguf", "q5_k")
    fields: dict[str, Any] = read_by_owner(made.path)[0]
    assert fields["general.file_type"] == gguf.LlamaFileType.MOSTLY_Q5_K_S
    assert fields["general.quantization_version"] == gguf.GGML_QUANT_VERSION


def test_too_much_metadata_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf_file_metadata, "MAX_COPIED_BYTES", 1000)
    with pytest.raises(WeightFileError) as caught:
        write_gguf(source_file(tmp_path / "in.gguf"), tmp_path / "out.gguf")
    assert caught.value.code == "gguf.metadata-to-write"
