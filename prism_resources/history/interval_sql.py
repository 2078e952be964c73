"""The SQL of StateIntervals: changes and rows in the order in which they were made, and what is wrong with them.

Belongs here: statements, and nothing that runs them. Does not belong here: the texts of columns and what held when
(states.py), connections, Arrow.

An item's changes stand in the order they were made (`place`), behind them the row of now as a last event. No text
of a column is here: rows and changes have a `number` by which these are found again.
"""

from typing import Final

# Operations as numbers; the row of now is one of them.
CREATE, UPDATE, DELETE, NOW = range(4)
# Behind every change: no version comes near.
_LAST = 2**62
# An item that was created again at an old version: its second life stands behind its first.
LIFE = 2**40

CREATE_TABLES: Final = """
    CREATE TABLE now_rows (item VARCHAR, version BIGINT, number INTEGER);
    CREATE TABLE changes (
        item VARCHAR, version BIGINT, instant TIMESTAMP, ulid VARCHAR, operation VARCHAR, place BIGINT,
        number INTEGER)
"""


def insert_rows(key: str) -> str:
    return f'INSERT INTO now_rows SELECT "{key}", version, number FROM arriving'  # noqa: S608


def insert_changes(key: str) -> str:
    # The version is the place, but for the few items that `RESTARTED` finds.
    made = "version, CAST(instant AS TIMESTAMP), ulid, operation, version, number"
    return f'INSERT INTO changes SELECT "{key}", {made} FROM arriving'  # noqa: S608


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

EVENTS: Final = f"""
    SELECT id, version, us, operation, number FROM (
        SELECT id, place, version, epoch_us(instant) AS us,
               CAST(CASE operation WHEN 'create' THEN {CREATE} WHEN 'delete' THEN {DELETE} ELSE {UPDATE} END
                    AS TINYINT) AS operation, number
        FROM changes JOIN items USING (item)
        UNION ALL
        SELECT id, {_LAST}, version, {_LAST}, {NOW}, number FROM now_rows JOIN items USING (item))
    ORDER BY id, place
"""  # noqa: S608 - constants of this module
