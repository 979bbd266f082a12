"""Measurements beside peers, run by hand from the repository's folder and never part of the tests.

.venv/bin/pip install -r benchmarks/peers.txt     the peers, where a benchmark has some
.venv/bin/python -m benchmarks.adam_step          an optimizer step, every family
.venv/bin/python -m benchmarks.first_step         from the import to the first step
.venv/bin/python -m benchmarks.time_to_rmse       training to a given error
.venv/bin/python -m benchmarks.page               from a training step to pixels
.venv/bin/python -m benchmarks.sessions           many sessions on one server
.venv/bin/python -m benchmarks.lab_frames         a live session beside a sweep
.venv/bin/python -m benchmarks.lab_scaling        how long the scaling sweep takes, beside pykan
.venv/bin/python -m benchmarks.findings           what a ready spec finds, written down
"""
