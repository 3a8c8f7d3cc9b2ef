"""
A search box for pictures
=========================

Somebody has described many pictures in a few words. Others, of things that nobody has
named yet, lie in a drawer, described as carelessly. Type words, get pictures: how well
does it work, and what should be reported?
"""

# %%
# Pictures and captions
# ---------------------
#
# The pictures are digits. Captions are drawn from what people say about their shapes,
# never their names: two words that fit the digit, one that may fit any, and one about
# the ink, which is true.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

SAID = {
    0: "ring oval hollow round closed",
    1: "stick upright straight single bar",
    2: "swan curved base neck hook",
    3: "bumps open left double curved",
    4: "crossing flag angular open chair",
    5: "belly hook flag angular base",
    6: "loop bottom tail round belly",
    7: "roof slanted angular scythe straight",
    8: "loops double crossing closed round",
    9: "loop top tail balloon round",
}
rng = np.random.default_rng(0)
pictures, digit = load_digits(return_X_y=True)
dark = np.where(
    pictures.mean(axis=1) > np.median(pictures.mean(axis=1)), "dark", "pale"
)
everything = sorted({word for words in SAID.values() for word in words.split()})


def describe(k: int, ink: str) -> str:
    """Describe a picture in four words, one of them by chance."""
    fitting = rng.choice(SAID[k].split(), 2, replace=False)
    return " ".join([*fitting, rng.choice(everything), ink])


captions = [describe(k, ink) for k, ink in zip(digit, dark, strict=True)]
captions[:4]

# %%
# Known and new
# -------------
#
# Of the even digits half of the pairs is labeled; that is the source. The odd ones are
# new: there are pairs of them, but nobody has sorted these. Words become columns.
from sklearn.feature_extraction.text import TfidfVectorizer

vectorizer = TfidfVectorizer().fit(captions)
text = vectorizer.transform(captions).toarray()


def views(rows: np.ndarray) -> dict[str, np.ndarray]:
    """Take rows of both views."""
    return {"picture": pictures[rows], "text": text[rows]}


even, odd = np.flatnonzero(digit % 2 == 0), np.flatnonzero(digit % 2)
new, test = odd[:600], odd[600:]
source = views(even[:600]), digit[even[:600]]

# %%
# The call
# --------
#
# :class:`~skda.retrieval.ClusterRetrieval` comes first in our tables, and
# :class:`~skda.retrieval.RidgeCCA` is the control that every other one has to beat. All
# are judged on pictures that are in no fit.
from skda.inspection import RetrievalDisplay
from skda.retrieval import PLS, ClusterRetrieval, RidgeCCA

retrievers = {
    "ClusterRetrieval": ClusterRetrieval(random_state=0),
    "RidgeCCA": RidgeCCA(),
    "PLS": PLS(),
}
for retriever in retrievers.values():
    retriever.fit(views(new), source=source)
RetrievalDisplay.from_estimators(retrievers, views(test), digit[test])
plt.show()

# %%
# The search box
# --------------
#
# Words in, pictures out: the words go through the same vectorizer, and ``retrieve``
# ranks the pictures. None of them was in a fit, and no label of their digits is known.
# sphinx_gallery_thumbnail_number = 2
search = retrievers["ClusterRetrieval"]
queries = ["stick upright", "roof slanted", "balloon loop tail", "bumps open dark"]

figure, axes = plt.subplots(len(queries), 9, figsize=(8, 4), layout="constrained")
for row, words in zip(axes, queries, strict=True):
    query = {"text": vectorizer.transform([words]).toarray()}
    hits, _ = search.retrieve(query, {"picture": pictures[test]}, n_neighbors=8)
    row[0].text(1, 0.5, words, ha="right", va="center", transform=row[0].transAxes)
    row[0].axis("off")
    for ax, hit in zip(row[1:], hits[0], strict=True):
        ax.imshow(pictures[test][hit].reshape(8, 8), cmap="gray_r")
        ax.set(xticks=[], yticks=[])
plt.show()

# %%
# What to read from it
# --------------------
#
# A curve that stays high to the right finds nearly *all* that belongs to a query before
# anything else; the dashed line is what a random ranking does. Report it: with five
# digits it is far from zero. The clusters of the new pairs, which need no label, are
# what lifts the first method over the second.
from skda.metrics import chance_average_precision

found = {
    name: each.score(views(test), digit[test]) for name, each in retrievers.items()
}
assert found["ClusterRetrieval"] > found["PLS"]
found | {"chance": chance_average_precision(digit[test], digit[test])}

# %%
# When not to
# -----------
#
# Without pairs of the new things there is nothing to cluster, and ``RidgeCCA`` is as
# good. And the caption of a digit that is drawn from a list is kinder than people are:
# measure on your own by :func:`skda.compare_retrieval`.
