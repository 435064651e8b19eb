"""Folders, indexes of shards and zips of folders: one header over several files, and what is refused."""

import io
import json
import os
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.errors import WeightFileError
from app.weightfiles.listing import FolderListing
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.source import open_source
from app.weightfiles.tensor_reader import TensorReader
from app.wording import Language, say

Tensors = dict[str, torch.Tensor]
SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def refusal(path: Path) -> WeightFileError:
    with pytest.raises(WeightFileError) as caught:
        open_source(path)
    for language in Language:
        sentence = say(caught.value.code, caught.value.figures, language)
        assert sentence.isprintable()
        assert len(sentence) < 600
    return caught.value


def everything(path: Path) -> Tensors:
    """Every tensor of a source, read through its parts."""
    with WeightFile(path) as file:
        reader = TensorReader(file)
        found = {entry.name: reader.elements(entry, 0, entry.elements).clone() for entry in file.header.tensors}
        return {name: found[name].reshape(entry.shape) for name, entry in by_name(file).items()}


def by_name(file: WeightFile) -> dict[str, object]:
    return {entry.name: entry for entry in file.header.tensors}


def tensors(*names: str, seed: int = 0) -> Tensors:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(3, 5, generator=generator) for name in names}


def shards(folder: Path, weight_map: object = None, **other: object) -> Path:
    """A folder with two shards and their index."""
    folder.mkdir(exist_ok=True)
    save_file(tensors("a", "b", seed=1), folder / SHARDS[0], metadata={"format": "pt"})
    save_file(tensors("c", seed=2), folder / SHARDS[1], metadata={"format": "pt"})
    if weight_map is None:
        weight_map = {"a": SHARDS[0], "b": SHARDS[0], "c": SHARDS[1]}
    index = {"metadata": {"total_size": 180.0}, "weight_map": weight_map, **other}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "config.json").write_text('{"model_type": "bert"}')
    return folder


def zipped(folder: Path, target: Path, method: int = zipfile.ZIP_STORED, prefix: str = "") -> Path:
    with zipfile.ZipFile(target, "w", method) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, prefix + path.name)
    return target


EXPECTED = {**tensors("a", "b", seed=1), **tensors("c", seed=2)}


def assert_shards(path: Path) -> None:
    found = everything(path)
    assert found.keys() == EXPECTED.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in EXPECTED.items())
    source = open_source(path)
    try:
        assert source.header.kind == "safetensors"
        assert source.header.metadata == {"format": "pt"}
        assert source.companion("config.json") == b'{"model_type": "bert"}'
        assert [part.name for part in source.parts] == list(SHARDS)
    finally:
        source.close()


def test_a_sharded_folder_is_one_model(tmp_path: Path) -> None:
    folder = shards(tmp_path / "model")
    assert_shards(folder)
    assert_shards(folder / "model.safetensors.index.json")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("prefix", ["", "my model/"])
def test_a_zip_of_a_folder_is_the_folder(tmp_path: Path, method: int, prefix: str) -> None:
    assert_shards(zipped(shards(tmp_path / "model"), tmp_path / "upload.safetensors", method, prefix))


def test_what_a_mac_puts_into_a_zip_is_no_part_of_it(tmp_path: Path) -> None:
    path = zipped(shards(tmp_path / "model"), tmp_path / "model.zip", prefix="model/")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/model/._config.json", b"\0\5\x16\7")
        archive.writestr("model/.DS_Store", b"\0\0\0\1Bud1")
    assert_shards(path)


def test_a_folder_as_the_hubs_library_writes_it(tmp_path: Path) -> None:
    from huggingface_hub import save_torch_state_dict

    expected = {f"layer.{index}.weight": torch.randn(index + 1, 64) for index in range(20)}
    expected["bias"] = torch.tensor(1.5, dtype=torch.bfloat16)
    save_torch_state_dict(expected, tmp_path, max_shard_size=4000)
    assert len(list(tmp_path.glob("*.safetensors"))) > 5
    found = everything(tmp_path)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_folder_as_transformers_writes_it(tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel

    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    model = BertModel(BertConfig(vocab_size=100, max_position_embeddings=16, **sizes))
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 2
    found = everything(tmp_path)
    expected = model.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_the_loaders_own_order_decides_which_model_is_read(tmp_path: Path) -> None:
    folder = shards(tmp_path)
    save_file(tensors("a"), folder / "model.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"never looked at")
    source = open_source(folder)
    source.close()
    assert [entry.name for entry in source.header.tensors] == ["a"]
    assert source.header.details["left_out"] == (*SHARDS, "pytorch_model.bin")


def test_unrelated_files_are_read_together(tmp_path: Path) -> None:
    save_file(tensors("a"), tmp_path / "one.safetensors")
    save_file(tensors("b", seed=5), tmp_path / "named oddly.weights")
    (tmp_path / "README.md").write_text("# A model")
    (tmp_path / "list.json").write_text("[\n      {}]")  # its ninth byte opens an object
    (tmp_path / "folder").mkdir()
    found = everything(tmp_path)
    assert torch.equal(found["b"], tensors("b", seed=5)["b"])
    assert found.keys() == {"a", "b"}


def test_gguf_pieces_are_one_model(tmp_path: Path) -> None:
    import gguf
    import numpy as np

    for number, name in ((1, "a"), (2, "b")):
        writer = gguf.GGUFWriter(tmp_path / f"tiny-{number:05d}-of-00002.gguf", "llama")
        writer.add_uint16("split.no", number - 1)
        writer.add_tensor(name, np.full((2, 32), number, np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    for path in (tmp_path, tmp_path / "tiny-00001-of-00002.gguf", tmp_path / "tiny-00002-of-00002.gguf"):
        found = everything(path)
        assert {name: int(tensor[1, 31]) for name, tensor in found.items()} == {"a": 1, "b": 2}
        with WeightFile(path) as file:
            assert file.header.metadata["split.no"] == 0
    (tmp_path / "tiny-00002-of-00002.gguf").unlink()
    assert refusal(tmp_path).code == "split.missing"
    assert refusal(tmp_path / "tiny-00001-of-00002.gguf").code == "split.missing"


OTHER = SHARDS[1]

WRONG_INDEX: dict[str, tuple[object, str]] = {
    "a path upwards": ({"a": "../x.safetensors"}, "index.shard-name"),
    "an absolute path": ({"a": "/etc/passwd"}, "index.shard-name"),
    "a path of Windows": ({"a": "C:\\x.safetensors"}, "index.shard-name"),
    "the folder itself": ({"a": "."}, "index.shard-name"),
    "a path to the same shard": ({"a": SHARDS[0], "b": "./" + SHARDS[0]}, "index.shard-name"),
    "a name with NUL": ({"a": "x\0y"}, "index.shard-name"),
    "a number": ({"a": 7}, "index.shard-name"),
    "a list": ({"a": [SHARDS[0]]}, "index.shard-name"),
    "a missing shard": ({"a": "model-00003-of-00003.safetensors"}, "index.shard-missing"),
    "a tensor that no shard has": ({"a": SHARDS[0], "z": SHARDS[0]}, "index.tensor-missing"),
    "a tensor of another shard": ({"a": OTHER, "c": SHARDS[0]}, "index.tensor-elsewhere"),
    "nothing": ({}, "index.empty"),
    "no object": (["a"], "index.no-map"),
    "a name with a line feed": ({"a\n": SHARDS[0]}, "tensor.name-control"),
    "itself": ({"a": "model.safetensors.index.json"}, "file.json"),
    "a config": ({"a": "config.json"}, "file.json"),
}


@pytest.mark.parametrize("case", WRONG_INDEX)
@pytest.mark.parametrize("packed", [False, True])
def test_a_wrong_index_is_refused_by_name(tmp_path: Path, case: str, packed: bool) -> None:
    weight_map, code = WRONG_INDEX[case]
    folder = shards(tmp_path / "model", weight_map)
    (tmp_path / "x.safetensors").write_bytes((folder / SHARDS[0]).read_bytes())
    error = refusal(zipped(folder, tmp_path / "model.zip") if packed else folder)
    assert error.code == code


def test_an_index_with_a_key_twice_is_refused(tmp_path: Path) -> None:
    folder = shards(tmp_path)
    (folder / "model.safetensors.index.json").write_text(f'{{"weight_map":{{"a":"{SHARDS[0]}","a":"{SHARDS[1]}"}}}}')
    assert refusal(folder).code == "header.duplicate"


def test_a_tensor_that_the_index_leaves_out_counts(tmp_path: Path) -> None:
    assert everything(shards(tmp_path, {"a": SHARDS[0], "c": SHARDS[1]})).keys() == {"a", "b", "c"}


def test_a_tensor_in_two_files_is_refused(tmp_path: Path) -> None:
    folder = shards(tmp_path)
    save_file(tensors("a"), folder / SHARDS[1])
    error = refusal(folder)
    assert error.code == "folder.tensor-twice"
    assert set(SHARDS) == {error.figures["first"], error.figures["second"]}
    (folder / "model.safetensors.index.json").unlink()
    assert refusal(folder).code == "folder.tensor-twice"


def test_a_broken_shard_is_named(tmp_path: Path) -> None:
    folder = shards(tmp_path / "model")
    path = folder / SHARDS[1]
    path.write_bytes(path.read_bytes()[:-1])
    for each in (folder, zipped(folder, tmp_path / "model.zip")):
        error = refusal(each)
        assert (error.code, error.figures["in_part"]) == ("safetensors.truncated", SHARDS[1])
        assert say(error.code, error.figures).startswith(f"{SHARDS[1]}: The file is incomplete")
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    assert refusal(folder).code == "file.git-lfs-pointer"


def test_two_indexes_are_two_models(tmp_path: Path) -> None:
    folder = shards(tmp_path)
    (folder / "model.safetensors.index.json").rename(folder / "x.index.json")
    (folder / "y.index.json").write_bytes((folder / "x.index.json").read_bytes())
    assert refusal(folder).code == "folder.several-indexes"
    assert_shards(folder / "x.index.json")


@pytest.mark.parametrize("names", [(), ("README.md",), ("a.json", "optimizer.pt")])
def test_without_weights_there_is_nothing_to_open(tmp_path: Path, names: tuple[str, ...]) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in names:
        (folder / name).write_text("hello there, no weights")
    assert refusal(folder).code == "folder.no-weights"
    if names:
        assert refusal(zipped(folder, tmp_path / "model.zip")).code == "folder.no-weights"


def test_links_are_not_followed_out_of_the_folder(tmp_path: Path) -> None:
    secret = tmp_path / "secret.safetensors"
    save_file(tensors("s"), secret)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").symlink_to(secret)
    assert refusal(folder).code == "folder.link"
    (folder / "model.safetensors").unlink()
    save_file(tensors("a"), folder / "model.safetensors")
    (folder / "config.json").symlink_to(secret)
    source = open_source(folder)
    source.close()
    assert source.companions == {}


def test_the_links_of_a_model_cache_are_followed(tmp_path: Path) -> None:
    """As huggingface_hub lays a snapshot out: names that link to contents named by their hash."""
    snapshot = tmp_path / "models--a--b" / "snapshots" / "0123abcd"
    blobs = tmp_path / "models--a--b" / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    save_file(tensors("a"), blobs / ("5" * 64))
    (blobs / ("6" * 40)).write_text("{}")
    (snapshot / "model.safetensors").symlink_to(f"../../blobs/{'5' * 64}")
    (snapshot / "config.json").symlink_to(f"../../blobs/{'6' * 40}")
    source = open_source(snapshot)
    source.close()
    assert [entry.name for entry in source.header.tensors] == ["a"]
    assert source.companions.keys() == {"config.json"}
    (blobs / ("5" * 64)).rename(tmp_path / "elsewhere")
    (blobs / ("5" * 64)).symlink_to(tmp_path / "elsewhere")
    assert refusal(snapshot).code == "file.unreadable"


def test_a_pipe_in_the_folder_blocks_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.safetensors")
    assert refusal(tmp_path).code == "folder.no-weights"
    assert FolderListing(tmp_path).sizes == {}


def test_a_zip_in_a_zip_is_refused(tmp_path: Path) -> None:
    inner = zipped(shards(tmp_path / "model"), tmp_path / "inner")
    outer = tmp_path / "outer.zip"
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(inner, "model.safetensors")
    assert refusal(outer).code == "file.zip"


@pytest.mark.parametrize("name", ["../evil.safetensors", "/evil.safetensors", "C:\\x.safetensors", "a/../../b"])
def test_a_zip_with_paths_out_of_it_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.safetensors", b"\2\0\0\0\0\0\0\0{}")
        entry = zipfile.ZipInfo("x")
        entry.filename = name
        archive.writestr(entry, b"x")
    assert refusal(path).code == "zip.path"


def test_a_zip_whose_names_differ_in_case_only_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.safetensors", b"\2\0\0\0\0\0\0\0{}")
        archive.writestr("Model.safetensors", b"\2\0\0\0\0\0\0\0{}")
    assert refusal(path).code == "zip.twice"


def test_a_large_compressed_member_is_refused_with_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.weightfiles.zip_listing.MAX_INFLATED_BYTES", 400)
    path = zipped(shards(tmp_path / "model"), tmp_path / "model.zip", zipfile.ZIP_DEFLATED)
    assert refusal(path).code == "zip.deflated"


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_closing_closes_every_file(tmp_path: Path) -> None:
    folder = shards(tmp_path / "model")
    packed = zipped(folder, tmp_path / "model.zip")
    before = open_files()
    for path in (folder, packed, folder / SHARDS[0], folder / "model.safetensors.index.json"):
        open_source(path).close()
        assert open_files() == before
    (folder / SHARDS[1]).write_bytes(b"broken")
    (folder / "broken.zip").write_bytes(io.BytesIO(packed.read_bytes()[:-30]).getvalue())
    for path in (folder, zipped(folder, tmp_path / "model.zip"), folder / "broken.zip"):
        refusal(path)
        assert open_files() == before


def test_a_change_of_any_shard_is_noticed(tmp_path: Path) -> None:
    folder = shards(tmp_path)
    with WeightFile(folder) as file:
        file.ensure_unchanged()
        os.utime(folder / SHARDS[1], ns=(1, 1))
        with pytest.raises(WeightFileError, match=r"file\.changed"):
            file.ensure_unchanged()


def test_the_number_of_files_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        save_file(tensors(f"t{number}"), tmp_path / f"{number}.safetensors")
    monkeypatch.setattr("app.weightfiles.chosen_files.MAX_PARTS", 4)
    assert refusal(tmp_path).code == "folder.too-many-parts"
    monkeypatch.setattr("app.weightfiles.listing.MAX_FILES", 4)
    assert refusal(tmp_path).code == "folder.too-many-files"


def test_the_number_of_tensors_is_limited_over_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.weightfiles.joined_parts.MAX_TENSORS", 2)
    assert refusal(shards(tmp_path)).code == "folder.too-many-tensors"
