"""Where are they: points by the million -> what each stands on, column by column. The answers are those of `locate`."""

from gis.territory.columns.asking import at, grounds
from gis.territory.columns.carried import Carried, carry, unpacked
from gis.territory.columns.fixes import REASONS, Beside, Fixes, Numbers, Words, days, numbers, read, reason
from gis.territory.columns.nesting import Grounds, Roll
from gis.territory.columns.values import BITS, NONE, Candidates, Columns, LevelColumns, NetColumns

__all__ = [
    "BITS",
    "NONE",
    "REASONS",
    "Beside",
    "Candidates",
    "Carried",
    "Columns",
    "Fixes",
    "Grounds",
    "LevelColumns",
    "NetColumns",
    "Numbers",
    "Roll",
    "Words",
    "at",
    "carry",
    "days",
    "grounds",
    "numbers",
    "read",
    "reason",
    "unpacked",
]
