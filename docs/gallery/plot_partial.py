"""
A catalog, and a shop that has less
===================================

The source knows ten digits, the target turns out to have four. Whoever makes the
domains alike makes four classes look like ten. Which classes are there, and what do the
weights and the topics of a network say about it?
"""

# %%
# Ten classes against four
# ------------------------
#
# The target's images are of other writers, and paler.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

images, digits = load_digits(return_X_y=True)
source = images[:600] / 16, digits[:600]
there = [0, 3, 4, 8]
kept = np.isin(digits, there) & (np.arange(len(digits)) >= 900)
X, y = 0.2 + 0.5 * images[kept] / 16, digits[kept]

# %%
# Prune first
# -----------
#
# :class:`~skda.partial.PruneClasses` leaves out the classes that plain methods hardly
# find in the target, without any label of it, then adapts to the rest.
from skda.partial import PruneClasses

prune = PruneClasses().fit(X, source=source)
print("kept:", prune.kept_classes_, f" accuracy: {prune.score(X, y):.1%}")

# %%
# Weights of a network
# --------------------
#
# :class:`~skda.partial.BA3US` weighs the classes of the source by the predictions for
# the target, anew every few epochs. Blue are those that the target has; beside them,
# which classes look alike. A gray line that stays up is a class that the network still
# believes in, mostly one that is like a blue one.
# sphinx_gallery_thumbnail_number = 1
from skda.inspection import ClassWeightsDisplay
from skda.partial import BA3US

ba3us = BA3US(random_state=0).fit(X, source=source)
ClassWeightsDisplay.from_estimator(ba3us, source=source, shared=there)
plt.show()

# %%
# Topics
# ------
#
# :class:`~skda.partial.ISRA` adds topics to such a network: groups of features that go
# together, found by an auto-encoder. Left, which features a topic looks at; then, which
# rows look at it, by their digit. A topic that is dark in a digit of the source and
# nowhere in the target belongs to what the target lacks.
from skda.inspection import TopicMapDisplay
from skda.partial import ISRA

backbone = BA3US(n_components=48, max_epochs=20)
isra = ISRA(backbone, n_topics=16, random_state=0).fit(X, source=source)
TopicMapDisplay.from_estimator(isra, X, y, source=source)
plt.show()

# %%
# What came of it
# ---------------
#
# All of them against a classifier of the source, and a method for equal classes that
# takes no notice of the missing ones.
import skda
from skda.baselines import TunedClassifier
from skda.inspection import ComparisonDisplay
from skda.unsupervised import DANN, SourceOnly

methods = {
    "Tuned classifier of the source": SourceOnly(TunedClassifier()),
    "DANN, for equal classes": DANN(random_state=0),
    "BA3US": ba3us,
    "ISRA": isra,
    "PruneClasses": prune,
}
table = skda.compare(methods, X, y, source=source, n_per_class=0, n_splits=1)
ComparisonDisplay.from_frame(table, name="Digits: ten classes to four")
plt.show()

# %%
# When not to
# -----------
#
# Topics and weights are pictures to look at, not proofs: a class may keep its weight
# because it looks like one that is there. And if the target may have all classes, say
# ``PruneClasses(threshold=0.2)``, which leaves out less, or take
# :class:`~skda.AutoAdapter`, which asks first.
assert set(there) <= set(prune.kept_classes_)
