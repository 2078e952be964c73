"""The export at its real parts.

Why real: what is promised is about what lies in the bucket after real scans of real tables, and about kills.
"""

import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow.parquet as pq

from infra.local.platform import Platform
from prism_core.calendar import Week, WeekRange
from prism_core.lake_tables import ALLOCATIONS, EXPORTED, MEMBERS, QUALITY
from prism_core.models.people import Member, Skill
from prism_core.models.work import Allocation, QualityReview
from prism_core.tables import TABLES
from prism_resources.aws import client
from prism_resources.export.engine import Export
from prism_resources.lake import Lake
from prism_resources.tables.store import TableStore


def test_it(platform: Platform):
    s = platform.settings
    db = client(s, "dynamodb")
    m = TableStore(db, s, TABLES["members"], Member)
    w1 = Week.parse("2018-W34")
    who = dict(actor="t", reason="r", request_id="q")
    a = m.create(Member(member_id="M-1", name="Ann", email="a@b.c", time_zone="UTC", skills=(Skill(name="x", level=2),)), now=w1.start, **who)
    m.update(a.model_copy(update={"team": "T"}), expected_version=1, now=(w1 + 1).start + timedelta(hours=3), **who)
    q = TableStore(db, s, TABLES["quality"], QualityReview)
    for i in range(3):
        q.create(QualityReview(member_id="M-1", week=w1 + i % 2, project_id="P-1", review_id=f"R-{i}", category="c", reviewed=10, correct=9, reviewer="L", reviewed_at=w1.start, notes='say "hi"\n'), now=w1.start, **who)
    al = TableStore(db, s, TABLES["allocations"], Allocation)
    al.create(Allocation(member_id="M-1", week=w1, project_id="P-1", hours={w1.monday: Decimal("7.50")}), now=w1.start, **who)
    al.create(Allocation(member_id="M-2", week=w1, project_id="P-1", hours={w1.monday: Decimal("8")}), now=(w1 + 2).start, **who)
    lake = Lake(s)
    import time
    for n in range(2):
        t = time.perf_counter()
        out = Export(s, lake, now=(w1 + 3).start).run(list(EXPORTED.values()), WeekRange(w1, w1 + 3))
        print(time.perf_counter() - t)
        for o in out:
            print(o.table, o.items, o.rows, o.written, o.unchanged, o.notes)
    for table in (MEMBERS, QUALITY, ALLOCATIONS, EXPORTED["changelog"]):
        for w in WeekRange(w1, w1 + 3):
            p = table.partition(w)
            print(table.name, w, lake.read_partition(table, w).to_pylist(), gzip.decompress(lake.get(p.jsonl)))
    print(lake.get(p.manifest))
    assert 0
