"""Compress in a real browser, with a real worker: hand in, look, compress, fetch; and the same without script."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from safetensors.numpy import load_file, save_file

PATIENCE = 30
QUERY = "encoder.layer.0.attention.self.query.weight"
WITHOUT_SCRIPT = pytest.mark.browser_context_args(java_script_enabled=False)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = tmp_path_factory.mktemp("serve")
    environment = {**os.environ, "BITLENS_DATA_DIR": str(data), "OMP_NUM_THREADS": "1"}
    with (data / "serve.log").open("wb") as log:
        command = [sys.executable, "-m", "app", "serve", "--port", "0"]
        server = subprocess.Popen(command, env=environment, stderr=log, start_new_session=True)
    try:
        found, deadline = None, time.monotonic() + PATIENCE
        while found is None:
            assert server.poll() is None, (data / "serve.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
            found = re.search(r"http://127\.0\.0\.1:\d+", (data / "serve.log").read_text())
        yield found[0]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(11)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    tensors = {f"encoder.layer.{i}.output.dense.weight": random.normal(0, 0.1, (16, 12)) for i in range(120)}
    tensors[QUERY] = random.normal(0, 0.05, (40, 64))
    tensors["embeddings.word_embeddings.weight"] = random.normal(0, 1, (10, 8))
    save_file({name: tensor.astype(np.float32) for name, tensor in tensors.items()}, path)
    return path


@pytest.fixture(scope="module")
def few_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "few.safetensors"
    save_file({QUERY: np.eye(16, dtype=np.float32), "encoder.norm.bias": np.zeros(4, dtype=np.float32)}, path)
    return path


@pytest.fixture(autouse=True)
def patient(context: BrowserContext) -> None:
    context.set_default_timeout(PATIENCE * 1000)
    expect.set_options(timeout=PATIENCE * 1000)


def hand_in(page: Page, address: str, weights: Path, language: str = "en") -> None:
    page.goto(f"{address}/{language}/compress")
    page.locator("input[type=file]").set_input_files(weights)
    page.wait_for_url(re.compile(r"/files/[\w-]+$"))
    expect(page.locator("#table")).to_be_visible()


def test_from_the_drop_zone_to_the_download(page: Page, address: str, weights: Path, tmp_path: Path) -> None:
    hand_in(page, address, weights)
    expect(page.locator("h1")).to_have_text("tiny.safetensors")
    expect(page.locator(".tensors tbody tr")).to_have_count(100)
    expect(page.locator(".granularity")).to_be_hidden()
    page.locator("summary", has_text="Integers times a scale").click()
    page.locator(".scheme-form input[value=int8]").check()
    expect(page.locator(".granularity")).to_be_visible()
    page.get_by_role("button", name="Compress", exact=True).click()
    page.wait_for_url(re.compile(r"/jobs/[\w-]+$"))
    expect(page.locator(".outcome__ratio")).to_contain_text("times smaller")
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("^Download")).click()
    assert download.value.suggested_filename == "tiny-int8.safetensors"
    download.value.save_as(tmp_path / "result.safetensors")
    assert f"{QUERY}_packed" in load_file(tmp_path / "result.safetensors")


def test_a_long_table_is_live_and_its_address_says_what_is_seen(page: Page, address: str, weights: Path) -> None:
    hand_in(page, address, weights)
    page.get_by_label("Find by name").fill("query")
    expect(page.locator(".tensors tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("find=query"))
    page.reload()
    expect(page.locator(".tensors tbody tr")).to_have_count(1)
    expect(page.locator("form.scheme-form")).to_be_visible()  # all figures are known
    page.locator(".tensors__name a").click()
    expect(page.locator("#tensor-title")).to_have_text(QUERY)
    page.locator("#tensor dd a").first.click()
    expect(page).to_have_url(re.compile(r"/en/inspect\?value=-0\.\d+&format=float32$"))
    page.go_back()
    expect(page.locator("#tensor-title")).to_be_visible()


def test_sorting_keeps_the_reader_where_they_are(page: Page, address: str, weights: Path) -> None:
    hand_in(page, address, weights)
    page.get_by_role("link", name="Std. dev.").click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text(re.compile("Std. dev."))
    expect(page.locator(".tensors__name a").first).to_have_text("embeddings.word_embeddings.weight")
    page.go_back()
    expect(page.locator("th[aria-sort]")).to_have_count(0)


@pytest.mark.parametrize(("language", "sentence"), [("en", "This is a Python pickle"), ("zh", "Python pickle")])
def test_a_refusal_is_said_beside_the_field(
    page: Page, expected: Any, address: str, tmp_path: Path, language: str, sentence: str
) -> None:
    expected.statuses.add(422)
    wrong = tmp_path / "model.safetensors"
    wrong.write_bytes(b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94")
    page.goto(f"{address}/{language}/compress")
    page.locator("input[type=file]").set_input_files(wrong)
    expect(page.locator("[data-refusal]")).to_contain_text(sentence)
    expect(page.locator("input[type=file]")).to_be_focused()
    assert page.url.endswith(f"/{language}/compress")


@WITHOUT_SCRIPT
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_whole_way_without_script(page: Page, address: str, weights: Path, language: str) -> None:
    page.goto(f"{address}/{language}/compress")
    page.locator("input[type=file]").set_input_files(weights)
    page.locator("form[data-upload] button").click()
    page.wait_for_url(re.compile(r"/files/[\w-]+$"))
    expect(page.locator("#table")).to_be_visible()
    page.locator("#find").fill("query")
    page.locator(".table-controls button").click()
    expect(page.locator(".tensors tbody tr")).to_have_count(1)
    page.locator(".scheme-form input[value=bfloat16]").check()
    page.locator(".scheme-form button").click()
    page.wait_for_url(re.compile(r"/jobs/[\w-]+$"))
    expect(page.locator(".outcome__ratio")).to_be_visible()
    page.locator("form[action$='/end'] button").click()
    page.wait_for_url(re.compile("/compress$"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_axe_and_narrow_screens(
    page: Page, expected: Any, address: str, few_weights: Path, language: str, theme: Any
) -> None:
    expected.statuses.add(404)
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto(f"{address}/{language}/compress")
    look_at(page)
    hand_in(page, address, few_weights, language)
    expect(page.locator("form.scheme-form")).to_be_visible()
    page.locator(".tensors__name a").first.click()
    expect(page.locator(".wlook__picture")).to_be_visible()
    look_at(page)
    page.go_back()
    page.locator(".scheme-form button").click()
    expect(page.locator(".outcome__ratio")).to_be_visible()
    for disclosure in page.locator("summary").all():
        disclosure.click()
    look_at(page)
    page.goto(f"{address}/{language}/files")
    look_at(page)
    page.goto(f"{address}/{language}/files/nobody")
    look_at(page)


def look_at(page: Page) -> None:
    assert Axe().run(page).violations_count == 0, f"{page.url}: {Axe().run(page).generate_report()}"
    for width in (390, 360):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} is wider than {width}"
    assert Axe().run(page).violations_count == 0, f"{page.url} when narrow"
    page.set_viewport_size({"width": 1440, "height": 900})


def test_from_a_tensor_s_heat_map_to_the_bits_of_one_number(page: Page, address: str, weights: Path) -> None:
    hand_in(page, address, weights)
    expect(page.locator("form.scheme-form")).to_be_visible()
    page.goto(f"{page.url}/tensors?name={QUERY}")
    expect(page.locator(".wlook__picture")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    page.locator(".wlook__part").nth(9).click()
    expect(page.locator(".wnumbers a").first).to_be_visible()  # a part of 40 x 64 is 5 x 8
    expect(page.locator("#rows")).to_have_value("5")
    stored = load_file(weights)[QUERY][5:10, 8:16]
    code = int(stored.view(np.uint32)[0, 0])
    page.locator(".wnumbers a").first.click()
    page.wait_for_url(f"**/inspect?bits=0x{code:08x}&format=float32")
