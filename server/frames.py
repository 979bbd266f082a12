"""The binary frame that carries every edge curve from a worker to the pages.

Layout, little-endian, a header of 64 bytes and then float32 arrays, so that a page views the buffer without a copy:

    offset  type  field
    0       u32   magic, the bytes "KSF1"
    4       u32   flags: bit 0 set when the x grids are included
    8       u32   epoch
    12      u32   seq
    16      u32   revision of the structure
    20      u32   revision of the x grids
    24      u32   step
    28      u32   E, number of edges
    32      u32   P, points a curve
    36      u32   N, number of source nodes (all nodes but the outputs)
    40      f32   train RMSE
    44      f32   test RMSE
    48      f32   objective (loss with regularisation)
    52      f32   steps per second
    56      u32   wall clock in ms modulo 2^32 when the curves were sampled, for measuring latency
    60      u32   reserved, 0
    64      f32[E]    importance of every edge, 0 to 1
    ...     f32[E,P]  φ at the grid points of the edge's source node
    ...     f32[N,P]  x grids, only with flag bit 0

Edges stand by layer, then target, then source; nodes by layer, then index. The x grids stand last, so that the server
leaves them out for a page that has them by cutting the tail and clearing the flag.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGEST = float(np.finfo(np.float32).max)
MAGIC = int.from_bytes(b"KSF1", "little")
HEADER = struct.Struct("<10I4f2I")
FLAG_GRIDS = 1
FLAGS_OFFSET = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture of the network.

    `importance` is (E,), `values` (E, P) and `grids` (N, P), all float32;
    losses are root mean squares in original units.
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
    importance: NDArray[np.float32]
    values: NDArray[np.float32]
    grids: NDArray[np.float32] | None


def encode_frame(frame: Frame) -> bytes:
    """Return the frame's bytes, with the x grids when it has them."""
    num_edges, num_points = frame.values.shape
    num_nodes = 0 if frame.grids is None else frame.grids.shape[0]
    header = HEADER.pack(
        MAGIC,
        0 if frame.grids is None else FLAG_GRIDS,
        frame.epoch,
        frame.seq,
        frame.revision,
        frame.grid_revision,
        frame.step,
        num_edges,
        num_points,
        num_nodes,
        *(_narrow(number) for number in (frame.train_rmse, frame.test_rmse, frame.objective, frame.steps_per_second)),
        frame.sampled_ms % 2**32,
        0,
    )
    parts = [header, frame.importance.astype("<f4").tobytes(), frame.values.astype("<f4").tobytes()]
    if frame.grids is not None:
        parts.append(frame.grids.astype("<f4").tobytes())
    return b"".join(parts)


def _narrow(number: float) -> float:
    """Return a number that float32 has; what lies beyond its largest is infinite, which a page shows as no number."""
    return number if abs(number) <= LARGEST else math.copysign(math.inf, number)
