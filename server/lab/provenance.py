"""Who computed a result: which version, when, and on what kind of machine; the machine's name is nobody's business."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from server.messages import Message

PROCESSORS = Path("/proc/cpuinfo")


class Provenance(Message):
    """What computed a result, and when: `computed` is in UTC as ISO 8601 has it."""

    kanoscope: str
    computed: str
    processor: str
    cores: int
    system: str
    python: str
    torch: str
    numpy: str

    @property
    def maker(self) -> str:
        """All but the time, in words."""
        cores = f"{self.cores} core{'' if self.cores == 1 else 's'}"
        versions = f"Python {self.python}, PyTorch {self.torch}, NumPy {self.numpy}"
        return f"Kanoscope {self.kanoscope} on {self.processor}, {cores}, {self.system}, {versions}"


def stamp(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result, as JSON values, with what computed it: this process, now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {**result, "provenance": {"computed": now, **_describe_machine()}}


@lru_cache(maxsize=1)
def _describe_machine() -> dict[str, Any]:
    return {
        "kanoscope": version("kanoscope"),
        "processor": _read_processor() or platform.machine(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "torch": version("torch"),
        "numpy": version("numpy"),
    }


def _read_processor() -> str:
    """Return what the processor calls itself, if it can be learned."""
    try:
        lines = PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def provenance_of(result: Mapping[str, Any]) -> Provenance | None:
    """Return what computed a result, None where it is not known: results from before it was kept have none."""
    return Provenance.model_validate(result["provenance"]) if result.get("provenance") else None


def say_makers(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each version and machine that computed some of these results, and when."""
    times: dict[str, list[str]] = {}
    for result in results:
        known = provenance_of(result)
        times.setdefault("" if known is None else known.maker, []).append("" if known is None else known.computed)
    return [_say_maker(maker, sorted(computed)) for maker, computed in times.items()]


def _say_maker(maker: str, computed: list[str]) -> str:
    points = f"{len(computed):,} point{'' if len(computed) == 1 else 's'}"
    if not maker:
        return f"{points} computed by a version that did not note where."
    first, last = (f"{time[:16].replace('T', ' ')}" for time in (computed[0], computed[-1]))
    return f"{points} computed by {maker}, {first if first == last else f'{first} to {last}'} UTC."
