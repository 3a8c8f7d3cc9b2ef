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
from skda.inspection import ClassWeightsDisplay
from skda.partial import BA3US

ba3us = BA3US(random_state=0).fit(X, source=source)
ClassWeightsDisplay.from_estimator(ba3us, source=source, shared=there)
plt.show()
