from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from twisted.internet import reactor

from tests.cli.refusals import RefusingCase
from tests.support import certificates
from tlsdemo import tap_client
from tlsdemo.cli import load_options, sharded_load
from tlsdemo.cli.sharded_load import OPEN_FOR, read_shard, status_of
from tlsdemo.cli.whole_file import write_whole
from tlsdemo.loadgen.shard import LoadPlan


class ShardedLoadCase(RefusingCase):
    def setUp(self) -> None:
        super().setUp()
        self.output = io.StringIO()
        self.patch(sys, "__stdout__", self.output)
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.plan = self.folder / "plan.json"
        self.certs = f"--certs={certificates().authority.parent.parent}"

    def parse(self, *arguments: str) -> tap_client.Options:
        options = tap_client.Options()
        options.parseOptions(arguments)
        return options

    def write(self, *arguments: str) -> LoadPlan:
        options = self.parse(self.certs, f"--write-plan={self.plan}", *arguments)
        exit_ = self.assertRaises(SystemExit, tap_client.makeService, options)
        self.assertEqual(exit_.code, 0)
        return LoadPlan.from_json(json.loads(self.plan.read_text()))

    def shard(self, number: str = "1/2", *arguments: str) -> tap_client.Options:
        return self.parse(f"--plan={self.plan}", f"--shard={number}", "--json=out.json", *arguments)


class Writing(ShardedLoadCase):
    def test_a_plan_is_what_the_options_say(self) -> None:
        plan = self.write("--connect=tcp:a:1", "--scenario=pingpong", "--conn=7", "--steps=10,20",
                          "--duration=3", "--status=none")  # fmt: skip
        (part,) = plan.parts
        self.assertEqual(
            (part.connect, part.connections, part.scenario), ("tcp:a:1", 7, "pingpong")
        )
        self.assertEqual([each.rate for each in plan.windows], [10.0, 20.0])
        self.assertEqual((plan.open_for, plan.status), (OPEN_FOR, "none"))
        self.assertEqual(
            self.output.getvalue(),
            f"{self.plan}: plan {plan.digest}, 7 connections, 2 windows, for up to 7 shards\n",
        )

    def test_no_time_is_left_for_opening_what_is_not_opened_before(self) -> None:
        self.assertEqual(self.write("--scenario=churn").open_for, 0.0)
        self.assertEqual(self.write("--scenario=churn", "--open-for=2").open_for, 2.0)

    def test_it_may_be_for_more_connections_than_this_machine_can_have(self) -> None:
        self.patch(load_options, "raise_descriptor_limit", lambda: 100)
        self.assertEqual(self.write("--conn=5000").parts[0].connections, 5000)

    def test_two_plans_are_never_the_same(self) -> None:
        self.assertNotEqual(self.write().digest, self.write().digest)

    def test_a_file_that_cannot_be_written_is_one_line(self) -> None:
        options = self.parse(self.certs, "--write-plan=/nowhere/plan.json")
        message = self.refused(lambda: tap_client.makeService(options))
        self.assertIn("--write-plan is '/nowhere/plan.json': No such file or directory", message)

    def test_a_file_is_there_as_a_whole_or_not_at_all(self) -> None:
        self.plan.write_text("before")
        self.patch(Path, "replace", lambda *_: self.fail_to_write())
        self.assertRaises(OSError, write_whole, self.plan, "after")
        self.assertEqual([each.name for each in self.folder.iterdir()], ["plan.json"])
        self.assertEqual(self.plan.read_text(), "before")

    def fail_to_write(self) -> None:
        raise OSError(28, "No space left on device")


class Reading(ShardedLoadCase):
    def test_a_shard_is_its_part_of_the_plan(self) -> None:
        plan = self.write("--conn=7")
        shard = read_shard(reactor, self.shard("2/2"))
        self.assertEqual((shard.number, shard.of, shard.plan), (2, 2, plan.digest))
        self.assertEqual(shard.load.connections, 3)

    def test_what_is_no_plan_is_one_line(self) -> None:
        good = self.write("--conn=7").as_json()
        bad = {**good, "parts": [{**good["parts"][0], "connect": "x"}]}
        for content, why in (
            (None, f"--plan is {str(self.plan)!r}: No such file or directory"),
            ("{", "not a file from --write-plan"),
            ("[" * 100_000, "not a file from --write-plan"),
            ("{}", "not a plan of this version: its schema is None"),
            (json.dumps(bad), "not a plan of this version: --connect is 'x'"),
        ):
            self.plan.unlink(missing_ok=True)
            if content is not None:
                self.plan.write_text(content)
            message = self.refused(lambda: read_shard(reactor, self.shard()))
            self.assertIn(why, message)

    def test_a_plan_that_is_too_large_is_one_line(self) -> None:
        self.patch(sharded_load, "LARGEST_PLAN", 10)
        self.plan.write_text("{" + " " * 20 + "}")
        message = self.refused(lambda: read_shard(reactor, self.shard()))
        self.assertIn("it has more than 10 bytes", message)

    def test_more_shards_than_connections_are_one_line(self) -> None:
        self.write("--conn=7")
        message = self.refused(lambda: read_shard(reactor, self.shard("1/8")))
        self.assertIn("--shard is '1/8', and 8 shards are more than its connections", message)

    def test_too_many_connections_are_refused_before_the_start(self) -> None:
        self.write("--conn=70")
        self.patch(sharded_load, "raise_descriptor_limit", lambda: 64)
        message = self.refused(lambda: read_shard(reactor, self.shard("1/2")))
        self.assertIn("--shard is '1/2', which needs 67 file descriptors, and the limit", message)

    def test_the_status_service_is_that_of_the_option_the_plan_or_the_usual(self) -> None:
        for planned, given, expected in (
            ("", (), "usual tcp:a:1"),
            ("none", (), None),
            ("unix:b", (), "unix:b"),
            ("none", ("--status=unix:c",), "unix:c"),
            ("unix:b", ("--status=none",), None),
        ):
            status = [f"--status={planned}"] if planned else []
            plan = self.write("--connect=tcp:a:1", *status)
            self.patch(sharded_load, "usual_status", lambda where: f"usual {where}")
            found = status_of(self.shard("1/2", *given), plan)
            self.assertEqual(found, expected)


class Services(ShardedLoadCase):
    def test_a_shard_has_a_service_of_its_own(self) -> None:
        made: list[Any] = []
        self.patch(tap_client, "LoadSeries", lambda *arguments: made.append(arguments))
        self.write("--conn=7", "--connect=tcp:a:1")
        tap_client.makeService(self.shard("2/2", self.certs))
        (((turn,), make),) = made
        self.assertEqual(turn.environment, "tcp:a:1")
        self.assertRegex(make(turn)._name, "^load-[0-9a-f]{8}-2$")

    def test_without_the_extra_it_says_how_to_install_it(self) -> None:
        name = "tlsdemo.loadgen.cluster_controller"
        loaded = patch.dict(sys.modules, {name: None})
        loaded.start()
        self.addCleanup(loaded.stop)
        options = self.parse(self.certs, "--cluster=local")
        message = self.refused(lambda: tap_client.makeService(options))
        self.assertIn("--cluster needs a package that is not installed", message)
        self.assertIn("pip install 'tlsdemo[cluster]'", message)
