"""A run's results as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from importlib.metadata import version

from server.lab.messages import LabFit
from server.lab.plan import LabPlan

COLUMNS = ("problem", "contestant", "seed", "value", "parameters", "steps", "seconds", "train_rmse", "test_rmse")
ENDS = ("outcome", "sentence")
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "toml": "application/toml; charset=utf-8",
    "html": "text/html; charset=utf-8",
}


def results_csv(plan: LabPlan, results: Sequence[str]) -> str:
    """Return a line for each result, given as JSON; what is swept has a column of its name."""
    names = [name for name in COLUMNS if name != "value" or plan.variable is not None]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([plan.variable if name == "value" else name for name in (*names, *ENDS)])
    for result in map(json.loads, results):
        writer.writerow(["" if result[name] is None else result[name] for name in (*names, *ENDS)])
    return text.getvalue()


def results_json(plan: LabPlan, results: Sequence[str], fits: Sequence[LabFit]) -> str:
    """Return everything that is known of a run: what was asked, by which version, and what came out.

    `results` are JSON.
    """
    whole = {
        "title": plan.title,
        "question": plan.question,
        "kind": plan.kind,
        "variable": plan.variable,
        "digest": plan.digest,
        "kanoscope": version("kanoscope"),
        "toml": plan.toml,
        "points": [json.loads(result) for result in results],
        "fits": [fit.model_dump() for fit in fits],
    }
    return json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
