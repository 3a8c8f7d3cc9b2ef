"""What MLflow logs of a fit: the estimator of the user, nothing inside it."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from skda.utils.sharing import SharedContext

__all__ = ["without_autologging"]


def _disabled_autologging() -> AbstractContextManager[Any]:
    """Build MLflow's own context, if there is autologging to disable."""
    mlflow = sys.modules.get("mlflow.utils.autologging_utils")
    # Its context cannot be nested: inside one, it would enable logging on the way out.
    if mlflow is None or getattr(mlflow, "_AUTOLOGGING_GLOBALLY_DISABLED", False):
        return nullcontext()
    context: AbstractContextManager[Any] = mlflow.disable_autologging()
    return context


#: Keeps ``mlflow.sklearn.autolog`` from logging scikit-learn's estimators in the block.
without_autologging = SharedContext(_disabled_autologging)
