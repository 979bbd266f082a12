"""The document that types are generated from."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from server.lab.messages import LabEvent
from server.messages import ClientCommand, ServerEvent
from server.schema import build_schema


def _references(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {value for key, value in node.items() if key == "$ref" and isinstance(value, str)}
        return own.union(*(_references(value) for value in node.values()))
    if isinstance(node, list):
        return set[str]().union(*(_references(value) for value in node))
    return set()


def test_every_reference_resolves_within_the_document() -> None:
    schemas = build_schema()["components"]["schemas"]  # pyright: ignore[reportIndexIssue]
    names = {reference.removeprefix("#/components/schemas/") for reference in _references(build_schema())}
    assert names - set(schemas) == set()


@pytest.mark.parametrize(
    ("root", "union"), [("ClientCommand", ClientCommand), ("ServerEvent", ServerEvent), ("LabEvent", LabEvent)]
)
def test_roots_discriminate_over_the_type_of_every_member(root: str, union: object) -> None:
    schemas = build_schema()["components"]["schemas"]  # pyright: ignore[reportIndexIssue]
    members = union.__origin__.__args__  # pyright: ignore[reportAttributeAccessIssue]
    expected = {member.model_fields["type"].default for member in members}
    assert set(schemas[root]["discriminator"]["mapping"]) == expected


@pytest.mark.slow
def test_the_command_writes_the_same_document_without_loading_torch() -> None:
    code = "import sys, server.schema as s; s.main(); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == build_schema()
