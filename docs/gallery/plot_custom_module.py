"""
A network of your own
=====================

Every method that trains a network takes yours: ``module`` is a function that builds a
feature extractor. What does a small convolution bring over rows of pixels?
"""

# %%
# Images, shifted
# ---------------
#
# The source has digits in the middle of the image; in the target they are moved by a
# pixel or two. To rows of pixels this is another domain. A convolution knows better.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

images, digits = load_digits(return_X_y=True)
images = np.pad(images.reshape(-1, 1, 8, 8) / 16, ((0, 0), (0, 0), (2, 2), (2, 2)))
images = images.astype(np.float32)
rng = np.random.default_rng(0)

source = images[:600], digits[:600]
X, y = images[900:1400].copy(), digits[900:1400]
for i, (down, right) in enumerate(rng.integers(-2, 3, size=(500, 2))):
    X[i] = np.roll(X[i], (down, right), axis=(1, 2))
X.shape

# %%
# The module
# ----------
#
# Any ``nn.Module`` that turns samples into features will do; the method adds its own
# head. A function builds it, so that every fit has a new one.
from torch import nn


def convolutions() -> nn.Module:
    """Build a feature extractor for images of 12 x 12 pixels."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveMaxPool2d(2),
        nn.Flatten(),
    )


# %%
# The call
# --------
#
# The same two methods on rows of pixels, and with the module: one learns from the
# source alone, the other one from the unlabeled target as well.
from skda.unsupervised import MCC, SourceOnly

training = {"max_epochs": 12, "lr": 0.05, "random_state": 0}
accuracy = {}
for name, method in {"SourceOnly": SourceOnly, "MCC": MCC}.items():
    rows = method(**training).fit(
        X.reshape(500, -1), source=(source[0].reshape(600, -1), source[1])
    )
    accuracy[f"{name}, rows of pixels"] = rows.score(X.reshape(500, -1), y)
    net = method(module=convolutions, **training).fit(X, source=source)
    accuracy[f"{name}, convolutions"] = net.score(X, y)
accuracy
