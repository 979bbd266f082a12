"""CSV files as people have them, and the sentences for those that cannot be read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kan_core.datasets import read_csv, table_dataset
from kan_core.errors import DataError

ROWS = [(k / 4, -k * 1.5, k % 2) for k in range(12)]


def csv_bytes(delimiter: str, *, comma: bool = False, header: bool = True, encoding: str = "utf-8") -> bytes:
    lines = [delimiter.join(str(value) for value in row) for row in ROWS]
    if comma:
        lines = [line.replace(".", ",") for line in lines]
    return "\r\n".join((["größe" + delimiter + "y" + delimiter + "class"] if header else []) + lines).encode(encoding)


# a decimal comma cannot stand between commas without quotes
@pytest.mark.parametrize(
    ("delimiter", "comma"), [(",", False), *[(one, comma) for one in ";\t|" for comma in (True, False)]]
)
@pytest.mark.parametrize("header", [True, False])
def test_every_dialect_gives_the_same_numbers(delimiter: str, header: bool, comma: bool) -> None:
    table = read_csv(csv_bytes(delimiter, comma=comma, header=header))
    np.testing.assert_array_equal(table.values, np.array(ROWS))
    assert (table.delimiter, table.has_header, table.decimal_comma) == (delimiter, header, comma)
    assert table.columns == (("größe", "y", "class") if header else ("column1", "column2", "column3"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "utf-16"])
def test_encodings(encoding: str) -> None:
    assert read_csv(csv_bytes(";", encoding=encoding)).columns[0] == "größe"


def test_names_that_come_twice_are_told_apart() -> None:
    data = "a,a,\n" + "\n".join("1,2,3" for _ in range(10))
    assert read_csv(data.encode()).columns == ("a", "a_2", "column3")


GOOD = "\n".join(f"{k},{k * k}" for k in range(12))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The file is empty: choose a CSV file with at least two columns of numbers."),
        (b"  \n ", "The file is empty"),
        (b"PK\x03\x04rest", "The file is binary, not a CSV table: export it as CSV first."),
        (b"a,b\n1,\x00", "The file is binary"),
        (b"1\n2\n3", "The file has one column only: separate at least two columns"),
        (b"x,y\n1,2\n3,4", "A table needs at least 10 rows of numbers, received 2: add more rows."),
        (
            f"x,y\n{GOOD}\n1,2,3".encode(),
            "Every row has as many cells as the first, 2, but row 14 has 3: mend that row.",
        ),
        (f"x,y\n{GOOD}\n1,abc".encode(), "Row 14, column 'y' holds 'abc', which is no finite number"),
        (f"x,y\n{GOOD}\n1,inf".encode(), "Row 14, column 'y' holds 'inf', which is no finite number"),
        (f"x,y\n{GOOD}\n1,NaN".encode(), "Row 14, column 'y' holds 'NaN', which stands for no value: fill the cell"),
        (f"x,y\n{GOOD}\n1,".encode(), "Row 14, column 'y' is empty: fill the cell or leave the row out."),
        ((",".join("1" * 101) + "\n").encode(), "A table has at most 100 columns, received 101: leave some out."),
        (b"1,2\n" * 5_000_001, r"A table has at most 20 MB, received 20\.0 MB: leave out rows."),
    ],
)
def test_unusable_files_are_refused_in_one_sentence(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_csv(data)


@given(data=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode())))
def test_nothing_but_a_data_error_ever_escapes(data: bytes) -> None:
    try:
        table = read_csv(data)
    except DataError:
        return
    assert np.isfinite(table.values).all()


def test_a_table_becomes_train_and_test_samples() -> None:
    table = read_csv(csv_bytes(","))
    data = table_dataset(table, inputs=["größe", "y"], target="class", task="classification", seed=1)
    assert (tuple(data.train_inputs.shape), tuple(data.test_inputs.shape)) == ((9, 2), (3, 2))
    assert (data.input_names, data.output_names) == (("größe", "y"), ("class",))
    rows = np.concatenate([data.train_inputs.numpy(), data.test_inputs.numpy()])
    np.testing.assert_array_equal(rows[rows[:, 0].argsort()], np.array(ROWS)[:, :2])


@pytest.mark.parametrize(
    ("inputs", "target", "task", "message"),
    [
        (["y"], "z", "regression", "The table has no column 'z': choose one of größe, y, class."),
        (["y", "class"], "class", "regression", "Inputs are different columns without the target 'class'"),
        ([], "y", "regression", "received none: choose others."),
        (["größe"], "y", "classification", "A class is 0 or 1, but the column 'y' holds other values"),
    ],
)
def test_unfitting_columns_are_refused(inputs: list[str], target: str, task: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        table_dataset(read_csv(csv_bytes(",")), inputs=inputs, target=target, task=task)


def test_a_constant_target_is_refused() -> None:
    table = read_csv(b"x,y\n" + b"".join(b"%d,7\n" % k for k in range(10)))
    with pytest.raises(DataError, match=r"The target 'y' is constant at 7: choose a column that varies."):
        table_dataset(table, inputs=["x"], target="y")
