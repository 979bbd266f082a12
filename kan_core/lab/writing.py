"""Plain values as TOML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def write_toml(values: Mapping[str, Any]) -> str:
    """Return values as TOML: plain ones first, then tables, and arrays of tables table by table."""
    plain: list[str] = []
    tables: list[str] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            tables.append(_table(f"[{name}]", value))
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            tables += [_table(f"[[{name}]]", one) for one in value]
        else:
            plain.append(f"{name} = {_write(value)}")
    return "\n\n".join(["\n".join(plain), *tables]) + "\n"


def _table(head: str, values: Mapping[str, Any]) -> str:
    return "\n".join([head, *(f"{name} = {_write(value)}" for name, value in values.items())])


def _write(value: object) -> str:
    """Return a value as TOML writes it; texts hold printable characters only, which JSON writes the same way."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_write(name)} = {_write(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_write(one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
