"""The SQL of StateIntervals: how changes become states with the instants between which they held.

Belongs here: statements and column types, and nothing that runs them. Does not belong here: connections, Arrow.

An item's changes stand in the order they were made (`place`), behind them the row of now as a last event that
carries every column. What a column held before an event is the first text at or behind it: the log has the
value before of each field that changed, so an untouched one is found at the next event that touches it. One
window a column finds them all; nothing is replayed, and nothing before the first instant asked for is read.
"""

from collections.abc import Sequence
from typing import Final

from prism_core.lake import Column, ColumnType
from prism_resources.history.text import RECORDED_LATE

TYPES: Final[dict[ColumnType, str]] = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
# Behind every change: no version comes near.
_NOW = 2**62
# An item that was created again at an old version: its second life stands behind its first.
LIFE = 2**40
_DAY_US = 86_400 * 1_000_000


def create_tables(columns: Sequence[Column]) -> list[str]:
    texts = "".join(f", {name} VARCHAR" for name in names(columns))
    made = "version BIGINT, instant TIMESTAMP, ulid VARCHAR, operation VARCHAR, place BIGINT"
    return [
        f"CREATE TABLE now_rows (item VARCHAR, version BIGINT{texts})",
        f"CREATE TABLE changes (item VARCHAR, {made}{texts})",
    ]


def insert_rows(key: str, columns: Sequence[Column]) -> str:
    return f'INSERT INTO now_rows SELECT "{key}", version{_quoted(columns)} FROM arriving'  # noqa: S608


def insert_changes(key: str, columns: Sequence[Column]) -> str:
    # The version is the place, but for the few items that `RESTARTED` finds.
    return (
        f'INSERT INTO changes SELECT "{key}", version, CAST(instant AS TIMESTAMP), ulid, operation, version'  # noqa: S608
        f"{_quoted(columns)} FROM arriving"
    )


# Items created again at a version that an earlier deletion had reached: there the instants tell the lives apart.
RESTARTED: Final = """
    CREATE OR REPLACE TEMP TABLE restarted AS
    SELECT DISTINCT born.item FROM changes AS born JOIN changes AS ended USING (item)
    WHERE born.operation = 'create' AND ended.operation = 'delete'
      AND ended.version >= born.version AND ended.instant < born.instant
"""
CHANGES_OF_RESTARTED: Final = """
    SELECT item, version, epoch_us(instant), ulid, operation FROM changes SEMI JOIN restarted USING (item)
"""
MOVE_LATER_LIVES: Final = f"""
    UPDATE changes SET place = lives.life * {LIFE} + version FROM lives
    WHERE changes.item = lives.item AND changes.ulid = lives.ulid
"""  # noqa: S608 - a constant of this module

# Items whose changes do not end where the row of now stands: the row was read before the last of them.
ENDS: Final = """
    CREATE OR REPLACE TEMP TABLE ends AS
    WITH heads AS (
        SELECT item, min_by(version, place) AS first_version, max_by(version, place) AS last_version,
               max_by(operation, place) AS last_operation
        FROM changes GROUP BY item)
    SELECT item, first_version, last_version, now_rows.version AS row_version
    FROM heads LEFT JOIN now_rows USING (item)
    WHERE CASE WHEN now_rows.version IS NULL THEN last_operation <> 'delete'
               ELSE last_version <> now_rows.version END
"""
CUTS: Final = """
    CREATE OR REPLACE TEMP TABLE cuts AS
    SELECT item, any_value(row_version) AS row_version, any_value(first_version) AS first_version,
           any_value(last_version) AS last_version,
           max(place) FILTER (CASE WHEN row_version IS NULL THEN operation = 'delete'
                                   ELSE version = row_version END) AS upto
    FROM ends JOIN changes USING (item) GROUP BY item
"""
ODD: Final = "SELECT item FROM intervals JOIN items USING (id) WHERE odd LIMIT 1"
ROWS_TOO_NEW: Final = """
    SELECT item, row_version, last_version FROM cuts
    WHERE upto IS NULL AND row_version IS NOT NULL AND first_version <= row_version LIMIT 1
"""


def cut_too_old(began_us: int) -> str:
    """A change that its row contradicts, and that was made before the row was read."""
    return f"""
        SELECT item, version, epoch_us(instant), row_version FROM cuts JOIN changes USING (item)
        WHERE place > coalesce(upto, -1) AND epoch_us(instant) < {began_us} LIMIT 1
    """  # noqa: S608 - a whole number


CUT: Final = "DELETE FROM changes USING cuts WHERE changes.item = cuts.item AND place > coalesce(upto, -1)"

GAPS: Final = """
    SELECT item, version, epoch_us(instant), operation FROM (
        SELECT item, version, instant, operation, place,
               lag(version) OVER made AS earlier_version, lag(operation) OVER made AS earlier
        FROM changes WINDOW made AS (PARTITION BY item ORDER BY place))
    WHERE earlier IS NOT NULL AND CASE
        WHEN operation = 'create' THEN earlier <> 'delete'
        ELSE earlier = 'delete' OR version <> earlier_version + 1 END
    LIMIT 1
"""

NUMBER_ITEMS: Final = """
    CREATE TABLE items AS
    SELECT item, CAST(row_number() OVER (ORDER BY item) - 1 AS INTEGER) AS id
    FROM (SELECT item FROM now_rows UNION SELECT item FROM changes)
"""

ITEMS: Final = "SELECT item FROM items ORDER BY id"


def number_days(instants_us: Sequence[int]) -> str:
    """For every day between the first and the last instant: how many lie before it, and those within it.

    A change finds the first instant that it is in by its day: an as-of join of a million changes took 1 to 2 GB.
    """
    return f"""
        CREATE OR REPLACE TEMP TABLE days AS
        WITH asked AS (SELECT unnest({list(instants_us)}::BIGINT[]) AS us),
        within AS (SELECT us // {_DAY_US} AS day, list(us) AS inner_us FROM asked GROUP BY day),
        every AS (SELECT unnest(range((SELECT min(day) FROM within), (SELECT max(day) FROM within) + 1)) AS day)
        SELECT CAST(day AS INTEGER) AS day, inner_us,
               coalesce(sum(len(inner_us)) OVER (
                   ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::INTEGER AS before
        FROM every LEFT JOIN within USING (day)
    """  # noqa: S608 - whole numbers


def intervals(columns: Sequence[Column], instants_us: Sequence[int]) -> str:
    """Every state that held at one of the instants or holds now: `from_slot` to before `to_slot`.

    Slots are the numbers of the sorted instants; now is the slot behind the last one. `odd` are events that do not
    follow from the one before: kept whatever they span, so that they are seen.
    """
    now = len(instants_us)
    first_day = min(instants_us) // _DAY_US
    carried = "".join(f", {name}" for name in names(columns))
    last = "".join(f", coalesce({name}, chr(0)) AS {name}" for name in names(columns))
    so_far = "PARTITION BY id ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING"
    behind = "PARTITION BY id ORDER BY place ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING"
    found = "".join(f", first_value({name} IGNORE NULLS) OVER ({behind}) AS {name}" for name in names(columns))
    typed = "".join(
        f", {_typed(name, column)} AS {name}" for name, column in zip(names(columns), columns, strict=True)
    )
    return f"""
        CREATE OR REPLACE TEMP TABLE intervals AS
        WITH slotted AS (
            SELECT id, place, version, operation,
                   CASE WHEN before IS NOT NULL
                        THEN before + coalesce(len(list_filter(inner_us, lambda us: us < epoch_us(instant))), 0)
                        WHEN epoch_us(instant) // {_DAY_US} < {first_day} THEN 0 ELSE {now} END AS slot{carried}
            FROM changes JOIN items USING (item)
            LEFT JOIN days ON days.day = epoch_us(instant) // {_DAY_US}),
        events AS (
            SELECT * FROM slotted
            UNION ALL
            SELECT id, {_NOW}, version, 'now', {now + 1}{last} FROM now_rows JOIN items USING (item)),
        states AS (
            SELECT id, coalesce(lag(version) OVER made, version - (operation <> 'now')::BIGINT) AS version,
                   coalesce(lag(operation) OVER made <> 'delete', operation <> 'create') AS stands,
                   coalesce(max(slot) OVER ({so_far} AND 1 PRECEDING), 0) AS from_slot,
                   max(slot) OVER ({so_far} AND CURRENT ROW) AS to_slot,
                   CASE WHEN lead(place) OVER made IS NULL AND operation <> 'now' THEN operation <> 'delete'
                        WHEN lag(place) OVER made IS NULL THEN false
                        WHEN operation = 'now'
                        THEN lag(operation) OVER made = 'delete' OR lag(version) OVER made <> version
                        WHEN operation = 'create' THEN lag(operation) OVER made <> 'delete'
                        ELSE lag(operation) OVER made = 'delete' OR lag(version) OVER made + 1 <> version
                   END AS odd{found}
            FROM events WINDOW made AS (PARTITION BY id ORDER BY place))
        SELECT id, version, CAST(from_slot AS INTEGER) AS from_slot, CAST(to_slot AS INTEGER) AS to_slot,
               odd{typed}
        FROM states WHERE odd OR (stands AND from_slot < to_slot)
    """  # noqa: S608 - names of columns that the caller has checked


def of_weeks(week: str, kind: ColumnType, now: int) -> str:
    """The items of each week asked for: as they stood at its instant, else as they stand now, recorded late."""
    label = f"strftime({week}, '%G-W%V')" if kind == "date" else week
    return f"""
        WITH placed AS (
            SELECT intervals.*, asked.slot, from_slot <= asked.slot AND asked.slot < to_slot AS stood
            FROM intervals JOIN asked ON asked.label = {label})
        SELECT * EXCLUDE (stood, from_slot, to_slot, odd), NOT stood AS {RECORDED_LATE}
        FROM placed WHERE stood OR (to_slot = {now + 1} AND id NOT IN (SELECT id FROM placed WHERE stood))
        ORDER BY slot, id
    """  # noqa: S608 - our own names


def names(columns: Sequence[Column]) -> list[str]:
    """What the columns are called in here: a field may be called as a column of our own."""
    return [f"c{number}" for number in range(len(columns))]


def _typed(name: str, column: Column) -> str:
    if column.type == "string":
        return f"CASE WHEN starts_with({name}, chr(0)) THEN nullif(substr({name}, 2), '') ELSE {name} END"
    return f"CAST(nullif({name}, chr(0)) AS {TYPES[column.type]})"


def _quoted(columns: Sequence[Column]) -> str:
    return "".join(f', "{column.name}"' for column in columns)
