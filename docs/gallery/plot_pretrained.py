"""
Photographs, and a network that has seen many
=============================================

A pretrained network turns photographs into features. Is it enough to classify these,
or should the network be trained further, on both domains? This script needs the data of
Office-Caltech, in the folder that the environment variable ``SKDA_DATA`` names, and
``pip install 'skda[pretrained]'``.
"""

# %%
# Two domains
# -----------
#
# The source has pictures of products from a shop, on white, the target those of a
# webcam in an office. To be done in seconds, the script takes ten images per class.
import matplotlib.pyplot as plt

from skda.datasets import label_few, load_office_caltech

domains = []
for name in ("amazon", "webcam"):
    photographs = load_office_caltech(name, "images64")
    few = label_few(photographs.target, n_per_class=10, random_state=0) >= 0
    domains.append((photographs.data[few], photographs.target[few]))
(images_source, y_source), (images, y) = domains

figure, axes = plt.subplots(2, 8, figsize=(7, 2), layout="constrained")
for row, shown in zip(axes, (images_source, images), strict=True):
    for ax, image in zip(row, shown[5::12], strict=False):
        ax.imshow(image)
        ax.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("source")
axes[1, 0].set_ylabel("target")
plt.show()

# %%
# The network as it is
# --------------------
#
# :func:`~skda.modules.efficientnet_lite0` builds the network with its weights, in 18
# stages. The first twelve take nine tenths of the time. As none of them will be
# trained, :func:`~skda.modules.frozen_features` runs them once and for all.
from skda.modules import efficientnet_lite0, frozen_features

early = efficientnet_lite0(stop=12)
maps_source, maps = (frozen_features(early, X) for X in (images_source, images))
print("after twelve stages:", maps.shape)

# %%
# The other six end in 1280 features. A classifier of the source, and a method that
# adapts, can take them as they are.
from sklearn.linear_model import LogisticRegression

from skda.preprocessing import RowScaler
from skda.unsupervised import SPL, SourceOnly

last = efficientnet_lite0(start=12)
rows_source, rows = (frozen_features(last, X) for X in (maps_source, maps))
control = SourceOnly(
    LogisticRegression(C=10, max_iter=1000), shared_transformer=RowScaler(1.0)
)
accuracy = {}
for name, estimator in {"logistic regression": control, "SPL": SPL()}.items():
    estimator.fit(rows, source=(rows_source, y_source))
    accuracy[f"{name},\nnetwork as it is"] = estimator.score(rows, y)

# %%
# The network, trained further
# ----------------------------
#
# ``module`` is a function that builds what the method trains: here the last six stages,
# which start at their weights and learn at a tenth of the learning rate.
from functools import partial

from skda.unsupervised import MCC

last_stages = {
    "module": partial(efficientnet_lite0, start=12),
    "max_epochs": 6,
    "batch_size": 25,
    "lr": 0.05,
    "extractor_lr": 0.1,
    "random_state": 0,
}
for name, method in {"SourceOnly": SourceOnly, "MCC": MCC}.items():
    estimator = method(**last_stages).fit(maps, source=(maps_source, y_source))
    accuracy[f"{name},\nfine-tuned"] = estimator.score(maps, y)

figure, ax = plt.subplots(figsize=(6.8, 2.6), layout="constrained")
names = list(accuracy)[::-1]
bars = ax.barh(names, [100 * accuracy[name] for name in names])
ax.bar_label(bars, fmt="%.0f", padding=3)
ax.set(xlabel="Accuracy on the target, in %", xlim=(0, 100))
plt.show()

# %%
# To adapt is worth more here than to train the network further, for which there are few
# images: a point is one of them. The table of all images and of six methods, for three
# pairs of domains, stands under :ref:`benchmarks`. It is made by
#
# .. code-block:: sh
#
#    python -m benchmarks.pretrained --seeds 1
#
# in half an hour on one core.
