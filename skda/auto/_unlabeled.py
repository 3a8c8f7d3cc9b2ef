"""Classes that no target row is labeled with: lacking, or there without labels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skda.auto._outside import Given
from skda.heterogeneous._geost_solvers import represent
from skda.heterogeneous._unlabeled_classes import (
    LEAST_APARTNESS,
    infer_classes,
    join_rows,
    label_surest,
    whitened_geometry,
)
from skda.preprocessing import RowScaler
from skda.utils.labels import UNLABELED

__all__ = ["Named", "name_classes"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Share of labeled rows, beyond chance, that a source of the same features names.
LEAST_SKILL = 0.2
#: Representation of the rows, as in GeoST.
N_NEIGHBORS, ALPHA = 10, 0.5


class Named(NamedTuple):
    """What was decided about the classes that have no labeled target row.

    Parameters
    ----------
    codes : ndarray of shape (n_target,)
        Places of the labels among the classes, those of inferred classes too.
    said : str
        What was assumed, and on what evidence; empty if no class lacks a label.
    doubt : str or None
        Why the names are not to be trusted.
    """

    codes: Codes
    said: str = ""
    doubt: str | None = None


def name_classes(
    mode: str, given: Given, names: NDArray[Any], committee: Any = None
) -> Named:
    """Infer the classes that have no labeled target row, where evidence allows it.

    Parameters
    ----------
    mode : {"auto", "ignore", "infer"}
        Whether to infer them: where the evidence is good, never, or always.
    given : Given
        What there is to learn from.
    names : ndarray of shape (n_classes,)
        Names of the classes.
    committee : SourceCommittee or None
        Fitted to a source of the same features.

    Returns
    -------
    Named
        Labels of some more rows, and what to say of them.
    """
    shown = np.unique(given.codes[given.codes != UNLABELED])
    missing = np.setdiff1d(np.arange(len(names)), shown)
    # A source alone, of the same features, has its own way to tell which are lacking.
    if not (missing.size and shown.size and given.has_source):
        return Named(given.codes)
    which = f"No target row is labeled {', '.join(map(str, names[missing].tolist()))}"
    if mode == "ignore" or (given.codes != UNLABELED).all():
        return Named(given.codes, f"{which}: what learns from labels ignores it.")
    if committee is not None:
        return _by_features(mode, given, missing, which, committee)
    return _by_geometry(mode, given, names, which)


def _by_features(
    mode: str, given: Given, missing: Codes, which: str, committee: Any
) -> Named:
    """Take the names from a committee of the source, which has seen no target label."""
    labeled = given.codes != UNLABELED
    P = committee.probabilities_
    score = np.mean(P[labeled].argmax(axis=1) == given.codes[labeled])
    chance = 1 / P.shape[1]
    found = np.intersect1d(missing, committee.kept_classes_)
    evidence = (
        f"it names {score:.0%} of the labeled rows rightly, not having seen these"
    )
    if mode == "auto" and not found.size:
        said = f"{which}, and the source finds no such rows: taken for lacking."
        return Named(given.codes, said)
    if mode == "auto" and score - chance < LEAST_SKILL * (1 - chance):
        said = f"{which}, and the source is too weak to say which rows are: {evidence}."
        return Named(given.codes, said)
    if mode == "infer":
        found = missing
    some = "" if len(found) == len(missing) else f" of {len(found)} of these classes"
    said = (
        f"{which}, but unlabeled rows are taken to be{some}, as the source names them"
    )
    return Named(label_surest(P, given.codes, found), f"{said}: {evidence}.")


def _by_geometry(mode: str, given: Given, names: NDArray[Any], which: str) -> Named:
    """Name clusters of the target by how classes lie to each other in the source."""
    common = np.intersect1d(given.codes[given.codes != UNLABELED], given.source_codes)
    if mode == "auto" and len(common) < 2:
        said = f"{which}, and too few classes are labeled in both domains to infer it"
        return Named(given.codes, f"{said}: never predicted.")
    found = _infer(given, len(names))
    evidence = (
        f"of labeled classes that were hidden the source names {found.score:.0%} of "
        f"the rows rightly, by chance {found.chance:.0%}; the rows in question are "
        f"{found.apartness:.2f} times as far from labeled classes as those are from "
        f"each other, where {LEAST_APARTNESS} is enough"
    )
    if mode == "auto" and not found.agrees:
        said = f"{which}, and the source cannot say which rows are: never predicted"
        return Named(given.codes, f"{said} ({evidence}).")
    if mode == "auto" and not found.stands_apart:
        said = f"{which}, and no rows seem to be: taken for lacking, never predicted"
        return Named(given.codes, f"{said} ({evidence}).")
    said = f"{which}, but unlabeled rows are taken to be, which the source names"
    doubt = None if found.agrees else found.doubt(names[found.inferred])
    return Named(found.label(given.codes), f"{said} ({evidence}).", doubt)


def _infer(given: Given, n_classes: int) -> Any:
    views = represent(given.target.X, "auto", "auto", N_NEIGHBORS, ALPHA)
    rows = join_rows([view.Z[:, :-1] for view in views.values()])
    source = RowScaler("auto").fit_transform(given.source.X)
    geometry = whitened_geometry(source, given.source_codes, n_classes)
    return infer_classes(rows, given.codes, geometry, given.source_codes)
