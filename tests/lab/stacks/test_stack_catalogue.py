from __future__ import annotations

import asyncio
import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.lab.stacks.stack_configs import config
from tlsdemo.lab.stacks.stack_catalogue import STACKS


class CatalogueTests(SynchronousTestCase):
    def node_is(self, script: str | None) -> None:
        """Set a PATH on which ``node`` is a shell script, or is missing."""
        folder = Path(self.mktemp()).resolve()
        folder.mkdir(parents=True)
        if script is not None:
            node = folder / "node"
            node.write_text(f"#!/bin/sh\n{script}\n")
            node.chmod(0o755)
        self.patch(os, "environ", {**os.environ, "PATH": str(folder)})

    def test_each_stack_is_listed_under_its_name(self) -> None:
        self.assertEqual([stack.name for stack in STACKS.values()], list(STACKS))

    def test_the_program_of_each_stack_exists(self) -> None:
        for stack in STACKS.values():
            program = stack.command(config())[-2]
            if program.endswith(".js"):
                self.assertTrue(Path(program).is_file(), program)
            else:
                __import__(program)

    def test_without_node_its_stacks_are_not_available(self) -> None:
        self.node_is(None)
        for name in ("node-tlssocket", "node-securepair"):
            reason = STACKS[name].availability().reason
            self.assertEqual(reason, "there is no node on the PATH that runs")

    def test_with_a_node_that_does_not_run_its_stacks_are_not_available(self) -> None:
        self.node_is("exit 1")
        self.assertIsNotNone(STACKS["node-tlssocket"].availability().reason)

    def test_with_a_node_without_secure_pairs_only_that_stack_is_not_available(self) -> None:
        self.node_is("echo 24.0.0 undefined")
        self.assertEqual(STACKS["node-tlssocket"].availability().version, "Node 24.0.0")
        self.assertIsNone(STACKS["node-tlssocket"].availability().reason)
        self.assertEqual(
            STACKS["node-securepair"].availability().reason,
            "tls.createSecurePair is not available in Node 24.0.0",
        )

    def test_streams_without_start_tls_are_not_available(self) -> None:
        if hasattr(asyncio.StreamWriter, "start_tls"):
            self.assertIsNone(STACKS["asyncio-streams"].availability().reason)
            self.patch(asyncio, "StreamWriter", object)
        reason = STACKS["asyncio-streams"].availability().reason
        self.assertIn(
            "StreamWriter.start_tls came with Python 3.11; this is Python 3.", str(reason)
        )
