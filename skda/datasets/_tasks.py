"""Tasks: a source and a target with the same classes."""

from __future__ import annotations

from os import PathLike

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch

from skda.datasets._digits import load_digits_domains
from skda.datasets._files import load_office_caltech
from skda.datasets._pairs import PAIRED_TASKS, VIEW_FILES, load_views
from skda.datasets._roles import give_roles

__all__ = ["load_task"]

DataHome = str | PathLike[str] | None

#: What a task is called, beside its two domains.
_TASKS = {
    "office_caltech": "amazon_surf:webcam_decaf6",
    "mfeat": "mfeat_fou:mfeat_pix",
    "reuters": "reuters_0:reuters_4",
}
#: What can be set apart as pairs, for an error.
_PAIRABLE = (
    "digits, mfeat_fac:mfeat_zer, reuters_0:reuters_4 or wikipedia_text:wikipedia_image"
)


def load_task(
    name: str, data_home: DataHome = None, *, n_pairs: int | None = None
) -> Bunch:
    """Load a source and a target of different features.

    Parameters
    ----------
    name : str
        "digits" (embedded; see :func:`load_digits_domains`), "office_caltech", "mfeat"
        or "reuters", or the domains as "source:target": two of Office+Caltech-10 by
        domain and features, as in "amazon_surf:webcam_decaf6"; or two views of a data
        set: of the mfeat digits, as in "mfeat_fou:mfeat_pix"; languages of Reuters, as
        in "reuters_0:reuters_4"; text and image of Wikipedia, as in
        "wikipedia_text:wikipedia_image"; and those of bbcsport and msrc. Two views get
        one half of the objects each, so that no object is on both sides. Two features
        of one domain of Office+Caltech-10 are of the same images, as in some published
        tables: the source has them labeled.
    data_home : str or path-like, default=None
        Folder of the files; None is the environment variable ``SKDA_DATA``.
    n_pairs : int, default=None
        Of "digits" and two views, how many objects to take away from the two domains,
        as many from either, and to give as pairs instead. None is none.

    Returns
    -------
    Bunch
        With the attributes

        X : ndarray of shape (n_target, n_features)
            Rows of the target.
        y : ndarray of shape (n_target,)
            Their classes, all of them.
        source : tuple of ndarray
            Rows, of shape (n_source, n_source_features), and classes of the source.
        pairs : tuple of ndarray
            Objects of neither domain in the features of the source, of shape (n_pairs,
            n_source_features), and in those of the target, of shape (n_pairs,
            n_features), for a `fit` that takes pairs; only with ``n_pairs``.

    Raises
    ------
    ValueError
        If there is no such task, or if it cannot spare the pairs.
    FileNotFoundError
        If a file is missing.

    See Also
    --------
    label_few : Hides all labels but a few.
    load_pairs : Loads all views of every object, for cross-modal retrieval.

    Examples
    --------
    >>> from skda.datasets import load_task
    >>> task = load_task("digits")
    >>> task.X.shape[1], task.source[0].shape[1]
    (48, 64)
    >>> task = load_task("digits", n_pairs=100)
    >>> [side.shape for side in task.pairs]
    [(100, 64), (100, 48)]
    """
    if name == "digits":
        return load_digits_domains(n_pairs=n_pairs)
    domains = _TASKS.get(name, name).split(":")
    if len(domains) != 2 or "-" in name:
        raise ValueError(
            f"Expected digits, {', '.join(_TASKS)} or SOURCE:TARGET, such as "
            f"{' or '.join(_TASKS.values())}, got {name!r}. For retrieval, "
            f"skda.datasets.load_pairs knows {', '.join(PAIRED_TASKS)} and views, such "
            f"as mfeat:fou-kar."
        )
    source, target = (domain.removeprefix("office_caltech_") for domain in domains)
    data_set, other = (domain.partition("_")[0] for domain in (source, target))
    if data_set not in VIEW_FILES and other not in VIEW_FILES:
        if n_pairs is not None:
            raise ValueError(
                f"Expected a task whose domains see the same objects, such as "
                f"{_PAIRABLE}, got n_pairs={n_pairs} with {name!r}: leave out the "
                f"pairs."
            )
        return _load_images(source, target, data_home)
    if data_set != other:
        raise ValueError(
            f"Expected two domains with the same classes, got {source!r} and "
            f"{target!r}: take both from one data set."
        )
    return _load_views(source, target, data_home, n_pairs)


def _load_images(source: str, target: str, data_home: DataHome) -> Bunch:
    """Load two domains of Office+Caltech-10."""
    (domain, _, features), (other, _, other_features) = (
        name.partition("_") for name in (source, target)
    )
    rows = load_office_caltech(domain, features, return_X_y=True, data_home=data_home)
    there = load_office_caltech(other, other_features, data_home=data_home)
    return Bunch(X=there.data, y=there.target, source=rows)


def _load_views(
    source: str, target: str, data_home: DataHome, n_pairs: int | None
) -> Bunch:
    """Load two views, each of its own objects."""
    data_set = source.partition("_")[0]
    views, data = load_views(data_set, data_home)
    for name in (source, target):
        if name.partition("_")[2] not in views:
            choices = ", ".join(f"{data_set}_{known}" for known in sorted(views))
            raise ValueError(f"Expected one of {choices}, got {name!r}.")
    # An object on both sides would bring the label of its target row along.
    halves = train_test_split(
        np.arange(len(data.y)), test_size=0.5, stratify=data.y, random_state=0
    )
    pair = [views[name.partition("_")[2]] for name in (source, target)]
    return give_roles((pair[0], pair[1]), data.y, tuple(halves), n_pairs)
