"""Objectives that are compiled, and on a GPU replayed as CUDA graphs."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from skda.training.data import Batch

__all__ = ["CompiledObjective"]

#: What :func:`torch.compile` is told. On CUDA, this mode makes graphs of the kernels.
COMPILER: dict[str, Any] = {"mode": "reduce-overhead"}


class CompiledObjective:
    """Evaluate an objective by compiled code, for batches that are all of one shape.

    Parameters
    ----------
    objective : Objective
        The objective.
    module : nn.Module
        The network.
    device : torch.device
        Where the batches are.

    Examples
    --------
    >>> compiled = CompiledObjective(nn.Module(), nn.Module(), torch.device("cpu"))
    >>> compiled.progress
    tensor(0.)
    """

    def __init__(
        self, objective: nn.Module, module: nn.Module, device: torch.device
    ) -> None:
        self.objective = objective
        self.module = module
        # A number would be a constant of the compiled code.
        self.progress = torch.zeros((), device=device)
        self.makes_graphs = device.type == "cuda"
        parts = [part for root in (objective, module) for part in root.modules()]
        self._holders = [d for part in parts for d in (vars(part), part._buffers)]

    @cached_property
    def _evaluate(self) -> Any:
        return torch.compile(_evaluate, dynamic=False, **COMPILER)

    def __call__(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Evaluate every term on one batch.

        Parameters
        ----------
        batch : Batch
            Rows of the step.
        progress : float
            Fraction of the phase already done.

        Returns
        -------
        dict of str to Tensor of shape ()
            The terms, weighted.
        """
        self.progress.fill_(progress)
        if not self.makes_graphs:
            return self._terms(batch)
        torch.compiler.cudagraph_mark_step_begin()
        before = [dict(holder) for holder in self._holders]
        terms = self._terms(batch)
        for holder, old in zip(self._holders, before, strict=True):
            for name, value in holder.items():
                if type(value) is Tensor and value is not old.get(name):
                    # The next replay writes where this one has left it.
                    holder[name] = value.detach().clone()
        return terms

    def _terms(self, batch: Batch) -> dict[str, Tensor]:
        terms: dict[str, Tensor] = self._evaluate(
            self.objective, self.module, batch, self.progress
        )
        return terms


def _evaluate(
    objective: Any, module: Any, batch: Batch, progress: Tensor
) -> dict[str, Tensor]:
    """Evaluate the terms; the function that is compiled."""
    terms: dict[str, Tensor] = objective(module, batch, progress)
    return terms
