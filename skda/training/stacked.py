"""One phase of the trainings of many networks of one shape, in batched steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call

from skda.training.data import Batch, Domains
from skda.training.net import DomainNet
from skda.training.objective import Objective, check_terms
from skda.training.stacked_batches import StackedBatches
from skda.training.stacked_updates import StackedUpdates
from skda.utils.seeding import Generators
from skda.utils.stacking import stacking

__all__ = ["StackedPhase"]


class _Step(nn.Module):
    """Network and objective as one module, whose tensors can be replaced."""

    def __init__(self, net: DomainNet) -> None:
        super().__init__()
        self.module = net.module_
        self.criterion = net.criterion_

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        terms: dict[str, Tensor] = self.criterion(self.module, batch, progress)
        check_terms(terms, self.criterion)
        return terms


class _Place(NamedTuple):
    """An attribute that every network, or objective, has of its own."""

    owners: list[Any]
    name: str

    def values(self) -> list[Any]:
        return [getattr(owner, self.name) for owner in self.owners]


class _State:
    """What the networks have besides their weights, stacked.

    Buffers, other tensors, and the numbers of the objectives in which they differ.
    Those of each network are views, for the hooks of its objective to read and to
    replace.
    """

    def __init__(self, steps: list[_Step]) -> None:
        self.parts = [dict(step.named_modules()) for step in steps]
        self.places: dict[str, _Place] = {}
        self.stacked: dict[str, Tensor] = {}
        self.views: dict[str, list[Tensor]] = {}
        self.buffers: set[str] = set()
        self.numbers: dict[str, Tensor] = {}

    def discover(self) -> None:
        """See what there is: objectives make some of it in their hooks."""
        for path, part in self.parts[0].items():
            attributes = vars(part) | part._buffers
            for name, value in attributes.items():
                key = f"{path}.{name}"
                if isinstance(value, Tensor):
                    self._place(key)
                    if name in part._buffers:
                        self.buffers.add(key)
                elif path.startswith("criterion"):
                    self._compare(key, value)
        self.refresh()

    def _place(self, key: str) -> _Place:
        if key not in self.places:
            path, _, name = key.rpartition(".")
            owners = [parts[path] for parts in self.parts]
            self.places[key] = _Place(owners, name)
        return self.places[key]

    def _compare(self, key: str, first: Any) -> None:
        """Stack a number in which the objectives differ; refuse other differences."""
        if not isinstance(first, (bool, float, int, str)) or key.endswith(".training"):
            return
        path, _, name = key.rpartition(".")
        values = [vars(parts[path])[name] for parts in self.parts]
        if all(value == first for value in values):
            self.numbers.pop(key, None)
        elif isinstance(first, (bool, str)):
            raise ValueError(f"the objectives differ in {name}: {first}, {values}")
        else:
            self._place(key)
            self.numbers[key] = torch.tensor(values, dtype=torch.float32)

    def refresh(self) -> None:
        """Stack what a hook has replaced."""
        for key, place in self.places.items():
            if key in self.numbers:
                continue
            values, views = place.values(), self.views.get(key, ())
            if not views or any(x is not v for x, v in zip(values, views, strict=True)):
                self.set(key, torch.stack(values))

    def set(self, key: str, stacked: Tensor) -> None:
        """Replace a tensor, and the views of it that the networks have."""
        place = self._place(key)
        self.stacked[key] = stacked.detach()
        self.views[key] = [self.stacked[key][i] for i in range(len(place.owners))]
        for owner, view in zip(place.owners, self.views[key], strict=True):
            setattr(owner, place.name, view)

    def release(self) -> None:
        """Give every network tensors of its own."""
        for key, place in self.places.items():
            if key not in self.numbers:
                for owner, value in zip(place.owners, place.values(), strict=True):
                    setattr(owner, place.name, value.clone())

    def plain(self) -> dict[str, Tensor]:
        """Return what is no buffer, by the attribute that the first network has."""
        tensors = {k: t for k, t in self.stacked.items() if k not in self.buffers}
        return tensors | self.numbers

    def left(self, known: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the plain tensors that the first network did not have before."""
        return {
            f"{path}.{name}": value
            for path, part in self.parts[0].items()
            for name, value in vars(part).items()
            if isinstance(value, Tensor) and value is not known.get(f"{path}.{name}")
        }


class StackedPhase:
    """One phase of the trainings of networks of one shape.

    Parameters
    ----------
    nets : list of DomainNet
        The nets, initialized for the phase, inside the blocks that give each of them
        its generator.
    domains : list of Domains
        The data of each.
    errors : list of Exception or None
        The error of each, in which new ones are written.
    """

    def __init__(
        self,
        nets: list[DomainNet],
        domains: list[Domains],
        errors: list[Exception | None],
    ) -> None:
        self.nets = nets
        self.domains = domains
        self.errors = errors
        self.steps = [_Step(net) for net in nets]
        loaders = [
            net.get_iterator(data, training=True)
            for net, data in zip(nets, domains, strict=True)
        ]
        self.batches = StackedBatches(loaders)
        self.state = _State(self.steps)
        self.updates = StackedUpdates(nets, [*self.steps])
        self.names: tuple[str, ...] = ()
        self.drawing: list[Any] = [
            part for part in self.steps[0].modules() if hasattr(part, "generator")
        ]
        self.generators = Generators([net.criterion_.generator for net in nets])
        self.numbers = torch.arange(len(nets), device=loaders[0].device)[:, None]
        self.end_step = any(
            getattr(type(part), "end_step", None) not in (None, Objective.end_step)
            for part in self.steps[0].criterion.modules()
        )

    def run(self) -> None:
        """Take all steps of the phase."""
        self._each(lambda _, net, data: net.on_train_begin(net, X=data))
        n_epochs, n_steps = self.nets[0].max_epochs, len(self.batches)
        for epoch in range(n_epochs):
            self._each(lambda _, net, data: net.on_epoch_begin(net, dataset_train=data))
            for net in self.nets:
                if not net.module_.training:
                    net._set_training(True)
            self.state.discover()
            values = []
            for i, batch in enumerate(self.batches):
                progress = (epoch * n_steps + i) / (n_epochs * n_steps)
                values.append(self._take_step(batch, progress))
            self._end_epoch(torch.stack(values).mean(dim=0))  # (m, n_terms)
        self._each(lambda _, net, data: net.on_train_end(net, X=data))
        self.state.release()
        self.updates.release()

    def _each(self, act: Callable[[int, DomainNet, Domains], Any]) -> None:
        """Call a hook of every net that has not failed."""
        for i, (net, data) in enumerate(zip(self.nets, self.domains, strict=True)):
            if self.errors[i] is None:
                try:
                    act(i, net, data)
                except ValueError as error:  # as of a training that diverges
                    self.errors[i] = error

    def _end_epoch(self, means: Tensor) -> None:
        """Hand every net the means of its terms."""

        def end(i: int, net: DomainNet, data: Domains) -> None:
            net.history.record("train_batch_count", len(self.batches))
            net._unread.append((net.history[-1], self.names, means[i]))
            _, held_out = net.get_split_datasets(data)
            if held_out is not None:
                net._validate(net.get_iterator(held_out))
            net.on_epoch_end(net)

        self._each(end)

    def _take_step(self, batch: Batch, progress: float) -> Tensor:
        """Evaluate the objectives on their batches and descend their gradients."""
        with self.nets[0]._precision():
            values = self._evaluate(batch, progress)  # (m, n_terms)
        self.updates.descend(values.sum(), progress)
        if self.end_step:
            with torch.no_grad():
                self._each(
                    lambda i, net, _: net.criterion_.end_step(
                        net.module_, self.batches.of(batch, i)
                    )
                )
            self.state.refresh()
        return values.detach()

    def _evaluate(self, batch: Batch, progress: float) -> Tensor:
        """Evaluate the terms of all objectives, in the place of the first."""
        state = self.state
        left_keys: list[str] = []
        plain = state.plain()
        buffers = {key: state.stacked[key] for key in state.buffers}
        tensors = self.updates.weights | buffers

        # A flat list of tensors is what torch.vmap takes apart in the least time.
        def evaluate(number: Tensor, *flat: Tensor) -> tuple[Tensor, ...]:
            self.generators.which = number
            values = iter(flat)
            mapped = dict(zip(tensors, islice(values, len(tensors)), strict=True))
            known = dict(zip(plain, islice(values, len(plain)), strict=True))
            fields: list[Any] = [islice(values, len(part)) for part in batch]
            parts: Any = (type(p)(*f) for p, f in zip(batch, fields, strict=True))
            terms, left = self._evaluate_one(mapped, known, Batch(*parts), progress)
            left_keys[:] = left
            return terms, *left.values()

        in_dims: list[int | None] = [0] * (1 + len(tensors) + len(plain))
        part_dims: list[Any] = [*self.batches.in_dims]
        in_dims += [dim for dims in part_dims for dim in dims]
        with self._in_first(plain), stacking():
            values, *left = torch.vmap(evaluate, tuple(in_dims), randomness="same")(
                self.numbers,
                *tensors.values(),
                *plain.values(),
                *(field for part in batch for field in part),
            )
        for key, tensor in zip(left_keys, left, strict=True):
            state.set(key, tensor)
        return values

    def _evaluate_one(
        self,
        tensors: dict[str, Tensor],
        plain: dict[str, Tensor],
        batch: Batch,
        progress: float,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Evaluate the terms of one objective, and return what it leaves behind."""
        for key, value in plain.items():
            place = self.state.places[key]
            vars(place.owners[0])[place.name] = value
        before = {key: tensors[key] for key in self.state.buffers}
        terms = functional_call(self.steps[0], tensors, (batch, progress))
        self.names = tuple(terms)
        # A buffer that a layer has replaced is a new tensor under its name.
        left = {k: tensors[k] for k, t in before.items() if tensors[k] is not t}
        return torch.stack(tuple(terms.values())), left | self.state.left(plain)

    @contextmanager
    def _in_first(self, plain: dict[str, Tensor]) -> Iterator[None]:
        """Let the first network stand for all, and be itself again."""
        places = [self.state.places[key] for key in plain]
        before = [place.values()[0] for place in places]
        for part in self.drawing:
            part.generator = self.generators
        try:
            yield
        finally:
            for part in self.drawing:
                part.generator = self.generators.each[0]
            for place, value in zip(places, before, strict=True):
                vars(place.owners[0])[place.name] = value
