"""The worth of a source, behind `skda.source_gain`."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from skda.comparison._adaptation import (
    Adaptation,
    learns_from_source,
    row_label,
    taken_by_fit,
)
from skda.comparison._engine import Outcome, Row, evaluate_all
from skda.comparison._journal import Journal
from skda.comparison._splits import LabelSplit, label_splits
from skda.datasets import noise_source
from skda.utils.optional import import_optional
from skda.utils.validation import check_pair

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["source_gain"]

#: What stands in for the source, in the order of the table.
KINDS = ("real", "none", "renamed", "shuffled", "gaussian")
CONFIDENCE = 0.95


def source_gain(
    estimator: Any,
    X: ArrayLike,
    y: ArrayLike,
    *,
    source: Any,
    pairs: Any = None,
    n_splits: int = 10,
    random_state: int | np.random.RandomState | None = 0,
    n_per_class: int = 3,
    n_jobs: int | None = None,
    verbose: int = 0,
    journal: str | PathLike[str] | None = None,
) -> pd.DataFrame:
    """Tell what a source, maybe with pairs, is worth to an estimator.

    In each split all target labels but `n_per_class` per class are hidden. The
    estimator is fitted to all target rows with the labels that are left, five times:
    with the source; with none; and with three that have been deprived of what they
    could teach. Its accuracy is measured on the rows whose label was hidden, so it is
    transductive. The gain is the difference to the fit with none, split by split.

    - "real": the source.
    - "none": the control. A gain over this one is what the source is worth.
    - "renamed": its classes have one another's names. An estimator that does as well
      with this one makes no use of which class is which.
    - "shuffled": its labels are permuted over its rows, so that there are no classes
      in it.
    - "gaussian": its labels, with standard normal rows.

    The last three are handicaps rather than controls, as the estimator is made to fit
    them: to beat them proves no transfer.

    Pairs go with every source, and are missing with none: the gain is what both are
    worth together. With "gaussian", their source side is standard normal as well.

    Of several sources the gain is what all are worth together, and each is deprived of
    what it could teach. What one of them adds to the others is the difference between
    two tables, with it and without.

    Parameters
    ----------
    estimator : estimator object
        What is to be helped by the source; a pipeline or a search, too.
    X : {array-like, sparse matrix} of shape (n_target, n_features)
        Target samples.
    y : array-like of shape (n_target,)
        Their true labels; -1, None, NaN or pandas.NA where even you do not know them.
        Such rows are part of every fit and of no test.
    source : tuple (X_source, y_source) or list of such tuples
        Source samples, of shape (n_source, n_source_features), and their labels; a list
        for an estimator that takes several.
    pairs : tuple (X_source_pairs, X_target_pairs), array-like or list, default=None
        Co-occurring samples, in any form that the `fit` of the estimator takes.
    n_splits : int, default=10
        How many times the labels are drawn, and noise with them.
    random_state : int, RandomState instance or None, default=0
        Seed of the splits, of the noise, and of estimators whose own `random_state` is
        None. More splits begin with those of fewer, and the splits are those of
        :func:`compare`.
    n_per_class : int, default=3
        How many labels of each class are left.
    n_jobs : int, default=None
        How many fits run at the same time, as in :func:`compare`.
    verbose : int, default=0
        Whether to show the progress, on the standard error stream.
    journal : str or path-like, default=None
        File in which finished fits are kept, and found again, as in :func:`compare`.

    Returns
    -------
    pandas.DataFrame
        One row per kind of source, in the order above: "source"; "accuracy", its mean,
        and its "std" over the splits; "n_splits"; "seconds", to fit and predict, per
        split; "gain", the mean difference to "none", with its standard error "gain_se"
        and the ends "gain_low" and "gain_high" of its 95 % interval; "accuracies", a
        tuple with one per split.

    Raises
    ------
    ModuleNotFoundError
        If pandas is not installed.
    TypeError
        If the source is not a tuple of two.
    ValueError
        If there is no source, if the estimator does not learn from one, or not from
        pairs that are given, or if the splits are too few for an interval.

    Warns
    -----
    UserWarning
        If there are so few rows to judge by that the figures mean little.

    See Also
    --------
    compare : Holds several estimators against each other.
    skda.inspection.SourceGainDisplay : Draws the table.
    skda.datasets.noise_source : Makes the sources that have nothing to teach.

    Notes
    -----
    The interval is that of a paired t-test with ``n_splits - 1`` degrees of freedom.
    Given the target rows the draws of labels are independent, so it tells which gain to
    expect from other labels of *these* rows. For other rows it is too narrow, as the
    splits overlap: nearly every row is tested in all of them. The usual correction,
    the corrected resampled t-test of Nadeau and Bengio (2003), is no help here. It adds
    the ratio of tested to labeled rows to ``1 / n_splits``, which suits a ratio well
    below one; with a few labels per class it is 30 or so, and no gain is ever certain.

    Examples
    --------
    >>> from skda import source_gain
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import STN
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> stn = STN(lr=0.01, max_epochs=20, random_state=0)
    >>> table = source_gain(stn, data.X, data.y_true, source=data.source, n_splits=2)
    >>> table["source"].tolist()
    ['real', 'none', 'renamed', 'shuffled', 'gaussian']
    """
    pandas = import_optional("pandas", "skda.source_gain returns a pandas.DataFrame")
    _check(estimator, source, n_splits)
    _check_pairs(estimator, pairs)
    splits = label_splits(X, y, n_splits, n_per_class, random_state)
    outcomes = evaluate_all(
        Adaptation(X),
        (
            (_row(estimator, kind, source, pairs, split), split)
            for split in splits
            for kind in KINDS
        ),
        list(KINDS) * n_splits,
        n_jobs=n_jobs,
        verbose=verbose,
        journal=None if journal is None else Journal(journal),
    )
    by_kind = {kind: outcomes[i :: len(KINDS)] for i, kind in enumerate(KINDS)}
    reference = _accuracies(by_kind["none"])
    return pandas.DataFrame(
        [_summary(kind, by_kind[kind], reference) for kind in KINDS]
    )


def _check(estimator: Any, source: Any, n_splits: int) -> None:
    """Insist on a source, an estimator that learns from it, and enough splits."""
    if source is None:
        raise ValueError(
            "Expected source=(X_source, y_source), whose worth is asked for, got None: "
            "pass the source."
        )
    if isinstance(source, list) and not source:
        raise ValueError(
            "Expected source to have one tuple (X_source, y_source) at least, got an "
            "empty list: pass the source."
        )
    for each in source if isinstance(source, list) else [source]:
        check_pair(each, "source=(X_source, y_source)")
    if not learns_from_source(estimator):
        raise ValueError(
            f"Expected an estimator that learns from a source, got {estimator!r}, to "
            f"which none is worth anything: pass an adaptation method, such as "
            f"skda.heterogeneous.SSAN()."
        )
    if n_splits < 2:
        raise ValueError(
            f"Expected n_splits to be at least 2, got {n_splits}: a single difference "
            f"does not tell how much it varies."
        )


def _check_pairs(estimator: Any, pairs: Any) -> None:
    if pairs is not None and not taken_by_fit(estimator, {"pairs"}):
        raise ValueError(
            f"Expected an estimator whose fit takes pairs, got {estimator!r}: leave "
            f"pairs out."
        )


def _row(
    estimator: Any,
    kind: str,
    source: Any,
    pairs: Any,
    split: LabelSplit,
) -> Row:
    """Say what to fit: the estimator, with one kind of source."""
    name = type(estimator).__name__
    if kind == "none":
        return Row(name, kind, row_label(name, kind), estimator, {})
    if kind != "real":
        rng = np.random.RandomState(split.seed)
        source = _noise(source, kind, rng)
        if kind == "gaussian" and pairs is not None:
            pairs = _noise_pairs(pairs, rng)
    fit_params = {"source": source} | ({} if pairs is None else {"pairs": pairs})
    return Row(name, kind, f"{name} with a {kind} source", estimator, fit_params)


def _noise(source: Any, kind: str, rng: np.random.RandomState) -> Any:
    """Deprive a source, or each of several, of what it could teach."""
    if isinstance(source, list):
        return [_noise(each, kind, rng) for each in source]
    X, y = source
    return noise_source(X, y, kind, random_state=rng)


def _noise_pairs(pairs: Any, rng: np.random.RandomState) -> Any:
    """Replace the source side of pairs, in the form that it has."""
    if isinstance(pairs, list) and all(
        p is None or isinstance(p, tuple) for p in pairs
    ):
        return [None if each is None else _noise_pairs(each, rng) for each in pairs]
    if isinstance(pairs, tuple):
        side, *others = pairs
        return rng.standard_normal(np.shape(side)), *others
    pandas = import_optional("pandas", "skda.source_gain returns a pandas.DataFrame")
    rows = pairs.toarray() if hasattr(pairs, "toarray") else np.asarray(pairs)
    lonely = pandas.isna(rows).all(axis=1, keepdims=True)
    return np.where(lonely, np.nan, rng.standard_normal(rows.shape))


def _accuracies(outcomes: list[Outcome]) -> NDArray[np.float64]:
    return np.array([outcome.scores["accuracy"] for outcome in outcomes])


def _summary(
    kind: str, outcomes: list[Outcome], reference: NDArray[np.float64]
) -> dict[str, Any]:
    """Summarize the accuracies and seconds of a kind."""
    accuracies = _accuracies(outcomes)
    gains = accuracies - reference
    error = stats.sem(gains)
    reach = error * stats.t.ppf((1 + CONFIDENCE) / 2, len(gains) - 1)
    return {
        "source": kind,
        "accuracy": accuracies.mean(),
        "std": accuracies.std(ddof=1),
        "n_splits": len(gains),
        "seconds": np.mean([outcome.seconds for outcome in outcomes]),
        "gain": gains.mean(),
        "gain_se": error,
        "gain_low": gains.mean() - reach,
        "gain_high": gains.mean() + reach,
        "accuracies": tuple(accuracies.tolist()),
    }
