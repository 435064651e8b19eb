"""What stands in the repository: no address of a package registry, no path of a machine, no lock file."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
REGISTRY_HOSTS = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".org",
    "npmjs" + ".com",
    "download." + "pytorch.org",
)


def tracked_texts() -> dict[str, str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    texts = {}
    for name in listed.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file() and "vendor" not in path.parts:
            data = path.read_bytes()
            if b"\0" not in data:
                texts[name] = data.decode("utf-8")
    return texts


def test_no_registry_address_and_no_path_of_a_machine() -> None:
    machine_paths = (str(ROOT) + "/", str(Path.home()) + "/")
    for name, text in tracked_texts().items():
        for forbidden in (*REGISTRY_HOSTS, *machine_paths):
            if len(forbidden) > 3:
                assert forbidden not in text, f"{name} names {forbidden}"


def test_constraints_pin_all_but_torch_without_addresses() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    assert lines
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line), line
        assert not line.lower().startswith(("torch==", "nvidia", "triton"))


def test_torch_is_pinned_to_one_release_of_any_build() -> None:
    assert '"torch==2.13.0"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
