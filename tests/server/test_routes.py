"""The REST interface over a real socket."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.server.conftest import LiveApp, run_app

pytestmark = pytest.mark.slow
JSON = {"content-type": "application/json"}
CSV = "a;b;y\n" + "".join(f"{k},5;{k * k};{k % 7}\n" for k in range(40))


async def _upload(app: LiveApp, content: bytes) -> dict[str, object]:
    response = await app.client.post("/api/datasets", content=content, headers={"content-type": "text/csv"})
    return {"status": response.status_code, **response.json()}


async def test_the_catalogue_fills_the_menus(app: LiveApp) -> None:
    catalogue = (await app.client.get("/api/catalogue")).json()
    problems = {problem["name"]: problem for problem in catalogue["problems"]}
    assert len(problems) >= 14
    assert problems["exp_sin"]["widths"] == [2, 5, 1]
    assert problems["moons"] | {"truth": None, "task": "classification"} == problems["moons"]
    assert {"sin", "exp", "x^2"} <= {function["name"] for function in catalogue["functions"]}
    families = ["bspline", "linear", "chebyshev", "jacobi", "fourier", "gaussian", "mexican_hat", "relu"]
    assert [basis["name"] for basis in catalogue["bases"]] == families
    assert all(basis["sentence"].endswith(".") and basis["size_word"] for basis in catalogue["bases"])
    assert [basis["name"] for basis in catalogue["bases"] if basis["has_order"]] == ["bspline", "relu"]
    assert [basis["name"] for basis in catalogue["bases"] if basis["has_exponents"]] == ["jacobi"]
    free = [basis["name"] for basis in catalogue["bases"] if basis["takes_any_size"]]
    assert free == ["chebyshev", "jacobi", "fourier", "mexican_hat"]
    assert catalogue["limits"]["max_csv_bytes"] == 20_000_000


async def test_a_formula_is_checked_and_drawn(app: LiveApp) -> None:
    body = {"expression": "sin(pi*x) + t", "variables": None}
    checked = (await app.client.post("/api/formula/check", json=body)).json()
    assert (checked["ok"], checked["variables_found"]) == (True, ["x", "t"])
    assert checked["mathml"].startswith("<math>")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "expression",
    [
        "x + 1/1e999999999",
        "x + 1/exp(exp(exp(exp(exp(1)))))",
        "x+sin(exp(exp(exp(9))))",
        "*".join(["9^64"] * 80),
        "٣.5*x",
        "x\ud800",
        "x\x00",
        "1e999*x",
        "x/0",
    ],
)
async def test_whatever_is_typed_is_refused_with_a_sentence(app: LiveApp, expression: str) -> None:
    answer = await app.client.post("/api/formula/check", content=json.dumps({"expression": expression}), headers=JSON)
    assert answer.status_code in (200, 422)
    assert answer.json()["sentence"].endswith(".")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("expression", ["max(sin(x+y)," * 24 + "x" + ")" * 24, "9^(1e15-x)*9^x", "πx² + √x × 2π − x³"])
async def test_whatever_is_accepted_is_drawn(app: LiveApp, expression: str) -> None:
    checked = (await app.client.post("/api/formula/check", json={"expression": expression})).json()
    assert (checked["ok"], checked["sentence"]) == (True, None)
    assert checked["mathml"].startswith("<math>")


async def test_names_that_no_text_can_hold_are_refused(app: LiveApp) -> None:
    body = json.dumps({"expression": "z", "variables": ["\ud800"]})
    answer = await app.client.post("/api/formula/check", content=body, headers=JSON)
    assert answer.status_code in (200, 422)


@pytest.mark.parametrize(
    ("expression", "position"),
    [("sin(x", 5), ("x + q", 4), ("__import__('os')", 0), ("x.real", 1), ("9**9**9", 3), ("", 0), ("foo(x)", 0)],
)
async def test_a_formula_that_cannot_be_used_is_refused_at_its_place(
    app: LiveApp, expression: str, position: int
) -> None:
    body = {"expression": expression, "variables": ["x"]}
    checked = (await app.client.post("/api/formula/check", json=body)).json()
    assert (checked["ok"], checked["position"], checked["mathml"]) == (False, position, None)
    assert checked["sentence"].endswith(".")
    data = {"kind": "formula", "expression": expression or " ", "variables": [{"name": "x"}]}
    refused = await app.client.post("/api/sessions", json={"data": data})
    assert refused.status_code == 422
    assert refused.json()["code"] == "bad_formula"


async def test_a_call_of_anything_is_no_variable(app: LiveApp) -> None:
    checked = (await app.client.post("/api/formula/check", json={"expression": "__import__(1)"})).json()
    assert (checked["ok"], checked["variables_found"]) == (False, [])


@pytest.mark.parametrize(
    ("request_body", "sentence"),
    [
        ({"data": {"kind": "catalogue", "name": "none"}}, "The catalogue has no problem named 'none'"),
        (
            {"network": {"widths": [2, 99, 1]}},
            "network.widths has at most 32 nodes a layer above the inputs, received [2, 99, 1].",
        ),
        ({"network": {"widths": [3, 1]}}, "The data have 2 inputs"),
        ({"network": {"grid_size": 0}}, "network.grid_size is at least 1, received 0."),
        ({"network": {"order": 6}}, "network.order is at most 5, received 6."),
        ({"seed": -1}, "seed is at least 0, received -1."),
        ({"sed": 1}, "sed is not a field here, received 1: leave it out."),
        (
            {"data": {"kind": "formula", "expression": "log(x)", "variables": [{"name": "x"}]}},
            "The formula has no finite real value at x = ",
        ),
    ],
)
async def test_a_session_that_cannot_be_is_refused_in_one_sentence(
    app: LiveApp, request_body: dict[str, object], sentence: str
) -> None:
    response = await app.client.post("/api/sessions", json=request_body)
    assert response.status_code == 422
    assert response.json()["sentence"].startswith(sentence)
    assert (await app.client.get("/api/sessions")).json() == {"sessions": []}


async def test_an_uploaded_table_is_learned_from_and_comes_back_after_a_restart(tmp_path: Path) -> None:
    async with run_app(tmp_path) as app:
        table = await _upload(app, CSV.encode())
        assert (table["status"], table["num_rows"], table["delimiter"]) == (201, 40, ";")
        assert table["columns"] == [
            {"name": "a", "low": 0.5, "high": 39.5, "distinct": 40},
            {"name": "b", "low": 0.0, "high": 1521.0, "distinct": 40},
            {"name": "y", "low": 0.0, "high": 6.0, "distinct": 7},
        ]
        source = {"kind": "csv", "dataset_id": table["dataset_id"], "inputs": ["a"], "target": "y"}
        one, _ = await app.create({"data": source})
        two, key = await app.create()
        async with app.page(two, key) as page:
            answer = await page.ask({"type": "set_data", "source": source | {"inputs": ["a", "b"]}})
            assert answer["type"] == "done"
            await page.frame()
    async with run_app(tmp_path) as app:
        for session_id, inputs in ((one, ["a"]), (two, ["a", "b"])):
            async with app.page(session_id) as page:
                assert (await page.event("snapshot"))["data"]["input_names"] == inputs


async def test_a_table_that_nobody_uploaded_is_refused_by_name(app: LiveApp) -> None:
    source = {"kind": "csv", "dataset_id": "none", "inputs": ["a"], "target": "y"}
    refused = await app.client.post("/api/sessions", json={"data": source})
    assert refused.json()["code"] == "unknown_dataset"
    session_id, key = await app.create()
    async with app.page(session_id, key) as page:
        assert (await page.ask({"type": "set_data", "source": source}))["code"] == "unknown_dataset"
        assert (await page.ask({"type": "pause"}))["type"] == "done"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b"\x00\x01\x02", "The file is binary"),
        (b"a,b\n1,2\n3\n" + b"1,2\n" * 20, "Every row has as many cells as the first"),
        (b"a,b\n1,2\n3,x\n" + b"1,2\n" * 20, "Row 3, column 'b' holds 'x'"),
        (b"a,b\n1,2\n3,\n" + b"1,2\n" * 20, "Row 3, column 'b' is empty"),
        (b"a,b\n1,2\n", "A table needs at least 10 rows"),
    ],
)
async def test_a_file_that_is_no_table_is_refused_in_one_sentence(app: LiveApp, content: bytes, sentence: str) -> None:
    refused = await _upload(app, content)
    assert (refused["status"], refused["code"]) == (422, "bad_table")
    assert str(refused["sentence"]).startswith(sentence)


async def test_uploads_are_bounded_in_size_and_number(tmp_path: Path) -> None:
    async with run_app(tmp_path, max_csv_bytes=1000, max_datasets=1) as app:
        assert (await app.client.get("/api/catalogue")).json()["limits"]["max_csv_bytes"] == 1000
        refused = await _upload(app, b"1,2\n" * 300)
        assert (refused["status"], refused["code"]) == (413, "too_large")
        assert (await _upload(app, CSV.encode()))["status"] == 201
        # nobody learned from the first, so it makes room
        table = await _upload(app, CSV.encode())
        assert table["status"] == 201
        await app.create({"data": {"kind": "csv", "dataset_id": table["dataset_id"], "inputs": ["a"], "target": "y"}})
        refused = await _upload(app, CSV.encode())
        assert (refused["status"], refused["code"]) == (429, "too_many_tables")
        assert str(refused["sentence"]).startswith(
            "This server keeps 1 tables, and sessions learn from all of them: delete a session"
        )


async def test_a_constant_target_is_refused_by_name(app: LiveApp) -> None:
    table = await _upload(app, b"a,b\n" + b"".join(b"%d,3\n" % k for k in range(20)))
    source = {"kind": "csv", "dataset_id": table["dataset_id"], "inputs": ["a"], "target": "b"}
    refused = (await app.client.post("/api/sessions", json={"data": source})).json()
    assert refused["sentence"].startswith("The target 'b' is constant at 3")


async def test_foreign_hosts_and_foreign_changes_are_refused(app: LiveApp) -> None:
    host = await app.client.get("/api/health", headers={"host": "evil.example"})
    assert (host.status_code, host.json()["code"]) == (400, "foreign_host")
    origin = await app.client.post("/api/sessions", json={}, headers={"origin": "http://evil.example"})
    assert (origin.status_code, origin.json()["code"]) == (403, "foreign_origin")
    assert (await app.client.get("/api/health", headers={"origin": "http://evil.example"})).status_code == 200


async def test_what_is_not_there_is_said_in_json_under_api(app: LiveApp) -> None:
    response = await app.client.get("/api/nothing")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("content", "kind", "sentence"),
    [
        (b"{nope", "application/json", "The body is JSON, received '{nope'."),
        (b"", "application/json", "The body is required, received nothing."),
        (b"[]", "application/json", "The body is a JSON object, received []."),
        (b"{}", "text/plain", "The body is a JSON object of the content type application/json, received '{}'."),
    ],
)
async def test_a_body_that_is_no_json_is_refused_in_one_sentence(
    app: LiveApp, content: bytes, kind: str, sentence: str
) -> None:
    refused = await app.client.post("/api/sessions", content=content, headers={"content-type": kind})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_request")
    assert refused.json()["sentence"].startswith(sentence)


async def test_a_body_that_is_no_text_is_refused_in_one_sentence(app: LiveApp) -> None:
    refused = await app.client.post("/api/sessions", content=b"\xff", headers=JSON)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")
    assert refused.json()["sentence"] == "The body is JSON in UTF-8, received something else: send it as such."


async def test_a_method_that_is_not_there_is_refused_in_one_sentence(app: LiveApp) -> None:
    refused = await app.client.put("/api/sessions", json={})
    assert refused.status_code == 405
    assert refused.json()["sentence"] == ("/api/sessions does not take PUT: see /api/openapi.json for what there is.")


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(app: LiveApp) -> None:
    refused = await app.client.post("/api/sessions", content=b"x" * 5_000_000)
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert (await app.client.get("/api/health")).status_code == 200
