"""What is wrong with a message, in one sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

MAX_SHOWN = 60
# parts of a place that nobody wrote: which half of a request, which model is taken for meant
UNTOLD = ("body", "kan", "mlp")
# what each of pydantic's complaints asks of a field, in words for people who never heard of pydantic
DEMANDS = {
    "missing": "is required",
    "less_than_equal": "is at most {le}",
    "less_than": "is less than {lt}",
    "greater_than_equal": "is at least {ge}",
    "greater_than": "is more than {gt}",
    "finite_number": "is a finite number",
    "int_type": "is a whole number",
    "int_parsing": "is a whole number",
    "int_parsing_size": "is a whole number of fewer digits",
    "int_from_float": "is a whole number",
    "float_type": "is a number",
    "float_parsing": "is a number",
    "bool_type": "is true or false",
    "bool_parsing": "is true or false",
    "string_type": "is a text",
    "string_unicode": "is a text",
    "string_too_short": "is a text of at least {min_length} characters",
    "string_too_long": "is a text of at most {max_length} characters",
    "list_type": "is a list",
    "too_short": "has at least {min_length} entries",
    "too_long": "has at most {max_length} entries",
    "literal_error": "is {expected}",
    "dict_type": "is a JSON object",
    "model_type": "is a JSON object",
    "model_attributes_type": "is a JSON object",
    "union_tag_not_found": "names its {discriminator}",
    "union_tag_invalid": "has as its {discriminator} one of {expected_tags}",
    "json_invalid": "is JSON",
    "too_wide": "has at most {most} nodes a layer above the inputs",
    "not_growing": "names each grid size once, the coarsest first",
    "unknown_model": "has as its model 'kan' or 'mlp'",
    "extra_forbidden": "is not a field here",
}


# the values are of any type: they are what somebody sent
def describe_invalid(
    complaints: Sequence[Mapping[str, Any]], *, whole: str = "A message", received: object = None
) -> str:
    """Return the first of pydantic's complaints: the field, what it must be and what was received.

    `whole` names what was sent, and `received` is its text where that could not be read as JSON.
    """
    first = complaints[0]
    kind = first["type"]
    place = ".".join(str(part) for part in first["loc"] if part not in UNTOLD and kind != "json_invalid") or whole
    if kind == "union_tag_invalid" and not first["loc"]:
        return f"There is no command of type {_shorten(str(first['ctx']['tag']))!r}."
    value = received if kind == "json_invalid" and received is not None else first["input"]
    remedy = ": leave it out" if kind == "extra_forbidden" else ""
    return f"{place} {_demand(first)}, received {_show(value)}{remedy}."


def _demand(complaint: Mapping[str, Any]) -> str:
    if complaint["type"] == "model_attributes_type" and isinstance(complaint["input"], str | bytes):
        # it may well be JSON, but nothing said so
        return "is a JSON object of the content type application/json"
    demand = DEMANDS.get(complaint["type"])
    context: dict[str, Any] = {
        name: str(value).strip("'") if name == "discriminator" else value
        for name, value in complaint.get("ctx", {}).items()
    }
    return f"is not as it should be ({complaint['msg'].rstrip('.')})" if demand is None else demand.format(**context)


def _show(value: object) -> str:
    """Return a value as it was written, shortened."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if value is None or value == "":
        return "nothing"
    if isinstance(value, str):
        return _shorten(repr(value[: MAX_SHOWN + 1]))
    try:
        return _shorten(json.dumps(value, ensure_ascii=False))
    except (TypeError, ValueError):
        return _shorten(repr(value))


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
