"""A search that trains the networks of its candidates together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from joblib import parallel_config
from joblib.parallel import ParallelBackendBase
from numpy.typing import ArrayLike
from sklearn.model_selection import GridSearchCV, ParameterGrid, ParameterSampler

from skda.training import NetTraining
from skda.training.meeting import Meeting
from skda.utils._sklearn import HasMethods, Interval, fit_context
from skda.utils.memory import remembering
from skda.utils.warnings import warn_user

__all__ = ["BatchedSearchCV"]

Grid = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class _Task:
    """A fit and its scores, and what to tell joblib when it has been done."""

    def __init__(self, run: Callable[[], Any], done: Callable[[Any], None]) -> None:
        self.run = run
        self.done = done
        self.is_done = False
        self.result: Any = None


class _MeetingBackend(ParallelBackendBase):
    """Run what joblib is given in one process, at a meeting."""

    supports_sharedmem = True
    uses_threads = True

    def __init__(self, meeting: Meeting, n_jobs: int) -> None:
        super().__init__()
        self.meeting = meeting
        self.n_jobs = n_jobs
        self.waiting: list[_Task] = []

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """Take so many fits at once, whatever is asked for."""
        return self.n_jobs

    def submit(self, func: Callable[[], Any], callback: Any = None) -> _Task:
        """Keep a fit until somebody waits for its result."""
        task = _Task(func, callback)
        self.waiting.append(task)
        return task

    def retrieve_result(self, out: _Task, timeout: float | None = None) -> Any:
        """Run all fits that wait, if this is one of them."""
        if not out.is_done:
            tasks, self.waiting = self.waiting, []
            results = self.meeting.run([task.run for task in tasks])
            for task, result in zip(tasks, results, strict=True):
                task.result, task.is_done = result, True
                task.done(task)
        if isinstance(out.result, BaseException):
            raise out.result
        return out.result


class BatchedSearchCV(GridSearchCV):
    """Search over parameters, training the networks of the candidates together.

    Takes the place of scikit-learn's ``GridSearchCV`` and ``RandomizedSearchCV``: the
    same parameters, the same results. Networks of one shape, which differ in their
    seeds, folds, learning rates or weights of terms, take each step together, as one
    batched product. For small networks, the time of a step is that of calling
    operations, which many networks then share.

    Every network has the random numbers of its own fit: its initial weights, batches
    and dropout. Its weights are those of a separate fit up to the rounding of float32.

    Fits that differ in shapes, and networks that cannot be batched, are trained one
    after the other, as in the ordinary search: ``reasons_`` says why, and a warning
    does. An estimator without a network is searched by the ordinary search.

    Parameters
    ----------
    estimator : estimator object
        What to tune: a method with a network, or a pipeline or meta-estimator with one.
    param_grid : dict of str to sequence, or list of such, default=None
        Values to try, all combinations of them, as in ``GridSearchCV``; or what
        ``RandomizedSearchCV`` draws from, if there is an ``n_iter``.
    param_distributions : dict of str to sequence or distribution, or list of such, \
            default=None
        The same under the name that ``RandomizedSearchCV`` has for it.
    n_iter : int, default=None
        Number of candidates to draw; None is 10 for ``param_distributions``, and all
        of a ``param_grid``.
    scoring : str, callable, list, tuple or dict, default=None
        As in scikit-learn.
    n_jobs : int, default=None
        Number of processes of the ordinary search. A batched one has one process.
    refit : bool, str or callable, default=True
        As in scikit-learn. The last fit is an ordinary one.
    cv : int, splitter or iterable, default=None
        As in scikit-learn; see :class:`LabeledFold`.
    verbose : int, default=0
        As in scikit-learn.
    pre_dispatch : int or str, default="2*n_jobs"
        As in scikit-learn, with ``max_models`` for the number of jobs.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws of candidates.
    error_score : "raise" or float, default=np.nan
        Score of a candidate whose fit fails, which does not disturb the others.
    return_train_score : bool, default=False
        As in scikit-learn.
    max_models : int, default=64
        Most networks to train at once. The data of all of their fits are in memory.
    memory : str or object with the joblib.Memory interface, default=None
        Where to remember the transformers of the samples, as in a pipeline: those that
        the user passes as ``source_transformer`` or ``target_transformer``, and those
        that a method puts before a domain. Fits with the same samples then share them.
        Processes of an ordinary search with ``n_jobs`` do not.

    Attributes
    ----------
    best_estimator_, best_params_, best_score_, best_index_, cv_results_, scorer_, \
            n_splits_, refit_time_, multimetric_
        As in scikit-learn. The ``mean_fit_time`` of networks that were trained together
        is the time of them all.
    n_batched_fits_ : int
        Number of trainings that were batched.
    reasons_ : dict of str to int
        Why the others were not, and how many.

    See Also
    --------
    LabeledFold : Folds of the labeled rows.

    Notes
    -----
    Batched are networks of the same layers, numbers of features, classes, steps and
    rows in each step, with one of PyTorch's elementwise optimizers. Callbacks, progress
    bars, a ``Dataset`` and layers that draw from PyTorch's own generator, such as
    ``nn.Dropout`` in a ``module``, rule it out. Where a number decides which terms
    there are, as zero does, or the batched step fails, those of equal numbers are
    batched.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.model_selection import BatchedSearchCV, LabeledFold
    >>> from skda.unsupervised import DANN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> dann = DANN(n_components=16, max_epochs=5, random_state=0)
    >>> grid = {"lr": [0.003, 0.01], "lambda0": [0.3, 1.0]}
    >>> search = BatchedSearchCV(dann, grid, cv=LabeledFold(2))
    >>> search.fit(X[:100] + 1.0, y[:100], source=(X[100:], y[100:])).n_batched_fits_
    8
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **GridSearchCV._parameter_constraints,
        "param_grid": [dict, list, None],
        "param_distributions": [dict, list, None],
        "n_iter": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
        "max_models": [Interval(Integral, 2, None, closed="left")],
        "memory": [str, HasMethods("cache"), None],
    }

    def __init__(
        self,
        estimator: Any,
        param_grid: Grid | None = None,
        *,
        param_distributions: Grid | None = None,
        n_iter: int | None = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[..., int] = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: int | np.random.RandomState | None = None,
        error_score: str | float = np.nan,
        return_train_score: bool = False,
        max_models: int = 64,
        memory: Any = None,
    ) -> None:
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.random_state = random_state
        self.max_models = max_models
        self.memory = memory

    # The estimator may itself be a search or a pipeline, which validates its own.
    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> Self:
        """Fit and score every candidate on every fold, and refit the best.

        Parameters
        ----------
        X : array-like of shape (n_target, n_features)
            Target samples.
        y : array-like of shape (n_target,), default=None
            Target labels.
        **params : dict of str to object
            Passed on as in scikit-learn, such as ``source``.

        Returns
        -------
        self : object
            Fitted search.
        """
        meeting = Meeting(self.max_models)
        with remembering(self.memory):
            if _has_network(self.estimator):
                backend = _MeetingBackend(meeting, self.max_models)
                with parallel_config(backend=backend):
                    super().fit(X, y, **params)
            else:
                super().fit(X, y, **params)
                n_fits = self.n_splits_ * len(self.cv_results_["params"])
                meeting.reasons["there is no network to train"] = n_fits
        self.n_batched_fits_ = meeting.n_batched
        self.reasons_ = dict(meeting.reasons)
        if self.reasons_:
            why = "; ".join(f"{n} as {reason}" for reason, n in self.reasons_.items())
            warn_user(f"{type(self).__name__} did not batch some fits: {why}.")
        return self

    def _candidates(self) -> ParameterGrid | ParameterSampler:
        """List what to try."""
        given = [self.param_grid, self.param_distributions]
        if sum(space is not None for space in given) != 1:
            raise ValueError(
                "BatchedSearchCV expects param_grid or param_distributions, got "
                "both or neither: pass one of them."
            )
        if self.param_grid is not None and self.n_iter is None:
            return ParameterGrid(self.param_grid)
        space = self.param_distributions or self.param_grid
        n_iter = 10 if self.n_iter is None else self.n_iter
        return ParameterSampler(space, n_iter, random_state=self.random_state)

    def _run_search(
        self, evaluate_candidates: Callable[..., Any], *, callback_ctx: Any = None
    ) -> None:
        candidates = self._candidates()
        if callback_ctx is None:
            evaluate_candidates(candidates)
            return
        search = callback_ctx.subcontext(
            task_name="search",
            max_subtasks=len(candidates) * self.n_splits_,
            sequential_subtasks=False,
        ).call_on_fit_task_begin(estimator=self)
        evaluate_candidates(candidates, callback_ctx=search)
        search.call_on_fit_task_end(estimator=self)


def _has_network(estimator: Any) -> bool:
    """Say whether an estimator, or one inside of it, trains a network."""
    parts = [estimator, *estimator.get_params(deep=True).values()]
    return any(isinstance(part, NetTraining) for part in parts)
