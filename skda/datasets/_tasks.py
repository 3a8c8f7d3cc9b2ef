"""Tasks: a source and a target with the same classes."""

from __future__ import annotations

from os import PathLike

import numpy as np
from numpy.random import RandomState
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch

from skda.datasets._digits import load_digits_domains
from skda.datasets._domains import DOMAIN_FILES, load_domains
from skda.datasets._files import OFFICE_DOMAINS, load_office_caltech
from skda.datasets._pairs import PAIRED_TASKS, VIEW_FILES, load_views
from skda.datasets._roles import give_roles
from skda.datasets._target_classes import cut_to_long_tail, keep_classes

__all__ = ["load_task"]

DataHome = str | PathLike[str] | None

#: What a task is called, beside its two domains.
_TASKS = {
    "office_caltech": "amazon_surf:webcam_decaf6",
    "mfeat": "mfeat_fou:mfeat_pix",
    "reuters": "reuters_0:reuters_4",
}
#: A task of every data set, for an error.
_EXAMPLES = (
    *_TASKS.values(),
    "reviews_books:reviews_dvd",
    "pacs_photo:pacs_sketch",
    "mnist:usps",
    "coil1:coil2",
)
#: What can be set apart as pairs, for an error.
_PAIRABLE = (
    "digits, mfeat_fac:mfeat_zer, reuters_0:reuters_4 or wikipedia_text:wikipedia_image"
)


def load_task(
    name: str,
    data_home: DataHome = None,
    *,
    n_pairs: int | None = None,
    n_target_classes: int | None = None,
    long_tail: float | None = None,
    random_state: int | RandomState | None = 0,
) -> Bunch:
    """Load a source and a target with the same classes.

    Some tasks have domains of different features, as
    :mod:`skda.heterogeneous` adapts them, others of the same, as
    :mod:`skda.unsupervised` and :mod:`skda.partial` need them.

    Parameters
    ----------
    name : str
        "digits" (embedded; see :func:`load_digits_domains`), "office_caltech", "mfeat"
        or "reuters", or the domains as "source:target". These are

        - domains of the same features: product reviews, as in
          "reviews_books:reviews_dvd" (also elec and kitchen); photographs and drawings,
          as in "pacs_photo:pacs_sketch" (also art_painting and cartoon); digits,
          "mnist:usps"; objects seen from two sides, "coil1:coil2";
        - two of Office+Caltech-10 by domain and features, the same or not, as in
          "amazon_surf:webcam_decaf6". Two features of one domain are of the same
          images, as in some published tables: the source has them labeled;
        - two views of a data set: of the mfeat digits, as in "mfeat_fou:mfeat_pix";
          languages of Reuters, as in "reuters_0:reuters_4"; text and image of
          Wikipedia, as in "wikipedia_text:wikipedia_image"; and those of bbcsport and
          msrc. They get one half of the objects each, so that no object is on both
          sides.
    data_home : str or path-like, default=None
        Folder of the files; None is the environment variable ``SKDA_DATA``.
    n_pairs : int, default=None
        Of "digits" and two views, how many objects to take away from the two domains,
        as many from either, and to give as pairs instead. None is none.
    n_target_classes : int, default=None
        How many classes the target keeps, for partial adaptation: the first ones.
        Other target rows are left out. None keeps all.
    long_tail : float, default=None
        Cuts the target to class shares that fall geometrically, in a random order of
        the classes: how many times as frequent the first one is as the last. As many
        rows stay as this allows, one of every class at least. The source stays as it
        is, so that class shares differ between the domains. None cuts nothing.
    random_state : int, RandomState instance or None, default=0
        Seed of what `long_tail` draws; nothing else is drawn.

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
        If there is no such task, if it cannot spare the pairs or the classes, or if a
        file is damaged.
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

    A target that lacks classes of the source, and is skewed:

    >>> import numpy as np
    >>> task = load_task("digits", n_target_classes=4, long_tail=10)
    >>> np.bincount(task.y), len(np.unique(task.source[1]))
    (array([19,  9, 42, 90]), 10)
    """
    task = _load(name, data_home, n_pairs)
    if n_target_classes is not None:
        task = keep_classes(task, n_target_classes, "n_target_classes")
    if long_tail is not None:
        task = cut_to_long_tail(task, long_tail, random_state)
    return task


def _load(name: str, data_home: DataHome, n_pairs: int | None) -> Bunch:
    """Load both domains as they are."""
    if name == "digits":
        return load_digits_domains(n_pairs=n_pairs)
    domains = _TASKS.get(name, name).split(":")
    names = [domain.removeprefix("office_caltech_") for domain in domains]
    data_sets = [_data_set(domain) for domain in names]
    if len(names) != 2 or "-" in name or None in data_sets:
        raise ValueError(
            f"Expected digits, {', '.join(_TASKS)} or SOURCE:TARGET, such as "
            f"{', '.join(_EXAMPLES[:-1])} or {_EXAMPLES[-1]}, got {name!r}. For "
            f"retrieval, skda.datasets.load_pairs knows {', '.join(PAIRED_TASKS)} and "
            f"views, such as mfeat:fou-kar."
        )
    (source, target), (data_set, other) = names, data_sets
    if data_set != other:
        raise ValueError(
            f"Expected two domains with the same classes, got {source!r} and "
            f"{target!r}: take both from one data set."
        )
    if data_set in VIEW_FILES:
        return _load_views(source, target, data_home, n_pairs)
    if n_pairs is not None:
        raise ValueError(
            f"Expected a task whose domains see the same objects, such as {_PAIRABLE}, "
            f"got n_pairs={n_pairs} with {name!r}: leave out the pairs."
        )
    if data_set in DOMAIN_FILES:
        return load_domains(data_set, source, target, data_home)
    return _load_images(source, target, data_home)


def _data_set(domain: str) -> str | None:
    """Tell which data set a domain belongs to; None if to none."""
    for data_set, files in DOMAIN_FILES.items():
        if domain in files:
            return data_set
    prefix = domain.partition("_")[0]
    if prefix in DOMAIN_FILES or prefix in VIEW_FILES:
        return prefix
    return "office_caltech" if prefix in OFFICE_DOMAINS else None


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
