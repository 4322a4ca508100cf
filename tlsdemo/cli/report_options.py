"""The options of the reports of ``twistd tlsclient``: what is shown, and what is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tlsdemo.cli.option_groups import Group, GroupedOptions
from tlsdemo.cli.options import check_output_files, named, whole

FILES = ("json", "hgrm", "csv", "html")
"""The options that name files."""


class ReportOptions(GroupedOptions):
    """What is reported of a load, how often it is run, and beside which other one."""

    optParameters: ClassVar[list[list[Any]]] = named([
        ["json", None, None, "Also write the results to this file."],
        ["hgrm", None, None, "Also write HdrHistogram's percentile distribution of each latency, "
         "to files beside this one: a.hgrm becomes a.handshake.hgrm and so on."],
        ["csv", None, None, "Also write a row for each second to this file, while the load runs. "
         "docs/load.md has the columns."],
        ["html", None, None, "Also write a page with charts to this file, complete in itself."],
        ["repeat", None, 1, "Run the load so many times, as one run does not show how much runs "
         "vary.", whole(1, 1000)],
        ["versus", None, None, "Client endpoint string of a second server: the load is put on it "
         "in turn with --connect, and both are compared."],
    ])  # fmt: skip

    optFlags: ClassVar[list[list[str | None]]] = [
        ["quiet", None, "Show no progress."],
    ]

    groups: ClassVar[Mapping[Group, str]] = {
        Group.LOGGING: "json hgrm csv html quiet",
        Group.DEMONSTRATION: "repeat versus",
    }

    def postOptions(self) -> None:
        """Validate the names of the files."""
        super().postOptions()
        check_output_files(self, FILES)
