"""Methods for a target without labels that has only some of the source's classes."""

from skda.partial._a2kt_style import A2KTStyle
from skda.partial._ar import AR
from skda.partial._ba3us import BA3US
from skda.partial._drcn import DRCN
from skda.partial._etn import ETN
from skda.partial._isra import ISRA
from skda.partial._iwan import IWAN
from skda.partial._mpot import MPOT
from skda.partial._pada import PADA
from skda.partial._prune_classes import PruneClasses
from skda.partial._safn import SAFN
from skda.partial._san import SAN
from skda.partial._shot import SHOT

__all__ = [
    "AR",
    "BA3US",
    "DRCN",
    "ETN",
    "ISRA",
    "IWAN",
    "MPOT",
    "PADA",
    "SAFN",
    "SAN",
    "SHOT",
    "A2KTStyle",
    "PruneClasses",
]
