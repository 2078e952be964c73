"""From which confidence on a finding keeps an image from being published.

Belongs here: the limits by category, which settings hold, and which category of the analyser is which. Does not
belong here: the decision (gate.py).
"""

from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field

from prism_core.models.base import Model, Percent

# From here on everything is asked for and kept, so that stricter limits can be tried without asking again.
LEAST_CONFIDENCE: Final = 20
# A limit below what is asked for would hold back what nobody hears of.
Limit = Annotated[Percent, Field(ge=LEAST_CONFIDENCE)]


class GateThresholds(Model):
    """Percent of confidence from which on an image is held back. 100 holds back what is certain only.

    Lower is stricter. The analyser is asked for everything from 20 on, so that any limit from there can be tried.
    """

    explicit: Limit = Field(default=Decimal(60), description="explicit pictures")
    nudity: Limit = Field(default=Decimal(80), description="nudity that is not explicit, kissing")
    swimwear: Limit = Field(default=Decimal(95), description="swimwear or underwear")
    violence: Limit = Field(default=Decimal(80), description="violence")
    disturbing: Limit = Field(default=Decimal(80), description="visually disturbing")
    drugs: Limit = Field(default=Decimal(80), description="drugs and tobacco")
    alcohol: Limit = Field(default=Decimal(95), description="alcohol")
    gestures: Limit = Field(default=Decimal(80), description="rude gestures")
    gambling: Limit = Field(default=Decimal(90), description="gambling")
    hate: Limit = Field(default=Decimal(50), description="symbols of hate")
    other: Limit = Field(default=Decimal(80), description="every category that is new")

    def of(self, category: str) -> Percent:
        """The limit of a category as the analyser names it; one that is new here has that of `other`."""
        limit: Percent = getattr(self, field_of(category))
        return limit

    def with_limit(self, limit: Percent, field: str | None = None) -> "GateThresholds":
        """The same with another limit, for one field or for all of them."""
        names = [field] if field is not None else list(GateThresholds.model_fields)
        return self.model_copy(update=dict.fromkeys(names, limit))


# The top of a branch, in both versions of the taxonomy that are in use.
_FIELDS: Final = {
    "explicit": "explicit",
    "explicit nudity": "explicit",
    "non-explicit nudity of intimate parts and kissing": "nudity",
    "suggestive": "nudity",
    "swimwear or underwear": "swimwear",
    "violence": "violence",
    "visually disturbing": "disturbing",
    "drugs & tobacco": "drugs",
    "drugs": "drugs",
    "tobacco": "drugs",
    "alcohol": "alcohol",
    "rude gestures": "gestures",
    "gambling": "gambling",
    "hate symbols": "hate",
}


def field_of(category: str) -> str:
    """Which limit holds for a category."""
    return _FIELDS.get(category.casefold(), "other")
