"""A million issues as a city has them, by one statement: skewed categories, nested ground, a tenth still open."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, text

from gis import db
from gis.settings import Settings

ISSUES = 1_000_000
# Indexes that cost more to keep while filling than to make at the end.
LATE = (
    "issue_ground", "issue_departments", "issue_flags", "issue_geom", "issue_point_geom", "issue_reported",
    "issue_category", "issue_state", "issue_due", "issue_warn", "issue_marks", "issue_closed", "issue_unlocated",
    "issue_created", "issue_pairs", "issue_external", "issue_closed_due",
)  # fmt: skip


def fill(engine: Engine, settings: Settings, now: datetime, *, issues: int = ISSUES) -> None:
    """Fill an empty database: 16 districts, 330 subdistricts, 7,000 communities, 70,000 cells; two years of reports."""
    owner = db.connect_owner(settings)
    with owner.begin() as connection:
        made = connection.scalars(text(_MADE), {"late": list(LATE)}).all()
        for name in connection.scalars(text(_LATE), {"late": list(LATE)}).all():
            connection.execute(text(f"DROP INDEX {name}"))
    with db.session(engine, db.EVERYTHING) as session:
        for statement in _NAMED:
            session.execute(text(statement))
        session.execute(text(_ISSUES), {"issues": issues, "now": now, "signs": SIGNS, "matters": list(MATTERS)})
        session.commit()
    with owner.begin() as connection:
        for statement in made:
            connection.execute(text(statement))
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE issue"))
    owner.dispose()


_LATE = "SELECT name FROM unnest(CAST(:late AS text[])) AS name WHERE to_regclass(name) IS NOT NULL"
_MADE = f"SELECT pg_get_indexdef(to_regclass(name)) FROM ({_LATE}) AS known"
_NAMED = (
    """INSERT INTO source (code, name_zh, name_en, datum)
       SELECT 's' || n, 's' || n, 's' || n, 'WGS84' FROM generate_series(1, 6) AS n""",
    """INSERT INTO category SELECT 'cg', '2013', 'E' || n, NULL, '小类' || n, 'class ' || n, NULL, 1
       FROM generate_series(1, 150) AS n""",
    """INSERT INTO department (code, kind, name_zh, name_en)
       SELECT 'd' || n, 'CG', '部门' || n, 'department ' || n FROM generate_series(0, 499) AS n""",
)
# What reports say: a street of some thousands, one of these matters, the first far more often, and now and then a word
# that few have.
SIGNS = (
    "长安建国中山和平胜利光明新华文化解放人民团结友谊朝阳东风红旗前进青年育才学院科技创业工农"
    "商贸江汉滨海湖泉松柏杨柳桃李梅兰竹菊金银玉珠龙凤鹤鹿云霞星月春夏秋冬福禄寿喜仁义礼智信忠孝廉"
)
MATTERS = (
    "小区门口垃圾没人清", "共享单车堵住盲道", "占道摆摊", "路灯不亮", "井盖松动", "下水道堵塞返味", "违规张贴小广告",
    "机动车停在消防通道", "绿地被踩坏", "工地扬尘", "餐馆油烟直排", "店铺音响太吵", "公厕没有水", "树枝压到电线",
    "人行道砖翘起", "楼道堆物", "私装地锁", "河面有漂浮物", "信号灯故障", "围挡倒了",
)  # fmt: skip
# The n-th newest report. A tenth is open, nearly all of it new; what is diced is decided by the number alone, so that
# two runs measure the same.
_ISSUES = """
INSERT INTO issue (code, source, external_id, scheme, scheme_version, category, text, state, reported_at, received_at,
                   place, located, flags, ground, departments, lead, geom, point_geom, marks, closed_at, due_at,
                   warn_at, version)
SELECT '9901' || lpad(n::text, 16, '0'), 's' || 1 + least(5, floor(6 * power(b, 3)))::int, n::text, 'cg', '2013',
       'E' || 1 + floor(150 * power(a, 3))::int, said,
       state, at, at, '{}', true,
       CASE WHEN n % 40 = 0 THEN ARRAY['straddles'] WHEN n % 25 = 0 THEN ARRAY['near_boundary'] ELSE '{}' END,
       ARRAY['admin:city:9901', 'admin:district:' || cell / 4375, 'admin:subdistrict:' || cell / 212,
             'admin:community:' || cell / 10, 'unit_grid:cell:' || cell, 'governance:grid:' || cell / 10,
             'police:precinct:' || cell / 400],
       CASE WHEN n % 3 = 0 THEN ARRAY['d' || lead, 'd' || (lead + 1) % 500] ELSE ARRAY['d' || lead] END, 'd' || lead,
       spot, spot,
       CASE WHEN n % 50 = 0 THEN ARRAY['reworked'] WHEN n % 97 = 0 THEN ARRAY['relapse']
            WHEN state IN ('closed', 'evaluated') AND n % 2 = 0 THEN ARRAY['struck'] ELSE '{}' END,
       CASE WHEN NOT open THEN at + d * interval '10 days' END,
       CASE WHEN open THEN CAST(:now AS timestamptz) + (n % 10000 - 5000) * interval '1 minute' END,
       CASE WHEN open THEN CAST(:now AS timestamptz) + (n % 10000 - 5060) * interval '1 minute' END, 3
FROM generate_series(1, :issues) AS n,
     LATERAL (SELECT (hashint4(n)::bigint + 2147483648) / 4294967296.0 AS a,
                     (hashint4(n + 7)::bigint + 2147483648) / 4294967296.0 AS b,
                     (hashint4(n + 13)::bigint + 2147483648) / 4294967296.0 AS c,
                     (hashint4(n + 29)::bigint + 2147483648) / 4294967296.0 AS d) AS dice,
     LATERAL (SELECT floor(70000 * a)::int AS cell, floor(500 * c)::int AS lead,
                     CAST(:now AS timestamptz) - n * interval '730 days' / :issues AS at,
                     n <= :issues / 10 AND d < 0.9 OR d < 0.01 AS open) AS drawn,
     LATERAL (SELECT CASE WHEN open THEN (ARRAY['filed', 'dispatched', 'handling', 'fed_back', 'inspected', 'returned'])
                                         [1 + floor(6 * b)::int]
                          WHEN c < 0.02 THEN 'voided' WHEN c < 0.12 THEN 'self_handled' WHEN c < 0.4 THEN 'closed'
                          ELSE 'evaluated' END AS state,
                     concat('第 ', n, ' 件：', substr(:signs, 1 + floor(90 * a)::int, 2),
                            substr(:signs, 1 + floor(90 * c)::int, 1), '路', 1 + n % 400, '号附近',
                            (CAST(:matters AS text[]))[1 + floor(20 * power(d, 2))::int], '，已经', 1 + n % 14,
                            '天，影响通行，希望尽快派人处理',
                            CASE WHEN n % 20011 = 0 THEN '，地下管廊渗漏' WHEN n % 1009 = 0 THEN '，还有流浪犬'
                                 WHEN n % 101 = 0 THEN '，夜间施工噪声' END) AS said,
                     ST_Point(118.5 + cell % 280 / 280.0 + b / 280, 35.5 + cell / 280 / 250.0 + c / 250, 4326) AS spot
             ) AS told
ORDER BY n DESC
"""
