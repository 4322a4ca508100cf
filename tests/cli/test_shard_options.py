from __future__ import annotations

import doctest
import time

from tests.cli.refusals import RefusingCase
from tests.support import certificates
from tlsdemo import tap_client
from tlsdemo.cli import shard_options
from tlsdemo.cli.shard_options import LATE_AT_MOST

SHARD = ("--plan=plan.json", "--shard=3/8", "--json=out.json")


class ShardOptionsCase(RefusingCase):
    def parse(self, *arguments: str) -> tap_client.Options:
        options = tap_client.Options()
        options.parseOptions(arguments)
        return options

    def assert_refused(self, expected: str, *arguments: str) -> None:
        message = self.refused(lambda: self.parse(*arguments))
        self.assertTrue(message.startswith(f"twistd tlsclient: {expected}"), message)


class Parsing(ShardOptionsCase):
    def test_the_examples_are_true(self) -> None:
        outcome = doctest.testmod(shard_options)
        self.assertEqual((outcome.attempted > 0, outcome.failed), (True, 0))

    def test_a_shard_is_one_of_many(self) -> None:
        self.assertEqual(self.parse(*SHARD)["shard"], (3, 8))
        for wrong in ("0/8", "9/8", "3", "3/", "a/b", "-1/8", "1/10001", "3/8/9"):
            self.assert_refused(
                f"--shard is {wrong!r}, not like 3/8", "--plan=p", f"--shard={wrong}", "--json=o"
            )

    def test_a_start_is_a_time_with_its_zone(self) -> None:
        now = int(time.time())
        self.assertEqual(self.parse(*SHARD, f"--start-at={now + 60}")["start-at"], now + 60)
        later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 60))
        self.assertEqual(self.parse(*SHARD, f"--start-at={later}")["start-at"], now + 60)
        for wrong in ("soon", "2026-11-28T12:00:00"):
            self.assert_refused(
                f"--start-at is {wrong!r}, neither seconds since 1970",
                *SHARD,
                f"--start-at={wrong}",
            )

    def test_a_start_that_has_passed_is_refused(self) -> None:
        now = time.time()
        self.patch(time, "time", lambda: now)
        self.parse(*SHARD, f"--start-at={now - LATE_AT_MOST / 2}")
        then = f"{now - 60:.0f}"
        self.assert_refused(f"--start-at is {then!r}, ", *SHARD, f"--start-at={then}")

    def test_a_start_in_milliseconds_is_refused(self) -> None:
        then = f"{time.time() * 1000:.0f}"
        self.assert_refused(
            f"--start-at is {then!r}, more than a day", *SHARD, f"--start-at={then}"
        )

    def test_a_cluster_is_local_or_an_address(self) -> None:
        for given in ("local", "tcp://scheduler:8786", "tls://[::1]:8786"):
            self.assertEqual(self.parse(f"--cluster={given}")["cluster"], given)
        self.assert_refused("--cluster is 'x', neither local nor like", "--cluster=x")


class Contradictions(ShardOptionsCase):
    def test_what_does_not_go_together_is_refused(self) -> None:
        for arguments, expected in {
            "--plan=p": "--plan needs --shard",
            "--shard=1/2": "--shard needs --plan",
            "--plan=p --shard=1/2": "--shard needs --json",
            "--plan=p --shard=1/2 --conn=3": "--conn is '3', and --plan says what the load is",
            "--plan=p --shard=1/2 --connect=tcp:a:1": "--connect is 'tcp:a:1', and --plan says",
            "--plan=p --shard=1/2 --rate=3": "--rate is '3', and --plan says",
            "--plan=p --shard=1/2 --timeout=3": "--timeout is '3', and --plan says",
            "--plan=p --shard=1/2 --tls-min=1.3": "--tls-min is '1.3', and --plan says",
            "--plan=p --shard=1/2 --cluster=local": "--cluster is 'local', and --plan says",
            "--plan=p --shard=1/2 --write-plan=q": "--write-plan is 'q', and --plan says",
            "--plan=p --shard=1/2 --workers=2": "--workers is '2', and a shard is run by one",
            "--plan=p --shard=1/2 --check=lost==0": "--check is 'lost==0', which is of the whole",
            "--write-plan=p --check=lost==0": "--check is 'lost==0', which is of the whole load",
            "--write-plan=p --workers=2": "--workers is '2', and a shard is run by one process",
            "--write-plan=p --json=o": "--json is 'o', and --write-plan=p puts on no load",
            "--write-plan=p --cluster=local": "--cluster is 'local', and --write-plan=p puts on no",
            "--write-plan=p --background": "--background is given, and --write-plan and --cluster",
            "--write-plan=p --find-max --slo=failed<1": "--find-max is given, and shards follow",
            "--cluster=local --find-max --slo=failed<1": "--find-max is given, and shards follow",
            "--cluster=local --cert=a --key=a --passphrase-file=f": "--passphrase-file is 'f', and "
            "passphrases are not sent",
            "--cluster=local --versus=tcp:a:1": "--versus is 'tcp:a:1', and a load that is shared",
            "--plan=p --shard=1/2 --repeat=2": "--repeat is '2', and a load that is shared",
            "--cluster=local --scenario=readiness": "--cluster is 'local', and --scenario",
            "--start-at=9999": "--start-at is '9999', and is only for a --shard",
            "--open-for=3": "--open-for is '3', and is only for --write-plan and --cluster",
        }.items():
            self.assert_refused(expected, *arguments.split())

    def test_what_is_of_this_machine_goes_with_a_shard(self) -> None:
        client = certificates().client
        self.parse(
            *SHARD, f"--cert={client.certificate}", f"--key={client.key}",
            f"--ca={client.authority}", "--certs=x", "--status=none", "--background",
        )  # fmt: skip
