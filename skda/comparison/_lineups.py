"""Line-ups: who takes part in a comparison, by which name, in which settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.semi_supervised import LabelSpreading
from sklearn.svm import SVC

from skda import auto, baselines, heterogeneous, partial, retrieval, unsupervised
from skda.auto import AutoAdapter
from skda.base import BaseDomainClassifier, BaseRetriever
from skda.baselines import SSDAE, TargetNet, TargetOnly, TunedClassifier
from skda.heterogeneous import DATN, HHTL, SSAN, STN, GeoST, PairedRidgeTransfer
from skda.partial import BA3US, ISRA, SHOT, PruneClasses
from skda.retrieval import DMTL, GMLDA, MCCA, PLS, ClusterRetrieval, MvDA, RidgeCCA
from skda.unsupervised import (
    MCC,
    SPL,
    CenteredLabelPropagation,
    SourceOnly,
    SymNets,
    TargetCentroids,
)

__all__ = [
    "FIRST",
    "PLAIN",
    "choose_classifiers",
    "choose_retrievers",
    "classifier_lineup",
    "default_estimators",
    "default_methods",
    "describe_settings",
    "paired_estimators",
    "partial_estimators",
    "reference_method",
    "settings_of",
    "shorten",
    "unsupervised_estimators",
]

Lineup = dict[str, Any]

#: In every line-up of classifiers: the one to beat, and the one to try first.
PLAIN, FIRST = "plain classifier", "AutoAdapter"
#: Settings of methods that use no labels; they have no use for a source as such.
_UNSUPERVISED = dict.fromkeys(
    ("PLS", "MCCA", "DCCA", "DCCAE"), ("source", "pairs", "new")
)
#: Those of methods that have no use for unlabeled pairs.
_SUPERVISED = dict.fromkeys(("MvDA", "GMLDA", "ACMR", "DADN"), ("source",))


class Kind(NamedTuple):
    """What can take part in a comparison.

    Parameters
    ----------
    noun : str
        What it is called in errors.
    methods : tuple of str
        Methods that it has.
    """

    noun: str
    methods: tuple[str, ...]


CLASSIFIER = Kind("an estimator", ("fit", "predict", "get_params", "set_params"))
RETRIEVER = Kind("a retriever", ("fit", "transform", "get_params", "set_params"))


def default_estimators(*, paired: bool = False) -> Lineup:
    """Build the default line-up, controls first; maybe with those who need pairs."""
    # Rows of unit length are what the papers give these controls.
    spreading = LabelSpreading("knn", n_neighbors=10, alpha=0.8, max_iter=1000)
    usual = {
        PLAIN: TargetOnly(TunedClassifier(), unlabeled="keep"),
        FIRST: AutoAdapter(),
        "SVMt": make_pipeline(Normalizer(), TargetOnly(SVC(kernel="linear"))),
        "TargetNet": TargetNet(),
        "LabelSpreading": make_pipeline(
            Normalizer(), TargetOnly(spreading, unlabeled="keep")
        ),
        "STN": STN(),
        "SSAN": SSAN(),
        "GeoST": GeoST(),
    }
    return usual | (paired_estimators() if paired else {})


def paired_estimators() -> Lineup:
    """Build what is to be held against each other where there are pairs."""
    return _by_class(SSDAE(), PairedRidgeTransfer(), HHTL(), DATN())


def unsupervised_estimators() -> Lineup:
    """Build the line-up where no target label is left, controls first."""
    return _source_controls() | _by_class(
        CenteredLabelPropagation(), TargetCentroids(), SPL(), MCC(), SymNets()
    )


def partial_estimators() -> Lineup:
    """Build the line-up where the target lacks some classes, controls first."""
    return _source_controls() | _by_class(PruneClasses(), SHOT(), BA3US(), ISRA())


def classifier_lineup(
    *, n_per_class: int, target_classes: int | None, paired: bool
) -> Lineup:
    """Choose the line-up of what is left in the target.

    Parameters
    ----------
    n_per_class : int
        Labels of each class.
    target_classes : int or None
        How many of the classes; None is all of them.
    paired : bool
        Whether there are pairs.

    Returns
    -------
    dict of str to estimator
        The line-up.
    """
    if target_classes is not None:
        return partial_estimators()
    if n_per_class == 0 and paired:  # of domains with other features
        return _by_class(AutoAdapter(), PairedRidgeTransfer(), HHTL(), DATN())
    if n_per_class == 0:
        return unsupervised_estimators()
    return default_estimators(paired=paired)


def default_methods(n_views: int = 2) -> Lineup:
    """Build the line-up of retrieval: the methods that take so many views."""
    methods: list[BaseRetriever] = [
        PLS(),
        MCCA(),
        RidgeCCA(),
        ClusterRetrieval(),
        MvDA(),
        GMLDA(),
    ]
    lineup = _by_class(*(m for m in methods if n_views == 2 or not m._needs_two_views))
    # Its layers by default are for data sets larger than the published ones.
    small = DMTL(hidden_layer_sizes=(128, 128), n_components=64)
    return lineup | {"small DMTL": small}


def choose_classifiers(given: Any, default: Lineup) -> list[tuple[str, Any]]:
    """Name what to compare of classifiers, see :func:`_choose`."""
    known = default_estimators(paired=True) | _classifiers() | default
    return _choose(given, default, known, CLASSIFIER)


def choose_retrievers(given: Any, n_views: int) -> list[tuple[str, Any]]:
    """Name what to compare of retrievers, see :func:`_choose`."""
    default = default_methods(n_views)
    return _choose(given, default, default_methods() | _retrievers(), RETRIEVER)


def describe_settings(methods: Iterable[str]) -> list[str]:
    """Say what the methods of a line-up are that are not the defaults of a class."""
    changed: Lineup = default_methods() | unsupervised_estimators()
    changed[PLAIN] = "the best of 27 by folds of what is labeled, TunedClassifier()"
    plain = _classifiers().keys() | _retrievers().keys()
    return [
        f"{name}: {' '.join(str(changed[name]).split())}."
        for name in dict.fromkeys(methods)
        if name in changed and name not in plain
    ]


def settings_of(estimator: Any) -> tuple[str, ...]:
    """Tell in which settings of retrieval a method makes sense."""
    inner = estimator
    while not isinstance(inner, BaseRetriever):  # in pipelines and searches
        inside = inner[-1] if isinstance(inner, Pipeline) else None
        inner = getattr(inner, "estimator", inside)
        if inner is None:
            break
    name = type(inner).__name__
    every = ("source", "source + new", "new")
    return (_UNSUPERVISED | _SUPERVISED).get(name, every)


def reference_method(n_views: int) -> str:
    """Name the method that all others are compared to, pair by pair of splits."""
    return "RidgeCCA" if n_views == 2 else "MCCA"


def shorten(named: Iterable[tuple[str, Any]], max_epochs: int) -> None:
    """Have all networks trained for a few epochs, to see whether they run."""
    for _, estimator in named:
        if isinstance(estimator, ISRA) and estimator.backbone is None:
            estimator.set_params(backbone=BA3US())
        names = [
            name
            for name in estimator.get_params()
            if name.rpartition("__")[2] == "max_epochs"
        ]
        estimator.set_params(**dict.fromkeys(names, max_epochs))


def _choose(
    given: Any, default: Lineup, known: Lineup, kind: Kind
) -> list[tuple[str, Any]]:
    """Give everything that takes part a name of its own.

    Parameters
    ----------
    given : dict, list of (str, object), list of (object or str), object, str or None
        What to compare; a name stands for the defaults of its class, or for a member of
        the line-up; None is the line-up.
    default : dict of str to object
        The line-up.
    known : dict of str to object
        What can be named, in any case.
    kind : Kind
        What can take part.

    Returns
    -------
    list of (str, object)
        Names and unfitted methods.
    """
    entries = _entries(default if given is None else given)
    if not entries:
        raise ValueError("Expected methods to compare, got none.")
    if not all(isinstance(entry, tuple) and len(entry) == 2 for entry in entries):
        entries = _numbered([_named(entry, known) for entry in entries])
    counts = Counter(name for name, _ in entries)
    for name, estimator in entries:
        if counts[name] > 1:
            raise ValueError(
                f"Expected methods with different names, got {name!r} {counts[name]} "
                f"times: rename all but one."
            )
        _check_kind(name, estimator, kind)
    return entries


def _entries(given: Any) -> list[Any]:
    """List what was given, be it one, many, or many by name."""
    if isinstance(given, Mapping):
        return list(given.items())
    # A pipeline is one method, although it is a sequence.
    if isinstance(given, str) or hasattr(given, "fit"):
        return [given]
    return list(given) if isinstance(given, Iterable) else [given]


def _named(entry: Any, known: Lineup) -> tuple[str, Any]:
    """Name an instance by its class, or build what is named."""
    if not isinstance(entry, str):
        return type(entry).__name__, entry
    spelled = {name.lower(): name for name in known}
    name = spelled.get(entry.strip().lower())
    if name is None:
        raise ValueError(
            f"Expected methods among {', '.join(known)}, got {entry.strip()!r}."
        )
    return name, known[name]


def _numbered(entries: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Tell the later ones of a name from the first by a number."""
    seen: Counter[str] = Counter()
    numbered = []
    for name, estimator in entries:
        seen[name] += 1
        numbered.append(
            (name if seen[name] == 1 else f"{name}-{seen[name]}", estimator)
        )
    return numbered


def _check_kind(name: str, estimator: Any, kind: Kind) -> None:
    """Insist on an instance that can be fitted and judged."""
    if isinstance(estimator, type):
        raise TypeError(
            f"Expected {kind.noun}, got the class {estimator.__name__}: pass "
            f"{estimator.__name__}()."
        )
    lacking = [method for method in kind.methods if not hasattr(estimator, method)]
    if lacking:
        raise TypeError(
            f"Expected {kind.noun} with {', '.join(kind.methods)}, got {estimator!r} "
            f"as {name!r}, which lacks {', '.join(lacking)}."
        )


def _source_controls() -> Lineup:
    """Build what learns from the source and does not adapt, and the first choice."""
    # Rows of unit length, as in the control of the methods for few labels.
    logistic = LogisticRegression(C=10, max_iter=1000)
    return {
        PLAIN: SourceOnly(TunedClassifier()),
        FIRST: AutoAdapter(),
        "SourceOnly(LogisticRegression)": SourceOnly(logistic, normalize=True),
        "SourceOnly": SourceOnly(),
    }


def _by_class(*methods: Any) -> Lineup:
    return {type(method).__name__: method for method in methods}


def _classifiers() -> Lineup:
    """Build every classifier of skda with its defaults, by the name of its class."""
    families = (auto, heterogeneous, unsupervised, partial, baselines)
    return _defaults(families, BaseDomainClassifier)


def _retrievers() -> Lineup:
    """Build every retriever of skda with its defaults, by the name of its class."""
    return _defaults((retrieval,), BaseRetriever)


def _defaults(families: Iterable[Any], base: type) -> Lineup:
    classes = [getattr(family, name) for family in families for name in family.__all__]
    return {c.__name__: c() for c in classes if issubclass(c, base)}
