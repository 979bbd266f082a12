"""A run's results as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from importlib.metadata import version

from server.lab.messages import LabFit
from server.lab.plan import LabPlan
from server.lab.provenance import provenance_of

COLUMNS = ("problem", "contestant", "seed", "value", "parameters", "steps", "seconds", "train_rmse", "test_rmse")
ENDS = ("outcome", "sentence")
ORIGINS = ("run", "spec", "computed", "computed_by")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "toml": "application/toml; charset=utf-8",
    "html": "text/html; charset=utf-8",
}


def results_csv(run_id: str, plan: LabPlan, results: Sequence[str]) -> str:
    """Return a line for each result, given as JSON; what is swept has a column of its name.

    Each says which run and spec it is of, and what computed it when. A text that a spreadsheet would take for a formula
    has an apostrophe before it.
    """
    names = [name for name in COLUMNS if name != "value" or plan.variable is not None]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*(plan.variable if name == "value" else name for name in (*names, *ENDS)), *ORIGINS])
    for result in map(json.loads, results):
        known = provenance_of(result)
        origins = [run_id, plan.digest, *(("", "") if known is None else (known.computed, known.maker))]
        writer.writerow([_cell(value) for value in (*(result[name] for name in (*names, *ENDS)), *origins)])
    return text.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def results_json(run_id: str, plan: LabPlan, results: Sequence[str], fits: Sequence[LabFit]) -> str:
    """Return everything that is known of a run: what was asked, what came out, and what computed it when.

    `results` are JSON; `kanoscope` is the version that writes this.
    """
    whole = {
        "title": plan.title,
        "question": plan.question,
        "kind": plan.kind,
        "variable": plan.variable,
        "run_id": run_id,
        "digest": plan.digest,
        "kanoscope": version("kanoscope"),
        "toml": plan.toml,
        "points": [json.loads(result) for result in results],
        "fits": [fit.model_dump() for fit in fits],
    }
    return json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
