"""The demo city's limits: its calendar, its filing conditions and the limits of its hotline, through the own doors."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from gis.demo import voices
from gis.issues import calendars, categories, standards
from gis.issues.clerk import Clerk
from gis.issues.standards import Reader, Title, orders

CALENDAR = ("CN-shifts.csv", "CN-2024.csv", "CN-2025.csv", "CN-2026.csv")
FILING = Title("demo", "2025", voices.SCHEME, voices.VERSION, "made up for the demo city")
ORDERS = Title("demo-orders", "2025", "", "", "made up for the demo city")


def lay(session: Session, clerk: Clerk, since: date) -> None:
    """Load what limits run on and put it in force."""
    for name in CALENDAR:
        calendars.load(session, calendars.DATA / name, by=clerk.by, now=clerk.now)
    known = categories.find(session, voices.SCHEME)
    names = {each.code: each.name_zh for each in known if each.version == voices.VERSION}
    reading = Reader(names).read(standards.DATA / "demo.csv")
    standards.load(session, FILING, reading, by=clerk.by, now=clerk.now)
    limits = orders.read(standards.DATA / "demo-orders.csv")
    standards.load_orders(session, ORDERS, limits, by=clerk.by, now=clerk.now)
    for title in (FILING, ORDERS):
        standards.activate(session, title.name, title.version, since)
