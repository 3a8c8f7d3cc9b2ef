"""Controls that learn from the target alone: what adaptation has to beat."""

from skda.baselines._target_net import TargetNet
from skda.baselines._target_only import TargetOnly

__all__ = ["TargetNet", "TargetOnly"]
