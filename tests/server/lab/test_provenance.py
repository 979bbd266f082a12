"""What computed a result is kept with it, and told in words."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from server.lab import provenance
from server.lab.provenance import provenance_of, say_makers, stamp
from tests.server.lab.fakes import make_plan, make_result

RESULT = json.loads(make_result(make_plan().points[0]))


def test_a_result_is_stamped_with_version_time_and_machine_but_not_the_name_of_that() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    stamped = stamp(RESULT)
    known = provenance_of(json.loads(json.dumps(stamped)))
    assert known is not None
    assert before <= datetime.fromisoformat(known.computed) <= datetime.now(UTC)
    assert (known.kanoscope, known.torch, known.python) == (
        version("kanoscope"),
        version("torch"),
        platform.python_version(),
    )
    assert known.processor
    assert known.cores >= 1
    names = {"kanoscope", "computed", "processor", "cores", "system", "python", "torch", "numpy"}
    assert set(stamped["provenance"]) == names
    assert {name: value for name, value in stamped.items() if name != "provenance"} == RESULT
    assert provenance_of(RESULT) is None


@pytest.mark.parametrize(
    ("text", "name"), [("model name\t: A processor\nmodel name\t: Another\n", "A processor"), ("flags: fpu\n", "")]
)
def test_the_processor_is_read_where_linux_tells_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str
) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(text)
    monkeypatch.setattr(provenance, "PROCESSORS", file)
    monkeypatch.setattr(platform, "processor", lambda: "")
    provenance._describe_machine.cache_clear()  # pyright: ignore[reportPrivateUsage]
    known = provenance_of(stamp(RESULT))
    provenance._describe_machine.cache_clear()  # pyright: ignore[reportPrivateUsage]
    assert known is not None
    assert known.processor == (name or platform.machine())


def test_results_of_different_machines_and_versions_are_told_apart() -> None:
    def made(kanoscope: str, time: str, cores: int = 2) -> Mapping[str, object]:
        stamped = stamp(RESULT)
        known = {"kanoscope": kanoscope, "computed": f"2027-01-02T{time}:05+00:00", "processor": "P", "cores": cores}
        rest = {"system": "Linux 6", "python": "3.11", "torch": "2.9", "numpy": "2.1"}
        return stamped | {"provenance": known | rest}

    on = "Linux 6, Python 3.11, PyTorch 2.9, NumPy 2.1"
    assert say_makers([made("1", "05:00"), made("1", "04:00"), made("1", "04:00", 1), made("2", "06:00"), RESULT]) == [
        f"2 points computed by Kanoscope 1 on P, 2 cores, {on}, 2027-01-02 04:00 to 2027-01-02 05:00 UTC.",
        f"1 point computed by Kanoscope 1 on P, 1 core, {on}, 2027-01-02 04:00 UTC.",
        f"1 point computed by Kanoscope 2 on P, 2 cores, {on}, 2027-01-02 06:00 UTC.",
        "1 point computed by a version that did not note where.",
    ]
