"""What is said of a spec before it runs."""

from __future__ import annotations

from server.lab.messages import LabCheck
from server.lab.plan import LabPlan

ON_SPEED = "What a budget of seconds comes to depends on how fast the machine is: budgets of steps give the same again."
# what takes longer is not started without a question
LONG_SECONDS = 3600.0


def describe_plan(plan: LabPlan, *, num_processes: int) -> LabCheck:
    """Return that a spec can be run, how many points that takes and how long."""
    at_once = max(1, min(num_processes, len(plan.points)))
    seconds = plan.expected_seconds / at_once
    takes = f"{say_duration(seconds)} on {say_count(at_once, 'process', 'processes')}"
    sentence = f"{_count_points(plan)}: {takes}."
    return LabCheck(
        ok=True,
        sentence=f"{sentence} {ON_SPEED}" if plan.depends_on_speed else sentence,
        takes=takes,
        is_long=seconds > LONG_SECONDS,
        digest=plan.digest,
        title=plan.title,
        kind=plan.kind,
        num_points=len(plan.points),
        processes=at_once,
        expected_seconds=seconds,
        contestants=plan.contestants,
        problems=plan.problems,
        seeds=plan.seeds,
        variable=plan.variable,
        toml=plan.toml,
    )


def say_duration(seconds: float) -> str:
    """Return a rough duration in words."""
    if seconds < 10.0:
        return "a few seconds"
    if seconds < 90.0:
        return f"about {10 * round(seconds / 10)} seconds"
    if seconds < 5400.0:
        return f"about {round(seconds / 60)} minutes"
    if seconds < 172_800.0:
        return f"about {round(seconds / 3600)} hours"
    return f"about {round(seconds / 86_400):,} days"


def _count_points(plan: LabPlan) -> str:
    factors = [
        say_count(len(plan.contestants), "contestant", "contestants"),
        say_count(len(plan.problems), "problem", "problems"),
        say_count(len(plan.seeds), "seed", "seeds"),
    ]
    num_values = len({point.value for point in plan.points})
    if plan.variable is not None:
        factors.append(say_count(num_values, "value", "values"))
    return f"{say_count(len(plan.points), 'point', 'points')} ({' × '.join(factors)})"


def say_count(number: int, one: str, many: str) -> str:
    """Return a number with the word for one or for several."""
    return f"{number:,} {one if number == 1 else many}"
