"""Settings of the server, read from the environment as KANOSCOPE_NAME; the command line overrides them."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_workers() -> int:
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


class Settings(BaseSettings):
    """Bounds and places; every queue and count has a limit here. Times are seconds, sizes bytes."""

    model_config = SettingsConfigDict(env_prefix="KANOSCOPE_", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    workers: int = Field(default_factory=_default_workers, ge=1, le=256)
    lab_processes: int = Field(
        default_factory=_default_workers, ge=1, le=256, description="that compute points of the lab while there are any"
    )
    lab_lease: float = Field(
        default=10.0, gt=0, description="a run of the lab is interrupted when its process is silent for so long"
    )
    data_dir: Path = Path.home() / ".kanoscope"
    database_url: str | None = Field(default=None, description="null keeps a SQLite file in data_dir")
    allowed_hosts: list[str] = Field(default=[], description="host names besides this machine's own")

    max_sessions: int = Field(default=200, ge=1, description="open at once; unwatched ones make room")
    max_stored_sessions: int = Field(default=2000, ge=1, description="the least recently used unwatched one goes")
    max_viewers: int = Field(default=100, ge=1, description="of one session")
    max_message_bytes: int = Field(default=65_536, ge=1024)
    max_csv_bytes: int = Field(default=20_000_000, ge=1)
    max_datasets: int = Field(default=200, ge=1)
    max_lab_runs: int = Field(default=500, ge=1)
    max_log_entries: int = Field(default=1000, ge=1, description="commands kept a session")
    commands_per_second: float = Field(default=30.0, gt=0, description="of one viewer, acknowledgements aside")
    command_burst: int = Field(default=60, ge=1)
    event_queue: int = Field(default=256, ge=1, description="events that wait for one viewer before it is closed")

    frames_per_second: float = Field(default=30.0, gt=0)
    send_timeout: float = Field(default=10.0, gt=0, description="a viewer that reads nothing for so long is closed")
    ping_interval: float = Field(default=10.0, gt=0)
    ping_timeout: float = Field(default=20.0, gt=0, description="a viewer that answers no ping for so long is closed")
    checkpoint_interval: float = Field(default=1.0, gt=0)
    idle_pause: float = Field(default=30.0, ge=0, description="from the last viewer's leaving to the pause")

    @property
    def database(self) -> str:
        """The SQLAlchemy address of the database."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'kanoscope.sqlite3'}"
