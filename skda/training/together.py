"""The trainings of many networks: those of one shape in batched steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from contextvars import ContextVar
from typing import Any, NamedTuple

import joblib
from torch import Tensor, nn

from skda.training.data import Batch, BatchLoader, Domains, Samples
from skda.training.net import DomainNet
from skda.training.objective import Phase
from skda.training.recorder import Recorder
from skda.training.stacked import StackedPhase
from skda.training.stacked_updates import optimizer_settings
from skda.utils.seeding import FitRandomness, draws_by_default
from skda.utils.threads import limit_threads

__all__ = ["TRAINER", "Outcome", "Training", "train_together"]

#: Attributes of a module that say nothing of what it computes.
INTERNAL = {*vars(nn.Module()), "generator"}


class Training(NamedTuple):
    """A training that is about to start.

    Parameters
    ----------
    net : DomainNet
        The net, set to the first phase.
    phases : list of Phase
        All phases.
    domains : Domains
        The data.
    randomness : FitRandomness
        Source of the random numbers.
    n_multiplications : float
        Rows times parameters in one step.
    recorder : Recorder or None
        What keeps the state in a folder.
    """

    net: DomainNet
    phases: list[Phase]
    domains: Domains
    randomness: FitRandomness
    n_multiplications: float
    recorder: Recorder | None = None

    def run(self) -> None:
        """Take the network through the phases, on its own."""
        with limit_threads(self.n_multiplications, self.domains.device):
            self._run_phases()

    def _run_phases(self) -> None:
        """Go from where the recorder stands, or from the start."""
        net, recorder = self.net, self.recorder
        net.initialize()
        done = 0 if recorder is None else recorder.phase
        for number, phase in enumerate(self.phases[done:], start=done):
            if number:
                net.set_params(**phase._asdict())
            if recorder is not None and recorder.is_over:
                recorder.resume(net, self.domains)
                return
            if recorder is not None:
                recorder.phase = number
            net.partial_fit(self.domains, randomness=self.randomness, recorder=recorder)
            if net.fit_is_over_:
                break
        if recorder is not None:
            recorder.finish(net)

    def why_alone(self) -> str | None:
        """Say why it cannot be batched with others, as far as can be told before."""
        if self.net.callbacks or self.net.verbose:
            return "callbacks and progress bars follow one network at a time"
        if self.recorder is not None or self.net.compiled_step:
            return "checkpoints and compiled steps are those of one network"
        if any(isinstance(part[0], Samples) for part in self.domains.whole):
            return "the samples of a Dataset are loaded while the network trains"
        roots = [self.net.module, *(phase.criterion for phase in self.phases)]
        if any(draws_by_default(part) for root in roots for part in root.modules()):
            return "a layer draws, or may draw, from PyTorch's default generator"
        return None

    def likeness(self, *, strict: bool) -> str:
        """Hash what trainings must have in common to be batched.

        Parameters
        ----------
        strict : bool
            Whether also the numbers in the objectives, such as the weights of terms.

        Returns
        -------
        str
            The hash.
        """
        loader: BatchLoader = self.net.get_iterator(self.domains, training=True)
        whole = [loader.takes_whole(name) for name in Batch._fields]
        shapes = [
            [(tensor.shape if all_rows else tensor.shape[1:]) for tensor in part]
            for part, all_rows in zip(self.domains.whole, whole, strict=True)
        ]
        sizes = loader.n_steps, loader.step_size, loader.n_drawn
        phases = [
            (_structure(p.criterion, numbers=strict), p.max_epochs, p.phase)
            for p in self.phases
        ]
        module = _structure(self.net.module, numbers=True)
        rest = (
            str(self.net.autocast),
            str(self.net.device),
            self.domains.held_out is None,
        )
        return str(joblib.hash((shapes, whole, sizes, phases, module, rest)))


#: What takes the networks of the fits in this context through their trainings.
TRAINER: ContextVar[Callable[[Training], None]] = ContextVar(
    "TRAINER", default=Training.run
)


class Outcome(NamedTuple):
    """What became of a training.

    Parameters
    ----------
    error : Exception or None
        What it ended with, unless it succeeded.
    reason : str or None
        Why it was not batched with others, unless it was.
    """

    error: Exception | None
    reason: str | None


def train_together(trainings: Sequence[Training], max_models: int) -> list[Outcome]:
    """Train networks of one shape at once, and the others each on its own.

    Parameters
    ----------
    trainings : sequence of Training
        The trainings.
    max_models : int
        Most networks to train at once.

    Returns
    -------
    list of Outcome
        What became of each.
    """
    outcomes: dict[int, Outcome] = {}
    alike: dict[str, list[int]] = defaultdict(list)
    for i, training in enumerate(trainings):
        reason = training.why_alone()
        if reason is None:
            try:
                alike[training.likeness(strict=False)].append(i)
            except Exception as error:  # noqa: BLE001 (pickling calls any code)
                reason = f"what cannot be pickled cannot be compared: {error}"
        if reason is not None:
            outcomes[i] = _run_alone(training, reason)
    for members in alike.values():
        for start in range(0, len(members), max_models):
            part = members[start : start + max_models]
            results = _train_group([trainings[i] for i in part])
            outcomes.update(zip(part, results, strict=True))
    return [outcomes[i] for i in range(len(trainings))]


def _train_group(group: list[Training], *, strict: bool = False) -> list[Outcome]:
    """Train networks at once; or else those of equal numbers; or else each alone."""
    if len(group) == 1:
        return [_run_alone(group[0], "no other fit has its shapes and settings")]
    states = [training.randomness.last_states() for training in group]
    try:
        return [Outcome(error, None) for error in _train_stacked(group)]
    except Exception as error:  # noqa: BLE001 (torch.vmap has many of its own)
        first_line = (str(error).strip().splitlines() or [""])[0]
        reason = f"{type(error).__name__}: {first_line}"
    for training, state in zip(group, states, strict=True):
        training.randomness.restore(state)
        if len(training.phases) > 1:
            training.net.set_params(**training.phases[0]._asdict())
    alike: dict[str, list[int]] = defaultdict(list)
    for i, training in enumerate(group):
        alike[training.likeness(strict=True)].append(i)
    if strict or len(alike) == 1:
        return [_run_alone(training, reason) for training in group]
    outcomes: dict[int, Outcome] = {}
    for members in alike.values():
        results = _train_group([group[i] for i in members], strict=True)
        outcomes.update(zip(members, results, strict=True))
    return [outcomes[i] for i in range(len(group))]


def _run_alone(training: Training, reason: str) -> Outcome:
    try:
        training.run()
    except Exception as error:  # noqa: BLE001 (it will be raised in the fit)
        return Outcome(error, reason)
    return Outcome(None, reason)


def _train_stacked(group: list[Training]) -> list[Exception | None]:
    """Take stacked networks through the phases, and return the error of each."""
    for training in group:
        training.net.initialize()
    # Networks of equal settings stand together, to be updated together.
    order = sorted(range(len(group)), key=lambda i: optimizer_settings(group[i].net))
    trainings = [group[i] for i in order]
    nets = [training.net for training in trainings]
    domains = [training.domains for training in trainings]
    errors: list[Exception | None] = [None] * len(group)
    work = sum(training.n_multiplications for training in trainings)
    with limit_threads(work, domains[0].device):
        for k in range(len(trainings[0].phases)):
            with ExitStack() as stack:
                for training in trainings:
                    net = training.net
                    if k:
                        net.set_params(**training.phases[k]._asdict())
                    modules = net.module_, net.criterion_
                    stack.enter_context(training.randomness.of_training(modules))
                StackedPhase(nets, domains, errors).run()
    return [errors[order.index(i)] for i in range(len(group))]


def _structure(root: nn.Module, *, numbers: bool) -> list[Any]:
    """Describe what a module computes, but for the values of its tensors."""

    def describe(name: str, value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.shape, str(value.dtype)
        if name == "lr_multipliers":
            return sorted(value)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return None if is_number and not numbers else value

    return [
        (
            path,
            f"{type(part).__module__}.{type(part).__qualname__}",
            {
                name: describe(name, value)
                for name, value in (
                    vars(part) | part._parameters | part._buffers
                ).items()
                if name not in INTERNAL
            },
        )
        for path, part in root.named_modules()
    ]
