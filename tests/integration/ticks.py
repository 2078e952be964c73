"""Ticks of sensors as the daemon evaluates them, for several modules."""

from dataclasses import dataclass

import dagster as dg

from prism_assets.definitions import build_definitions
from prism_assets.resources import PrismResource
from prism_core.calendar import Week, WeekRange
from prism_core.settings import load_settings
from prism_sensors.asking import RANGE_END, RANGE_START
from tests.integration.moving_clock import Clock


@dataclass
class Tick:
    """What came of it. `asked` holds weeks and assets of each request, in order."""

    requests: list[dg.RunRequest]
    cursor: str | None
    said: str | None

    @property
    def asked(self) -> list[tuple[str, list[str]]]:
        return sorted((str(weeks_of(one)), names_of(one)) for one in self.requests)

    def weeks_of(self, asset: str) -> list[str]:
        """Every week for which an asset was asked."""
        return sorted(week.label for one in self.requests if asset in names_of(one) for week in weeks_of(one))


class Sensor:
    """A sensor whose first tick has been: from here on it sees what is new."""

    def __init__(self, name: str, instance: dg.DagsterInstance, clock: Clock) -> None:
        self._name, self._instance, self._clock = name, instance, clock
        self._cursor = tick(name, instance, None).cursor

    def tick(self) -> Tick:
        self._clock.forward(1)
        found = tick(self._name, self._instance, self._cursor)
        self._cursor = found.cursor
        return found


def tick(sensor: str, instance: dg.DagsterInstance, cursor: str | None) -> Tick:
    """Evaluate a sensor of the location once."""
    definitions = build_definitions(load_settings())
    with dg.build_sensor_context(
        instance=instance,
        cursor=cursor,
        repository_def=definitions.get_repository_def(),
        resources={"prism": PrismResource()},
    ) as context:
        found = definitions.resolve_sensor_def(sensor).evaluate_tick(context)
    return Tick(list(found.run_requests or []), found.cursor, found.skip_message)


def weeks_of(request: dg.RunRequest) -> WeekRange:
    return WeekRange(Week.parse(request.tags[RANGE_START]), Week.parse(request.tags[RANGE_END]))


def names_of(request: dg.RunRequest) -> list[str]:
    return sorted(key.to_user_string() for key in request.asset_selection or ())
