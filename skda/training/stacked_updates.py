"""One optimizer for the weights of many networks."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn

from skda.training.net import DomainNet

__all__ = ["StackedUpdates", "optimizer_settings"]

#: Optimizers to which every weight is one of its own, so that stacking changes nothing.
ELEMENTWISE = (
    torch.optim.SGD,
    torch.optim.Adam,
    torch.optim.AdamW,
    torch.optim.RMSprop,
    torch.optim.Adagrad,
    torch.optim.Adadelta,
    torch.optim.Adamax,
    torch.optim.NAdam,
    torch.optim.RAdam,
)


def optimizer_settings(net: DomainNet) -> str:
    """Spell the settings of the optimizer of an initialized net.

    Parameters
    ----------
    net : DomainNet
        The net.

    Returns
    -------
    str
        Equal for nets that are updated alike.
    """
    groups = [
        {name: value for name, value in group.items() if name != "params"}
        for group in net.optimizer_.param_groups
    ]
    return repr((groups, net.lr_schedule))


class StackedUpdates:
    """One optimizer for the stacked weights, with the settings of every network's.

    Parameters
    ----------
    nets : list of DomainNet
        Initialized nets, of which those of equal settings stand together.
    steps : list of nn.Module
        Network and objective of each, whose parameters become views of the stack.

    Attributes
    ----------
    weights : dict of str to Tensor of shape (m, ...)
        The stacked weights.
    """

    def __init__(self, nets: list[DomainNet], steps: list[nn.Module]) -> None:
        kinds = {type(net.optimizer_) for net in nets}
        if len(kinds) > 1 or not issubclass(kinds.copy().pop(), ELEMENTWISE):
            names = ", ".join(sorted(kind.__name__ for kind in kinds))
            raise ValueError(f"the optimizer {names} may not treat weights one by one")
        named = [dict(step.named_parameters()) for step in steps]
        self.weights: dict[str, Tensor] = {}
        for name, weight in named[0].items():
            stacked = torch.stack([parameters[name].detach() for parameters in named])
            self.weights[name] = stacked.requires_grad_(weight.requires_grad)
            for i, parameters in enumerate(named):
                parameters[name].data = stacked.detach()[i]
        self.parameters = [p for parameters in named for p in parameters.values()]
        self.pieces: list[tuple[Tensor, Tensor, slice]] = []
        self.schedules: list[Any] = []
        groups: list[dict[str, Any]] = []
        numbers = range(len(nets))
        for _, run in groupby(numbers, key=lambda i: optimizer_settings(nets[i])):
            some = [*run]
            name_of = {id(p): name for name, p in named[some[0]].items()}
            for group in nets[some[0]].optimizer_.param_groups:
                stacks = [self.weights[name_of[id(p)]] for p in group["params"]]
                params = [self._piece(weight, some, len(nets)) for weight in stacks]
                groups.append({**group, "params": params})
                self.schedules.append(nets[some[0]].lr_schedule)
        self.optimizer = next(iter(kinds))(groups)

    def _piece(self, weight: Tensor, some: list[int], n_nets: int) -> Tensor:
        """Take what an optimizer is to update: all of a weight, or some networks'."""
        if len(some) == n_nets:
            return weight
        part = slice(some[0], some[-1] + 1)
        piece = weight.detach()[part]
        self.pieces.append((weight, piece, part))
        return piece

    def descend(self, loss: Tensor, progress: float) -> None:
        """Take one step of every network.

        Parameters
        ----------
        loss : Tensor of shape ()
            Sum of the losses.
        progress : float
            Fraction of the phase already done.
        """
        groups = self.optimizer.param_groups
        for group, schedule in zip(groups, self.schedules, strict=True):
            if schedule is not None:
                start = group.setdefault("initial_lr", group["lr"])
                group["lr"] = schedule(progress) * start
        for weight in self.weights.values():
            weight.grad = None
        loss.backward()
        for weight, piece, part in self.pieces:
            # A weight that no term reaches has none, and is not even decayed.
            piece.grad = None if weight.grad is None else weight.grad[part]
        self.optimizer.step()

    def release(self) -> None:
        """Give every network weights of its own."""
        for parameter in self.parameters:
            parameter.data = parameter.data.clone()
