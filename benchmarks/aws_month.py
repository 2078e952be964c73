"""What a month of PRISM costs on AWS: `python -m benchmarks.aws_month` prints what docs/cost.md quotes.

Belongs here: the load of the reference programme, one formula a line of the bill, and the tables. Does not belong
here: prices (aws_prices.py), what the templates declare (aws_declared.py), events by the second (events_scale.py).
Idle parts are in it, free tiers are not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.aws_declared import Declared, declared
from benchmarks.aws_prices import MONTHLY, PRICES

HERE: Final = declared()
SCALES: Final = (1, 10, 100)
HOURS, WEEKS, DAYS = 730, 52 / 12, 30
GB, KB = 1e9, 1e3


@dataclass(frozen=True, slots=True)
class Load:
    """A month of a programme. The reference is 79 members and 2.5 million annotations a year."""

    scale: int

    @property
    def members(self) -> int:
        return 79 * self.scale

    @property
    def projects(self) -> int:
        return 88 * self.scale

    @property
    def annotations(self) -> float:
        return 2_500_000 / 12 * self.scale

    @property
    def api_calls(self) -> float:
        """Every member asks 60 times on each of 21 days; screens ask in the background, too."""
        return self.members * 60 * 21

    @property
    def events(self) -> float:
        """One event of 1 kB from the tools around for every annotation."""
        return self.annotations

    @property
    def rows(self) -> float:
        """Rows of throughput a week: a member works on two and a half projects."""
        return self.members * 2.5

    @property
    def images(self) -> float:
        return 200 * self.scale

    @property
    def mails(self) -> float:
        """A weekly letter to everybody, alerts to leads, reports."""
        return self.members * WEEKS * 2

    @property
    def queries(self) -> float:
        """Dashboards and people: 40 a day, more slowly growing than the data."""
        return 40 * 21 * self.scale**0.5

    @property
    def lake_gb(self) -> float:
        """A year of Parquet at 60 bytes a row of some tables, its versions, and the raw records at 600 bytes."""
        raw_months = HERE.raw_days / DAYS
        return (self.rows * 52 * 12 * 60 * 2 + (self.annotations * 600 + self.events * 700) * raw_months) / GB


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the bill: what it counts, in words, and in dollars."""

    name: str
    formula: str
    dollars: Callable[[Load], float]


def _price(name: str) -> float:
    return (PRICES.get(name) or MONTHLY[name]).value


def _writes(load: Load) -> float:
    """Write units: a row with its two indexes twice a week, written and deleted; events at eight and two a pack of
    five; edits at six."""
    return load.rows * WEEKS * 2 * 3 * 2 + load.events * 8.4 + load.api_calls * 0.1 * 6


def _reads(load: Load) -> float:
    """Read units: an API call reads 100 kB, an export everything once a week."""
    return load.api_calls * 13 + load.rows * 52 * WEEKS


def _stored(load: Load, here: Declared) -> float:
    held = load.rows * 52 * 1.5 * KB + load.events * here.events_days / DAYS * 2 * KB
    return held / GB * (_price("ddb_gb") + _price("pitr_gb"))


def _s3(load: Load) -> float:
    return load.lake_gb * _price("s3_gb") + 60_000 * load.scale**0.5 * _price("s3_put")


def _athena(load: Load) -> float:
    """A query reads 10 MB at least, and a twentieth of the lake at most: weeks are partitions."""
    return load.queries * max(0.01, load.lake_gb / 20) / 1_000 * _price("athena_tb")


def _calls(load: Load, here: Declared) -> float:
    seconds = 0.1 * here.function_gb["api"] * _price("lambda_gb_s")
    return load.api_calls * (_price("api_request") + _price("lambda_request") + seconds)


def _watching(load: Load, here: Declared) -> float:
    logs = (load.api_calls + load.events) * KB / GB
    kept = logs * here.log_days / DAYS * _price("log_kept_gb")
    fixed = here.alarms * _price("alarm") + here.dashboards * _price("dashboard") + 30 * _price("metric")
    return logs * _price("log_gb") + kept + fixed


def _guarding(load: Load, here: Declared) -> float:
    firewall = _price("waf_acl") + here.firewall_rules * _price("waf_rule")
    return (
        firewall
        + load.api_calls * _price("waf_request")
        + here.keys * _price("key")
        + here.secrets * _price("secret")
    )


def _readers(load: Load) -> float:
    return _price("qs_author") + (3 + (load.members - 79) / 40) * _price("qs_reader")


def lines(here: Declared) -> tuple[Line, ...]:
    """The bill of what is declared."""
    ingest_gb, step_gb = here.function_gb["events-ingest"], here.function_gb["events-step"]
    return (
        Line(
            "ECS: Dagster's services",
            f"{here.services} services, together {here.services_cpus:g} vCPU and {here.services_gb:g} GB x 730 h",
            lambda _: _ecs(here.services_cpus, here.services_gb) * HOURS,
        ),
        Line(
            "ECS: runs",
            f"900 runs x 5 min x {here.run_cpus:g} vCPU, {here.run_gb:g} GB; ten times the data is twice the time",
            lambda load: 900 * 5 / 60 * _ecs(here.run_cpus, here.run_gb) * load.scale**0.3,
        ),
        Line(
            "RDS: Postgres of Dagster",
            f"{here.database} and {here.database_gb} GB",
            lambda _: _price(here.database) * HOURS + here.database_gb * _price("rds_gb"),
        ),
        Line("NAT or endpoints", "one NAT gateway and 5 GB x scale", lambda load: _nat(5 * load.scale)),
        Line(
            "API: gateway and function",
            f"calls x (request + invocation + 0.1 s x {here.function_gb['api']:.2f} GB)",
            lambda load: _calls(load, here),
        ),
        Line(
            "Events: gateway to store",
            f"events x ((request + 0.05 s x {ingest_gb:.2f} GB) / 10 + 4 queue requests / 5 + "
            f"(execution + 0.5 s x {step_gb:.2f} GB) / 5)",
            lambda load: load.events * _event(ingest_gb, step_gb),
        ),
        Line(
            "DynamoDB: writes",
            "rows a week x 52, events x 8.4, a tenth of the calls x 6 units",
            lambda load: _writes(load) * _price("write_unit"),
        ),
        Line(
            "DynamoDB: reads",
            "13 units a call, an export a week",
            lambda load: _reads(load) * _price("read_unit"),
        ),
        Line(
            "DynamoDB: stored, with point-in-time recovery",
            f"(a year of rows x 1.5 kB + {here.events_days} days of events x 2 kB) x (storage + PITR)",
            lambda load: _stored(load, here),
        ),
        Line(
            "S3: lake, raw, backups", f"GB x month, raw for {here.raw_days} days, and 60,000 PUT x scale^0.5", _s3
        ),
        Line("Athena", "queries x max(10 MB, lake / 20)", _athena),
        Line("Rekognition", "images x 3 questions", lambda load: load.images * 3 * _price("rekognition_image")),
        Line("SES", "mails", lambda load: load.mails * _price("ses_mail")),
        Line(
            "CloudWatch",
            f"logs of 1 kB a call and an event, kept {here.log_days} days; {here.alarms} alarms, "
            f"{here.dashboards} dashboards, 30 figures",
            lambda load: _watching(load, here),
        ),
        Line(
            "Container Insights",
            f"{here.container_figures} figures of the cluster, its {here.services} services and their tasks",
            lambda _: here.container_figures * _price("metric"),
        ),
        Line(
            "Cognito: machines",
            f"{here.machine_clients} app client of producers and a token an hour",
            lambda _: here.machine_clients * (_price("machine_client") + HOURS * _price("machine_token")),
        ),
        Line(
            "WAF, KMS, secrets",
            f"a firewall, {here.firewall_rules} rules, requests; {here.keys} key; {here.secrets} secrets",
            lambda load: _guarding(load, here),
        ),
        Line("QuickSight", "3 readers and an author; 1 in 40 members reads beyond that", _readers),
    )


def _ecs(cpus: float, gigabytes: float) -> float:
    """An hour on Fargate."""
    return cpus * _price("fargate_cpu") + gigabytes * _price("fargate_gb")


def _nat(gigabytes: float) -> float:
    return HOURS * _price("nat_hour") + gigabytes * _price("nat_gb")


def _event(ingest_gb: float, step_gb: float) -> float:
    """Ten events a request, five a pack."""
    ingest = (_price("api_request") + _price("lambda_request") + 0.05 * ingest_gb * _price("lambda_gb_s")) / 10
    pack = (_price("express_request") + 0.5 * (step_gb * _price("lambda_gb_s") + _price("express_gb_s") / 16)) / 5
    return ingest + 4 / 5 * _price("sqs_request") + pack


LINES: Final = lines(HERE)


def total(scale: int) -> float:
    """Dollars a month."""
    return sum(line.dollars(Load(scale)) for line in LINES)


def loads() -> str:
    """What a month holds at each scale."""
    names = ("members", "projects", "annotations", "api_calls", "events", "images", "mails", "queries", "lake_gb")
    return _table(
        ["a month", *(f"{scale}x" for scale in SCALES)],
        [[name.replace("_", " "), *(f"{getattr(Load(scale), name):,.0f}" for scale in SCALES)] for name in names],
    )


def bill() -> str:
    """Dollars by line and scale."""
    rows = [
        [line.name, *(f"{line.dollars(Load(scale)):,.2f}" for scale in SCALES), line.formula] for line in LINES
    ]
    rows.append(["**a month**", *(f"**{total(scale):,.0f}**" for scale in SCALES), "the sum"])
    rows.append(
        ["a member", *(f"{total(scale) / Load(scale).members:,.2f}" for scale in SCALES), "the sum / members"]
    )
    return _table(["dollars", *(f"{scale}x" for scale in SCALES), "formula"], rows)


def readiness() -> str:
    """Dollars a month of what can be done against cold starts of the API, at two copies and 200 restores a day."""
    gb, seconds = HERE.function_gb["api"], HOURS * 3_600
    calls = 12 * 12 * 21
    rows = [
        ["`cold`", 0.0, "nothing"],
        ["`warmer`", calls * (_price("lambda_request") + 0.002 * gb * _price("lambda_gb_s")), f"{calls:,} calls"],
        ["`provisioned`", 2 * gb * seconds * _price("provisioned_gb_s"), f"2 copies x {gb:.2f} GB, day and night"],
        [
            "`snapstart`",
            gb * (seconds * _price("snapshot_gb_s") + 200 * DAYS * _price("restored_gb")),
            f"a snapshot of {gb:.2f} GB, and 200 restores a day",
        ],
    ]
    return _table(
        ["`Readiness`", "dollars a month", "formula"],
        [[name, f"{money:,.2f}", text] for name, money, text in rows],
    )


def prices() -> str:
    """The prices that no other page quotes, with where they are from."""
    return _table(
        ["dollars for", "price", "read in", "a page of"],
        [
            [one.unit, f"{one.value:.10f}".rstrip("0").rstrip("."), one.source, one.read_from]
            for one in MONTHLY.values()
        ],
    )


@dataclass(frozen=True, slots=True)
class Scan:
    """What a view reads of a year: rows a week of each member, bytes a row in Parquet, files a week."""

    view: str
    rows: float
    row_bytes: int
    files: int


# Bytes a row: zstd Parquet of the sample's tables, rounded up; views over several tables add up.
SCANS: Final = (
    Scan("weekly_delivery", 2.5 + 2.5 + 1.1, 70, 3),
    Scan("utilisation_by_week", 1, 60, 1),
    Scan("quality_trend", 4, 60, 1),
    Scan("capacity_gap", 2.5 + 1.1 + 1 + 0.5, 70, 4),
    # A type's day, of as many types as a tenth of the members: percentiles, and the names of its producers.
    Scan("event_volume", 0.7, 120, 1),
)
ATHENA_START_S, ATHENA_BYTES_S, ATHENA_FILES_S = 1.0, 50e6, 400


def scanned(scan: Scan, scale: int) -> float:
    """Bytes of a year."""
    return scan.rows * Load(scale).members * 52 * scan.row_bytes


def athena_seconds(scan: Scan, scale: int) -> float:
    """Until a sheet over a year is drawn when it asks Athena: a start, bytes, and files that are opened."""
    return ATHENA_START_S + scanned(scan, scale) / ATHENA_BYTES_S + scan.files * 52 / ATHENA_FILES_S


def dashboards() -> str:
    """Bytes and seconds of each view over a year."""
    rows = [
        [scan.view, *(f"{scanned(scan, n) / 1e6:,.1f} MB, {athena_seconds(scan, n):.1f} s" for n in SCALES)]
        for scan in SCANS
    ]
    return _table(["a year of", *(f"{scale}x" for scale in SCALES)], rows)


def tables() -> Iterator[str]:
    """All that docs/cost.md quotes."""
    yield loads()
    yield bill()
    yield readiness()
    yield prices()


def printed() -> Iterator[str]:
    """The same, and what docs/dashboards.md quotes."""
    yield from tables()
    yield dashboards()


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


if __name__ == "__main__":
    print("\n\n".join(printed()))
