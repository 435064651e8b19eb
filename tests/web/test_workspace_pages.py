"""The pages of files and jobs, without JavaScript: plain forms and links, all state in the address."""

import html
import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment
from starlette.testclient import TestClient

from app.jobs.states import JobState, State

ROOT = Path(__file__).parents[2]
TEMPLATES = ["compress", "files", "_listing", "file", "_file", "job", "_job", "_progress", "error", "macros/workspace"]


def names_in(page: str) -> list[str]:
    cells = re.findall(r'<th scope="row" class="tensors__name">(.*?)</th>', page, re.DOTALL)
    return [
        html.unescape(re.sub(r"<[^>]+>", "", re.sub(r'<span class="tensors__kind.*', "", cell, flags=re.DOTALL)))
        for cell in cells
    ]


def test_nothing_here_yet(client: TestClient) -> None:
    assert "save_file(model.state_dict()" in client.get("/en/compress").text
    assert "hx-trigger" not in client.get("/en/files", headers={"HX-Request-Type": "partial"}).text


def test_the_list_asks_again_while_something_is_under_way(client: TestClient, scene: Any) -> None:
    file_id = scene.upload(client)
    partial = client.get("/en/files", headers={"HX-Request": "true", "HX-Request-Type": "partial"}).text
    assert partial.lstrip().startswith('<div id="listing" hx-get="/en/files" hx-trigger="every 3s"')
    scene.workspace._records.save_analysis(file_id, scene.analysis())
    assert "every 3s" not in client.get("/en/files").text


def test_while_the_file_is_read(client: TestClient, scene: Any) -> None:
    file_id = scene.upload(client)
    scene.jobs.known[file_id] = JobState(
        State.RUNNING, done=45_000_000, total=90_000_000, tensor="a<b>.weight", bytes_per_second=15_000_000
    )
    page = client.get(f"/en/files/{file_id}").text
    # With its own address: a page that was reached by a fragment would not be loaded again.
    assert f'<noscript><meta http-equiv="refresh" content="2; url=/en/files/{file_id}' in page
    assert f'hx-sse:connect="/en/files/{file_id}/events"' in page
    assert 'max="1000" value="500"' in page
    assert "a&lt;b&gt;.weight" in page
    assert "45\u202fMB of 90\u202fMB · 15\u202fMB/s · 0:03 left" in page


def test_a_file_that_could_not_be_read(client: TestClient, scene: Any) -> None:
    file_id = scene.upload(client)
    scene.jobs.known[file_id] = JobState(State.FAILED, error_code="file.shrank")
    for language in ("en", "zh"):
        page = client.get(f"/{language}/files/{file_id}").text
        assert "notice--refusal" in page
        assert "refresh" not in page
    assert client.get(f"/api/v1/files/{file_id}").json()["error"]["code"] == "file.shrank"


def test_what_a_file_holds(client: TestClient, scene: Any) -> None:
    strange = scene.tensor("strange", nans=2, infinities=1, zeros=0)
    empty = scene.tensor(
        "empty", shape=[0], elements=0, bytes=0, min=None, max=None, mean=None, std=None, zeros=0, histogram=None
    )
    foreign = scene.tensor(
        "foreign", dtype="float4_e2m1fn_x2", min=None, max=None, mean=None, std=None, zeros=None, nans=None,
        infinities=None, histogram=None,
    )  # fmt: skip
    file_id = scene.analysed(client, scene.tensor(), strange, empty, foreign, metadata={"format": "<pt>"})
    page = client.get(f"/en/files/{file_id}").text
    assert names_in(page) == ["layer.weight", "strange", "empty", "foreign"]
    assert 'href="/en/inspect?value=-2.0&amp;format=float32">−2</a>' in page
    assert "50\u202f%, 25\u202f%" in page  # NaN and infinity are told apart
    assert "&lt;pt&gt;" in page
    assert page.index("Make it smaller") < page.index('id="table"')
    assert page.count('role="img"') == 2


def test_what_misleads_the_eye_is_escaped(client: TestClient, scene: Any) -> None:
    turning = "a\u202eb"
    file_id = scene.analysed(client, scene.tensor(turning), metadata={turning: turning})
    for path in (f"/en/files/{file_id}", f"/en/jobs/{scene.finished(client, scene.report_row(turning))}"):
        page = client.get(path).text
        assert "\u202e" not in page
        assert r"a\u202eb" in page.replace("<wbr>", "")


@pytest.fixture
def many(client: TestClient, scene: Any) -> str:
    rows = [scene.tensor(f"layer.{i}.weight", std=(i * 37) % 250 / 7) for i in range(250)]
    return f"/en/files/{scene.analysed(client, *rows)}"


def test_pages_order_and_search(client: TestClient, many: str) -> None:
    first, third = client.get(many).text, client.get(f"{many}?page=3").text
    assert names_in(first) == [f"layer.{i}.weight" for i in range(100)]
    assert names_in(third) == [f"layer.{i}.weight" for i in range(200, 250)]
    largest = names_in(client.get(f"{many}?sort=std").text)
    assert largest[0] == next(f"layer.{i}.weight" for i in range(250) if (i * 37) % 250 == 249)
    assert names_in(client.get(f"{many}?sort=std&order=asc").text)[0] == "layer.0.weight"
    assert names_in(client.get(f"{many}?find=.24").text) == [f"layer.{i}.weight" for i in [24, *range(240, 250)]]
    assert "No tensor name contains this text." in client.get(f"{many}?find=nothing").text


@pytest.mark.parametrize(
    "query",
    [
        "page=-1", "page=0", "page=9e9", "page=" + "9" * 99, "page=٣", "page=1&page=2", "sort=__class__", "order=up",
        "find=" + "%00" * 500, "find=[", "tensor=" + "x" * 9000, "sort=place&order=desc&page=999999",
    ],
)  # fmt: skip
def test_odd_queries_give_a_page(client: TestClient, many: str, query: str) -> None:
    assert client.get(f"{many}?{query}").status_code == 200


def test_one_tensor_has_an_address(client: TestClient, scene: Any) -> None:
    name = "a&b=c #?/<i>.weight"
    address = f"/en/files/{scene.analysed(client, scene.tensor(name))}"
    link = re.search(r'<a class="figure" href="(/en/files/[^"]+/tensors[^"]+)"', client.get(address).text)
    assert link is not None
    page = client.get(html.unescape(link[1])).text
    assert "Standard deviation" in page
    assert "<i>.weight" not in page
    assert page.count("<td") > 3 * 64  # the histogram as a table, too


def test_compressing_by_a_plain_form(client: TestClient, scene: Any) -> None:
    address = f"/zh/files/{scene.analysed(client)}"
    form = {"scheme": "bfloat16", "granularity": "tensor", "include": "*embed*\n*head*", "exclude": ""}
    answer = client.post(address, data=form)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/zh/jobs/")
    options = client.get("/api/v1/jobs/" + answer.headers["location"].split("/")[-1]).json()["options"]
    assert (options["granularity"], options["include"]) == (None, ["*embed*", "*head*"])
    scaled = client.post(address, data={**form, "scheme": "int8"})
    options = client.get("/api/v1/jobs/" + scaled.headers["location"].split("/")[-1]).json()["options"]
    assert options["granularity"] == "tensor"


def test_a_refused_choice_keeps_what_was_typed(client: TestClient, scene: Any) -> None:
    address = f"/en/files/{scene.analysed(client)}"
    answer = client.post(address, data={"scheme": "int8", "granularity": "row", "exclude": "</textarea><b>"})
    assert answer.status_code == 422
    assert "“row”" in answer.text
    assert "&lt;/textarea&gt;&lt;b&gt;" in answer.text
    assert 'value="int8" data-takes="granularity symmetric scale" checked' in answer.text
    assert client.post(address, data={}).status_code == 422
    assert client.post(address, files={"scheme": ("x", b"y")}).status_code in {400, 422}


def test_deleting_by_plain_forms(client: TestClient, scene: Any) -> None:
    job_id = scene.finished(client)
    file_id = client.get(f"/api/v1/jobs/{job_id}").json()["file"]
    assert client.post(f"/en/files/{file_id}/delete").headers["location"] == "/en/compress"
    page = client.get(f"/en/jobs/{job_id}")
    assert page.status_code == 200
    assert f"/en/files/{file_id}" not in page.text
    assert client.post(f"/en/jobs/{job_id}/end").headers["location"] == "/en/compress"
    assert client.get("/api/v1/jobs").json() == {"jobs": []}


def test_a_report(client: TestClient, scene: Any) -> None:
    rows = [
        scene.report_row("good.weight", sqnr_db=60.0, mse=1e-9, note="note.unusual-name"),
        scene.report_row("lossless.weight", sqnr_db="inf", mse=0.0, max_abs_error=0.0, cosine=1.0),
        scene.report_row(
            "worst.weight", sqnr_db=-3.25, saturated=12_345, stored_as="pack-quantized int8, float32 scales"
        ),
        scene.report_row("zeros.weight", sqnr_db=None, mse=0.0, max_abs_error=0.0, cosine=None),
        scene.report_row("norm.weight", kept=True, reason="norm", stored_as="float32", scheme=None),
    ]
    address = f"/en/jobs/{scene.finished(client, *rows, content=b'x' * 24)}"
    page = client.get(address).text
    assert names_in(page) == ["worst.weight", "good.weight", "lossless.weight", "zeros.weight", "norm.weight"]
    assert "4.00 times smaller" in page
    assert "−3.3\u202fdB" in page or "−3.2\u202fdB" in page
    assert "∞\u202fdB" in page
    assert "12\u202f345 values were out of range" in page
    assert page.count("Its name does not end in “.weight”") == 1
    assert "float32 → int8, float32 scales<" in page
    assert "float32 → int8，float32 缩放因子<" in client.get(address.replace("/en/", "/zh/")).text
    assert '<td class="tensors__why">' in page
    assert 'load_file("m-bfloat16.safetensors")' in html.unescape(page)
    assert names_in(client.get(f"{address}?sort=name&order=asc").text)[0] == "good.weight"
    assert names_in(client.get(f"{address}?find=good").text) == ["good.weight", "norm.weight"]


def test_a_result_that_grew_is_called_larger(client: TestClient, scene: Any) -> None:
    """Headers and scales can outweigh what tiny tensors save."""
    page = client.get(f"/en/jobs/{scene.finished(client, scene.report_row('w'), content=b'x' * 192)}").text
    assert "2.00 times larger" in page
    assert 'width="500"' in page


def test_a_report_of_numbers_that_became_infinite(client: TestClient, scene: Any) -> None:
    rows = [
        scene.report_row("good.weight", sqnr_db=60.0, mse=1e-9),
        scene.report_row("wide.weight", sqnr_db="-inf", mse="inf", max_abs_error="inf", cosine=None, overflowed=7),
    ]
    address = f"/en/jobs/{scene.finished(client, *rows)}"
    for sort in ("sqnr", "mse", "error", "cosine"):
        page = client.get(f"{address}?sort={sort}")
        assert page.status_code == 200
    page = client.get(address).text
    assert names_in(page) == ["wide.weight", "good.weight"]
    assert "(SQNR) of a tensor: −∞\u202fdB" in page
    assert ">∞<" in page


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_state_of_a_job_has_a_page(client: TestClient, scene: Any, state: State, language: str) -> None:
    job_id = scene.finished(client)
    code = "storage.full" if state is State.FAILED else None
    scene.jobs.known[job_id] = JobState(state, error_code=code)
    answer = client.get(f"/{language}/jobs/{job_id}")
    assert answer.status_code == 200
    assert ("hx-sse:connect" in answer.text) == (not state.is_final)
    listed = client.get(f"/{language}/compress").text
    assert f"state--{state}" in listed


def test_every_string_is_said_in_chinese() -> None:
    translated: dict[str, str] = {}
    for catalog in ("pages", "workspace", "file_page", "quantize_page"):
        with (ROOT / "app" / "wording" / "zh" / f"{catalog}.po").open(encoding="utf-8") as file:
            translated |= {str(message.id): str(message.string) for message in read_po(file) if message.id}
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True, trim_blocks=True, lstrip_blocks=True)
    for template in TEMPLATES:
        source = (ROOT / "templates" / f"{template}.html").read_text(encoding="utf-8")
        for _, _, message in environment.extract_translations(source):
            text = message if isinstance(message, str) else next(part for part in message if part)
            assert translated.get(text), text
            assert sorted(re.findall(r"%\(\w+\)s", text)) == sorted(re.findall(r"%\(\w+\)s", translated[text])), text
