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

# %%
# What to read from it
# --------------------
#
# The classifier of the source has the right idea of a digit, and the wrong one of the
# paper. Every method that looks at the target's rows mends that. None of them was told
# a label, and which of them is ahead depends on the shift: so does the choice of
# :class:`~skda.AutoAdapter`, which weighs many by how they agree. It says so itself:
accuracy = table.set_index("method")["accuracy"]
assert accuracy.drop("Tuned classifier of the source").min() > accuracy.iloc[0]

auto = skda.AutoAdapter().fit(X, source=source)
print(*str(auto.report_).splitlines()[-5:], sep="\n")

# %%
# Rows of both domains in one picture, dots for the target and crosses for the source,
# in the space that SPL found. Where it works, colors come together.
from skda.inspection import EmbeddingDisplay

spl = SPL().fit(X, source=source)
some = source[0][:300], source[1][:300]
EmbeddingDisplay.from_estimator(spl, X[:300], y[:300], some)
plt.show()

# %%
# When not to
# -----------
#
# Where a few labels of the target can be had, have them: three of each class say more
# than most adaptation. And where classes are missing or have other shares in the
# target, methods that make the domains alike do harm: see
# :ref:`sphx_glr_auto_gallery_plot_partial.py`.
