"""Mixed-integer programs, the one place that knows HiGHS.

Belongs here: a typed model by rows, its solution within limits, and the bound that was proven. Does not belong
here: what columns and rows stand for (polish.py, packing.py).
One thread and a fixed seed: equal input gives an equal answer unless the time limit strikes, which is told.
"""

from dataclasses import dataclass, field, replace
from typing import Final

import highspy
import numpy as np
from numpy.typing import NDArray

from prism_core.capacity.supply import Ints
from prism_core.failures import PermanentFailure

Floats = NDArray[np.float64]
INFINITY: Final = 1e30
_MAXIMISE: Final = -1
_BY_ROW: Final = 2
_SAME: Final = 1e-6


@dataclass(slots=True)
class Model:
    """Columns with worth, bounds and whether they are whole; rows as entries with bounds. Maximised."""

    worth: Floats
    lower: Floats
    upper: Floats
    whole: NDArray[np.bool_]
    rows: int = 0
    _row: list[Ints] = field(default_factory=list[Ints])
    _column: list[Ints] = field(default_factory=list[Ints])
    _value: list[Floats] = field(default_factory=list[Floats])
    _least: list[Floats] = field(default_factory=list[Floats])
    _most: list[Floats] = field(default_factory=list[Floats])

    def add(self, row: Ints, column: Ints, value: Floats, least: Floats, most: Floats) -> None:
        """Rows numbered from 0, as many as bounds; entries in any order, each place once."""
        self._row.append(row + self.rows)
        self._column.append(column)
        self._value.append(value)
        self._least.append(least)
        self._most.append(most)
        self.rows += len(least)

    def matrix(self) -> tuple[Ints, Ints, Floats, Floats, Floats]:
        """Starts of the rows, columns, values, and the bounds of the rows."""
        row, column, value = np.concatenate(self._row), np.concatenate(self._column), np.concatenate(self._value)
        order = np.lexsort((column, row))
        starts = np.searchsorted(row[order], np.arange(self.rows)).astype(np.int64)
        return starts, column[order], value[order], np.concatenate(self._least), np.concatenate(self._most)


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop: seconds, nodes of the tree, and a gap as a share that is good enough.

    `near`: decide only about columns of which the start and the program without whole columns do not say the same.
    """

    seconds: float
    nodes: int
    gap: float
    near: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The values of the columns (None: none found), the proven bound, and whether time ran out."""

    values: Floats | None
    bound: float
    timed: bool


def maximise(model: Model, limits: Limits, start: tuple[Ints, Floats] | None = None) -> Answer:
    """The best values within the limits, from the known values of some columns on when there are any.

    Raises PermanentFailure when the model has no solution at all.
    """
    solver = highspy.Highs()
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("parallel", "off"),
        ("random_seed", 0),
        ("time_limit", limits.seconds),
        ("mip_max_nodes", limits.nodes),
        ("mip_rel_gap", limits.gap),
    ):
        solver.setOptionValue(option, value)
    starts, column, value, least, most = model.matrix()
    columns = len(model.worth)
    solver.passModel(
        columns, model.rows, len(column), _BY_ROW, _MAXIMISE, 0.0, model.worth, model.lower, model.upper,
        least, most, starts.astype(np.int32), column.astype(np.int32), value, model.whole.astype(np.int32),
    )  # fmt: skip
    if start is not None:
        solver.setSolution(len(start[0]), start[0].astype(np.int32), start[1])
    solver.run()
    verdict = solver.getModelStatus()
    if verdict in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        raise PermanentFailure(f"the program of {columns} columns and {model.rows} rows has no solution")
    info = solver.getInfo()
    solution = solver.getSolution()
    has = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    return Answer(
        values=np.array(solution.col_value, np.float64) if has else None,
        bound=float(info.mip_dual_bound) if model.whole.any() else float(info.objective_function_value),
        timed=verdict == highspy.HighsModelStatus.kTimeLimit,
    )


def maximise_near(model: Model, limits: Limits, start: tuple[Ints, Floats]) -> Answer:
    """Values between a start that keeps every row and the program without whole columns, which gives the bound.

    About twice as quick as the whole program, whose time goes into cuts before its first decision.
    """
    loose = maximise(replace(model, whole=np.zeros_like(model.whole)), limits)
    if loose.values is None or loose.timed:
        return Answer(None, INFINITY, timed=True)
    column, value = start
    same = column[model.whole[column] & (np.abs(loose.values[column] - value) < _SAME)]
    said = np.zeros(len(model.worth))
    said[column] = value
    lower, upper = model.lower.copy(), model.upper.copy()
    lower[same] = upper[same] = said[same]
    near = maximise(replace(model, lower=lower, upper=upper), limits, start)
    return replace(near, bound=loose.bound)
