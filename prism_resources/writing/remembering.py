"""A model whose answers are kept: asked once for one week and one question, and never in a replay.

Belongs here: the archive of answers, finding one by its question, and opening the model by the settings. Does not
belong here: the call (claude.py) and what is asked (passes.py).
The same figures ask the same question, so that a report that is made again says the same and costs nothing.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from prism_core import clock
from prism_core.calendar import Week
from prism_core.failures import PermanentFailure
from prism_core.reports.content import Fallback
from prism_core.settings import ANTHROPIC_URL, ModelProvider, Settings
from prism_resources.archive import CLAUDE, Archive, Reading, Writing
from prism_resources.aws import credentials
from prism_resources.credentials import claude_credentials
from prism_resources.lake import Lake
from prism_resources.wire.exchanges import Exchange, Scrubber
from prism_resources.writing.claude import Claude, Keep, Prices, Signing, Spent, message_of, text_of
from prism_resources.writing.passes import PROMPT, Unusable, Written

WHAT: Final = "campaign"
_PATH: Final = "/v1/messages"


@dataclass(frozen=True, slots=True)
class _Answer:
    """How one question ended: the number of the exchange with its answer, or why there is none."""

    question: str
    model: str
    part: int
    fallback: str | None = None
    detail: str = ""


@dataclass(slots=True)
class Remembering:
    """A model for the sentences of one week; a context manager. `live`: it may be asked what is not kept.

    `spent` are its calls, `recalled` how many answers were kept already.
    """

    settings: Settings
    lake: Lake
    week: Week
    live: bool
    model: str = field(init=False)
    spent: list[Spent] = field(default_factory=list[Spent])
    recalled: int = 0
    _given: list[_Answer] = field(default_factory=list[_Answer])
    _outcome: Fallback | None = None
    _writing: Writing | None = None
    _claude: Claude | None = None
    _parts: int = 0
    _readings: list[Reading] | None = None

    def __post_init__(self) -> None:
        self.model = self.settings.model_name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._claude is not None:
            self._claude.__exit__()
        if self._writing is not None:
            with self._writing as writing:
                if error is None:
                    writing.complete(self._facts())

    def ended(self, written: Written) -> None:
        """What became of the answers: those that gave no words are not taken again, but in a replay."""
        self._outcome = written.provenance.fallback

    def ask(self, step: str, system: str, turns: list[tuple[str, str]], schema: Mapping[str, Any]) -> str:
        """The kept answer, or one that is asked for. Raises Unusable."""
        if self.live and self.settings.model_provider is ModelProvider.NONE:
            raise Unusable(Fallback.NO_KEY, "model_provider is none")
        question = _question(system, turns)
        if (kept := self._kept(step, question)) is not None:
            self.recalled += 1
            return kept
        if not self.live:
            raise Unusable(self._why_not_asked(), f"pass {step}: the archive holds no answer to this question")
        claude = self._opened()
        fallback, detail = None, ""
        try:
            return claude.ask(step, system, turns, schema)
        except Unusable as reason:
            fallback, detail = reason.fallback.name, reason.detail
            raise
        finally:
            self._given.append(_Answer(question, self.model, self._parts, fallback, detail))

    def _kept(self, step: str, question: str) -> str | None:
        for reading, one in self._answers():
            if one.question != question or (self.live and one.model != self.model):
                continue
            self.model = one.model
            if one.fallback is not None:
                raise Unusable(Fallback[one.fallback], one.detail)
            exchanges = list(reading.exchanges())
            return text_of(step, message_of(step, exchanges[one.part - 1].body))
        return None

    def _answers(self) -> Iterator[tuple[Reading, _Answer]]:
        """Newest first; live only those that gave the words of a report."""
        if self._readings is None:
            self._readings = Archive(self.lake, CLAUDE).readings(self.week, WHAT)
        for reading in reversed(self._readings):
            if not self.live or reading.facts["fallback"] is None:
                yield from ((reading, _Answer(**one)) for one in reading.facts["answers"])

    def _opened(self) -> Claude:
        """Asked for the first time: then answers are archived, too. Raises Unusable where nobody can be asked."""
        if self._claude is None:
            key = key_of(self.settings)
            now = clock.now()
            self._writing = Archive(self.lake, CLAUDE).begin(self.week, WHAT, now)
            scrubber = Scrubber([key if isinstance(key, str) else key.secret_key])
            self._claude = claude_of(self.settings, key, self._keep(self._writing, scrubber))
            self.spent = self._claude.spent
        return self._claude

    def _keep(self, writing: Writing, scrubber: Scrubber) -> Keep:
        def keep(
            step: str, asked: Mapping[str, Any], status: int, headers: Mapping[str, str], body: bytes
        ) -> None:
            at, kept = clock.now().isoformat(), scrubber.headers(headers)
            writing.keep(Exchange(step, "POST", _PATH, asked, at, status, kept, scrubber.body(body)))
            writing.settle()
            self._parts += 1

        return keep

    def _why_not_asked(self) -> Fallback:
        try:
            key_of(self.settings)
        except Unusable as reason:
            return reason.fallback
        return Fallback.NOT_ASKED

    def _facts(self) -> dict[str, Any]:
        outcome = None if self._outcome is None else self._outcome.name
        answers = [
            {"question": one.question, "model": one.model, "part": one.part}
            | ({} if one.fallback is None else {"fallback": one.fallback, "detail": one.detail})
            for one in self._given
        ]
        return {"prompt": PROMPT, "fallback": outcome, "answers": answers}


def key_of(settings: Settings) -> str | Signing:
    """What the model is asked with. Raises Unusable when none is set up, with what to do."""
    try:
        match settings.model_provider:
            case ModelProvider.ANTHROPIC:
                return claude_credentials(settings).api_key
            case ModelProvider.BEDROCK:
                found = credentials(settings).get_frozen_credentials()
                return Signing(settings.region, found.access_key or "", found.secret_key or "", found.token)
            case ModelProvider.NONE:
                raise Unusable(Fallback.NO_KEY, "model_provider is none")
    except PermanentFailure as error:
        raise Unusable(Fallback.NO_KEY, str(error)) from error


def claude_of(settings: Settings, key: str | Signing, keep: Keep) -> Claude:
    """The model of the settings."""
    url = str(settings.claude_api_url).rstrip("/")
    # Bedrock's own address follows from the region, unless a person, or the platform, names another one.
    elsewhere = isinstance(key, str) or url != ANTHROPIC_URL
    read, written = settings.model_read_price, settings.model_written_price
    return Claude(
        settings.model_name,
        keep,
        key=key,
        base_url=url if elsewhere else None,
        seconds=settings.model_timeout_seconds,
        prices=None if read is None or written is None else Prices(read, written),
        budget=settings.model_budget,
    )


def _question(system: str, turns: list[tuple[str, str]]) -> str:
    text = json.dumps([system, turns], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
