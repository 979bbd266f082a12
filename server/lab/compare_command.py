"""The command `kanoscope lab --compare RUN RUN`: two kept runs side by side."""

from __future__ import annotations

import asyncio

import typer

from server.lab.command import BadInput, print_tables
from server.lab.comparing import compare_runs
from server.lab.messages import LabComparison
from server.lab.store import LabStore
from server.lab.tables import place_rows
from server.settings import Settings
from server.storage import Storage


def compare(run_ids: tuple[str, str], settings: Settings, *, as_json: bool) -> None:
    """Print what two runs have in common and what differs between them; raises BadInput."""
    comparison = asyncio.run(_compare(run_ids, settings))
    if as_json:
        typer.echo(comparison.model_dump_json())
        return
    said = (comparison.sentence, *comparison.differences, *comparison.makers, comparison.seconds_compare)
    for sentence in said:
        typer.echo(sentence)
    typer.echo()
    print_tables([place_rows(comparison)])


async def _compare(run_ids: tuple[str, str], settings: Settings) -> LabComparison:
    storage = Storage(settings.database)
    await storage.open()
    store = LabStore(storage)
    try:
        first, second = [await store.load_run(run_id) for run_id in run_ids]
        for run_id, stored in zip(run_ids, (first, second), strict=True):
            if stored is None:
                raise BadInput(f"There is no run {run_id!r}: name one that kanoscope lab or the page has kept.")
        assert first is not None
        assert second is not None
        results = [list((await store.load_results(run_id)).values()) for run_id in run_ids]
        return compare_runs(first, results[0], second, results[1])
    finally:
        await storage.close()
