"""
What to do with somebody else's probabilities
=============================================

A model whose data one may not see, a rule, or a zero-shot model has an opinion on every
row. :class:`skda.unsupervised.PriorTransduction` corrects it by how the rows lie,
without a label and without a source.
"""

# %%
# An opinion on digits
# --------------------
#
# A classifier has learned from 30 images and is gone. All that is left is what it says
# of the others.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

X, y = load_digits(return_X_y=True)
gone = LogisticRegression(max_iter=1000).fit(X[:30], y[:30])
X, y = X[30:830], y[30:830]
opinion = gone.predict_proba(X)
float(np.mean(opinion.argmax(axis=1) == y))

# %%
# Corrected by the rows
# ---------------------
#
# The columns of ``probabilities`` are those of ``classes``.
from skda.unsupervised import PriorTransduction

clf = PriorTransduction().fit(X, probabilities=opinion, classes=range(10))
float(np.mean(clf.transduction_ == y))

# %%
# Sure, unsure and wrong
# ----------------------
#
# A power above one sharpens an opinion, one below one blurs it. The most probable class
# stays the same, so that the opinion is as good as before; but the surer it is, the
# less there is to correct. Of zeros and ones next to nothing is.
powers = [0.25, 0.5, 1.0, 2.0, 4.0, 16.0]
accuracies = []
for power in powers:
    P = opinion**power
    P /= P.sum(axis=1, keepdims=True)
    clf.fit(X, probabilities=P, classes=range(10))
    accuracies.append(np.mean(clf.transduction_ == y))

plt.semilogx(powers, accuracies, "o-", label="PriorTransduction")
plt.axhline(np.mean(opinion.argmax(axis=1) == y), color="gray", label="the opinion")
plt.xlabel("power of the opinion")
plt.ylabel("accuracy")
plt.legend()
plt.show()
