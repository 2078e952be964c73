"""`prism up`, `down`, `status` and `reset`: the whole platform.

Belongs here: the order of the main job (deploy, sample, assets), the summary, serving until told to stop.
Does not belong here: how each part works (infra/local, infra/deploy.py).
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import replace
from datetime import datetime
from typing import Annotated

import typer
from rich.panel import Panel
from rich.table import Table

from infra.cli.console import count_of, err, fail, out, say
from infra.deploy import deploy
from infra.local.emulator.environment import LOOPBACK, EmulatorHome
from infra.local.emulator.process import stop_seconds
from infra.local.emulator.snapshots import Snapshots
from infra.local.home import MAX_BASE_PORT, Home, Ports
from infra.local.platform import Platform, attached, is_locked, locked, running_platform
from prism_core import clock
from prism_core.calendar import WeekRange
from prism_core.failures import BadUsage
from prism_core.settings import Environment, load_settings, prism_home

DEFAULT_SAMPLE_WEEKS = 12
STOP_SECONDS = 60  # beside what the embedded AWS takes


def up(
    once: Annotated[bool, typer.Option("--once", help="end after the main job instead of serving")] = False,
    sample: Annotated[
        int | None,
        typer.Option(
            help=f"weeks of synthetic sample on the first start; {DEFAULT_SAMPLE_WEEKS} when left out",
            min=1,
            max=520,
        ),
    ] = None,
    no_sample: Annotated[bool, typer.Option("--no-sample", help="start empty, for real data")] = False,
    port: Annotated[
        int | None,
        typer.Option(help="first of ten ports, fixed at the first start", min=1024, max=MAX_BASE_PORT),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="the summary as one JSON object")] = False,
) -> None:
    """Start or resume the platform: embedded AWS, stacks, sample data on the first start, assets; then serve."""
    _refuse_other_places()
    if sample is not None and no_sample:
        raise BadUsage("--sample and --no-sample at once; name one")
    os.umask(0o077)  # all that this process writes lies in PRISM_HOME
    from infra.local.serving import dagster, front_door, outside, outside_before_all

    beside = outside if once else outside_before_all
    with attached(say, port=port, serving=not once, beside=beside) as found:
        if sample is not None or no_sample:
            _say_what_counts(found.home)
        if not found.owned:
            if once:
                _main_job(found, as_json=as_json)
            else:
                say(f"the platform of {found.home.root} is running already")
                if as_json:
                    _summarise(found, seconds=0, as_json=True)
                _print_addresses(found.ports, aside=as_json)
                _print_sign_in(found.home)
            return
        platform = _with_first_start(found, None if no_sample else sample or DEFAULT_SAMPLE_WEEKS)
        _main_job(platform, as_json=as_json)
        if once:
            return
        # From here on Ctrl-C and SIGTERM are an orderly end; before, Ctrl-C interrupts the main job.
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        platform.announce()
        with err.status("starting Dagster") as status:
            serving = dagster(platform, lambda: status.update("starting Dagster"))
            with front_door(platform), serving as child:
                status.stop()
                _print_addresses(platform.ports, aside=as_json)
                _print_sign_in(platform.home)
                _serve_until(stopping, platform, child)
                say("stopping")


def down() -> None:
    """Stop the running platform of PRISM_HOME, cleanly."""
    home = Home(prism_home())
    running = running_platform(home)
    if running is None:
        say(f"no platform is running in {home.root}")
        return
    with contextlib.suppress(ProcessLookupError):  # it was ending already
        os.kill(running.pid, signal.SIGTERM)
    limit = STOP_SECONDS + stop_seconds(Snapshots(EmulatorHome(home.emulator).snapshots))
    deadline = time.monotonic() + limit
    with err.status("stopping"):
        while is_locked(home):
            if time.monotonic() > deadline:
                raise fail(f"the platform (process {running.pid}) did not stop in {limit} s")
            time.sleep(0.1)
    say("stopped")


def status(as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False) -> None:
    """Say whether the platform of PRISM_HOME runs, and where; on AWS, what is deployed and at which addresses."""
    settings = load_settings()
    if settings.environment is Environment.AWS:
        from infra.cli.standing import say_what_is_deployed

        say_what_is_deployed(settings, as_json=as_json)
        return
    home = Home(prism_home())
    running = running_platform(home)
    addresses = _addresses(home.ports()) if running else {}
    if as_json:
        facts = {"home": str(home.root), "running": running is not None, "addresses": addresses}
        typer.echo(json.dumps(facts | {"ready": running is not None and running.ready}))
        return
    if running is None:
        out.print(f"no platform is running in {home.root}")
        return
    out.print(f"{'running' if running.ready else 'starting'} in {home.root} (process {running.pid})")
    _print_addresses(home.ports())


def reset(yes: Annotated[bool, typer.Option("--yes", help="really delete everything")] = False) -> None:
    """Delete the state of PRISM_HOME: data, mail, runs."""
    home = Home(prism_home())
    if not yes:
        raise BadUsage(f"this deletes everything below {home.root}; say --yes")
    if home.root.exists():
        if not (home.root / "ports.json").exists():
            raise BadUsage(f"{home.root} does not look like a PRISM_HOME; nothing was deleted")
        with locked(home) as free:
            if not free:
                raise fail(f"{home.root} is in use; run `prism down` first")
            shutil.rmtree(home.root.resolve())  # a home on another disk is a link
    say(f"{home.root} is empty")


def _refuse_other_places() -> None:
    if load_settings().environment is Environment.AWS:
        raise BadUsage("`prism up` is the local platform; PRISM_ENVIRONMENT=aws is deployed, not started")


def _say_what_counts(home: Home) -> None:
    decided = home.read_first_start()
    if not decided:
        return
    weeks = decided.get("sample_weeks")
    sample = f"with a sample of {weeks} weeks" if weeks else "without a sample"
    say(f"{home.root} was started {sample}; --sample and --no-sample count on the first start only")


def _with_first_start(platform: Platform, sample_weeks: int | None) -> Platform:
    """On the first start decide the sample and the first week; later starts find both decided.

    Only once the emulator serves: a start that failed, say for a port, has decided nothing.
    """
    home, settings = platform.home, platform.settings
    if home.read_first_start():
        return platform
    first_week = settings.first_week
    if sample_weeks is not None and "first_week" not in settings.model_fields_set:
        first_week = clock.this_week().window(sample_weeks).first
    if first_week > clock.this_week():
        raise BadUsage(
            f"PRISM_FIRST_WEEK={first_week} lies after the running week, {clock.this_week()}; nothing was decided"
        )
    home.fix_settings(first_week=first_week.label, **({} if sample_weeks is None else {"synthetic": True}))
    home.note_first_start(sample_weeks=sample_weeks, started_at=clock.now())
    return replace(platform, settings=load_settings(home=settings.home))


def _main_job(platform: Platform, *, as_json: bool) -> None:
    """Deploy, load the sample once, materialise; safe to repeat after a kill at any point."""
    started = time.monotonic()
    from infra.local.demo_users import link_demo_annotator, seed_demo_users
    from infra.local.mail_returns import tell_of_returns
    from infra.local.standins.serving import seed_credentials

    with platform.whole_or_not_at_all(), err.status("deploying the stacks"):
        for deployment in deploy(platform.settings, clock.this_week(), lambda _: None):
            say(f"stack {deployment.stack}: {deployment.action}")
        seed_demo_users(platform)
        seed_credentials(platform)
        tell_of_returns(platform.settings)
    facts = platform.home.read_first_start()
    if facts.get("sample_weeks") and not facts.get("sample_loaded_at"):
        from infra.local.sample.load import load_sample

        load_sample(platform, int(facts["sample_weeks"]), datetime.fromisoformat(facts["started_at"]))
        _materialize_sample(platform)
        _mail_reports(platform)
        platform.flush()
        platform.home.note_first_start(sample_loaded_at=clock.now())
    if facts.get("sample_weeks") and not facts.get("annotator_linked_at") and link_demo_annotator(platform):
        platform.flush()
        platform.home.note_first_start(annotator_linked_at=clock.now())
    _summarise(platform, seconds=time.monotonic() - started, as_json=as_json)


def _summarise(platform: Platform, *, seconds: float, as_json: bool) -> None:
    from infra.cli.summary import print_summary

    print_summary(platform, seconds=seconds, as_json=as_json)


def _materialize_sample(platform: Platform) -> None:
    from infra.cli.materialize import run_range
    from prism_assets.reports.weeks import NEWEST_WEEK, REPORTS_TAG

    weeks = WeekRange(platform.settings.first_week, clock.this_week())
    say(f"materialising {len(weeks)} weeks")
    # Nobody reads the reports of weeks long past; the newest is in the mailbox.
    outcome = run_range(platform, "*", weeks, tags={REPORTS_TAG: NEWEST_WEEK})
    if not outcome.success:
        raise fail(f"run {outcome.run_id}: {'; '.join(outcome.errors)}")


def _mail_reports(platform: Platform) -> None:
    """The reports of the week that has ended, at once: whoever tries PRISM waits for no Monday."""
    from prism_resources.reports.delivery import ReportDelivery

    for outcome in ReportDelivery(platform.settings).deliver(clock.now(), at_once=True):
        say(f"{outcome.edition.title}: {count_of(len(outcome.deliveries), 'mail', 'mails')}")


def _serve_until(stopping: threading.Event, platform: Platform, child: "subprocess.Popen[bytes]") -> None:
    while not stopping.wait(0.5):
        if platform.process is not None and not platform.process.is_alive():
            return  # how it ended is said where it is stopped
        if child.poll() is not None:
            raise fail("Dagster ended unexpectedly; see its log")


def _addresses(ports: Ports) -> dict[str, str]:
    return {
        "screens": f"http://{LOOPBACK}:{ports.screens}",
        "api": f"http://{LOOPBACK}:{ports.screens}/api",
        "dagster": f"http://{LOOPBACK}:{ports.dagster}",
        "mailbox": f"http://{LOOPBACK}:{ports.mailbox}",
        "embedded AWS": f"http://{LOOPBACK}:{ports.emulator}",
        "stand-ins": f"http://{LOOPBACK}:{ports.standins}",
    }


def _print_addresses(ports: Ports, *, aside: bool = False) -> None:
    """The panel; `aside` on standard error, where standard output holds JSON."""
    table = Table.grid(padding=(0, 2))
    for name, address in _addresses(ports).items():
        table.add_row(name, f"[link={address}]{address}[/link]")
    (err if aside else out).print(Panel(table, title="PRISM is up", subtitle="Ctrl-C stops it", expand=False))


def _print_sign_in(home: Home) -> None:
    from infra.local.demo_users import demo_email
    from prism_api.api.calls import Role

    names = ", ".join(demo_email(role) for role in Role)
    say(f"synthetic accounts: {names}; their password is in {home.root / 'demo-password'}")
