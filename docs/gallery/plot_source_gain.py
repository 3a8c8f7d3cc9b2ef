"""
Is my source worth it?
======================

A good method is good without its source, too. :func:`skda.source_gain` tells what the
source adds to an estimator, and whether chance would add as much.
"""

# %%
# The same estimator, five sources
# --------------------------------
#
# In each split three labels per class of the target are left. The estimator is fitted
# with the source, with none, and with three that cannot teach: classes that have one
# another's names, labels shuffled over the rows, and Gaussian noise. The gain is the
# difference to the fit with none, on the rows whose label is hidden.
import matplotlib.pyplot as plt

import skda
from skda.datasets import load_digits_domains
from skda.heterogeneous import GeoST

digits = load_digits_domains()
table = skda.source_gain(GeoST(), digits.X, digits.y, source=digits.source)
table[["source", "accuracy", "gain", "gain_low", "gain_high"]].round(3)

# %%
# The 95 % interval of the gain contains zero, and noise does as well as the source. On
# this target GeoST may as well be fitted without: ``GeoST().fit(X, y)``.
from skda.inspection import SourceGainDisplay

SourceGainDisplay.from_frame(table, name="GeoST")
plt.show()

# %%
# A source that teaches
# ---------------------
#
# Now 200 images are known in the features of both domains. A method that takes such
# pairs learns how the features of one follow from those of the other, and so what the
# labels of the source say about the target. Its gain is that of source and pairs
# together.
from skda.heterogeneous import PairedRidgeTransfer

digits = load_digits_domains(n_pairs=200)
paired = skda.source_gain(
    PairedRidgeTransfer(),
    digits.X,
    digits.y,
    source=digits.source,
    pairs=digits.pairs,
)
paired[["source", "accuracy", "gain", "gain_low", "gain_high"]].round(3)

# %%
# The gain is clear, and due to what the source has to teach: with one that teaches
# nothing the accuracy drops far below that of no source, as this method trusts what it
# is given.
SourceGainDisplay.from_frame(paired, name="PairedRidgeTransfer")
plt.show()

# %%
# A gain is not yet a reason
# --------------------------
#
# It says what a source is worth to *one* estimator. Another may be ahead without any
# source, as here, so :func:`skda.compare` them:
table = skda.compare(
    {"PairedRidgeTransfer": PairedRidgeTransfer(), "GeoST": GeoST()},
    digits.X,
    digits.y,
    source=digits.source,
    pairs=digits.pairs,
    n_splits=10,
)
table[["method", "source", "pairs", "accuracy", "std"]].round(3)
