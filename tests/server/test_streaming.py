"""What a page sees over a real websocket, with real workers behind it."""

from __future__ import annotations

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server.streaming import MAX_QUERIES
from tests.server.conftest import LiveApp

pytestmark = pytest.mark.slow
EDGE = {"layer": 0, "source": 0, "target": 0}


async def test_a_page_gets_a_snapshot_first_and_then_a_picture_that_moves(app: LiveApp) -> None:
    session_id, key = await app.create()
    async with app.page(session_id, key) as page:
        snapshot = await page.read()
        assert isinstance(snapshot, dict)
        assert (snapshot["type"], snapshot["session_id"], snapshot["can_edit"]) == ("snapshot", session_id, True)
        first = await page.frame()
        while (await page.frame()).step <= first.step:
            pass


async def test_an_act_is_answered_after_the_events_it_caused(app: LiveApp) -> None:
    session_id, key = await app.create()
    async with app.page(session_id, key) as page:
        await page.send({"type": "prune", "edges": [EDGE], "request_id": 3})
        structure = await page.event("structure")
        done = await page.event("done")
        assert structure["structure"]["edges"][0]["kind"] == "pruned"
        assert (done["request_id"], done["seq"]) == (3, structure["seq"] + 2)


async def test_events_reach_everyone_and_answers_only_the_asker(app: LiveApp) -> None:
    session_id, key = await app.create()
    async with app.page(session_id, key) as editor, app.page(session_id) as guest:
        assert (await guest.event("snapshot"))["viewers"] == 2
        await editor.event("viewers", count=2)
        assert (await editor.ask({"type": "inspect", "edge": EDGE}))["type"] == "inspection"
        assert (await editor.ask({"type": "pause"}))["type"] == "done"
        seen: list[str] = []
        while (item := await guest.read()) and not (isinstance(item, dict) and item["type"] == "status"):
            if isinstance(item, dict):
                seen.append(item["type"])
        assert set(seen) <= {"losses", "formula"}


async def test_a_link_without_the_key_is_for_watching(app: LiveApp) -> None:
    session_id, _ = await app.create()
    async with app.page(session_id, "wrong") as page:
        assert (await page.event("snapshot"))["can_edit"] is False
        refused = await page.ask({"type": "pause"})
        assert (refused["type"], refused["code"]) == ("error", "read_only")
        assert (await page.ask({"type": "residuals"}))["type"] == "residuals"
        assert (await page.frame()).epoch == 0


async def test_a_resync_brings_a_snapshot(app: LiveApp) -> None:
    session_id, key = await app.create()
    async with app.page(session_id, key) as page:
        await page.event("snapshot")
        await page.send({"type": "resync"})
        await page.event("snapshot", session_id=session_id)
        await page.frame()


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("nonsense", "A message is JSON, received 'nonsense'."),
        ("[]", "A message is a JSON object, received []."),
        ("{}", "A message names its type, received {}."),
        ('{"type":"fly"}', "There is no command of type 'fly'."),
        (
            '{"type":"step","count":5000}',
            "step.count is at most 1000, received 5000.",
        ),
        ('{"type":"run","fast":1}', "run.fast is not a field here, received 1: leave it out."),
    ],
)
async def test_a_malformed_message_is_refused_by_name_and_the_session_goes_on(
    app: LiveApp, message: str, sentence: str
) -> None:
    session_id, key = await app.create()
    async with app.page(session_id, key) as page:
        await page.send(message)
        refused = await page.event("error")
        assert (refused["code"], refused["sentence"]) == ("bad_message", sentence)
        assert (await page.ask({"type": "pause"}))["type"] == "done"


async def test_a_binary_message_is_no_command(app: LiveApp) -> None:
    session_id, key = await app.create()
    async with app.page(session_id, key) as page:
        await page.connection.send(b"\x00\x01")
        assert (await page.event("error"))["code"] == "bad_message"


async def test_many_questions_of_a_guest_wait_for_each_other_and_training_goes_on(app: LiveApp) -> None:
    session_id, key = await app.create({"training": {"steps_per_second": None, "optimizer": "adam"}})
    async with app.page(session_id) as guest:
        await guest.frame()
        for number in range(2 * MAX_QUERIES):
            await guest.send({"type": "suggest", "edge": EDGE, "request_id": number})
        kinds: list[str] = []
        answers: dict[int, str] = {}
        while len(answers) < 2 * MAX_QUERIES:
            item = await guest.read()
            if isinstance(item, dict):
                kinds.append(item["type"])
                if item["request_id"] is not None:
                    assert item["request_id"] not in answers
                    answers[item["request_id"]] = item.get("code", item["type"])
    assert answers == {number: "candidates" if number < MAX_QUERIES else "busy" for number in range(2 * MAX_QUERIES)}
    # between any two answers there was time to train
    between = "".join({"candidates": "|", "losses": "l"}.get(kind, "") for kind in kinds).split("|")[1:-1]
    assert len(between) == MAX_QUERIES - 1
    assert all(between)
    async with app.page(session_id, key) as page:
        assert (await page.ask({"type": "pause"}))["type"] == "done"


async def test_questions_of_a_page_that_left_keep_nobody_waiting(app: LiveApp) -> None:
    session_id, key = await app.create()
    async with app.page(session_id, key) as page:
        await page.event("snapshot")
        for _ in range(3):
            async with app.page(session_id) as guest:
                for number in range(MAX_QUERIES):
                    await guest.send({"type": "suggest", "edge": EDGE, "request_id": number})
                # all that were sent have arrived once one more is refused
                await guest.ask({"type": "pause"})
        assert (await page.ask({"type": "residuals"}))["type"] == "residuals"


async def test_an_edge_that_is_not_there_is_refused_by_name(app: LiveApp) -> None:
    session_id, key = await app.create()
    async with app.page(session_id, key) as page:
        for kind in ("inspect", "suggest", "restore"):
            refused = await page.ask({"type": kind, "edge": {"layer": 4, "source": 0, "target": 0}})
            assert refused["type"] == "error"
            assert "4" in refused["sentence"]


async def test_an_oversized_message_ends_that_connection_alone(app: LiveApp) -> None:
    session_id, key = await app.create()
    async with app.page(session_id, key) as guest:
        async with app.page(session_id, key) as page:
            await page.send(" " * 70_000)
            with pytest.raises(ConnectionClosed) as closed:
                await page.event("never")
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009
        await guest.event("viewers", count=1)


async def test_too_many_commands_are_refused_and_then_end_the_connection(app: LiveApp) -> None:
    session_id, key = await app.create()
    async with app.page(session_id, key) as page:
        for _ in range(100):
            await page.send({"type": "pause"})
        assert (await page.event("error", code="too_many_commands"))["sentence"].startswith("A page may send 30")
        for _ in range(400):
            await page.send({"type": "pause"})
        with pytest.raises(ConnectionClosed) as closed:
            await page.event("never")
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4429, "too many commands")
    async with app.page(session_id, key) as page:
        await page.event("snapshot")


async def test_an_unknown_session_has_a_close_code_of_its_own(app: LiveApp) -> None:
    async with app.page("nothing") as page:
        with pytest.raises(ConnectionClosed) as closed:
            await page.read()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4404, "unknown session")


async def test_a_foreign_page_is_refused_before_the_connection_stands(app: LiveApp) -> None:
    session_id, key = await app.create()
    with pytest.raises(InvalidStatus) as refused:
        async with app.page(session_id, key, origin="http://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    async with app.page(session_id, key, origin=f"http://{app.address}") as page:
        await page.event("snapshot")


async def test_deleting_a_session_sends_its_viewers_away(app: LiveApp) -> None:
    session_id, key = await app.create()
    async with app.page(session_id) as page:
        await page.event("snapshot")
        refused = await app.client.delete(f"/api/sessions/{session_id}", params={"key": "wrong"})
        assert (refused.status_code, refused.json()["code"]) == (403, "read_only")
        deleted = await app.client.delete(f"/api/sessions/{session_id}", params={"key": key})
        assert deleted.status_code == 204
        with pytest.raises(ConnectionClosed) as closed:
            await page.event("never")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4410
    gone = await app.client.get(f"/api/sessions/{session_id}")
    assert (gone.status_code, gone.json()["code"]) == (404, "unknown_session")
