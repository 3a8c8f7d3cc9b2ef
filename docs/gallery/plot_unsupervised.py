"""
Another scanner, and no label
=============================

The forms of last year were scanned well and typed in. This year's scanner is worse, and
nobody has typed in anything. Same pixels, same digits, another look: does the old
classifier still do, or should it adapt?
"""

# %%
# The new scanner
# ---------------
#
# It blurs, its light falls off to the right, and it is noisy. Source and target are
# images of other writers.
import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits

images, digits = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8) / 16
rng = np.random.default_rng(0)

source = images[:700].reshape(700, 64), digits[:700]
blurred = gaussian_filter(images[900:1500], sigma=(0, 0.6, 0.6))
light = np.linspace(1, 0.4, 8)
scans = 1 - light * (1 - blurred) + rng.normal(scale=0.1, size=blurred.shape)
X, y = scans.reshape(600, 64), digits[900:1500]

figure, axes = plt.subplots(2, 10, figsize=(8, 1.9), layout="constrained")
for k in range(10):
    axes[0, k].imshow(source[0][source[1] == k][0].reshape(8, 8), cmap="gray_r")
    axes[1, k].imshow(X[y == k][0].reshape(8, 8), cmap="gray_r")
for ax in axes.ravel():
    ax.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("source")
axes[1, 0].set_ylabel("target")
plt.show()

# %%
# Without a label of the target
# -----------------------------
#
# ``n_per_class=0`` hides all labels of the target: they serve the score alone. The
# control, a classifier of the source, is what one would do without this library;
# :class:`~skda.baselines.TunedClassifier` is a well-chosen one.
import skda
from skda.baselines import TunedClassifier
from skda.inspection import ComparisonDisplay
from skda.unsupervised import CORAL, SPL, SourceOnly, TargetCentroids

methods = {
    "Tuned classifier of the source": SourceOnly(TunedClassifier()),
    "CORAL": CORAL(),
    "TargetCentroids": TargetCentroids(),
    "SPL": SPL(),
    "AutoAdapter": skda.AutoAdapter(),
}
table = skda.compare(methods, X, y, source=source, n_per_class=0, n_splits=1)
# sphinx_gallery_thumbnail_number = 2
ComparisonDisplay.from_frame(table, name="Digits of another scanner")
plt.show()
