"""Whether a sweep makes a live session stutter: frames a second of a viewer with and without a sweep beside it.

    python -m benchmarks.lab_frames

One server trains a session by Adam, which never ends, for one viewer that acknowledges each frame, and computes *How do
they scale?* on all cores. The sweep is paused and goes on by turns (off, on, off, on, …), so that a busy machine is
equally unfair to both; what comes within a second of a turn's beginning does not count. Shown are medians over the
turns, once at a pace that people follow and once as fast as it goes: frames and steps a second, and of the times
between frames the one that 95 % stay below and the longest. A ratio under 1 is what the sweep takes.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import struct
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.interleave import show_table
from tests.live import LiveServer

HEAD = struct.Struct("<7I")
SWEEP = "how-they-scale"
SETTLING = 1.0
POLL_INTERVAL = 0.2
START_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What a viewer got in one turn: frames and steps a second, milliseconds between frames."""

    frames: float
    steps: float
    gap_95: float
    longest_gap: float

    @property
    def values(self) -> tuple[float, ...]:
        """All of them, in the order of the columns."""
        return self.frames, self.steps, self.gap_95, self.longest_gap


class Viewer:
    """Watches a session, acknowledges its frames and notes when each came, of which step."""

    def __init__(self) -> None:
        self._came: list[tuple[float, int]] = []

    async def watch(self, socket: ClientConnection) -> None:
        """Read until cancelled."""
        async for message in socket:
            if isinstance(message, bytes):
                fields = HEAD.unpack_from(message)
                self._came.append((time.perf_counter(), fields[6]))
                await socket.send(json.dumps({"type": "ack", "seq": fields[3]}))

    async def begin(self) -> None:
        """Return once frames of training come; raises TimeoutError when none do."""
        async with asyncio.timeout(START_TIMEOUT):
            while not self._came or self._came[-1][1] < 2:
                await asyncio.sleep(POLL_INTERVAL)

    async def take_turn(self, seconds: float) -> Turn:
        """Return what comes in so many seconds, after a while in which the machine settles."""
        await asyncio.sleep(SETTLING)
        self._came.clear()
        await asyncio.sleep(seconds)
        came = self._came.copy()
        if len(came) < 3:
            return Turn(len(came) / seconds, 0.0, 1e3 * seconds, 1e3 * seconds)
        gaps = [1e3 * (later - earlier) for (earlier, _), (later, _) in pairwise(came)]
        steps = (came[-1][1] - came[0][1]) / (came[-1][0] - came[0][0])
        return Turn(len(came) / seconds, steps, statistics.quantiles(gaps, n=20)[-1], max(gaps))


class Sweep:
    """A run of the lab that is paused and goes on."""

    def __init__(self, client: httpx.AsyncClient, created: dict[str, str]) -> None:
        self._client = client
        self._path = f"/api/lab/runs/{created['run_id']}"
        self._key = {"key": created["edit_key"]}

    @classmethod
    async def start(cls, client: httpx.AsyncClient, spec: str) -> Sweep:
        """Start a run and return once its processes compute."""
        created = (await client.post("/api/lab/runs", json={"toml": spec})).raise_for_status().json()
        sweep = cls(client, created)
        while not (info := await sweep.info())["num_done"] and not any(
            one["state"] == "running" for one in info["points"]
        ):
            await asyncio.sleep(POLL_INTERVAL)
        return sweep

    async def info(self) -> dict[str, Any]:
        """Return the run as it stands."""
        return (await self._client.get(self._path)).raise_for_status().json()

    async def switch(self, *, on: bool) -> None:
        """Pause it or let it go on."""
        (await self._client.post(f"{self._path}/{'resume' if on else 'pause'}", params=self._key)).raise_for_status()

    async def delete(self) -> None:
        """End it and forget it."""
        await self._client.delete(self._path, params=self._key)


@asynccontextmanager
async def watched(server: LiveServer, client: httpx.AsyncClient, pace: float | None) -> AsyncGenerator[Viewer]:
    """Yield the viewer of a session that trains at a pace."""
    training = {"optimizer": "adam", "steps_per_second": pace}
    created = (await client.post("/api/sessions", json={"training": training})).raise_for_status().json()
    address = f"ws{server.url[4:]}/ws/sessions/{created['session_id']}?key={created['edit_key']}"
    async with connect(address, compression=None, max_size=None) as socket:
        viewer = Viewer()
        watching = asyncio.create_task(viewer.watch(socket))
        yield viewer
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    await client.delete(f"/api/sessions/{created['session_id']}", params={"key": created["edit_key"]})


async def measure(server: LiveServer, spec: str, pace: float | None, rounds: int, seconds: float) -> list[list[str]]:
    """Return the rows of a pace: without, with, and their ratios."""
    turns: dict[bool, list[Turn]] = {False: [], True: []}
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=120) as client,
        watched(server, client, pace) as viewer,
    ):
        await viewer.begin()
        sweep = await Sweep.start(client, spec)
        for _ in range(rounds):
            for on in (False, True):
                await sweep.switch(on=on)
                turns[on].append(await viewer.take_turn(seconds))
        if (await sweep.info())["state"] != "running":
            raise RuntimeError("the sweep was over before the last turn: take fewer or shorter turns")
        await sweep.delete()
    off, on = ([statistics.median(column) for column in columns_of(turns[state])] for state in (False, True))
    name = "as fast as it goes" if pace is None else f"{pace:g} steps/s"
    return [
        [name, "without", *(f"{one:.1f}" for one in off)],
        [name, "with", *(f"{one:.1f}" for one in on)],
        [
            name,
            "ratio",
            *(f"{with_it / without:.2f}" if without else "–" for with_it, without in zip(on, off, strict=True)),
        ],
    ]


def columns_of(turns: list[Turn]) -> list[tuple[float, ...]]:
    """Return each number of all turns."""
    return list(zip(*(turn.values for turn in turns), strict=True))


async def measure_all(server: LiveServer, spec: str, rounds: int, seconds: float) -> list[list[str]]:
    """Return the rows of both paces."""
    return [row for pace in (30.0, None) for row in await measure(server, spec, pace, rounds, seconds)]


def main(
    rounds: Annotated[int, typer.Option(help="Turns with and without a sweep, at each pace.")] = 6,
    seconds: Annotated[float, typer.Option(help="How long a turn lasts.")] = 5.0,
    spec: Annotated[str, typer.Option(help="The sweep: a ready spec's name.")] = SWEEP,
) -> None:
    """Measure and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        server = LiveServer(Path(folder))
        server.start()
        try:
            rows = asyncio.run(measure_all(server, spec, rounds, seconds))
        finally:
            server.stop()
    show_table(
        f"One live session beside {spec}, {rounds} turns of {seconds:g} s each way",
        ["pace", "a sweep", "frames/s", "steps/s", "ms between frames, 95 % within", "longest"],
        rows,
    )


if __name__ == "__main__":
    typer.run(main)
