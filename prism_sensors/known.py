"""The assets that there are, as schedules and sensors see them.

Belongs here: which of some names exist, in which group, and what stands downstream. A domain that is not built is
no asset, and nothing asks for it. Does not belong here: the assets (prism_assets).
"""

from collections import defaultdict
from collections.abc import Iterable

import dagster as dg

REPORTS = "reports"


class KnownAssets:
    """Weekly and other assets of the location, by name."""

    def __init__(self, specs: Iterable[dg.AssetSpec], weekly: dg.PartitionsDefinition) -> None:
        self._specs = {spec.key.to_user_string(): spec for spec in specs}
        self._weekly = weekly
        self._children: defaultdict[str, set[str]] = defaultdict(set)
        for name, spec in self._specs.items():
            # A report is mailed: it is made when it is due, and what moves after that is told by the next one.
            for dep in () if spec.group_name == REPORTS else spec.deps:
                self._children[dep.asset_key.to_user_string()].add(name)

    @classmethod
    def of(cls, definitions: dg.Definitions, weekly: dg.PartitionsDefinition) -> "KnownAssets":
        assets = [asset for asset in definitions.assets or () if isinstance(asset, dg.AssetsDefinition)]
        return cls([spec for asset in assets for spec in asset.specs], weekly)

    def named(self, *names: str) -> list[str]:
        """Those of the names that exist and are weekly, in order."""
        return [name for name in names if self.is_weekly(name)]

    def in_groups(self, *groups: str) -> list[str]:
        """The weekly assets of these groups, by name."""
        return sorted(
            name for name, spec in self._specs.items() if spec.group_name in groups and self.is_weekly(name)
        )

    def exists(self, name: str) -> bool:
        return name in self._specs

    def is_weekly(self, name: str) -> bool:
        return name in self._specs and self._specs[name].partitions_def == self._weekly

    def children(self, name: str) -> list[str]:
        """The weekly assets that read this one, but for reports."""
        return sorted(child for child in self._children[name] if self.is_weekly(child))

    def with_downstream(self, *names: str) -> list[str]:
        """These weekly assets and all that is computed from them."""
        found, waiting = set[str](), self.named(*names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.children(name)
        return sorted(found)

    def names(self) -> list[str]:
        return sorted(self._specs)


def keys(names: Iterable[str]) -> list[dg.AssetKey]:
    return [dg.AssetKey(name) for name in names]
