"""Weights of the classes in a loss, as scikit-learn's classifiers take them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight

from skda.utils.labels import Labels

__all__ = ["encode_class_weight", "weigh_classes"]


def weigh_classes(
    class_weight: dict[Any, float] | str | None,
    classes: NDArray[Any],
    labels: Labels,
) -> NDArray[np.float64]:
    """Weigh every class.

    Parameters
    ----------
    class_weight : dict or "balanced" or None
        A weight per class, 1 for one that is not there; "balanced" divides the number
        of labeled rows by the number of classes that have any and by the rows of the
        class; None is 1 for all.
    classes : ndarray of shape (K,)
        Names of the classes.
    labels : Labels
        Labels of the rows.

    Returns
    -------
    ndarray of shape (K,)
        Weights, 1 for a class that has no labeled row.

    Raises
    ------
    ValueError
        If a weight is of no class, or is not a positive number.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.class_weight import weigh_classes
    >>> from skda.utils.labels import check_labels
    >>> labels = check_labels(np.array([0, 1, 1, 1, -1]), np.empty((5, 1)))
    >>> weigh_classes("balanced", np.array([0, 1]), labels).round(2)
    array([2.  , 0.67])
    """
    weights = np.ones(len(classes))
    if isinstance(class_weight, dict):
        unknown = sorted(map(str, set(class_weight) - set(classes.tolist())))
        if unknown:
            raise ValueError(
                f"Expected class_weight to have classes of the data for keys, got "
                f"{', '.join(unknown)}: the classes are "
                f"{', '.join(map(str, classes))}."
            )
        weights = np.array([class_weight.get(name, 1.0) for name in classes.tolist()])
        if not (np.isfinite(weights).all() and (weights > 0).all()):
            raise ValueError(
                f"Expected the weights in class_weight to be positive numbers, got "
                f"{class_weight!r}."
            )
    elif class_weight == "balanced":
        present = np.unique(labels.values)
        weights[np.searchsorted(classes, present)] = compute_class_weight(
            "balanced", classes=present, y=labels.values
        )
    return weights


def encode_class_weight(class_weight: Any, classes: NDArray[Any]) -> Any:
    """Name the weights of classes by their positions, which classifiers are fitted to.

    Parameters
    ----------
    class_weight : {"balanced"}, dict or None
        Weights of classes by label; 1 for a class that is left out.
    classes : ndarray of shape (K,)
        All classes.

    Returns
    -------
    {"balanced"}, dict or None
        Weights of classes by position.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.class_weight import encode_class_weight
    >>> encode_class_weight({"dog": 2.0}, np.array(["cat", "dog"]))
    {1: 2.0}
    """
    if not isinstance(class_weight, dict):
        return class_weight
    positions = {label: k for k, label in enumerate(classes.tolist())}
    unknown = [label for label in class_weight if label not in positions]
    if unknown:
        raise ValueError(
            f"Expected class_weight to have labels of y for keys, got "
            f"{', '.join(map(repr, unknown))}: the classes are "
            f"{', '.join(map(repr, positions))}."
        )
    return {positions[label]: weight for label, weight in class_weight.items()}
