"""Writes the OpenAPI document that TypeScript types are generated from: `python -m server.schema > openapi.json`.

OpenAPI itself leaves websocket messages out, so they join the REST bodies as components: commands as they are
received, events as they are sent (where fields with defaults are always present).
"""

from __future__ import annotations

import json
import sys
from typing import Any, Literal, cast

from pydantic import TypeAdapter

from server.lab.messages import LAB_MODELS, LAB_RECEIVED, LabEvent
from server.messages import ClientCommand, ServerEvent
from server.rest import REST_MODELS, FormulaRequest, SessionRequest

REF_TEMPLATE = "#/components/schemas/{model}"
RECEIVED = (SessionRequest, FormulaRequest, *LAB_RECEIVED)
Mode = Literal["validation", "serialization"]


def build_schema() -> dict[str, object]:
    """Return an OpenAPI 3.1 document whose components are every message and REST body, sorted by name."""
    roots: dict[str, tuple[TypeAdapter[Any], Mode]] = {
        "ClientCommand": (TypeAdapter(ClientCommand), "validation"),
        "ServerEvent": (TypeAdapter(ServerEvent), "serialization"),
        "LabEvent": (TypeAdapter(LabEvent), "serialization"),
    }
    for model in (*REST_MODELS, *LAB_MODELS):
        roots[model.__name__] = (TypeAdapter(model), "validation" if model in RECEIVED else "serialization")
    entries: list[tuple[str, Mode, TypeAdapter[Any]]] = [
        (name, mode, adapter) for name, (adapter, mode) in roots.items()
    ]
    schemas, definitions = TypeAdapter.json_schemas(entries, ref_template=REF_TEMPLATE)
    components = cast("dict[str, object]", definitions.get("$defs", {}))
    for (name, _), schema in schemas.items():
        components.setdefault(name, schema)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Kanoscope messages", "version": "1"},
        "paths": {},
        "components": {"schemas": dict(sorted(components.items()))},
    }


def main() -> None:
    """Write the document to standard output."""
    json.dump(build_schema(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
