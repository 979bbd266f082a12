"""How many known laws are found from samples alone, beside pykan's own pipeline and gplearn.

    python -m benchmarks.laws                 # exact samples: 30 s a law at most, all cores
    python -m benchmarks.laws --noise 0.01    # targets with 1 % noise: found in form
    python -m benchmarks.laws --peers         # pykan and gplearn on the same samples, in their environment

Each law is sampled 1,000 times. *Exact* is a relative RMSE under 1e-6 on 10,000 fresh points without noise. *In form*,
for noisy samples, is a formula, the one that the search calls best, that becomes exact when its constants alone
are fitted to samples without noise. Of the negatives, which no simple law made, the honest answer is that there is
none.
pykan is given its own pipeline: train with sparsity, prune, refine, `auto_symbolic` with the functions of its
introduction and reciprocals, train the constants. Peers work at the same time, each in a process of its own, for
`--peer-seconds` of the processor at most once they have loaded: as many as Kanoscope has on two cores. Their times are
the processor's, too.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import contextlib
import importlib.util
import math
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import torch
import typer

from benchmarks.interleave import table_lines
from benchmarks.law_list import LAWS, negatives, sample_law
from kan_core import Dataset
from kan_core.accuracy import measure_rmse
from kan_core.discover import Discovery
from kan_core.discovery.verdict import best_law
from kan_core.formula_display import display_formula
from kan_core.symbolic.refit import refit

EXACT = 1e-6
PYKAN_STEPS = 20
# with all of its functions pykan takes 40 s of the processor an edge, with those of its introduction a third of that
PYKAN_LIBRARY = ["x", "x^2", "x^3", "x^4", "exp", "log", "sqrt", "tanh", "sin", "abs", "1/x", "1/x^2"]
REFIT_STEPS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Relative RMSE on fresh points, the time, and the formula or what was said instead."""

    error: float
    seconds: float
    text: str
    says_none: bool = False

    def show(self) -> list[str]:
        """Return the columns of one contestant."""
        error = f"{self.error:.0e}" if np.isfinite(self.error) else self.text
        return ["yes" if self.error < EXACT else error, f"{self.seconds:.1f}"]


def run_kanoscope(data: Dataset, *, seconds: float, seed: int, noise: float) -> Outcome:
    """Discover with all cores; with noise, the best formula's constants are then fitted to samples without it."""
    with Discovery(data, seconds=seconds, seed=seed) as discovery:
        discovery.wait()
    split = discovery.split
    spread = float(split.test_targets.std(correction=0))
    law = discovery.laws[best_law(discovery.laws, num_held_out=len(split.test_inputs), spread=spread)]
    said = discovery.conclusion(law)
    network = law.network
    if noise > 0.0:
        half = len(data.test_inputs) // 2
        clean = replace(data, train_inputs=data.test_inputs[:half], train_targets=data.test_targets[:half])
        network = refit(network, clean, max_steps=REFIT_STEPS, settled=0.0)
    error = measure_rmse(network, data.test_inputs, data.test_targets, "regression") / float(data.test_targets.std())
    names = {"input_names": data.input_names or (), "output_names": data.output_names or ()}
    text = display_formula(network, data.train_inputs, **names).text
    return Outcome(error=error, seconds=discovery.elapsed, text=text, says_none=said.startswith("No "))


def run_pykan(data: Dataset, *, seed: int) -> Outcome:
    """Follow pykan's own example: sparse training, pruning, a finer grid, auto_symbolic, constants."""
    from kan import KAN as PyKAN

    inputs = data.num_inputs
    samples = {
        "train_input": data.train_inputs,
        "train_label": data.train_targets,
        "test_input": data.test_inputs[:1000],
        "test_label": data.test_targets[:1000],
    }
    torch.set_default_dtype(torch.float64)
    start = time.process_time()
    try:
        # pruning writes a log, whether asked for or not
        with TemporaryDirectory() as folder:
            model: Any = PyKAN(width=[inputs, 2 * inputs + 1, 1], grid=3, k=3, seed=seed, ckpt_path=folder)
            model.fit(samples, opt="LBFGS", steps=PYKAN_STEPS, lamb=0.001)
            model = model.prune()
            model.fit(samples, opt="LBFGS", steps=PYKAN_STEPS)
            model = model.refine(10)
            model.fit(samples, opt="LBFGS", steps=PYKAN_STEPS)
            model.auto_symbolic(lib=PYKAN_LIBRARY)
            model.fit(samples, opt="LBFGS", steps=PYKAN_STEPS)
            with torch.no_grad():
                predicted = model(data.test_inputs)
    except (RuntimeError, ValueError, IndexError, TypeError, AttributeError, KeyError, NameError) as error:
        # what it fails with is its answer
        return Outcome(error=float("inf"), seconds=time.process_time() - start, text=type(error).__name__)
    finally:
        torch.set_default_dtype(torch.float32)
    difference = float((predicted - data.test_targets).square().mean().sqrt())
    error = difference / float(data.test_targets.std())
    return Outcome(error=error if np.isfinite(error) else float("inf"), seconds=time.process_time() - start, text="")


def run_gplearn(data: Dataset, *, seed: int) -> Outcome:
    """Run symbolic regression by genetic programming with all of gplearn's functions, its defaults otherwise."""
    from gplearn.genetic import SymbolicRegressor

    functions = ("add", "sub", "mul", "div", "sqrt", "log", "neg", "inv", "sin", "cos")
    start = time.process_time()
    model = SymbolicRegressor(
        population_size=2000, generations=20, function_set=functions, stopping_criteria=1e-9, random_state=seed
    )
    model.fit(data.train_inputs.numpy(), data.train_targets[:, 0].numpy())
    predicted = torch.from_numpy(model.predict(data.test_inputs.numpy()))[:, None]
    error = float((predicted - data.test_targets).square().mean().sqrt()) / float(data.test_targets.std())
    return Outcome(error=error, seconds=time.process_time() - start, text=str(model._program))


PEERS: dict[str, tuple[str, Callable[..., Outcome]]] = {
    "pykan": ("kan", run_pykan),
    "gplearn": ("gplearn", run_gplearn),
}


class Peer:
    """A peer at work on a law's samples, in a process that has `seconds` of the processor once it has loaded."""

    def __init__(self, name: str, data: Dataset, *, seed: int, seconds: float) -> None:
        context = multiprocessing.get_context("spawn")
        self._seconds = seconds
        self._receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(name, data, seed, seconds, sender))
        self._process.start()
        sender.close()

    def wait(self) -> Outcome:
        """Return how it went; its process ends by itself when its time is over."""
        try:
            return self._receiver.recv()
        except EOFError:
            return Outcome(error=float("inf"), seconds=self._seconds, text="not done")
        finally:
            self._process.join()


def _work(name: str, data: Dataset, seed: int, seconds: float, sender: Connection) -> None:
    module, run = PEERS[name]
    torch.set_num_threads(1)
    importlib.import_module(module)
    limit = math.ceil(time.process_time() + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    # pykan tells of all it does
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        outcome = run(data, seed=seed)
    sender.send(outcome)


def main(
    noise: Annotated[float, typer.Option(help="Deviation of the noise as a share of the targets' own.", min=0)] = 0.0,
    seconds: Annotated[float, typer.Option(help="Time for a law.")] = 30.0,
    seed: Annotated[int, typer.Option(help="Decides samples and networks.")] = 0,
    only: Annotated[str, typer.Option(help="Laws to run, separated by commas; all unless given.")] = "",
    peers: Annotated[bool, typer.Option("--peers", help="Run pykan and gplearn too, which takes long.")] = False,
    peer_seconds: Annotated[float, typer.Option(help="Time for a law of a peer.")] = 60.0,
) -> None:
    """Measure and print the table."""
    wanted = [name for name in LAWS if not only or name in only.split(",")]
    there = [name for name, (module, _) in PEERS.items() if peers and importlib.util.find_spec(module) is not None]
    found: dict[str, list[Outcome]] = {name: [] for name in ("Kanoscope", *there)}
    word = "in form" if noise else "exact"
    columns = [
        "law",
        *(f"{name}: {what}" for name in found for what in (word if name == "Kanoscope" else "exact", "s")),
    ]
    for line in table_lines([*columns, "Kanoscope's formula"], []):
        typer.echo(line)
    for law in wanted:
        data = sample_law(law, noise=noise, seed=seed)
        found["Kanoscope"].append(run_kanoscope(data, seconds=seconds, seed=seed, noise=noise))
        at_work = {name: Peer(name, data, seed=seed, seconds=peer_seconds) for name in there}
        for name, peer in at_work.items():
            found[name].append(peer.wait())
        cells = [cell for outcomes in found.values() for cell in outcomes[-1].show()]
        typer.echo(f"| {law} | {' | '.join(cells)} | `{found['Kanoscope'][-1].text}` |")
    for name, outcomes in found.items():
        share = sum(outcome.error < EXACT for outcome in outcomes)
        median = statistics.median(outcome.seconds for outcome in outcomes) if outcomes else 0.0
        typer.echo(
            f"{name}: {share} of {len(outcomes)} laws {word if name == 'Kanoscope' else 'exact'}, median {median:.1f} s"
        )
    if not only:
        for name, data in negatives(seed).items():
            outcome = run_kanoscope(data, seconds=seconds, seed=seed, noise=0.0)
            answer = "says that there is none" if outcome.says_none else "believes its formula"
            typer.echo(f"{name}: {answer}; the formula leaves {outcome.error:.0e}")


if __name__ == "__main__":
    typer.run(main)
