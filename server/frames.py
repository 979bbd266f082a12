"""The binary frame that carries every edge curve from a worker to the pages.

Layout, little-endian, a header of 64 bytes and then float32 arrays, so that a page views the buffer without a copy:

    offset  type  field
    0       u32   magic, the bytes "KSF1"
    4       u32   flags: bit 0 set when the x grids are included, bit 1 when the curves stand in nodes
    8       u32   epoch
    12      u32   seq
    16      u32   revision of the structure
    20      u32   revision of the x grids
    24      u32   step
    28      u32   E, number of edges
    32      u32   P, points a curve
    36      u32   N, number of nodes with an x grid: all but the outputs, or those that hold a curve
    40      f32   train RMSE
    44      f32   test RMSE
    48      f32   objective (loss with regularisation)
    52      f32   steps per second
    56      u32   wall clock in ms modulo 2^32 when the curves were sampled, for measuring latency
    60      f32   processor seconds that training took
    64      f32[E]    importance of every edge, 0 to 1
    ...     f32[E]    weight of every edge, only with flag bit 1
    ...     f32[E,P]  φ at the grid points of the edge's source node; with flag bit 1 f32[N,P], σ at the node's own
    ...     f32[N,P]  x grids, only with flag bit 0

Edges stand by layer, then target, then source; nodes by layer, then index. A perceptron's edges are weights and its
nodes hold a function σ each, over what arrives there. The x grids stand last, so that the server leaves them out for a
page that has them by cutting the tail and clearing the flag.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGEST = float(np.finfo(np.float32).max)
MAGIC = int.from_bytes(b"KSF1", "little")
HEADER = struct.Struct("<10I4fIf")
FLAG_GRIDS = 1
FLAG_NODES = 2
FLAGS_OFFSET = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture of the network.

    `importance` is (E,), `values` (E, P) and `grids` (N, P), all float32; with `weights` (E,) the curves stand in
    nodes and `values` is (N, P). Losses are root mean squares in original units, `seconds` processor time.
    """

    epoch: int
    seq: int
    revision: int
    grid_revision: int
    step: int
    train_rmse: float
    test_rmse: float
    objective: float
    steps_per_second: float
    sampled_ms: int = 0
    seconds: float = 0.0
    importance: NDArray[np.float32]
    values: NDArray[np.float32]
    grids: NDArray[np.float32] | None
    weights: NDArray[np.float32] | None = None


def encode_frame(frame: Frame) -> bytes:
    """Return the frame's bytes, with the x grids when it has them."""
    num_points = frame.values.shape[1]
    grids = frame.values if frame.weights is not None else frame.grids
    num_nodes = 0 if grids is None else len(grids)
    header = HEADER.pack(
        MAGIC,
        (0 if frame.grids is None else FLAG_GRIDS) | (0 if frame.weights is None else FLAG_NODES),
        frame.epoch,
        frame.seq,
        frame.revision,
        frame.grid_revision,
        frame.step,
        len(frame.importance),
        num_points,
        num_nodes,
        *(_narrow(number) for number in (frame.train_rmse, frame.test_rmse, frame.objective, frame.steps_per_second)),
        frame.sampled_ms % 2**32,
        _narrow(frame.seconds),
    )
    arrays = (frame.importance, frame.weights, frame.values, frame.grids)
    return b"".join([header, *(array.astype("<f4").tobytes() for array in arrays if array is not None)])


def _narrow(number: float) -> float:
    """Return a number that float32 has; what lies beyond its largest is infinite, which a page shows as no number."""
    return number if abs(number) <= LARGEST else math.copysign(math.inf, number)
