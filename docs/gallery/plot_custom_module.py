"""
A network of your own
=====================

Every method that trains a network takes yours: ``module`` is a function that builds a
feature extractor. Is a better network worth more than a method that adapts?
"""

# %%
# Images, moved
# -------------
#
# The source has digits in the middle of the image; in the target each is moved, by a
# pixel in any direction. To rows of pixels this is another domain.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

images, digits = load_digits(return_X_y=True)
images = np.pad(images.reshape(-1, 8, 8) / 16, ((0, 0), (2, 2), (2, 2)))
rng = np.random.default_rng(0)

source = images[:900].reshape(900, 144), digits[:900]
moved, y = images[900:1400].copy(), digits[900:1400]
for i, (down, right) in enumerate(rng.integers(-1, 2, size=(500, 2))):
    moved[i] = np.roll(moved[i], (down, right), axis=(0, 1))
X = moved.reshape(500, 144)

# %%
# The module
# ----------
#
# Any ``nn.Module`` that turns samples into features will do; the method adds its own
# head. It is a *function* that is passed, so that every fit has a new network. Samples
# may be images; here they stay rows, and the first layer makes images of them. The
# last takes the maximum over the image, which does not care where something is.
from torch import nn


def convolutions() -> nn.Module:
    """Build a feature extractor for rows of 12 x 12 pixels."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 12, 12)),
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
    )


# %%
# The call
# --------
#
# :class:`~skda.unsupervised.SourceOnly` learns from the source alone,
# :class:`~skda.unsupervised.DANN` also from the unlabeled target. ``history_`` is made
# for pandas, and has every term of the loss:
import pandas as pd

from skda.unsupervised import DANN, SourceOnly

training = {"max_epochs": 15, "lr": 0.003, "optimizer": "adam", "random_state": 0}
dann = DANN(module=convolutions, **training).fit(X, source=source)
pd.DataFrame(dann.history_)[["source_risk", "domain", "train_loss"]].tail(3).round(3)

# %%
# How the training went, and what came of it:
from skda.inspection import TermsDisplay

TermsDisplay.from_estimator(dann)
plt.show()

# %%
# sphinx_gallery_thumbnail_number = 2
import skda
from skda.inspection import ComparisonDisplay

methods = {
    "SourceOnly, rows": SourceOnly(random_state=0),
    "DANN, rows": DANN(random_state=0),
    "SourceOnly, convolutions": SourceOnly(module=convolutions, **training),
    "DANN, convolutions": dann,
}
table = skda.compare(methods, X, y, source=source, n_per_class=0, n_splits=1)
ComparisonDisplay.from_frame(table, name="Digits, moved by a pixel")
plt.show()

# %%
# What to read from it
# --------------------
#
# The network that knows what does not matter gains most of it, with no adaptation at
# all; the alignment of the domains alone cannot make up for it. What a term of the loss
# does is another question than what it is worth: a domain loss near its chance level
# says that the domains are alike to the network, not that the classes meet.
accuracy = table.set_index("method")["accuracy"]
assert accuracy["SourceOnly, convolutions"] > accuracy["DANN, rows"] + 0.05

# %%
# When not to
# -----------
#
# With a thousand images do not train a network from scratch, if there is one that has
# seen a million: see :ref:`sphx_glr_auto_gallery_plot_pretrained.py`.
