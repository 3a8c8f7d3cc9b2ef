"""Tasks: a source and a target with the same classes."""

from __future__ import annotations

from os import PathLike

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch

from skda.datasets._digits import load_digits_domains
from skda.datasets._files import load_npz, load_office_caltech

__all__ = ["load_task"]

DataHome = str | PathLike[str] | None

#: What a task is called, beside its two domains.
_TASKS = {
    "office_caltech": "amazon_surf:webcam_decaf6",
    "mfeat": "mfeat_fou:mfeat_pix",
    "reuters": "reuters_0:reuters_4",
}
#: Files of row-aligned views: where a domain called ``prefix_view`` is found.
_VIEWS = {
    "mfeat": ("mfeat_digits", "X_"),
    "reuters": ("reuters_multilingual_1200", "X_view"),
}


def load_task(name: str, data_home: DataHome = None) -> Bunch:
    """Load a source and a target of different features.

    Parameters
    ----------
    name : str
        "digits" (embedded; see :func:`load_digits_domains`), "office_caltech", "mfeat"
        or "reuters", or the domains as "source:target": two of Office+Caltech-10 by
        domain and features, as in "amazon_surf:webcam_decaf6"; two views of the mfeat
        digits, as in "mfeat_fou:mfeat_pix"; or two languages of Reuters, as in
        "reuters_0:reuters_4". Two views get one half of the objects each, so that no
        object is on both sides. Two features of one domain of Office+Caltech-10 are of
        the same images, as in some published tables: the source has them labeled.
    data_home : str or path-like, default=None
        Folder of the files; None is the environment variable ``SKDA_DATA``.

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

    Raises
    ------
    ValueError
        If there is no such task.
    FileNotFoundError
        If a file is missing.

    See Also
    --------
    label_few : Hides all labels but a few.

    Examples
    --------
    >>> from skda.datasets import load_task
    >>> task = load_task("digits")
    >>> task.X.shape[1], task.source[0].shape[1]
    (48, 64)
    """
    if name == "digits":
        return load_digits_domains()
    domains = _TASKS.get(name, name).split(":")
    if len(domains) != 2:
        raise ValueError(
            f"Expected digits, {', '.join(_TASKS)} or SOURCE:TARGET, such as "
            f"{' or '.join(_TASKS.values())}, got {name!r}."
        )
    source, target = (domain.removeprefix("office_caltech_") for domain in domains)
    data_set, other = (domain.partition("_")[0] for domain in (source, target))
    if data_set not in _VIEWS and other not in _VIEWS:
        return _load_images(source, target, data_home)
    if data_set != other:
        raise ValueError(
            f"Expected two domains with the same classes, got {source!r} and "
            f"{target!r}: take both from one data set."
        )
    return _load_views(source, target, data_home)


def _load_images(source: str, target: str, data_home: DataHome) -> Bunch:
    """Load two domains of Office+Caltech-10."""
    (domain, _, features), (other, _, other_features) = (
        name.partition("_") for name in (source, target)
    )
    rows = load_office_caltech(domain, features, return_X_y=True, data_home=data_home)
    there = load_office_caltech(other, other_features, data_home=data_home)
    return Bunch(X=there.data, y=there.target, source=rows)


def _load_views(source: str, target: str, data_home: DataHome) -> Bunch:
    """Load two views, each of one half of the objects."""
    (data_set, _, view), (_, _, other_view) = (
        name.partition("_") for name in (source, target)
    )
    file, prefix = _VIEWS[data_set]
    data = load_npz(file, data_home=data_home)
    views = {k.removeprefix(prefix): k for k in data if k.startswith(prefix)}
    for name, wanted in ((source, view), (target, other_view)):
        if wanted not in views:
            choices = ", ".join(f"{data_set}_{known}" for known in sorted(views))
            raise ValueError(f"Expected one of {choices}, got {name!r}.")
    # An object on both sides would bring the label of its target row along.
    here, there = train_test_split(
        np.arange(len(data.y)), test_size=0.5, stratify=data.y, random_state=0
    )
    return Bunch(
        X=data[views[other_view]][there],
        y=data.y[there],
        source=(data[views[view]][here], data.y[here]),
    )
