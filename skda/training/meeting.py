"""Fits that stop where their networks are to be trained, to train them together."""

from __future__ import annotations

import threading
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Any

from skda.training.together import TRAINER, Outcome, Training, train_together

__all__ = ["Meeting"]


class _Fit:
    """A task on a thread of its own, of which one runs at a time.

    Parameters
    ----------
    task : callable
        What to run, without arguments.

    Attributes
    ----------
    training : Training or None
        What the task waits for; None once it has ended.
    result : object
        What the task returned.
    error : BaseException or None
        What it raised.
    """

    def __init__(self, task: Callable[[], Any]) -> None:
        self.task = task
        self.training: Training | None = None
        self.result: Any = None
        self.error: BaseException | None = None
        self._outcome: Outcome | BaseException | None = None
        self._mine, self._others = threading.Semaphore(0), threading.Semaphore(0)
        context = copy_context()
        self._thread = threading.Thread(
            target=context.run, args=[self._run], daemon=True
        )

    def start(self) -> None:
        """Run the task until its network is to be trained, or to its end."""
        self._thread.start()
        self._others.acquire()

    def resume(self, outcome: Outcome | BaseException) -> None:
        """Go on after a training, until the next one, or to the end."""
        self._outcome, self.training = outcome, None
        self._mine.release()
        self._others.acquire()

    def _run(self) -> None:
        TRAINER.set(self._wait)  # of this thread alone
        try:
            self.result = self.task()
        except BaseException as error:  # noqa: BLE001 (the meeting hands it on)
            self.error = error
        finally:
            self._others.release()

    def _wait(self, training: Training) -> None:
        """Let the others run until the training has been done."""
        if threading.current_thread() is not self._thread:
            training.run()  # of a fit inside of the fit, on a thread of its own
            return
        self.training = training
        self._others.release()
        self._mine.acquire()
        outcome = self._outcome
        error = outcome.error if isinstance(outcome, Outcome) else outcome
        if error is not None:
            raise error


class Meeting:
    """Run fits, and train those of their networks together that have one shape.

    Every fit runs until its network is to be trained, and waits there for the others.

    Parameters
    ----------
    max_models : int
        Most networks to train at once.

    Attributes
    ----------
    n_batched : int
        How many networks were trained together with others.
    reasons : Counter of str
        Why the other networks were not, with their numbers.
    """

    def __init__(self, max_models: int) -> None:
        self.max_models = max_models
        self.n_batched = 0
        self.reasons: Counter[str] = Counter()

    def run(self, tasks: Sequence[Callable[[], Any]]) -> list[Any]:
        """Run tasks to their ends.

        Parameters
        ----------
        tasks : sequence of callable
            What to run, without arguments.

        Returns
        -------
        list
            What every task returned, or the exception that it raised.
        """
        fits = [_Fit(task) for task in tasks]
        # Fits in turns leave blocks of warning filters in another order than they
        # enter them.
        with warnings.catch_warnings():
            try:
                for fit in fits:
                    fit.start()
                while waiting := [fit for fit in fits if fit.training is not None]:
                    self._train(waiting)
            except BaseException as interrupt:
                for fit in fits:
                    while fit.training is not None:
                        fit.resume(interrupt)
                raise
        return [fit.result if fit.error is None else fit.error for fit in fits]

    def _train(self, waiting: list[_Fit]) -> None:
        trainings = [fit.training for fit in waiting if fit.training is not None]
        outcomes = train_together(trainings, self.max_models)
        for fit, outcome in zip(waiting, outcomes, strict=True):
            if outcome.reason is None:
                self.n_batched += 1
            else:
                self.reasons[outcome.reason] += 1
            fit.resume(outcome)
