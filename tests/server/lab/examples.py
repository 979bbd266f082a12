"""Small specs that take no time."""

from __future__ import annotations

RACE = """
title = "Small race"
question = "Which is quicker?"
problems = ["exp_sin", "j0"]
seeds = [0, 1]
num_train = 40
num_test = 20

[budget]
steps = 3

[[contestants]]
name = "B-spline"
hidden = [2]
grid_size = 3

[[contestants]]
name = "Chebyshev"
basis = "chebyshev"
hidden = [2]
grid_size = 3
"""

SWEEP = """
title = "Small sweep"
problems = ["j0"]
seeds = [0, 1, 2]
num_train = 60
num_test = 20

[budget]
steps = 3

[[contestants]]
name = "B-spline"
hidden = []

[sweep]
variable = "grid_size"
values = [2, 3, 4, 5]
"""

# a point that goes on until it is told otherwise
LONG = """
title = "Long"
problems = ["exp_sin"]
seeds = [0, 1, 2, 3]
num_train = 40
num_test = 20

[budget]
seconds = 3600.0

[[contestants]]
name = "Slow"
hidden = [2]
optimizer = "adam"
"""

# the points of one of its problems fail, as its formula has no value on half of its range
FAILING = """
title = "Half of it fails"
seeds = [0, 1]
num_train = 40
num_test = 20

[[problems]]
name = "bad"
expression = "log(x)"
ranges = { x = [-1, 1] }
hidden = [2]

[[problems]]
name = "good"
expression = "x^2"
ranges = { x = [-1, 1] }
hidden = []

[budget]
steps = 3

[[contestants]]
name = "B-spline"
grid_size = 3
"""


def timed(num_points: int, seconds: float) -> str:
    """Return a sweep of so many points that take so many processor seconds each."""
    return f"""
title = "Timed"
problems = ["exp_sin"]
seeds = {list(range(num_points // 4))}
num_train = 60
num_test = 20

[budget]
seconds = {seconds}

[[contestants]]
name = "B-spline"
hidden = [2]
optimizer = "adam"

[sweep]
variable = "grid_size"
values = [3, 4, 5, 6]
"""
