"""Pictures of every page and state, to be looked at by a person: `python tests/campaigns/screenshots.py FOLDER`.

Starts a server of its own, hands in files made for the purpose, and writes `STATE.LANGUAGE.THEME.WIDTH.png` (with
`.noscript` or `.print` where that is meant). `--only 'job|file'` draws the states whose name fits, `--brief` draws
English in light at 1440 px and Chinese in the dark at 390 px alone.
"""

import argparse
import importlib.util
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.request import urlopen

import numpy as np
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from safetensors.numpy import save_file

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HEIGHTS = {360: 780, 390: 844, 768: 1024, 1440: 900, 1920: 1080}
ADDRESSES = {
    "inspect-first": "inspect",
    "inspect-bfloat16-negative": "inspect?value=-3.14159&format=bfloat16",
    "inspect-float16": "inspect?value=2049.5&format=float16",
    "inspect-float32": "inspect?value=0.1&format=float32",
    "inspect-float64": "inspect?value=0.1&format=float64",
    "inspect-float64-subnormal": "inspect?value=1e-310&format=float64",
    "inspect-e4m3fn": "inspect?value=0.1&format=float8_e4m3fn",
    "inspect-e4m3fn-overflow": "inspect?value=1000&format=float8_e4m3fn",
    "inspect-e5m2fnuz": "inspect?value=-0.3&format=float8_e5m2fnuz",
    "inspect-e8m0fnu": "inspect?value=3&format=float8_e8m0fnu",
    "inspect-int8": "inspect?value=-127&format=int8",
    "inspect-int8-wrap": "inspect?value=300&format=int8&overflow=wrap",
    "inspect-int64": "inspect?value=-1234567890123456789&format=int64",
    "inspect-uint64": "inspect?value=18446744073709551615&format=uint64",
    "inspect-bool": "inspect?value=1&format=bool",
    "inspect-subnormal": "inspect?value=3e-6&format=float16",
    "inspect-zero": "inspect?value=0&format=float32",
    "inspect-negative-zero": "inspect?value=-0&format=bfloat16",
    "inspect-infinity": "inspect?value=-inf&format=float16",
    "inspect-nan": "inspect?bits=0x7fc0&format=bfloat16",
    "inspect-overflow": "inspect?value=1e40&format=float32",
    "inspect-long": "inspect?value=0." + "123456789" * 40 + "&format=float32",
    "inspect-refused": "inspect?value=12..5",
    "inspect-refused-format": "inspect?value=1&format=float7",
    "inspect-refused-code": "inspect?bits=0x12345&format=bfloat16",
    "inspect-refused-overflow": "inspect?value=1&format=bfloat16&overflow=sideways",
    "formats": "formats",
    "formats-spelled": "formats?find=e5m10",
    "formats-filtered": "formats?family=float&width=8&find=onnx",
    "formats-nothing": "formats?width=7",
    **{
        f"format-{name.partition(':')[0]}": f"formats/{name}"
        for name in (
            *("bfloat16", "float16", "float80", "float128", "float8_e4m3fn", "float8_e5m2fnuz", "posit16", "nf4"),
            *("takum_linear16", "mxfp4", "nvfp4", "int8", "int64", "q7.8", "e4m3:bias=8:specials=nan-only"),
            "codebook:-1,0,1",
        )
    },
    "quantize": "quantize",
    "quantize-drawn": "quantize?draw=outliers&shape=64x64&schemes=int8:channel+int4:group=32+nf4+mxfp4&at=9,9&clip=80",
    "quantize-blocks": "quantize?draw=laplace&shape=4x512&schemes=q4_k+iq4_nl",
    "quantize-options": "quantize?schemes=int4:asymmetric:tensor+lloyd_max3+nf4:double-quant+float16",
    "quantize-refused": "quantize?matrix=1,2;3,x&schemes=int8:sideways",
    "codes-float8_e4m3fn": "formats/float8_e4m3fn/codes",
    "codes-float16": "formats/float16/codes?at=1",
    "codes-refused": "formats/float16/codes?at=1,5",
    **{
        f"map-{name}": f"formats/{name}/map"
        for name in (
            *("float8_e4m3fn", "float8_e3m4", "posit8", "takum_linear8", "float4_e2m1fn", "nf4", "int8"),
            *("float16", "posit16"),
        )
    },
    "compare": "compare",
    "compare-many": "compare?value=0.3&formats=float64+float16+bfloat16+int8+q0.15+posit8+takum_linear16+nf4+bool"
    "+float8_e8m0fnu+float4_e2m1fn+uint16&sort=error",
    "compare-wide": "compare?value=1e40&formats=float128+float64+posit64+int128+codebook:-1,0,1e-3,0.7,5+binary8p3se",
    "compare-narrow": "compare?value=-0&formats=float4_e2m1fn+nf4+int4+float6_e3m2fn&rounding=toward_zero",
    "compare-nan": "compare?value=nan&formats=int8+float32+posit16+float6_e2m3fn",
    "compare-refused": "compare?value=12..5&formats=float16+nonsense+e9m999&from=abc",
    "numberline": "numberline",
    "numberline-value": "numberline?value=0.3",
    "numberline-log": "numberline?formats=posit8+takum_linear8+float8_e4m3fn+float8_e5m2&from=-100&to=100&scale=log",
    "numberline-deep": "numberline?formats=float64+posit64&from=1&to=1.0000000000000005&value=1.0000000000000003",
    "numberline-wide": "numberline?formats=float64+bfloat16+float128+posit32+int64&from=-1e308&to=1e308&scale=log",
    "numberline-refused": "numberline?from=3&to=2",
    "designer": "designer",
    "designer-wide": "designer?format=e8m23:bias=100&beside=float32",
    "designer-widest": "designer?format=e15m112&beside=float64",
    "designer-refused": "designer?exponent=0&mantissa=3&specials=ieee",
    "error-404": "nowhere",
    "error-404-file": "files/AAAAAAAAAAAAAAAAAAAAAA",
    "compress-empty": "compress",
}


WORKSPACE_STATES = (
    *("compress-refused", "compress-busy", "compress-files", "files"),
    *("file-analysing", "file-failed", "file-ready", "file-strange", "file-many", "file-model"),
    *("file-tensor", "file-tensor-nan", "file-nothing-found"),
    *("job-running", "job-queued", "job-cancelled", "job-failed", "job-strange", "job-many", "job-model"),
    *("job-bfloat16", "job-float8_e4m3fn", "job-int8"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="states whose name this regular expression is found in")
    parser.add_argument("--brief", action="store_true", help="two of the eight pictures of each state")
    parser.add_argument("--model", type=Path, help="a real .safetensors file to draw as well")
    parser.add_argument("--readme", action="store_true", help="the two pictures of README.md alone; needs --model")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        launch = {"executable_path": find_browser(), "args": list(ARGUMENTS)}
        browser = playwright.chromium.launch(**launch)
        with served(Path(scratch)) as address:
            camera = Camera(browser, address, given.folder, given.only, brief=given.brief)
            if given.readme:
                photograph_for_readme(camera, given.model)
            else:
                photograph_addresses(camera)
                photograph_gestures(camera)
                photograph_workspace(camera, Path(scratch), given.model)
        browser.close()
    print(f"{camera.taken} pictures in {given.folder}")
    return 0


class Camera:
    """Takes a state in every theme, language and width; the state is an address or what leads to it."""

    def __init__(self, browser: Browser, address: str, folder: Path, only: str, *, brief: bool) -> None:
        self.browser, self.address, self.folder, self.only = browser, address, folder, only
        full = list(product(("en", "zh"), ("light", "dark"), (1440, 390)))
        self.variants = [("en", "light", 1440), ("zh", "dark", 390)] if brief else full
        self.storage: Any = None
        self.taken = 0

    def wants(self, state: str) -> bool:
        return re.search(self.only, state) is not None

    def context(self, language: str, theme: Any, width: int, **more: Any) -> BrowserContext:
        size = {"width": width, "height": HEIGHTS[width]}
        return self.browser.new_context(
            base_url=self.address, viewport=size, color_scheme=theme, storage_state=self.storage, **more
        )

    def everywhere(self, state: str, path: str, act: Callable[[Page], None] | None = None) -> None:
        if not self.wants(state):
            return
        for language, theme, width in self.variants:
            context = self.context(language, theme, width)
            page = context.new_page()
            page.goto(f"/{language}/{path}")
            if act:
                act(page)
            self.take(page, f"{state}.{language}.{theme}.{width}")
            context.close()

    def apart(self, state: str, path: str, widths: tuple[int, ...] = (360, 768, 1920)) -> None:
        """Without script, in print, and at other widths."""
        if not self.wants(state):
            return
        context = self.context("en", "light", 1440, java_script_enabled=False)
        page = context.new_page()
        page.goto(f"/en/{path}")
        self.take(page, f"{state}.en.light.1440.noscript")
        context.close()
        for width in (*widths, 768):
            context = self.context("en", "light", width)
            page = context.new_page()
            page.goto(f"/en/{path}")
            self.take(page, f"{state}.en.light.{width}")
            context.close()
        context = self.context("zh", "dark", 768)
        page = context.new_page()
        page.goto(f"/zh/{path}")
        page.set_viewport_size({"width": 718, "height": 1010})  # A4 less its margins
        page.emulate_media(media="print")
        self.take(page, f"{state}.zh.print")
        context.close()

    def take(self, page: Page, name: str, *, full_page: bool = True) -> None:
        page.evaluate("document.fonts.ready.then(() => true)")
        page.screenshot(path=self.folder / f"{name}.png", full_page=full_page)
        self.taken += 1


def photograph_addresses(camera: Camera) -> None:
    for state, path in ADDRESSES.items():
        camera.everywhere(state, path)
    of_inspect = ("inspect-first", "inspect-float64", "inspect-int8")
    for state in (*of_inspect, "formats", "format-bfloat16", "compare", "compress-empty"):
        camera.apart(state, ADDRESSES[state])


def photograph_for_readme(camera: Camera, model: Path) -> None:
    page = camera.context("en", "light", 1440).new_page()
    page.goto("/en/inspect")
    camera.take(page, "inspect", full_page=False)
    start_job(page, hand_in(page, model), "int8")
    page.goto(page.url)  # without the focus of what was pressed
    camera.take(page, "compress", full_page=False)


def photograph_gestures(camera: Camera) -> None:
    camera.everywhere("inspect-hover", "inspect", lambda page: page.locator("#bit-14").hover())
    camera.everywhere("inspect-focus", "inspect", focus_a_bit)
    camera.everywhere("inspect-flipped", "inspect", flip_a_bit)
    camera.everywhere("inspect-options", "inspect", lambda page: page.locator(".ask__options summary").click())
    camera.everywhere("inspect-refused-live", "inspect", refuse_a_number)
    camera.everywhere("compress-dragging", "compress", drag_a_file)


def focus_a_bit(page: Page) -> None:
    page.locator("#bit-15").focus()
    page.keyboard.press("ArrowRight")


def flip_a_bit(page: Page) -> None:
    page.locator("#bit-13").click()
    page.wait_for_url(re.compile("bits="))


def refuse_a_number(page: Page) -> None:
    page.locator("#value").fill("1,5 + π")
    page.locator("#value-error .field__error").wait_for()


def drag_a_file(page: Page) -> None:
    page.locator("form[data-upload]").dispatch_event("dragover")


def photograph_workspace(camera: Camera, scratch: Path, model: Path | None) -> None:
    """Files and jobs in every state they can be in."""
    if not any(camera.wants(state) for state in WORKSPACE_STATES):
        return
    small, strange, many, large, broken = made_files(scratch)
    context = camera.context("en", "light", 1440)
    page = context.new_page()
    refuse_upload(page, broken)
    camera.take(page, "compress-refused.en.light.1440")
    first = hand_in(page, small)
    camera.storage = context.storage_state()
    odd, thousands = hand_in(page, strange), hand_in(page, many)
    done = {scheme: start_job(page, first, scheme) for scheme in ("bfloat16", "float8_e4m3fn", "int8")}
    of_odd, of_thousands = start_job(page, odd, "float16"), start_job(page, thousands, "int8")
    of_model = None
    if model:
        of_model = hand_in(page, model)
        done["model"] = start_job(page, of_model, "int8")
    slow = hand_in(page, large, wait=False)
    camera.everywhere("file-analysing", slow)
    wait_ready(page, slow)
    running, queued = start_job(page, slow, "int8", wait=False), start_job(page, first, "float16", wait=False)
    unread = hand_in(page, small, wait=False)
    damage(scratch, small.stat().st_size, tail=1)
    for state, path in (("job-running", running), ("job-queued", queued), ("compress-busy", "compress")):
        camera.everywhere(state, path)
    end_job(page, running)
    camera.everywhere("job-cancelled", running)
    camera.everywhere("file-failed", unread, lambda page: page.wait_for_timeout(1500))
    camera.everywhere("job-failed", failing_job(page, odd))
    states = {
        "file-ready": first,
        "file-strange": odd,
        "file-many": thousands,
        "compress-files": "compress",
        "files": "files",
    }
    states |= {"job-strange": of_odd, "job-many": of_thousands, "file-tensor": f"{first}?tensor=decoder.conv.weight"}
    states |= {"file-nothing-found": f"{first}?find=zzz", "file-tensor-nan": f"{odd}?tensor=with.nan"}
    states |= {f"job-{scheme}": path for scheme, path in done.items()}
    states |= {"file-model": of_model} if of_model else {}
    for state, path in states.items():
        camera.everywhere(state, path)
    for state in ("file-ready", "job-int8", "compress-files"):
        camera.apart(state, states[state])
    context.close()


def made_files(scratch: Path) -> tuple[Path, ...]:
    """A small model, one with everything strange in it, one of 2,000 tensors, a large one, and none."""
    random = np.random.default_rng(1)
    folder = scratch / "made"
    folder.mkdir()

    def weights(*shape: int) -> Any:
        return random.normal(0, 0.05, shape).astype(np.float32)

    tensors = {f"encoder.layer.{i}.attention.self.query.weight": weights(96, 64) for i in range(12)}
    tensors |= {f"encoder.layer.{i}.norm.bias": weights(96) for i in range(12)}
    tensors["decoder.conv.weight"] = weights(16, 8, 3, 3)
    tensors["embeddings.word_embeddings.weight"] = weights(200, 64)
    save_file(tensors, folder / "small-model.safetensors", {"format": "pt", "note": "made for pictures"})
    nan = weights(32, 32)
    nan[:2] = np.nan
    nan[3, 3] = np.inf
    long = "a_very_long_module_name." * 9 + "weight"
    odd = {"with.nan": nan, "mask": random.random((8, 64)) > 0.5, "position_ids": np.arange(512).reshape(1, 512)}
    odd |= {"all.zero.weight": np.zeros((16, 16), np.float32), "empty.weight": np.zeros((0, 4), np.float32)}
    odd |= {long: weights(64, 8), "wide.weight": weights(64, 64) * 1e6, "tiny.weight": weights(64, 64) * 1e-9}
    odd |= {"half.weight": weights(64, 64).astype(np.float16), "scale": np.array(3.5, np.float32)}
    odd |= {"double.weight": weights(20, 20).astype(np.float64), "名字.weight": weights(4, 4)}
    save_file(odd, folder / "strange model — v2 (final).safetensors")
    save_file({f"blocks.{i // 4}.part.{i % 4}.weight": weights(8, 8) for i in range(2000)}, folder / "many.safetensors")
    save_file(
        {f"layer.{i}.weight": np.zeros((4096, 4096), np.float32) for i in range(10)}, folder / "large.safetensors"
    )
    (folder / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4\n")
    names = ("small-model", "strange model — v2 (final)", "many", "large", "model")
    return tuple(folder / f"{name}.safetensors" for name in names)


def damage(scratch: Path, size: int, *, tail: int) -> None:
    """Takes the last `tail` bytes off the newest upload of that size, so that reading it fails."""
    uploads = [path for path in (scratch / "data").rglob("*") if path.is_file() and path.stat().st_size == size]
    newest = max(uploads, key=lambda path: path.stat().st_mtime_ns)
    os.truncate(newest, size - tail)


def refuse_upload(page: Page, path: Path) -> None:
    page.goto("/en/compress")
    page.locator("input[type=file]").set_input_files(path)
    page.locator("#upload-refusal").wait_for()


def hand_in(page: Page, path: Path, *, wait: bool = True) -> str:
    """Hands a file in; its address without the language."""
    page.goto("/en/compress")
    page.locator("input[type=file]").set_input_files(path)
    page.wait_for_url(re.compile(r"/files/[\w-]+$"), timeout=90_000)
    found = page.url.partition("/en/")[2]
    if wait:
        wait_ready(page, found)
    return found


def wait_ready(page: Page, path: str) -> None:
    page.goto(f"/en/{path}")
    page.locator("#table").wait_for(timeout=120_000)


def start_job(page: Page, path: str, scheme: str, *, wait: bool = True) -> str:
    page.goto(f"/en/{path}")
    page.locator(f"input[name=scheme][value={scheme}]").check()
    page.locator(".scheme-form .button--primary").click()
    page.wait_for_url(re.compile(r"/jobs/[\w-]+$"))
    if wait:
        page.locator(".outcome__ratio, .notice--refusal").wait_for(timeout=120_000)
    return page.url.partition("/en/")[2]


def end_job(page: Page, path: str) -> None:
    page.goto(f"/en/{path}")
    page.locator("form[action$='/end'] button").click()
    page.locator("form.section button").wait_for(timeout=60_000)


def failing_job(page: Page, path: str) -> str:
    """The strange file holds an infinity, which this format has not."""
    job = start_job(page, path, "float8_e4m3fn", wait=False)
    page.locator(".notice--refusal").wait_for(timeout=60_000)
    return job


@contextmanager
def served(scratch: Path) -> Iterator[str]:
    """A server with its worker, on a free port."""
    environment = {**os.environ, "BITLENS_DATA_DIR": str(scratch / "data"), "OMP_NUM_THREADS": "1"}
    log = scratch / "serve.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "app", "serve", "--port", "0"]
        server = subprocess.Popen(command, env=environment, stderr=output, start_new_session=True)
    try:
        found, deadline = None, time.monotonic() + 30
        while found is None and time.monotonic() < deadline and server.poll() is None:
            time.sleep(0.05)
            found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
        assert found, log.read_text()
        wait_until_answering(found[0])
        yield found[0]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def wait_until_answering(address: str) -> None:
    for _ in range(200):
        with suppress(OSError), urlopen(f"{address}/en/inspect"):
            return
        time.sleep(0.05)


def find_browser() -> str | None:
    path = Path(__file__).parents[1] / "find_browser.py"
    spec = importlib.util.spec_from_file_location("find_browser", path)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: str | None = module.find_browser()
    return found


if __name__ == "__main__":
    sys.exit(main())
