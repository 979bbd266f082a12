"""What people type and upload, looked at before any session sees it. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np

from kan_core.errors import DataError, ExpressionError
from kan_core.expressions import find_names, parse_expression
from kan_core.tables import read_csv
from server.refusal import Refusal
from server.rest import FormulaCheck, FormulaRequest, TableColumn, TableCreated

PREVIEW_ROWS = 5


def check_formula(request: FormulaRequest) -> FormulaCheck:
    """Return whether the formula parses, with what is wrong and where, or else its MathML."""
    found = find_names(request.expression)
    variables = found if request.variables is None else request.variables
    try:
        parsed = parse_expression(request.expression, variables)
        return FormulaCheck(ok=True, variables_found=found, mathml=f"<math>{parsed.mathml}</math>")
    except ExpressionError as error:
        return FormulaCheck(ok=False, sentence=str(error), position=error.position, variables_found=found)


async def receive_file(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    """Return an uploaded file; raises Refusal with code too_large as soon as it is larger than `limit` bytes."""
    content = bytearray()
    async for chunk in chunks:
        content += chunk
        if len(content) > limit:
            raise Refusal("too_large", f"A table has at most {limit / 1e6:g} MB, received more: leave out rows.")
    return bytes(content)


def describe_table(dataset_id: str, content: bytes) -> TableCreated:
    """Return the table in a CSV file as it was understood; raises Refusal with code bad_table."""
    try:
        table = read_csv(content)
    except DataError as error:
        raise Refusal("bad_table", str(error)) from error
    return TableCreated(
        dataset_id=dataset_id,
        columns=[
            TableColumn(name=name, low=values.min(), high=values.max(), distinct=len(np.unique(values)))
            for name, values in zip(table.columns, table.values.T, strict=True)
        ],
        num_rows=len(table.values),
        delimiter=table.delimiter,
        preview=table.values[:PREVIEW_ROWS].tolist(),
    )
