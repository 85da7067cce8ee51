"""A city's standards: which condition an issue is filed under, how long it may take, and when it may be closed."""

from gis.issues.standards.editions import (
    Title,
    activate,
    as_limit,
    find,
    get,
    in_force,
    limit_columns,
    load,
    load_orders,
    notices,
    orders_in_force,
)
from gis.issues.standards.reading import LETTERS, Reader
from gis.issues.standards.values import Condition, Key, Listed, Notice, OrderLimit, Reading, Standing
from gis.issues.standards.wording import PLAIN, WORKING
from gis.settings import ROOT

DATA = ROOT / "data" / "standards"

__all__ = [
    "DATA",
    "LETTERS",
    "PLAIN",
    "WORKING",
    "Condition",
    "Key",
    "Listed",
    "Notice",
    "OrderLimit",
    "Reader",
    "Reading",
    "Standing",
    "Title",
    "activate",
    "as_limit",
    "find",
    "get",
    "in_force",
    "limit_columns",
    "load",
    "load_orders",
    "notices",
    "orders_in_force",
]
