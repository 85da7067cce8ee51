"""The stages around the handling, in SQL: verified, filed, dispatched and inspected, each within its minutes.

There is no clock for them; what the moves say is held against limits that stand with the formulas. A stage without a
limit is owed by nobody and has no rate. What waits is owed once its limit has passed within the period.

- verified: from the report's coming in to the first move that leads out of `collected`;
- filed: from its coming in to its verification, and where its place was not known, until that was found;
- dispatched: from its filing to the first move that sends it out; what is sent with its filing takes no time;
- inspected: from the moment the last of those who had to fed back to the last inspection behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gis.issues.evaluation import signs
from gis.issues.evaluation.formulas import STAGES, Formulas

COUNTS: Mapping[str, str] = {
    "verify_due": "verify_due", "verified_on_time": "verify_due AND verified_on_time",
    "filings": "filings", "filed_right": "filings AND filed",
    "filing_due": "filing_due", "filed_on_time": "filing_due AND filed_on_time",
    "dispatch_due": "dispatch_due", "dispatched_on_time": "dispatch_due AND dispatched_on_time",
    "inspect_due": "inspect_due", "inspected_on_time": "inspect_due AND inspected_on_time",
    "missed": "filed AND is_missed",
}  # fmt: skip


def values(formulas: Formulas) -> dict[str, Any]:
    """Bind the limits in seconds, None where there is none, and the sources of what inspections found."""
    minutes = formulas.stage_minutes
    limits = {f"{stage}_s": minutes[stage] * 60 if stage in minutes else None for stage in STAGES}
    return limits | {"inspections": list(formulas.inspection_sources)}


def _within(stage: str) -> str:
    return f"make_interval(secs => CAST(:{stage}_s AS float8))"


# When an issue that had to be placed was: of the others only one finding is there, and none of these is read.
PLACED = """, placed AS (
    SELECT later.issue_id, min(later.found_at) AS placed_at
    FROM touched JOIN finding AS later ON later.issue_id = touched.id AND later.version > 1
    JOIN finding AS first ON first.issue_id = later.issue_id AND first.version = 1
    WHERE NOT CAST(first.location ->> 'located' AS boolean) AND CAST(later.location ->> 'located' AS boolean)
    GROUP BY later.issue_id
)"""
TOLD = f"""
           issue.received_at, moved.looked_at, moved.sent_at, moved.inspected_at, issue.state = 'collected' AS waits,
           greatest(moved.verified_at, issue.received_at, placed.placed_at) AS filed_at,
           {signs.of_issue("unfiled")} AS unfiled, issue.source = ANY(:inspections) AS is_missed,"""
TOLD_FROM = "LEFT JOIN placed ON placed.issue_id = issue.id"
# Over `base`, in which filed and due are known.
FACT = f""",
           reported AND (looked_at < :until OR (looked_at IS NOT NULL OR waits)
               AND received_at + {_within("verify")} < :until) AND {_within("verify")} IS NOT NULL AS verify_due,
           coalesce(looked_at <= received_at + {_within("verify")} AND looked_at < :until, false) AS verified_on_time,
           filed OR reported AND is_filed AND unfiled AS filings,
           filed AND {_within("file")} IS NOT NULL AS filing_due,
           coalesce(filed_at <= received_at + {_within("file")} AND filed_at < :until, false) AS filed_on_time,
           filed AND NOT (is_the_grids OR answered_at_once) AND {_within("dispatch")} IS NOT NULL
               AND (is_sent OR filed_at + {_within("dispatch")} < :until) AS dispatch_due,
           coalesce(is_sent AND greatest(sent_at, filed_at) <= filed_at + {_within("dispatch")}
               AND greatest(sent_at, filed_at) < :until, false) AS dispatched_on_time,
           due AND NOT (forced OR answered_at_once) AND {_within("inspect")} IS NOT NULL
               AND coalesce(inspected_at >= handled_at OR handled_at + {_within("inspect")} < :until, false)
               AS inspect_due,
           coalesce(inspected_at BETWEEN handled_at AND handled_at + {_within("inspect")}, false)
               AS inspected_on_time"""
