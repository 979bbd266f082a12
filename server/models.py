"""From a network, its settings or its checkpoint to what a session deals with."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from kan_core import KAN
from kan_core.checkpoint import rebuild_network
from server.kan_model import KanModel, fresh_kan
from server.messages import AnyNetworkSettings, NetworkSettings
from server.model import Model, Network
from server.perceptron_model import PerceptronModel, fresh_perceptron, rebuild_perceptron
from server.refusal import Refusal
from server.session_data import SessionData


def model_of(network: Network) -> Model:
    """Return what a session asks of the network."""
    return KanModel(network) if isinstance(network, KAN) else PerceptronModel(network)


def fresh_network(settings: AnyNetworkSettings, data: SessionData, seed: int) -> Network:
    """Return the initial network of these settings and this seed, float64.

    Raises Refusal with code bad_widths when it does not fit the data, too_many_edges, or bad_network.
    """
    widths = settings.widths
    if (widths[0], widths[-1]) != (data.num_inputs, data.num_outputs):
        raise Refusal(
            "bad_widths",
            f"The data have {data.num_inputs} inputs and {data.num_outputs} output, so widths begin with "
            f"{data.num_inputs} and end with {data.num_outputs}, received widths={widths}: change the first or last.",
        )
    if isinstance(settings, NetworkSettings):
        return fresh_kan(settings, seed)
    return fresh_perceptron(settings, data.dataset, seed)


def with_hidden(settings: AnyNetworkSettings, hidden: list[int] | None, data: SessionData) -> AnyNetworkSettings:
    """Return the settings for other data, with the hidden widths they had when `hidden` is left out."""
    kept = settings.widths[1:-1] if hidden is None else hidden
    changes: dict[str, object] = {"widths": [data.num_inputs, *kept, data.num_outputs]}
    if hidden is None:
        return settings.model_copy(update=changes)
    # layers that are named anew have nothing to do with which nodes multiplied before, or which σ each of them had
    if isinstance(settings, NetworkSettings):
        changes["products"] = []
    elif not isinstance(settings.activation, str):
        changes["activation"] = settings.activation[0] if settings.activation else "silu"
    return settings.model_copy(update=changes)


def rebuild(description: dict[str, Any], tensors: dict[str, Tensor], *, prefix: str) -> Network:
    """Return the network that a model's `describe` and `tensors` told; raises CheckpointError for anything else."""
    if description.get("model") == "mlp":
        return rebuild_perceptron(description, tensors, prefix=prefix)
    # checkpoints say of KANs no more than they did before there were others
    return rebuild_network(description, tensors, prefix=prefix)
