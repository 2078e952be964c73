"""Whether the next reading of HubSpot will work, looked at before it is needed.

Belongs here: the token and its permission, and that the properties of the settings exist. Does not belong here:
readings (source.py) and who is told.
A search answers an unknown property with nothing: a misspelt one would make every lead one without ids.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from prism_core.failures import PrismFailure
from prism_core.settings import Settings
from prism_resources.hubspot.contacts import contacts
from prism_resources.hubspot.source import ad_ids, hubspot_calls
from prism_resources.wire.calls import Calls, Refused, keep_nothing
from prism_resources.wire.findings import Finding, Level
from prism_resources.wire.patience import Patience, tell_nobody

TOKEN, PROPERTIES = "hubspot token", "hubspot properties"
_PROPERTY_PATH: Final = "/crm/v3/properties/contacts/"


def check_hubspot(settings: Settings, now: datetime, patience: Patience | None = None) -> list[Finding]:
    """Every finding about HubSpot; raises nothing."""
    try:
        with hubspot_calls(settings, patience or Patience(most_seconds=60), keep_nothing) as calls:
            where = ad_ids(settings)
            # A span in which nobody is made: the permission is looked at, and no contact.
            next(contacts(calls, now + timedelta(days=366), now + timedelta(days=367), where, tell_nobody), None)
            named = (where.campaign, where.adset, where.ad)
            return [Finding(TOKEN, Level.OK, "the token may read contacts"), *_properties(calls, named)]
    except PrismFailure as error:
        return [Finding(TOKEN, Level.FAILED, str(error))]


def _properties(calls: Calls, named: tuple[str, ...]) -> Iterator[Finding]:
    for name in named:
        try:
            calls.get("property", f"{_PROPERTY_PATH}{name}", {})
        except Refused as error:
            yield Finding(
                PROPERTIES,
                Level.WARNING,
                f"contacts have no property {name} ({error}); make it in HubSpot, or name another in the settings",
            )
        else:
            yield Finding(PROPERTIES, Level.OK, f"contacts have the property {name}")
