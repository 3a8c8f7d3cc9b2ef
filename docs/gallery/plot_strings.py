"""
Texts, and classes with names
=============================

Reviews of books have stars, reviews of kitchen tools have none. "Gripping" and "dull"
say nothing of a pan. Can a classifier of books still tell what people think of pans?
"""

# %%
# Rows that are texts
# -------------------
#
# To need no download, the reviews are drawn at random: from words that praise or blame
# anything, words that do so for books or for pans only, and words that do neither.
import matplotlib.pyplot as plt
import numpy as np

WORDS = {
    "anything": ("great excellent love perfect", "poor awful waste disappointing"),
    "books": ("gripping witty moving masterpiece", "dull wordy shallow boring"),
    "pans": ("sturdy nonstick even durable", "warped scratched flimsy rusty"),
}
NEUTRAL = {
    "books": "the a I read story chapter author plot page end novel",
    "pans": "the a I cook handle lid stove oil heat kitchen pan",
}
rng = np.random.default_rng(0)


def write(topic: str, opinion: int) -> str:
    """Write a review; one word in six says the contrary."""
    words = list(rng.choice(NEUTRAL[topic].split(), 8))
    for kind, n_words in (("anything", 1), (topic, 3)):
        for _ in range(n_words):
            said = opinion if rng.random() < 5 / 6 else 1 - opinion
            words.append(rng.choice(WORDS[kind][said].split()))
    return " ".join(rng.permutation(words))


def review(topic: str, n: int) -> tuple[list[str], np.ndarray]:
    """Write many reviews, and name what their writers think."""
    opinions = rng.integers(2, size=n)
    texts = [write(topic, opinion) for opinion in opinions]
    return texts, np.array(["good", "bad"])[opinions]


source = review("books", 500)
X, y = review("pans", 500)
for text, name in zip(X[:3], y[:3], strict=True):
    print(f"{name}: {text}")

# %%
# The call
# --------
#
# Both domains are texts, so one transformer is fitted to both: ``shared_transformer``.
# The classes are strings, as they come. No label of a pan is passed.
from sklearn.feature_extraction.text import TfidfVectorizer

from skda import AutoAdapter

clf = AutoAdapter(shared_transformer=TfidfVectorizer())
clf.fit(X, source=source)
clf.predict(["a sturdy lid and even heat", "the handle is flimsy and rusty"])

# %%
# What the shift costs, and what comes back
# -----------------------------------------
#
# The control is a classifier of the source, which knows "great" and "poor", but no word
# that is for pans only. A method that adapts sees these go together with the words that
# it knows.
from sklearn.linear_model import LogisticRegression

import skda
from skda.inspection import ComparisonDisplay
from skda.unsupervised import SPL, SourceOnly

words = {"shared_transformer": TfidfVectorizer()}
methods = {
    "Logistic regression of books": SourceOnly(LogisticRegression(), **words),
    "SPL": SPL(**words),
    "AutoAdapter": AutoAdapter(**words),
}
table = skda.compare(methods, X, y, source=source, n_per_class=0, n_splits=1)
ComparisonDisplay.from_frame(table, name="Reviews of pans, by those of books")
plt.show()

# %%
# When not to
# -----------
#
# Nothing is gained where the domains share no word of opinion at all: then the rows of
# one say nothing of the other, and no method without labels can tell praise from blame.
# With real texts, embeddings of a language model are the better rows.
accuracy = table.set_index("method")["accuracy"]
assert accuracy["AutoAdapter"] > accuracy["Logistic regression of books"]
