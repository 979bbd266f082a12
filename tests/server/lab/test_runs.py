"""Runs are started, rest, go on after restarts and end, and every point is kept once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from server.lab.jobs import Job, JobProgress
from server.lab.viewer import LabViewer
from server.mailbox import MailboxClosed
from server.refusal import Refusal
from server.rooms import DELETED, INTERRUPTED
from tests.server.lab.bench import bench, read
from tests.server.lab.fakes import make_plan, make_result


async def test_a_run_is_told_of_point_by_point_until_it_is_done(tmp_path: Path) -> None:
    async with bench(tmp_path) as one:
        made = await one.runs.start("race")
        async with one.runs.watch(made.run_id, None) as viewer:
            run = (await read(viewer))["run"]
            assert (run["state"], run["num_points"], run["num_done"], run["can_edit"]) == ("running", 3, 0, False)
            # two processes share the six seconds that were expected
            assert (run["expected_seconds"], run["seconds_left"]) == (3.0, 3.0)
            await one.queue.finish()
            told = await read(viewer)
            assert (told["type"], told["num_done"], told["point"]["test_rmse"]) == ("lab_point", 1, 0.5)
            # two are left of two seconds each, as was expected, on two processes
            assert told["seconds_left"] == 2.0
            await one.queue.finish(outcome="failed", test_rmse=None, sentence="No.")
            assert (await read(viewer))["num_failed"] == 1
            await one.queue.finish()
            await read(viewer)
            sentence = "All 3 points are done; 1 failed, and say why."
            assert await read(viewer) == {"type": "lab_state", "state": "done", "sentence": sentence}
        info = await one.runs.info(made.run_id, made.edit_key)
        assert (info.state, info.num_done, info.can_edit, info.seconds_left) == ("done", 3, True, None)
        assert [point.outcome for point in info.points] == ["ok", "failed", "ok"]
        assert [summary.state for summary in await one.runs.summaries()] == ["done"]


async def test_a_restart_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    async with bench(tmp_path) as one:
        made = await one.runs.start("race")
        await one.queue.finish()
    async with bench(tmp_path) as one:
        assert [job.point.seed for job in one.queue.jobs] == [1, 2]
        await one.queue.finish()
        await one.queue.finish()
        assert (await one.runs.info(made.run_id, None)).state == "done"
    async with bench(tmp_path) as one:
        assert one.queue.jobs == []
        assert (await one.runs.info(made.run_id, None)).num_done == 3


async def test_a_stop_between_the_last_point_and_the_end_of_its_run_is_made_good(tmp_path: Path) -> None:
    async with bench(tmp_path) as one:
        made = await one.runs.start("race")
        for job in one.queue.jobs:
            await one.store.add_result(made.run_id, job.point.key, make_result(job.point))
    async with bench(tmp_path) as one:
        assert (await one.runs.info(made.run_id, None)).state == "done"


async def test_a_result_that_comes_twice_is_kept_and_told_once_as_it_first_was(tmp_path: Path) -> None:
    async with bench(tmp_path) as one:
        made = await one.runs.start("race")
        job = await one.queue.finish(test_rmse=0.25)
        await one.runs.carrier.on_result(job, make_result(job.point, test_rmse=0.75))
        info = await one.runs.info(made.run_id, None)
        assert (info.num_done, info.points[0].test_rmse) == (1, 0.25)


async def test_a_paused_run_stays_paused_over_a_restart_and_goes_on(tmp_path: Path) -> None:
    async with bench(tmp_path) as one:
        made = await one.runs.start("race")
        await one.queue.finish()
        await one.runs.pause(made.run_id, made.edit_key)
        await one.runs.pause(made.run_id, made.edit_key)
        assert one.queue.told == [("hold", made.run_id)]
        info = await one.runs.info(made.run_id, None)
        assert (info.state, info.sentence) == ("paused", "Paused: 1 of 3 points are done.")
    async with bench(tmp_path) as one:
        assert one.queue.jobs == []
        await one.runs.resume(made.run_id, made.edit_key)
        assert [job.point.seed for job in one.queue.jobs] == [1, 2]
        await one.runs.resume(made.run_id, made.edit_key)
        assert len(one.queue.jobs) == 2
        assert (await one.runs.info(made.run_id, None)).state == "running"


async def test_a_cancelled_run_keeps_its_points_and_takes_no_more(tmp_path: Path) -> None:
    async with bench(tmp_path) as one:
        made = await one.runs.start("race")
        late = one.queue.jobs[1]
        await one.queue.finish()
        async with one.runs.watch(made.run_id, None) as viewer:
            await read(viewer)
            await one.runs.cancel(made.run_id, made.edit_key)
            await one.runs.cancel(made.run_id, made.edit_key)
            sentence = "Cancelled: 1 of 3 points are done and kept."
            assert await read(viewer) == {"type": "lab_state", "state": "cancelled", "sentence": sentence}
        assert one.queue.told == [("drop", made.run_id)]
        await one.runs.carrier.on_result(late, make_result(late.point))
        assert (await one.runs.info(made.run_id, None)).num_done == 1
        with pytest.raises(Refusal, match="run the spec anew"):
            await one.runs.resume(made.run_id, made.edit_key)
        with pytest.raises(Refusal, match="nothing to pause"):
            await one.runs.pause(made.run_id, made.edit_key)
    async with bench(tmp_path) as one:
        assert one.queue.jobs == []


async def test_a_deleted_run_is_gone_and_its_viewers_are_sent_away(tmp_path: Path) -> None:
    async with bench(tmp_path) as one:
        made = await one.runs.start("race")
        job = one.queue.jobs[0]
        async with one.runs.watch(made.run_id, None) as viewer:
            await one.runs.delete(made.run_id, made.edit_key)
            with pytest.raises(MailboxClosed) as closed:
                await viewer.get()
            assert closed.value.code == DELETED
        await one.runs.carrier.on_result(job, make_result(job.point))
        assert await one.runs.summaries() == []
        with pytest.raises(Refusal, match="There is no run"):
            await one.runs.info(made.run_id, None)


@pytest.mark.parametrize("act", ["pause", "resume", "cancel", "delete"])
async def test_nobody_without_the_edit_key_changes_a_run(tmp_path: Path, act: str) -> None:
    async with bench(tmp_path) as one:
        made = await one.runs.start("race")
        for key in (None, "", "other"):
            with pytest.raises(Refusal, match="Only who holds the edit link may change a run"):
                await getattr(one.runs, act)(made.run_id, key)
        with pytest.raises(Refusal, match="There is no run 'none'"):
            await getattr(one.runs, act)("none", made.edit_key)
        assert (await one.runs.info(made.run_id, None)).state == "running"


async def test_specs_that_cannot_run_and_too_many_runs_are_refused(tmp_path: Path) -> None:
    async with bench(tmp_path, max_runs=1) as one:
        check = await one.runs.check("nonsense")
        assert (check.ok, check.sentence) == (False, "There is no plan of 'nonsense' with only=None: give another.")
        check = await one.runs.check("race")
        expected = "3 points (1 contestant × 1 problem × 3 seeds): a few seconds on 2 processes."
        assert (check.ok, check.sentence, check.expected_seconds) == (True, expected, 3.0)
        with pytest.raises(Refusal, match="There is no plan"):
            await one.runs.start("nonsense")
        await one.runs.start("race")
        with pytest.raises(Refusal, match="keeps 1 runs of the lab: delete one"):
            await one.runs.start("race")


async def test_a_run_whose_results_cannot_be_written_rests_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_run_id: str, _key: str, _result: str) -> bool:
        raise OperationalError("INSERT", None, Exception("disk full"))

    async with bench(tmp_path) as one:
        made = await one.runs.start("race")
        with monkeypatch.context() as patch:
            patch.setattr(one.store, "add_result", fail)
            job = await one.queue.finish()
        info = await one.runs.info(made.run_id, None)
        assert (info.state, info.sentence) == (
            "paused",
            "A result cannot be written (disk full): make room and go on.",
        )
        # the point is computed again
        assert job in one.queue.jobs
        await one.runs.resume(made.run_id, made.edit_key)
        for _ in range(3):
            await one.queue.finish()
        assert (await one.runs.info(made.run_id, None)).state == "done"


async def test_progress_of_what_runs_is_told_together(tmp_path: Path) -> None:
    async with bench(tmp_path) as one:
        made = await one.runs.start("race")
        first, second = one.queue.jobs[:2]
        async with one.runs.watch(made.run_id, None) as viewer:
            await read(viewer)
            for step in (1, 2):
                for job in (first, second):
                    progress = JobProgress(progress=step / 4, step=step, seconds=1.0, test_rmse=None)
                    one.runs.carrier.on_progress(job, progress)
            told = await read(viewer)
            assert [(at["key"], at["progress"], at["step"]) for at in told["running"]] == [
                (first.point.key, 0.5, 2),
                (second.point.key, 0.5, 2),
            ]
            info = await one.runs.info(made.run_id, None)
            assert [point.state for point in info.points] == ["running", "running", "waiting"]


async def test_laws_are_fitted_as_points_come_in_and_once_for_as_many(tmp_path: Path) -> None:
    async with bench(tmp_path) as one:
        made = await one.runs.start("sweep")
        async with one.runs.watch(made.run_id, None) as viewer:
            await read(viewer)
            await one.queue.finish()
            assert (await read(viewer))["type"] == "lab_point"
            told = await read(viewer)
            assert (told["type"], told["fits"][0]["exponent"]) == ("lab_fits", 1.0)
            info = await one.runs.info(made.run_id, None)
            assert ([fit.exponent for fit in info.fits], one.asker.num_fits) == ([1.0], 1)


async def test_a_viewer_who_does_not_read_is_sent_away(tmp_path: Path) -> None:
    async with bench(tmp_path) as one:
        made = await one.runs.start("race")
        async with one.runs.watch(made.run_id, None) as viewer:
            for _ in range(30):
                await one.runs.pause(made.run_id, made.edit_key)
                await one.runs.resume(made.run_id, made.edit_key)
            with pytest.raises(MailboxClosed, match="too slow"):
                await viewer.get()


async def test_a_stop_sends_viewers_away(tmp_path: Path) -> None:
    async with bench(tmp_path) as one:
        made = await one.runs.start("race")
        async with one.runs.watch(made.run_id, None) as viewer:
            waiting = asyncio.create_task(_last(viewer))
            await one.runs.stop()
            assert (await waiting).code == INTERRUPTED


async def _last(viewer: LabViewer) -> MailboxClosed:
    while True:
        try:
            await viewer.get()
        except MailboxClosed as closed:
            return closed


async def test_progress_of_a_run_that_is_gone_is_nobodys(tmp_path: Path) -> None:
    async with bench(tmp_path) as one:
        job = Job(run_id="none", toml="", point=make_plan().points[0])
        one.runs.carrier.on_progress(job, JobProgress(progress=0.5, step=1, seconds=1.0, test_rmse=None))
        await one.runs.carrier.on_result(job, make_result(job.point))
        assert await one.store.load_results("none") == {}
