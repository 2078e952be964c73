"""Settings that are one of a few words.

Belongs here: the words, with what each means. Does not belong here: the settings (settings.py), and the place that
all of them are of, which is named there.
"""

from enum import StrEnum


class ActivitySource(StrEnum):
    """Where a week's worker activity comes from. One week is never fed from both."""

    FILES = "files"
    LOG = "log"


class CampaignSource(StrEnum):
    """Where weeks of ads and leads come from: the services, or what the archive holds of them."""

    LIVE = "live"
    ARCHIVE = "archive"


class ModelProvider(StrEnum):
    """Where the language model is that writes sentences of reports; `none`: code writes all of them."""

    ANTHROPIC = "anthropic"
    BEDROCK = "bedrock"
    NONE = "none"


class LeadScope(StrEnum):
    """Whose rows a lead sees: everybody's, or those of the own team."""

    ALL = "all"
    TEAM = "team"
