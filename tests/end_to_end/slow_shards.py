"""A load from several processes that know nothing of each other, by the scripts of docs/shards."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from tests.end_to_end.processes import ProcessCase, RunningCommand
from tests.support import certificates
from tests.test_architecture import ROOT

SCRIPTS = ROOT / "docs" / "shards"
LEAD = 12
"""Seconds from now until the agreed start, for a busy machine."""


class ShardsCase(ProcessCase):
    def setUp(self) -> None:
        super().setUp()
        self.proxy, connect = self.server("--role=echo")
        written = self.twistd(
            *("tlsclient", f"--connect={connect}", "--status=none"),
            *("--scenario=pingpong", "--conn=6", "--rate=30", "--duration=2", "--open-for=1"),
            *("--write-plan=plan.json", self.certs),
        )
        self.assertEqual(written.wait(), 0, written.output)
        self.programs()

    def programs(self) -> None:
        """Put twistd, tlsdemo and an ssh that stays here on the PATH of the scripts."""
        folder = self.home / "bin"
        folder.mkdir()
        python = shlex.quote(sys.executable)
        client = f'"$@" {shlex.quote(self.certs)}'
        for name, text in {
            "twistd": f"exec {python} -c 'from twisted.scripts.twistd import run; run()' {client}",
            "tlsdemo": f'exec {python} -m tlsdemo "$@"',
            # ssh -o BatchMode=yes HOST COMMAND
            "ssh": '[ "$3" = gone ] && exit 255; exec sh -c "$4"',
        }.items():
            (folder / name).write_text(f"#!/bin/sh\n{text}\n")
            (folder / name).chmod(0o755)
        self.patch(os, "environ", {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})

    def merge(self, *arguments: str) -> RunningCommand:
        return self.start(sys.executable, "-m", "tlsdemo", "merge", *arguments)

    def run_of(self, path: str) -> Any:
        (run,) = json.loads(Path(self.home, path).read_text())["runs"]
        return run


class Slurm(ShardsCase):
    def test_each_task_of_the_array_runs_its_shard(self) -> None:
        settings = {"START_AT": str(int(time.time()) + LEAD), "SLURM_ARRAY_TASK_COUNT": "3"}
        tasks = []
        for number in ("1", "2", "3"):
            self.patch(os, "environ", {**os.environ, **settings, "SLURM_ARRAY_TASK_ID": number})
            tasks.append(self.start("bash", str(SCRIPTS / "slurm.sh")))
        self.assertEqual([task.wait() for task in tasks], [0, 0, 0], tasks[0].output)
        merge = self.merge("out1.json", "out2.json", "out3.json", "--json=merged.json")
        self.assertEqual(merge.wait(), 0, merge.output)
        self.assertRegex(merge.output, r"window 1 began within \d+ ms")
        whole = self.run_of("merged.json")
        (window,) = whole["windows"]
        self.assertEqual((whole["secured"], window["done"], window["missed"]), (6, 60, 0))
        self.assertEqual(
            sum(self.run_of(f"out{number}.json")["windows"][0]["done"] for number in (1, 2, 3)), 60
        )
        self.assertIn("summary: 6 connections, 6 secured, ", self.summary(self.proxy))

        without = self.merge("out1.json", "out3.json")
        self.assertEqual(without.wait(), 1)
        self.assertIn("problem: shard 2 of 3 is missing", without.output)

        again = self.start("bash", str(SCRIPTS / "slurm.sh"))
        self.assertEqual(again.wait(), 2)
        self.assertIn("the other shards are under way, or this one has been run", again.output)


class Kubernetes(ShardsCase):
    def test_the_manifest_is_an_indexed_job_that_runs_nothing_twice(self) -> None:
        manifest = yaml.safe_load((SCRIPTS / "kubernetes.yaml").read_text())
        self.assertEqual((manifest["apiVersion"], manifest["kind"]), ("batch/v1", "Job"))
        spec = manifest["spec"]
        self.assertEqual(spec["completionMode"], "Indexed")
        self.assertEqual((spec["completions"], spec["parallelism"]), (8, 8))
        self.assertEqual(spec["backoffLimitPerIndex"], 0)
        pod = spec["template"]["spec"]
        self.assertEqual(pod["restartPolicy"], "Never")
        (container,) = pod["containers"]
        settings = {each["name"]: each["value"] for each in container["env"]}
        self.assertEqual(settings["SHARDS"], str(spec["completions"]))
        mounted = {each["name"] for each in container["volumeMounts"]}
        self.assertEqual(mounted, {each["name"] for each in pod["volumes"]})

    def test_the_command_of_a_pod_runs_its_shard(self) -> None:
        manifest = yaml.safe_load((SCRIPTS / "kubernetes.yaml").read_text())
        (container,) = manifest["spec"]["template"]["spec"]["containers"]
        client = certificates().client
        for name in ("plan", "certificates", "results"):
            (self.home / "load" / name).mkdir(parents=True)
        for name, file in (
            ("certificates/tls.crt", client.certificate), ("certificates/tls.key", client.key),
            ("certificates/ca.crt", client.authority), ("plan/plan.json", self.home / "plan.json"),
        ):  # fmt: skip
            assert file is not None
            (self.home / "load" / name).write_bytes(file.read_bytes())
        (self.home / "load/certificates/tls.key").chmod(0o600)
        settings = {
            **{each["name"]: each["value"] for each in container["env"]},
            "START_AT": str(int(time.time()) + LEAD),
            "JOB_COMPLETION_INDEX": "0",
            "SHARDS": "2",
        }
        self.patch(os, "environ", {**os.environ, **settings})
        command = [each.replace("/load/", "load/") for each in container["command"]]
        pod = self.start(*command)
        self.assertEqual(pod.wait(), 0, pod.output)
        run = self.run_of("load/results/out1.json")
        self.assertEqual((run["secured"], run["windows"][0]["done"]), (3, 30))


class SSH(ShardsCase):
    def test_each_host_runs_a_shard_and_one_that_is_gone_is_named(self) -> None:
        self.patch(os, "environ", {**os.environ, "LEAD": str(LEAD)})
        # Of an earlier load from more hosts.
        (self.home / "out4.json").write_text("{}")
        script = self.start("sh", str(SCRIPTS / "ssh.sh"), "plan.json", "one", "gone", "three")
        self.assertEqual(script.wait(), 1, script.output)
        self.assertIn("problem: shard 2 of 3 is missing", script.output)
        self.assertFalse(Path(self.home, "out2.json").exists())
        (window,) = self.run_of("merged.json")["windows"]
        self.assertEqual(window["done"], 40)
        self.assertIn("summary: 4 connections, 4 secured, ", self.summary(self.proxy))
