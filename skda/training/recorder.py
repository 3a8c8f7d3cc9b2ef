"""The record of a training that a checkpoint keeps, and how to go on from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from skorch.history import History
from torch import Tensor, nn

import skda
from skda.training.checkpoint import CheckpointFolder, pack, unpack
from skda.training.data import Batch, BatchLoader, Domains, Samples
from skda.training.objective import Phase
from skda.utils.fingerprint import MODULE_INTERNALS, describe, digest
from skda.utils.seeding import FitRandomness

__all__ = ["EpochSoFar", "Recorder", "fingerprint", "recording"]

#: Parameters that change nothing of what is learned, or that are compared otherwise.
NOT_COMPARED = {"callbacks", "checkpoint", "device", "verbose"}


class EpochSoFar(NamedTuple):
    """What is left of an epoch, and what there was of it.

    Parameters
    ----------
    batches : iterator of Batch
        The steps that are left.
    names : tuple of str
        Names of the terms, if there has been a step.
    values : list of Tensor of shape (n_terms,)
        Their values in the steps that have been.
    """

    batches: Iterator[Batch]
    names: tuple[str, ...]
    values: list[Tensor]


def fingerprint(
    estimator: Any, module: nn.Module, phases: list[Phase], domains: Domains
) -> dict[str, dict[str, str]]:
    """Describe everything that decides what a training arrives at.

    Of samples that are still to load, their number, shape and labels are looked at.

    Parameters
    ----------
    estimator : estimator object
        Whose hyper-parameters are compared.
    module : nn.Module
        Network, before the training.
    phases : list of Phase
        What it minimizes.
    domains : Domains
        The data.

    Returns
    -------
    dict of str to dict of str to str
        Descriptions, by the name of what they are of.
    """
    parameters = {
        name: describe(value)
        for name, value in estimator.get_params(deep=False).items()
        if name not in NOT_COMPARED
    }
    for phase in phases:
        name = f"objective of the phase {phase.phase!r}"
        parameters[name] = describe((phase.criterion, phase.max_epochs))
    parameters["initial network"] = describe(module)
    parts = dict(domains.whole._asdict())
    if domains.held_out is not None:
        parts["held-out rows"] = domains.held_out[:2]
    versions = {"skda": skda.__version__, "torch": str(torch.__version__)}
    return {
        "estimator": {"class": type(estimator).__qualname__},
        "parameters": parameters,
        "data": {
            name: _describe_rows(part) for name, part in parts.items() if len(part[0])
        },
        "versions": versions | {"device": domains.device.type},
    }


def _describe_rows(part: Any) -> str:
    """Digest the rows of a domain; of samples to load, all but the samples."""
    X, *others = part
    if isinstance(X, Samples):
        return f"{X.shape} {digest(torch.from_numpy(X.rows), *others)}"
    return digest(X, *others)


def _check_same(
    stored: Mapping[str, Any], mine: Mapping[str, Any], folder: CheckpointFolder
) -> None:
    """Refuse the checkpoint of another fit, and say what differs."""
    differences = []
    for what, now in mine.items():
        then = stored.get(what, {})
        names = [n for n in {**then, **now} if then.get(n) != now.get(n)]
        if names:
            values = (
                f"{n} ({_short(then.get(n))} there, {_short(now.get(n))} here)"
                for n in names
            )
            differences.append(f"{what}: {', '.join(values)}")
    if differences:
        raise ValueError(
            f"checkpoint={str(folder.path)!r} has the state of another fit. These "
            f"differ: {'; '.join(differences)}. Fit as it was then to go on, else pass "
            f"another folder, or delete this one."
        )


def _short(text: str | None) -> str:
    return "nothing" if text is None else text


@contextmanager
def recording(
    path: Any, identity: dict[str, Any], randomness: FitRandomness, device: torch.device
) -> Iterator[Recorder]:
    """Record a training in a folder inside the block, and go on from what is there.

    Parameters
    ----------
    path : str or Path
        The folder.
    identity : dict
        The :func:`fingerprint` of the fit.
    randomness : FitRandomness
        Source of its random numbers.
    device : torch.device
        Where it runs.

    Yields
    ------
    Recorder
        What the net asks.
    """
    folder = CheckpointFolder(path)
    with folder.in_use():
        found = folder.read(device)
        if found is not None:
            _check_same(unpack(found["identity"]), identity, folder)
        yield Recorder(folder, identity, randomness, found)


class Recorder:
    """Keep the state of a training, and bring a net back to it.

    Parameters
    ----------
    folder : CheckpointFolder
        Where to.
    identity : dict
        The :func:`fingerprint` of the fit.
    randomness : FitRandomness
        Source of its random numbers.
    found : dict or None
        The state to go on from.

    Attributes
    ----------
    phase : int
        Number of the current phase.
    """

    def __init__(
        self,
        folder: CheckpointFolder,
        identity: dict[str, Any],
        randomness: FitRandomness,
        found: dict[str, Any] | None,
    ) -> None:
        self.folder = folder
        self.identity = identity
        self.randomness = randomness
        self.found = found
        self.phase: int = 0 if found is None else found["phase"]
        self._loader_states: list[Tensor] = []

    @property
    def is_over(self) -> bool:
        """Whether the training to go on from has ended."""
        return self.found is not None and self.found["is_over"]

    @property
    def is_inside_epoch(self) -> bool:
        """Whether the next epoch is one that has begun before."""
        return self.found is not None

    def restore(self, net: Any) -> None:
        """Bring a net whose phase has just begun back to the state found, if any.

        Parameters
        ----------
        net : DomainNet
            The net.
        """
        if self.found is None:
            return
        found = self.found
        _restore_parts(net.module_, found["module"])
        _restore_parts(net.criterion_, found["criterion"])
        if found["optimizer"] is not None:
            net.optimizer_.load_state_dict(unpack(found["optimizer"]))
        for name, callback in net.callbacks_:
            _restore_attributes(callback, found["callbacks"].get(name, {}))
        net.history = History(unpack(found["history"]))
        net.restore_progress(unpack(found["progress"]))

    def resume(self, net: Any, domains: Domains) -> None:
        """Bring a net that has not begun to the state at the end of a training.

        Parameters
        ----------
        net : DomainNet
            The net, in its last phase.
        domains : Domains
            The data.
        """
        with self.randomness.of_training((net.module_, net.criterion_)):
            net.on_train_begin(net, domains)
        self.restore(net)

    def start_epoch(self, loader: BatchLoader) -> EpochSoFar:
        """Open an epoch, where it was interrupted if it was.

        Parameters
        ----------
        loader : BatchLoader
            What draws its batches.

        Returns
        -------
        EpochSoFar
            The steps that are left, and the terms of the others.
        """
        found, self.found = self.found, None
        if found is None:
            self._loader_states = loader.states
            return EpochSoFar(iter(loader), (), [])
        self._loader_states = loader.states = found["loader"]
        batches, values = iter(loader), list(found["values"])
        for _ in values:
            next(batches)  # drawn again, so that the others are what they would be
        self.randomness.go_on_from(found["random"])
        return EpochSoFar(batches, tuple(found["names"]), values)

    def end_step(self, net: Any, names: tuple[str, ...], values: list[Tensor]) -> None:
        """Keep the state after a step, if it is time to.

        Parameters
        ----------
        net : DomainNet
            The net.
        names : tuple of str
            Names of the terms.
        values : list of Tensor of shape (n_terms,)
            Their values in every step of the epoch so far.
        """
        if self.folder.is_due:
            self._write(
                net,
                is_over=False,
                names=list(names),
                values=torch.stack(values),
                loader=self._loader_states,
                random=self.randomness.states(),
                optimizer=_optimizer_state(net.optimizer_),
            )

    def finish(self, net: Any) -> None:
        """Keep the state at the end of the training.

        Parameters
        ----------
        net : DomainNet
            The net.
        """
        self._write(net, is_over=True, optimizer=None)

    def _write(self, net: Any, **position: Any) -> None:
        """Write everything that the rest of the training depends on."""
        self.folder.write(
            {
                "identity": pack(self.identity),
                "seed": self.randomness.seed,
                "phase": self.phase,
                "module": _parts(net.module_),
                "criterion": _parts(net.criterion_),
                "callbacks": {name: _learned(c) for name, c in net.callbacks_},
                "progress": pack(net.progress()),
                "history": pack(list(net.history)),
                **position,
            }
        )


def _optimizer_state(optimizer: Any) -> Any:
    """Pack the state of an optimizer, without which no training goes on as it was."""
    try:
        return pack(optimizer.state_dict())
    except TypeError as error:
        raise TypeError(
            f"checkpoint expects an optimizer whose state_dict has numbers and tensors "
            f"alone, got {type(optimizer).__name__}: {error}"
        ) from error


def _parts(module: nn.Module) -> dict[str, Any]:
    """Collect what the parts of a module keep: weights, buffers and plain data."""
    return {
        name: {
            "training": part.training,
            "parameters": _tensors(part._parameters),
            "fixed": [n for n, p in _present(part._parameters) if not p.requires_grad],
            "buffers": _tensors(part._buffers),
            "attributes": {} if _is_torchs(part) else _attributes(part),
        }
        for name, part in module.named_modules()
    }


def _is_torchs(part: nn.Module) -> bool:
    """Say whether a part is PyTorch's, whose state is all in weights and buffers."""
    return type(part).__module__.startswith("torch.")


def _present(tensors: Mapping[str, Any]) -> list[tuple[str, Tensor]]:
    return [(name, tensor) for name, tensor in tensors.items() if tensor is not None]


def _tensors(tensors: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: pack(tensor.data) for name, tensor in _present(tensors)}


def _restore_parts(module: nn.Module, parts: Mapping[str, Any]) -> None:
    """Put back what :func:`_parts` has collected."""
    for name, part in module.named_modules():
        found = parts[name]
        part.training = found["training"]
        for key, parameter in _present(part._parameters):
            parameter.data.copy_(found["parameters"][key])
            parameter.requires_grad_(key not in found["fixed"])
        for key, tensor in found["buffers"].items():
            before = part._buffers.get(key)
            kind = tensor.shape, tensor.dtype
            if before is not None and (before.shape, before.dtype) == kind:
                before.copy_(tensor)
            else:
                part._buffers[key] = tensor
        _restore_attributes(part, found["attributes"])


def _attributes(owner: Any) -> dict[str, Any]:
    """Collect the attributes that are plain data, or have a state that is."""
    collected = {}
    for name, value in vars(owner).items():
        if isinstance(owner, nn.Module) and name in MODULE_INTERNALS:
            continue
        has_state = hasattr(value, "state_dict") and hasattr(value, "load_state_dict")
        try:
            packed = pack(value.state_dict() if has_state else value)
        except TypeError:
            continue  # nothing that could change from step to step, as far as we know
        collected[name] = [has_state, packed]
    return collected


def _learned(callback: Any) -> dict[str, Any]:
    """Collect the attributes of a callback that are no parameters of its own."""
    given = callback.get_params(deep=False)
    return {n: found for n, found in _attributes(callback).items() if n not in given}


def _restore_attributes(owner: Any, attributes: Mapping[str, Any]) -> None:
    """Put back what :func:`_attributes` has collected."""
    for name, (has_state, packed) in attributes.items():
        if has_state:
            getattr(owner, name).load_state_dict(unpack(packed))
        else:
            setattr(owner, name, unpack(packed))
