"""The rules that the whole tree obeys: imports flow downward, and nothing that runs foreign data is ever called."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "app").rglob("*.py"))

# Each of these would run, or allocate by, what a file says.
BANNED_CALLS = {
    "eval", "exec", "compile", "__import__", "torch.load", "torch.jit.load", "numpy.load", "np.load", "numpy.memmap",
    "pickle.load", "pickle.loads", "os.system", "Markup", "markupsafe.Markup",
}  # fmt: skip
BANNED_IMPORTS = {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle", "mmap"}


def test_imports_follow_the_layers() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def calls_and_imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)
        elif isinstance(node, ast.Import):
            yield from (f"import {name.name.split('.')[0]}" for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield f"import {node.module.split('.')[0]}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_loads_or_runs_foreign_data(path: Path) -> None:
    banned = BANNED_CALLS | {f"import {name}" for name in BANNED_IMPORTS}
    assert not banned & set(calls_and_imports(path.read_text(encoding="utf-8")))


def test_the_ban_would_notice() -> None:
    source = "import pickle\nimport torch\ntorch.load('x')\neval('1')"
    assert {"import pickle", "torch.load", "eval"} <= set(calls_and_imports(source))


def test_templates_never_switch_escaping_off() -> None:
    for template in (ROOT / "templates").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert "|safe" not in text.replace(" ", ""), template
        assert "autoescape" not in text, template
        for inline in ("<style", " style=", " onclick=", " onload=", "javascript:", "hx-on"):
            assert inline not in text, f"{template}: {inline}"


@pytest.mark.parametrize("module", ["app.weightfiles.checking", "app.jobs", "app.records", "app.exact", "app.storage"])
def test_light_modules_stay_light(module: str) -> None:
    """Not only by the letter of the import rules: after the import, no heavy library is in memory."""
    script = f"import sys, {module}; print([m for m in ('torch', 'numpy', 'ml_dtypes') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
