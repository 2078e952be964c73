"""The version of PRISM, in its one place: the wheel, `prism --version`, the API and the screens take it from here.

Belongs here: that line. Does not belong here: what a change of it means (docs/upgrades.md).
"""

from typing import Final

VERSION: Final = "0.1.0"
