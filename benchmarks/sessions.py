"""How many sessions one server carries: frames and steps a second as sessions are added.

    python -m benchmarks.sessions

Every session trains the default network by Adam, which never ends, watched by one viewer that acknowledges each frame.
Shown are the frames a second of the median and of the slowest viewer, the optimizer steps of all sessions together, and
how long the web process takes to answer its health check meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import struct
import tempfile
import time
from pathlib import Path
from typing import Annotated

import httpx
import typer
from websockets.asyncio.client import connect

from benchmarks.interleave import show_table
from tests.live import LiveServer

COUNTS = (1, 2, 4, 8, 16, 32)
HEAD = struct.Struct("<7I")
PING_INTERVAL = 0.05


async def watch(server: LiveServer, steps_per_second: float, start: asyncio.Event, seconds: float) -> tuple[int, int]:
    """Return the frames that one viewer got and the steps its session did, once all viewers are there."""
    request = {"training": {"optimizer": "adam", "steps_per_second": steps_per_second}}
    async with httpx.AsyncClient(base_url=server.url, timeout=120) as client:
        created = (await client.post("/api/sessions", json=request)).raise_for_status().json()
        address = f"ws{server.url[4:]}/ws/sessions/{created['session_id']}?key={created['edit_key']}"
        async with connect(address, compression=None, max_size=None) as socket:
            await start.wait()
            frames, steps, end = 0, list[int](), time.perf_counter() + seconds
            while time.perf_counter() < end:
                message = await socket.recv()
                if isinstance(message, bytes):
                    fields = HEAD.unpack_from(message)
                    await socket.send(json.dumps({"type": "ack", "seq": fields[3]}))
                    frames += 1
                    steps.append(fields[6])
        await client.delete(f"/api/sessions/{created['session_id']}", params={"key": created["edit_key"]})
    # the first frame waited for the others to come
    return frames, steps[-1] - steps[1] if len(steps) > 1 else 0


async def ping(server: LiveServer, done: asyncio.Event) -> list[float]:
    """Return the milliseconds that health checks took until `done`."""
    times: list[float] = []
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        while not done.is_set():
            begin = time.perf_counter()
            await client.get("/api/health")
            times.append(1e3 * (time.perf_counter() - begin))
            await asyncio.sleep(PING_INTERVAL)
    return times


async def measure(server: LiveServer, count: int, steps_per_second: float, seconds: float) -> list[str]:
    """Return one row of the table."""
    start, done = asyncio.Event(), asyncio.Event()
    viewers = [asyncio.create_task(watch(server, steps_per_second, start, seconds)) for _ in range(count)]
    await asyncio.sleep(2 + 0.2 * count)
    start.set()
    pinging = asyncio.create_task(ping(server, done))
    results = await asyncio.gather(*viewers)
    done.set()
    pings = await pinging
    frames = [frames / seconds for frames, _ in results]
    steps = sum(steps for _, steps in results) / seconds
    return [
        str(count),
        f"{statistics.median(frames):.1f}",
        f"{min(frames):.1f}",
        f"{steps:.0f}",
        f"{statistics.median(pings):.1f}",
        f"{statistics.quantiles(pings, n=20)[-1]:.1f}",
    ]


async def measure_all(server: LiveServer, steps_per_second: float, seconds: float) -> list[list[str]]:
    """Return a row for every number of sessions."""
    return [await measure(server, count, steps_per_second, seconds) for count in COUNTS]


def main(
    steps_per_second: Annotated[float, typer.Option(help="Pace of every session.")] = 30.0,
    seconds: Annotated[float, typer.Option(help="How long each number of sessions is watched.")] = 5.0,
) -> None:
    """Measure and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        server = LiveServer(Path(folder))
        server.start()
        rows = asyncio.run(measure_all(server, steps_per_second, seconds))
        server.stop()
    show_table(
        f"Sessions on one server, {steps_per_second:g} steps a second each, one viewer each",
        ["sessions", "frames/s, median", "slowest", "steps/s in all", "health ms, median", "95 % within"],
        rows,
    )


if __name__ == "__main__":
    typer.run(main)
