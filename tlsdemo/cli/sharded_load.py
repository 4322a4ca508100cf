"""A load that is written as a plan, or of which one shard is run here."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any, NoReturn

from twisted.python.usage import UsageError

from tlsdemo.cli.endpoint_strings import check_client_endpoint
from tlsdemo.cli.load_options import LoadOptions
from tlsdemo.cli.options import fail
from tlsdemo.cli.shard_options import LOCAL
from tlsdemo.cli.target_names import usual_status
from tlsdemo.cli.whole_file import write_whole
from tlsdemo.loadgen.controller import ProgressCallback, WindowCallback
from tlsdemo.loadgen.load_service import Load
from tlsdemo.loadgen.scenario_catalogue import opened_first, packets_that_end
from tlsdemo.loadgen.schedule import SPARE_DESCRIPTORS, Task
from tlsdemo.loadgen.shard import BadPlan, LoadPlan, Shard
from tlsdemo.loadgen.shard_run import ShardRun
from tlsdemo.net.limits import raise_descriptor_limit
from tlsdemo.reporting.interval import Interval
from tlsdemo.reporting.load_progress import LoadProgress
from tlsdemo.reporting.progress import Progress
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.terminal import console_of, print_line

OPEN_FOR = 5.0
"""Seconds for opening connections that are open before the load, without --open-for."""

LARGEST_PLAN = 1 << 24
"""Bytes of a plan that are read."""


IntervalCallback = Callable[[Interval], object]


@dataclass(frozen=True)
class SharedLoad:
    """A load of which others do a part.

    ``target``: the client endpoint string of the server.  ``plan``: what is done here.  ``make``
    makes what runs it.  ``header`` returns what the document of ``--json`` has besides that of a
    load of our own, when there is a result, and ``lines`` what is to be said besides it.
    ``unusable`` returns why nothing could be begun, if so.
    """

    target: str
    plan: LoadPlan
    make: Callable[[ProgressCallback, WindowCallback, IntervalCallback], Load]
    header: Callable[[RunResult], dict[str, Any]]
    lines: Callable[[], Sequence[str]]
    unusable: Callable[[], str | None] = lambda: None

    @property
    def parts(self) -> Sequence[Task]:
        """What it consists of."""
        return self.plan.parts

    def progress(self, progress: Progress) -> LoadProgress:
        """Return what shows its progress."""
        first = opened_first(self.parts)
        others = first < self.plan.connections
        packets = packets_that_end(self.parts)
        return LoadProgress(progress, first, packets, len(self.plan.windows), others)


def plan_of(options: LoadOptions, parts: Sequence[Task]) -> LoadPlan:
    """Return the load that the options describe; ``parts`` are those of `LoadOptions.parts`."""
    open_for = options["open-for"]
    return LoadPlan(
        name=f"load-{secrets.token_hex(4)}",
        parts=tuple(parts),
        windows=tuple(options.plan()),
        open_for=(OPEN_FOR if opened_first(parts) else 0.0) if open_for is None else open_for,
        status=dict(options.given()).get("status", ""),
    )


def write_plan(options: LoadOptions, parts: Sequence[Task]) -> NoReturn:
    """Write the plan, and end the process."""
    path, plan = options["write-plan"], plan_of(options, parts)
    try:
        write_whole(Path(path), json.dumps(plan.as_json(), indent=2) + "\n")
    except OSError as problem:
        fail(options.command, f"--write-plan is {path!r}: {problem.strerror}")
    # twistd redirects sys.stdout to the log.
    print_line(
        console_of(sys.__stdout__),
        f"{path}: plan {plan.digest}, {plan.connections:,} connections, {len(plan.windows)} "
        f"windows, for up to {plan.most_shards():,} shards",
    )
    raise SystemExit(0)


def read_plan(reactor: Any, options: LoadOptions) -> LoadPlan:
    """Return the plan; ends the process with one line if there is none."""
    path = options["plan"]
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST_PLAN + 1)
        if len(content) > LARGEST_PLAN:
            raise BadPlan(f"it has more than {LARGEST_PLAN:,} bytes")
        plan = LoadPlan.from_json(json.loads(content))
        for part in plan.parts:
            check_client_endpoint(reactor, "connect", part.connect)
        return plan
    except OSError as problem:
        fail(options.command, f"--plan is {path!r}: {problem.strerror}")
    except (BadPlan, UsageError) as problem:
        fail(options.command, f"--plan is {path!r}, not a plan of this version: {problem}")
    except (ValueError, RecursionError):
        fail(options.command, f"--plan is {path!r}, not a file from --write-plan")


def read_shard(reactor: Any, options: LoadOptions) -> Shard:
    """Return the shard; ends the process with one line if it cannot be run."""
    number, of = options["shard"]
    try:
        shard = read_plan(reactor, options).shard(number, of)
    except BadPlan as problem:
        fail(options.command, f"--shard is '{number}/{of}', and {problem}")
    limit, needed = raise_descriptor_limit(), shard.load.connections + SPARE_DESCRIPTORS
    if needed > limit:
        fail(
            options.command,
            f"--shard is '{number}/{of}', which needs {needed} file descriptors, and the limit is "
            f"{limit}; raise it: ulimit -Hn {needed}, as root, or use more shards",
        )
    return shard


def status_of(options: LoadOptions, load: LoadPlan) -> str | None:
    """Return where the status service is: as the options say, or else as the plan does."""
    where = dict(options.given()).get("status") or load.status
    if where:
        return None if where == "none" else where
    return usual_status(load.parts[0].connect)


def shard_load(reactor: Any, options: LoadOptions) -> SharedLoad:
    """Return the load of a shard, with the credentials that the options say."""
    shard = read_shard(reactor, options)
    status, credentials = (
        status_of(options, shard.load),
        options.credentials("client"),
    )
    made: list[ShardRun] = []

    def make(*callbacks: Any) -> Load:
        made.append(ShardRun(reactor, shard, credentials, status, options["start-at"], *callbacks))
        return made[0].controller

    return SharedLoad(
        shard.load.parts[0].connect,
        shard.load,
        make,
        lambda result: {"shard": made[0].result(result).header_as_json()},
        lambda: made[0].lines() if made else [],
    )


def cluster_load(reactor: Any, options: LoadOptions, parts: Sequence[Task]) -> SharedLoad:
    """Return the load of a cluster; ends the process with one line without the extra."""
    try:
        from tlsdemo.loadgen.cluster_controller import ClusterController
    except ImportError as problem:
        fail(
            options.command,
            f"--cluster needs a package that is not installed ({problem}); install it with "
            "pip install 'tlsdemo[cluster]'",
        )
    local = options["cluster"] == LOCAL
    if local:
        # It inherits standard error, of which twistd's log later says that its descriptor is -1.
        resource_tracker.ensure_running()
    plan = plan_of(options, parts)
    controller = ClusterController(
        reactor,
        None if local else options["cluster"],
        options.workers() if local else options["workers"],
        plan,
        options.credentials("client"),
        options["status"],
    )

    def make(on_progress: ProgressCallback, on_window: WindowCallback, _: Any) -> Load:
        controller.show(on_progress, on_window)
        return controller

    return SharedLoad(
        plan.parts[0].connect,
        plan,
        make,
        lambda _: {"shards": [each.header_as_json() for each in controller.results]},
        controller.lines,
        lambda: controller.unusable,
    )
