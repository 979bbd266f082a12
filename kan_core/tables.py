"""Tables of numbers from CSV files as people have them.

Comma, semicolon, tab or bar between cells, a header or none, a decimal point or comma, quotes, a byte order mark,
UTF-8 or Latin-1. What cannot be read is refused in one sentence that names the row and column.
"""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kan_core.errors import DataError

MAX_BYTES = 20_000_000
MAX_ROWS = 50_000
MAX_COLUMNS = 100
MIN_ROWS = 10
DELIMITERS = ("\t", ";", "|", ",")
SNIFFED_LINES = 50
LARGEST = 1e100
MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-"}

_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns of finite numbers: `values` is (rows, columns), float64."""

    columns: tuple[str, ...]
    values: NDArray[np.float64]
    delimiter: str
    has_header: bool
    decimal_comma: bool

    def column(self, name: str) -> NDArray[np.float64]:
        """Return the column `name` (rows,); raises DataError when there is none."""
        if name not in self.columns:
            raise DataError(f"The table has no column {name!r}: choose one of {', '.join(self.columns)}.")
        return self.values[:, self.columns.index(name)]


def read_csv(data: bytes) -> Table:
    """Return the table in a CSV file; raises DataError for anything that is not at least 10 rows of 2 numbers."""
    text = _decode(data)
    delimiter = _find_delimiter(text)
    rows, numbers = _split(text, delimiter)
    decimal_comma = delimiter != "," and _uses_decimal_comma(rows)
    has_header = any(_parse(cell, decimal_comma) is None and not _is_missing(cell) for cell in rows[0])
    names = _column_names(rows[0]) if has_header else tuple(f"column{k + 1}" for k in range(len(rows[0])))
    body, body_numbers = (rows[1:], numbers[1:]) if has_header else (rows, numbers)
    if len(body) < MIN_ROWS:
        raise DataError(f"A table needs at least {MIN_ROWS} rows of numbers, received {len(body)}: add more rows.")
    values = np.array(
        [
            [_number(cell, decimal_comma, row, name) for cell, name in zip(cells, names, strict=True)]
            for cells, row in zip(body, body_numbers, strict=True)
        ]
    )
    return Table(names, values, delimiter, has_header, decimal_comma)


def _decode(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise DataError(
            f"A table has at most {MAX_BYTES // 1_000_000} MB, received {len(data) / 1e6:.1f} MB: leave out rows."
        )
    if not data.strip():
        raise DataError("The file is empty: choose a CSV file with at least two columns of numbers.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise DataError("The file is damaged UTF-16: save it again as CSV in UTF-8.") from error
    if b"\0" in data or data.startswith((b"PK\x03\x04", b"\x89PNG", b"%PDF", b"\xd0\xcf\x11\xe0")):
        raise DataError("The file is binary, not a CSV table: export it as CSV first.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _find_delimiter(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()][:SNIFFED_LINES]
    if not lines:
        raise DataError("The file holds no cells: choose a CSV file with at least two columns of numbers.")
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        counts = [line.count(delimiter) for line in lines]
        common = max(set(counts), key=counts.count)
        # earlier delimiters win a tie: a comma may be a decimal comma
        score = counts.count(common) / len(counts) if common > 0 else 0.0
        if score > best_score + 1e-9:
            best, best_score = delimiter, score
    if best_score == 0.0:
        raise DataError("The file has one column only: separate at least two columns by comma, semicolon, tab or bar.")
    return best


def _split(text: str, delimiter: str) -> tuple[list[list[str]], list[int]]:
    """Return the rows that are not blank, and the line on which each ends, counted from 1."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows: list[list[str]] = []
    numbers: list[int] = []
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if rows and len(row) != len(rows[0]):
                raise DataError(
                    f"Every row has as many cells as the first, {len(rows[0])}, but row {reader.line_num} has "
                    f"{len(row)}: mend that row."
                )
            if len(row) > MAX_COLUMNS:
                raise DataError(f"A table has at most {MAX_COLUMNS} columns, received {len(row)}: leave some out.")
            if len(rows) > MAX_ROWS:
                raise DataError(f"A table has at most {MAX_ROWS} rows, received more: leave some out.")
            rows.append([cell.strip() for cell in row])
            numbers.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"Row {reader.line_num} cannot be read as CSV ({error}): mend that row.") from error
    if not rows:
        raise DataError("The file holds delimiters only: choose a CSV file with at least two columns of numbers.")
    return rows, numbers


def _uses_decimal_comma(rows: list[list[str]]) -> bool:
    return any(_DECIMAL_COMMA.fullmatch(cell) for row in rows[1:SNIFFED_LINES] for cell in row)


def _parse(cell: str, decimal_comma: bool) -> float | None:
    try:
        return float(cell.replace(",", ".") if decimal_comma else cell) if "_" not in cell else None
    except ValueError:
        return None


def _is_missing(cell: str) -> bool:
    return cell.lower() in MISSING


def _number(cell: str, decimal_comma: bool, row: int, column: str) -> float:
    if _is_missing(cell):
        held = f"holds {cell!r}, which stands for no value" if cell else "is empty"
        raise DataError(f"Row {row}, column {column!r} {held}: fill the cell or leave the row out.")
    value = _parse(cell, decimal_comma)
    if value is None or not math.isfinite(value):
        raise DataError(
            f"Row {row}, column {column!r} holds {cell[:40]!r}, which is no finite number: correct it or leave the "
            "column out of the file."
        )
    if abs(value) > LARGEST or 0 < abs(value) < 1 / LARGEST:
        raise DataError(
            f"Row {row}, column {column!r} holds {cell[:40]!r}, beyond what can be computed with: use numbers of a "
            f"size between {1 / LARGEST:g} and {LARGEST:g}."
        )
    return value


def _column_names(cells: list[str]) -> tuple[str, ...]:
    names: list[str] = []
    for index, cell in enumerate(cells):
        base = cell[:32] or f"column{index + 1}"
        name, copy = base, 2
        while name in names:
            name, copy = f"{base}_{copy}", copy + 1
        names.append(name)
    return tuple(names)
