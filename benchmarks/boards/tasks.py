"""Tasks of the boards as data: what each is called, of which kind, and how to load it.

Which of them are for choosing and which confirm is in ``split.json``, and stays.
"""

from __future__ import annotations

import json
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

from benchmarks.boards import tables

__all__ = [
    "GROUPS",
    "KINDS",
    "QUICK",
    "REGIMES",
    "SIDES",
    "SPLIT",
    "Task",
    "all_tasks",
    "side",
]

GROUPS = ("few", "unsupervised", "partial", "retrieval")
#: "many" is 20 classes and more, "skewed" shares of classes that differ much.
KINDS = ("text", "images", "drawings", "tables", "digits", "many", "skewed")
SIDES = ("choosing", "confirming")
#: Labels per class of the few-label group; "r" are labels drawn at random.
REGIMES = ("1", "3", "10", "r")
SPLIT = Path(__file__).with_name("split.json")


class Task(NamedTuple):
    """A task, before anything is loaded.

    Parameters
    ----------
    group : str
        One of `GROUPS`.
    data : str
        What it is made of, the name by which ``split.json`` knows it.
    kind : str
        One of `KINDS`.
    families : tuple of str
        What its rows are of, so that no other task of the same rows is on the other
        side.
    target : str
        Domain, as :func:`benchmarks.boards.domains.load_domain` knows it; of
        retrieval, what :func:`skda.datasets.load_pairs` or
        :func:`benchmarks.boards.domains.load_objects` knows.
    source : str, default=None
        Domain of the source, if there is one. With `shift` it is made of the target.
    published : bool, default=False
        Whether :func:`skda.datasets.load_task` loads both domains.
    shift : str, default=None
        How two domains are made of one, see :mod:`benchmarks.boards.shifts`.
    n_target_classes : int, default=None
        How many classes the target keeps; None keeps all.
    long_tail : float, default=None
        How many times as frequent a class of the target is as another after it was cut;
        of few labels, only if it is not skewed by itself.
    regime : str, default="0"
        One of `REGIMES`; "0" is no label.
    """

    group: str
    data: str
    kind: str
    families: tuple[str, ...]
    target: str
    source: str | None = None
    published: bool = False
    shift: str | None = None
    n_target_classes: int | None = None
    long_tail: float | None = None
    regime: str = "0"

    @property
    def name(self) -> str:
        """The name, which no other task has."""
        return f"{self.group}/{self.data}/{self.regime}"


OFFICE = ("amazon", "caltech", "webcam", "dslr")
REVIEWS = tuple(f"reviews_{name}" for name in ("books", "dvd", "elec", "kitchen"))
PACS = tuple(f"pacs_{name}" for name in ("photo", "art_painting", "cartoon", "sketch"))
_DEEP = ("amazon", "webcam", "dslr")

#: Domains that are files or views of shared data, by kind.
_FEW_DOMAINS = {
    "images": (
        *(f"{name}_squeezenet" for name in OFFICE),
        *(f"{name}_surf" for name in OFFICE),
        *(f"{name}_googlenet" for name in _DEEP),
        *("webcam_decaf6", "dslr_decaf6", "msrc_gist", "msrc_hog", "msrc_cm"),
        *("wikipedia_image", "wikipedia_image_deep", "msrc_lbp", "msrc_cent"),
        *("pixels_amazon", "pixels_webcam"),
    ),
    "text": (
        *REVIEWS,
        *("wikipedia_text", "wikipedia_text_deep", "bbcsport_view0", "bbcsport_view1"),
        *(f"reuters_{i}" for i in range(5)),
        "nuswide_tags",
    ),
    "drawings": (
        *PACS,
        *("pacs_cartoon+pacs_sketch", "pacs_art_painting+pacs_cartoon"),
    ),
    "digits": (
        *("mnist", "usps", "mnist8", "usps8", "digits8"),
        *(f"mfeat_{view}" for view in ("fou", "fac", "kar", "pix", "zer", "mor")),
    ),
    "many": ("coil1", "coil2", "pascal_text"),
}
_FEW_TABLES = {
    "tables": (
        *("banana", "vowel", "pima", "splice", "penbased", "segment", "breast_cancer"),
        *("wine", "iris", "spambase", "wisconsin", "heart", "glass1", "haberman"),
        *("satimage", "texture", "vehicle", "phoneme", "magic", "german", "ionosphere"),
        *("sonar", "mammographic", "bupa", "bands", "contraceptive", "twonorm"),
        *("movement_libras", "led7digit", "housevotes", "chess", "titanic"),
    ),
    "skewed": (
        *("yeast1", "yeast4", "yeast-2_vs_4", "abalone9-18", "glass6", "vowel0"),
        *("segment0", "ecoli1", "ecoli3", "car-good", "page-blocks0", "flare-F"),
        *("winequality-red-4", "shuttle-c0-vs-c4", "kr-vs-k-three_vs_eleven"),
    ),
    "many": ("letter",),
}
#: Targets with a source of other features.
_FEW_PAIRS = {
    "amazon_surf:webcam_decaf6": "images",
    "mfeat_fou:mfeat_pix": "digits",
    "reuters_0:reuters_4": "text",
    "wikipedia_text:wikipedia_image": "images",
}
#: Published pairs of domains of the same features, by kind.
_PAIRS = {
    "images": tuple(
        f"{source}_{features}:{target}_{features}"
        for features, names in {
            "squeezenet": OFFICE,
            "surf": OFFICE,
            "googlenet": _DEEP,
            "decaf6": ("webcam", "dslr"),
        }.items()
        for source, target in permutations(names, 2)
    ),
    "text": tuple(map(":".join, permutations(REVIEWS, 2))),
    "drawings": tuple(map(":".join, permutations(PACS, 2))),
    "digits": ("mnist:usps", "usps:mnist"),
    "many": ("coil1:coil2", "coil2:coil1"),
}
#: Pairs that no table has: pooled domains, and other digits as 8 x 8 or 16 x 16 pixels.
_NEW_PAIRS = {
    "images": (
        *("pixels_amazon:pixels_webcam", "pixels_webcam:pixels_amazon"),
        *("pixels_amazon:pixels_dslr", "pixels_dslr:pixels_webcam"),
        "amazon_googlenet+webcam_googlenet:dslr_googlenet",
    ),
    "text": (
        "reviews_books+reviews_dvd:reviews_elec",
        "reviews_elec+reviews_kitchen:reviews_books",
        "reviews_dvd+reviews_kitchen:reviews_books+reviews_elec",
    ),
    "drawings": (
        "pacs_photo+pacs_art_painting:pacs_sketch",
        "pacs_photo+pacs_sketch:pacs_cartoon",
        "pacs_cartoon+pacs_sketch:pacs_art_painting",
        "pacs_photo:pacs_cartoon+pacs_sketch",
    ),
    "digits": (
        *("digits8:usps8", "digits8:mnist8", "usps8:digits8", "mnist8:digits8"),
        *("mfeat16:usps", "usps:mfeat16", "mfeat16:mnist"),
    ),
}
#: Long-tailed targets of published pairs.
_SKEWED_PAIRS = {
    "amazon_squeezenet:webcam_squeezenet": 10,
    "webcam_squeezenet:caltech_squeezenet": 10,
    "caltech_surf:amazon_surf": 10,
    "mnist:usps": 10,
    "usps:mnist": 10,
    "reviews_books:reviews_dvd": 4,
    "reviews_elec:reviews_kitchen": 4,
    "pacs_photo:pacs_art_painting": 10,
    "pacs_art_painting:pacs_photo": 10,
    "coil1:coil2": 5,
    "reviews_books+reviews_dvd:reviews_elec": 4,
    "digits8:usps8": 10,
    "pixels_amazon:pixels_webcam": 10,
    "pacs_photo+pacs_art_painting:pacs_sketch": 10,
}
#: Made shifts, by what they are made of.
_SHIFTED = {
    ("tables", "table_"): {
        "scaled rotated noised axis1": "vowel penbased segment breast_cancer",
        "scaled noised axis1": "banana pima splice spambase",
        "warped lost axis2": "satimage texture phoneme vehicle magic",
        "lost axis2": "german ionosphere mammographic twonorm",
    },
    ("skewed", "table_"): {
        "shares": "penbased segment spambase satimage texture vehicle phoneme",
        "axis1": "yeast1 vowel0",
        "axis2": "ecoli1 page-blocks0",
    },
    ("many", "table_"): {"warped axis2": "letter"},
    ("digits", ""): {"rotated noised": "mnist", "warped lost": "mfeat_mor"},
    ("text", ""): {
        "axis1": "reviews_books",
        "axis2": "reuters_1 reuters_2 bbcsport_view1",
        "lost": "reuters_3",
    },
}
#: How many classes the target of a partial task keeps, by pair and by table.
_PARTIAL_PAIRS = {
    **dict.fromkeys(_PAIRS["images"][:12], ("images", 5)),
    **dict.fromkeys(_PAIRS["images"][12:24:4], ("images", 4)),
    **dict.fromkeys(_PAIRS["drawings"], ("drawings", 4)),
    **dict.fromkeys(_PAIRS["digits"], ("digits", 5)),
    **dict.fromkeys(_PAIRS["many"], ("many", 10)),
    **dict.fromkeys(_NEW_PAIRS["images"][:3], ("images", 4)),
    **dict.fromkeys(_NEW_PAIRS["drawings"], ("drawings", 3)),
    **dict.fromkeys(_NEW_PAIRS["digits"][:4], ("digits", 4)),
}
_PARTIAL_SHIFTED = {
    ("tables", "table_vowel", "scaled"): 5,
    ("tables", "table_penbased", "rotated"): 5,
    ("tables", "table_segment", "noised"): 3,
    ("text", "reuters_0", "axis1"): 3,
    ("tables", "table_texture", "warped"): 5,
    ("tables", "table_satimage", "axis2"): 3,
    ("tables", "table_vehicle", "lost"): 2,
    ("tables", "table_movement_libras", "warped"): 6,
    ("many", "table_letter", "warped"): 10,
    ("text", "reuters_1", "axis2"): 3,
    ("text", "bbcsport_view1", "lost"): 3,
}
_RETRIEVAL = {
    "wikipedia": "text",
    "wikipedia_deep": "text",
    "bbcsport": "text",
    "reuters:0-1": "text",
    "reuters:2-3": "text",
    "mfeat:fou-kar": "digits",
    "mfeat:mor-kar": "digits",
    "msrc:gist-hog": "images",
    "msrc:cm-lbp": "images",
    "halves_coil1": "many",
    "numbers_50": "many",
    "halves_table_letter": "many",
    "halves_table_texture": "tables",
    "halves_table_penbased": "tables",
    "halves_mnist8": "digits",
}
#: What the quick form runs, all of it for choosing: data of every group, by regimes.
_QUICK = {
    ("few", "1 3 r"): (
        *("reviews_books", "amazon_squeezenet", "pacs_sketch", "mnist", "coil1"),
        *("table_vowel", "table_pima", "table_yeast4"),
    ),
    ("unsupervised", "0"): (
        *("amazon_surf:webcam_surf", "reviews_books:reviews_dvd", "mnist:usps"),
        *("pacs_photo:pacs_sketch", "coil1:coil2", "table_segment~noised"),
        *("table_vowel~rotated", "mnist:usps~tail10", "table_yeast1~axis1"),
        "reviews_elec:reviews_kitchen~tail4",
    ),
    ("partial", "0"): (
        *("amazon_surf:caltech_surf~4", "pacs_photo:pacs_art_painting~4"),
        *("mnist:usps~5", "table_vowel~scaled~5"),
    ),
    ("retrieval", "0"): (
        "bbcsport",
        "msrc:gist-hog",
        "halves_table_penbased",
        "numbers_50",
    ),
}
QUICK = frozenset(
    f"{group}/{data}/{regime}"
    for (group, regimes), names in _QUICK.items()
    for data in names
    for regime in regimes.split()
)


@cache
def all_tasks() -> tuple[Task, ...]:
    """List all tasks of all groups.

    Returns
    -------
    tuple of Task
        The tasks, those of few labels once for each of `REGIMES`.
    """
    return (*_few(), *_unsupervised(), *_partial(), *_retrieval())


@cache
def _places() -> dict[str, str]:
    """Say for every group and data on which side they are."""
    sides = json.loads(SPLIT.read_text(encoding="utf-8"))
    return {
        f"{group}/{data}": name
        for name in SIDES
        for group, members in sides[name].items()
        for data in members
    }


def side(task: Task) -> str:
    """Say on which side a task is.

    Parameters
    ----------
    task : Task
        One of :func:`all_tasks`.

    Returns
    -------
    str
        "choosing" or "confirming".

    Raises
    ------
    ValueError
        If ``split.json`` does not say.
    """
    place = f"{task.group}/{task.data}"
    if place not in _places():
        raise ValueError(f"Expected {place} in {SPLIT}, got none: add it to one side.")
    return _places()[place]


def _few() -> list[Task]:
    """List the tasks of few labels."""
    parts = [
        Task("few", data, kind, _families(data), data)
        for kind, members in _FEW_DOMAINS.items()
        for data in members
    ]
    for kind, members in _FEW_TABLES.items():
        names = [f"table_{name}" for name in members]
        parts += [Task("few", name, kind, _families(name), name) for name in names]
    for pair, kind in _FEW_PAIRS.items():
        source, target = pair.split(":")
        families = _families(source, target)
        parts.append(Task("few", pair, kind, families, target, source, published=True))
    # What is not skewed is cut, so that labels at random are few of some classes.
    return [
        part._replace(
            regime=regime,
            long_tail=10 if regime == "r" and part.kind != "skewed" else None,
        )
        for part in parts
        for regime in REGIMES
    ]


def _unsupervised() -> list[Task]:
    """List the tasks without target labels."""
    group = "unsupervised"
    pairs = [
        _pair(group, pair, kind, published=published)
        for table, published in ((_PAIRS, True), (_NEW_PAIRS, False))
        for kind, members in table.items()
        for pair in members
    ]
    published = {pair for members in _PAIRS.values() for pair in members}
    skewed = [
        _pair(group, pair, "skewed", published=pair in published)._replace(
            data=f"{pair}~tail{ratio}", long_tail=ratio
        )
        for pair, ratio in _SKEWED_PAIRS.items()
    ]
    shifted = [
        _shifted(group, f"{prefix}{name}", kind, shift)
        for (kind, prefix), made in _SHIFTED.items()
        for shifts, names in made.items()
        for name in names.split()
        for shift in shifts.split()
    ]
    return [*pairs, *skewed, *shifted]


def _partial() -> list[Task]:
    """List the tasks whose target lacks classes of the source."""
    published = {pair for members in _PAIRS.values() for pair in members}
    pairs = [
        (_pair("partial", pair, kind, published=pair in published), n)
        for pair, (kind, n) in _PARTIAL_PAIRS.items()
    ]
    shifted = [
        (_shifted("partial", domain, kind, shift), n)
        for (kind, domain, shift), n in _PARTIAL_SHIFTED.items()
    ]
    return [
        task._replace(data=f"{task.data}~{n}", n_target_classes=n)
        for task, n in (*pairs, *shifted)
    ]


def _retrieval() -> list[Task]:
    """List the sets for retrieval."""
    return [
        Task("retrieval", name, kind, _families(name.split("halves_")[-1]), name)
        for name, kind in _RETRIEVAL.items()
    ]


def _pair(group: str, pair: str, kind: str, *, published: bool) -> Task:
    """Make a task of two domains."""
    source, target = pair.split(":")
    families = _families(*source.split("+"), *target.split("+"))
    return Task(group, pair, kind, families, target, source, published)


def _shifted(group: str, domain: str, kind: str, shift: str) -> Task:
    """Make a task of one domain."""
    data, families = f"{domain}~{shift}", _families(domain)
    return Task(group, data, kind, families, domain, shift=shift)


def _families(*domains: str) -> tuple[str, ...]:
    """Name the rows of domains."""
    return tuple(sorted({_family(name) for name in domains}))


def _family(domain: str) -> str:
    prefix, _, rest = domain.partition(":")[0].partition("_")
    if prefix == "table":
        return f"table_{tables.family(rest)}"
    if prefix in {*OFFICE, "pixels"}:
        return "office_caltech"
    return "mfeat" if prefix == "numbers" else prefix.rstrip("0123456789")
