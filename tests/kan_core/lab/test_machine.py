"""The speed of the machine is that of its best moment: what else it does then spoils no estimate for good."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from kan_core.lab.machine import NUM_PROBES, PROBE_INTERVAL, PROBE_SECONDS, Machine, probe_seconds, this_machine


@dataclass
class Fake:
    """A clock, and probes of which the shortest takes as long as is said."""

    now: float = 0.0
    shortest: float = PROBE_SECONDS
    num_probes: int = 0

    def probe(self) -> float:
        """Return what a probe takes: one in `NUM_PROBES` is undisturbed."""
        self.num_probes += 1
        return self.shortest if self.num_probes % NUM_PROBES == 3 else 7.0 * self.shortest

    def clock(self) -> float:
        """Return the time."""
        return self.now


def test_one_undisturbed_probe_is_enough() -> None:
    fake = Fake(shortest=2.0 * PROBE_SECONDS)
    machine = Machine(probe=fake.probe, clock=fake.clock)
    assert machine.factor() == pytest.approx(2.0)
    assert machine.factor() == pytest.approx(2.0)
    assert fake.num_probes == NUM_PROBES


def test_a_busy_moment_does_not_stay_and_a_later_one_changes_nothing() -> None:
    fake = Fake(shortest=8.0 * PROBE_SECONDS)
    machine = Machine(probe=fake.probe, clock=fake.clock)
    factors: list[float] = []
    for now, shortest in ((0.0, 8.0), (0.9, 1.0), (1.0, 1.0), (2.0, 8.0)):
        fake.now, fake.shortest = now * PROBE_INTERVAL, shortest * PROBE_SECONDS
        factors.append(machine.factor())
    assert factors == pytest.approx([8.0, 8.0, 1.0, 1.0])


@pytest.mark.parametrize(("shortest", "factor"), [(0.0, 0.1), (1000.0, 10.0)])
def test_factors_have_bounds(shortest: float, factor: float) -> None:
    fake = Fake(shortest=shortest)
    assert Machine(probe=fake.probe, clock=fake.clock).factor() == factor


def test_this_machine_has_a_speed() -> None:
    assert probe_seconds() > 0
    assert this_machine() is this_machine()
    assert 0.1 <= this_machine().factor() <= 10.0
