"""Calibrate the statement of trust of AutoAdapter, and judge it.

It is fitted to what AutoAdapter said of itself on the choosing side of the boards, and
judged on either side: how often it warned where a plain baseline was better by more
than five points (hits), and where it was not worse (false alarms), and how its expected
accuracy compares with the true one.

    python -m benchmarks.boards.trust [--folder DIR] [--pictures DIR]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from benchmarks._results import FOLDER
from benchmarks._tables import Table
from benchmarks.boards.report import read
from benchmarks.boards.rows import BASELINE
from benchmarks.boards.tasks import GROUPS, SIDES, all_tasks, side
from skda.auto._trust import COEFFICIENTS, Evidence, assess

__all__ = [
    "Statement",
    "calibrate",
    "draw",
    "judge",
    "main",
    "read_statements",
    "threshold",
]

METHOD = "AutoAdapter"
#: How far a plain baseline must be ahead for a fit to be worth a warning.
FAR_BELOW = 0.05
#: Regularization of the models, which have few features and some hundred tasks.
C = 1.0
#: Evidence that the probability to be far below comes of; there are too few such tasks
#: for more.
TELLING = (
    "plain_agreement",
    "confidence",
    "plain_confidence",
    "labels_per_class",
    "n_features",
)
#: Share of the fits that are not below and may be warned of.
FALSE_ALARMS = 0.13
#: Least probability that is worth a warning, however rare it is.
LEAST_ALARM = 0.1


class Statement(NamedTuple):
    """What a fit said of itself, and what was true.

    Parameters
    ----------
    situation : str
        One of :data:`skda.auto._trust.COEFFICIENTS`.
    evidence : Evidence
        What the fit knew.
    accuracy : float
        Its accuracy on the rows whose class was hidden.
    gain : float
        The same less that of the chosen plain baseline.
    """

    situation: str
    evidence: Evidence
    accuracy: float
    gain: float


def read_statements(folder: Path, which: str) -> list[Statement]:
    """Read what was said on one side of the boards.

    Parameters
    ----------
    folder : Path
        Where the results are.
    which : str
        One of :data:`benchmarks.boards.tasks.SIDES`.

    Returns
    -------
    list of Statement
        One for every task with a figure of AutoAdapter and of the plain baselines.
    """
    statements = []
    for group in GROUPS:
        path = folder / f"boards_{group}.jsonl"
        if not path.exists():
            continue
        tasks = [t for t in all_tasks() if t.group == group and side(t) == which]
        board = read(path.read_text(encoding="utf-8").splitlines(), tasks)
        for task in board.tasks:
            record = board.fits.get((task.name, METHOD), {})
            plain = board.fits.get((task.name, BASELINE))
            if plain is None or "evidence" not in record:
                continue
            statements.append(
                Statement(
                    "few labels" if group == "few" else "no labels",
                    Evidence(**record["evidence"]),
                    record["score"],
                    record["score"] - plain["score"],
                )
            )
    return statements


def calibrate(
    statements: Sequence[Statement],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit the models of the accuracy and of the probability to be far below.

    Parameters
    ----------
    statements : sequence of Statement
        Of one situation.

    Returns
    -------
    tuple of ndarray of shape (n_features,)
        Coefficients of both.
    """
    X = np.array([s.evidence.features() for s in statements])
    share = np.array([s.accuracy for s in statements])
    # A share is so many rows that are right and so many that are wrong.
    twice, right = np.vstack([X, X]), np.repeat([True, False], len(X))
    accuracy = _fit(twice, right, np.concatenate([share, 1 - share]))
    telling = [0, *(1 + Evidence._fields.index(name) for name in TELLING)]
    below = np.zeros(X.shape[1])
    is_far = np.array([s.gain < -FAR_BELOW for s in statements])
    below[telling] = _fit(X[:, telling], is_far, np.ones(len(X)))
    return accuracy, below


def threshold(statements: Sequence[Statement], below: NDArray[np.float64]) -> float:
    """Choose from which probability on to warn.

    Parameters
    ----------
    statements : sequence of Statement
        Of one situation.
    below : ndarray of shape (n_features,)
        Coefficients of the probability to be far below.

    Returns
    -------
    float
        What :data:`FALSE_ALARMS` of the fits that are not below exceed, and
        :data:`LEAST_ALARM` at least.
    """
    X = np.array([s.evidence.features() for s in statements if s.gain >= 0])
    return max(float(np.quantile(expit(X @ below), 1 - FALSE_ALARMS)), LEAST_ALARM)


def judge(statements: Sequence[Statement]) -> Table:
    """Tabulate hits, false alarms and the error of the expected accuracy.

    Parameters
    ----------
    statements : sequence of Statement
        Of either side.

    Returns
    -------
    Table
        A line for every situation.
    """
    rows = []
    for situation in COEFFICIENTS:
        told = [s for s in statements if s.situation == situation]
        if not told:
            continue
        said = [assess(s.evidence, situation) for s in told]
        alarm = np.array([each.warns for each in said])
        gain = np.array([s.gain for s in told])
        expected = np.array([each.expected_accuracy for each in said])
        true = np.array([s.accuracy for s in told])
        far, fine = gain < -FAR_BELOW, gain >= 0
        rows.append(
            [
                situation,
                str(len(told)),
                f"{alarm[far].sum()} of {far.sum()}",
                f"{alarm[fine].sum()} of {fine.sum()}",
                f"{100 * np.mean(np.abs(expected - true)):.1f}",
                f"{np.corrcoef(expected, true)[0, 1]:.2f}" if np.ptp(true) else "",
            ]
        )
    header = [
        "Situation",
        "Tasks",
        "Warned where > 5 points below",
        "Warned where not below",
        "Error of the expected accuracy, points",
        "Correlation",
    ]
    return Table(header, rows, has_best=False)


def _fit(
    X: NDArray[np.float64], outcome: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fit a logistic model, whose penalty knows no units; the first feature is one."""
    mean, scale = X[:, 1:].mean(axis=0), X[:, 1:].std(axis=0)
    Z = (X[:, 1:] - mean) / np.where(scale > 0, scale, 1.0)
    model = LogisticRegression(C=C, max_iter=10_000).fit(Z, outcome, weights)
    slopes = np.where(scale > 0, model.coef_[0] / np.where(scale > 0, scale, 1.0), 0.0)
    return np.concatenate([model.intercept_ - slopes @ mean, slopes])


def _spell(statements: Sequence[Statement]) -> str:
    """Write coefficients and alarms as `skda.auto._trust` has them."""
    lines, alarms = ["COEFFICIENTS = {"], []
    for situation in COEFFICIENTS:
        told = [s for s in statements if s.situation == situation]
        columns = calibrate(told)
        lines.append(f'    "{situation}": (')
        for column in columns:
            numbers = ", ".join(f"{value:.3f}" for value in column)
            lines.append(f"        ({numbers}),")
        lines.append("    ),")
        alarms.append(f'"{situation}": {threshold(told, columns[1]):.3f}')
    return "\n".join([*lines, "}", f"ALARM = {{{', '.join(alarms)}}}"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the coefficients and the tables of both sides, and draw the reliability.

    Parameters
    ----------
    arguments : sequence of str, default=None
        The command line; None is that of the process.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--pictures", type=Path, help="where to draw the reliability")
    given = parser.parse_args(arguments)
    chosen = read_statements(given.folder, SIDES[0])
    print(_spell(chosen))
    for which in SIDES:
        told = read_statements(given.folder, which)
        if told:
            print(f"\n{which} side\n\n{judge(told).markdown()}")
        if told and given.pictures is not None:
            given.pictures.mkdir(parents=True, exist_ok=True)
            figure = draw(told)
            figure.savefig(given.pictures / f"boards_trust_{which}.svg")


def draw(statements: Sequence[Statement]) -> Figure:
    """Draw the true accuracy over the expected one.

    Parameters
    ----------
    statements : sequence of Statement
        What was said.

    Returns
    -------
    Figure
        The picture.
    """
    figure = Figure(figsize=(4, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for situation in COEFFICIENTS:
        told = [s for s in statements if s.situation == situation]
        expected = [assess(s.evidence, situation).expected_accuracy for s in told]
        true = [s.accuracy for s in told]
        axes.plot(expected, true, ".", alpha=0.6, label=situation)
    axes.set(xlabel="expected accuracy", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))
    axes.legend()
    return figure


if __name__ == "__main__":
    main(sys.argv[1:])
