from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli.refusals import RefusingCase
from tests.cli.test_config_file import texts
from tlsdemo import tap, tap_client
from tlsdemo.cli.config_file import Kind
from tlsdemo.cli.config_options import ConfigOptions
from tlsdemo.tls import Delivery, ModeName

SAMPLES = {
    Kind.FLAG: "true",
    Kind.INTEGER: "70",
    Kind.NUMBER: "7.5",
    Kind.TEXT: '"tcp:7"',
    Kind.TEXTS: '["tcp:7"]',
}

# Options of which any number may be given together.
paths = texts.filter(bool)
FREE = {
    "listen": st.lists(st.sampled_from(["tcp:7", "tcp:8:interface=\\:\\:1", "unix:a"])),
    "mode": st.sampled_from([["starttls"], ["pair"], ["wrapped"]]),
    "client-auth": st.sampled_from([["required"], ["none"]]),
    "max-buffer": st.integers(1024, 1 << 30).map(lambda number: [str(number)]),
    "idle-timeout": st.floats(0, 1e6).map(lambda number: [str(number)]),
    "cert": st.lists(paths),
    "key": st.lists(paths),
    "ca": texts.map(lambda text: [text]),
    "alpn": st.sampled_from([["h2"], ["h2,http/1.1"]]),
    "proxy-protocol-from": st.just(["192.0.2.0/24,2001:db8::1"]),
    "tls-min": st.sampled_from([["1.2"], ["1.3"]]),
    "log-events": st.just([None]),
    "proxy-protocol": st.just([None]),
}


def command_line(values: dict[str, list[str | None]]) -> list[str]:
    return [
        f"--{name}" if value is None else f"--{name}={value}"
        for name, given in values.items()
        for value in given
    ]


class ConfigCase(RefusingCase):
    def setUp(self) -> None:
        super().setUp()
        self.file = Path(self.mktemp())

    def parse(
        self, toml: str, *arguments: str, of: type[ConfigOptions] = tap.Options
    ) -> ConfigOptions:
        self.file.write_text(toml, encoding="utf-8")
        options = of()
        options.parseOptions([f"--config={self.file}", *arguments])
        return options


class TheFile(ConfigCase):
    def test_sets_options(self) -> None:
        options = self.parse('mode = "pair"\nlisten = ["tcp:1", "unix:a"]\nidle-timeout = 5')
        self.assertEqual(options["mode"], ModeName.PAIR)
        self.assertEqual(options["listen"], ["tcp:1", "unix:a"])
        self.assertEqual(options["idle-timeout"], 5.0)

    def test_gives_way_to_the_command_line(self) -> None:
        toml = 'mode = "pair"\nlisten = ["tcp:1", "tcp:2"]\nlog-first = 1'
        options = self.parse(toml, "--listen=tcp:3", "--mode=starttls")
        self.assertEqual((options["mode"], options["listen"]), (ModeName.STARTTLS, ["tcp:3"]))
        self.assertEqual(options["log-first"], 1)

    def test_gives_way_to_another_word_for_an_option(self) -> None:
        self.assertEqual(self.parse("new = true", "--mode=pair")["mode"], ModeName.PAIR)
        self.assertEqual(self.parse('mode = "pair"', "--new")["mode"], ModeName.STARTTLS)
        options = self.parse('delivery = "record"', "-r")
        self.assertEqual(options["delivery"], Delivery.READABLE)

    def test_may_have_every_option(self) -> None:
        for command in (tap.Options, tap_client.Options):
            kinds = command().kinds()
            self.assertLess({"mode", "cert", "tls-min"}, set(kinds))
            self.assertFalse({"help", "version", "config", "print-config"} & set(kinds))
            for name, kind in kinds.items():
                toml = f"{name} = {SAMPLES[kind]}"
                try:
                    options = self.parse(toml, of=command)
                except SystemExit:
                    error = self.errors.getvalue()
                    self.assertRegex(error, f"{re.escape(str(self.file))}: {name} (is|needs) ")
                    self.assertNotIn("takes", error)
                else:
                    self.assertIn(name, [name for name, _ in options.given()])

    def test_may_have_no_option_that_the_command_has_not(self) -> None:
        for command, toml, expected in (
            (tap.Options, "mdoe = 1", "mdoe is 1, and twistd tlsdemo has no option of that name; "
             "did you mean mode?"),
            (tap.Options, "help = true", "help is true, and twistd tlsdemo has no option of that "
             "name"),
            (tap.Options, '[server]\nmode="x"', "server is a table, and twistd tlsdemo has no "
             "option of that name"),
            (tap_client.Options, "helo-name = 'x'", "helo-name is 'x', and twistd tlsclient has no "
             "option of that name; it is called client-name now"),
        ):  # fmt: skip
            message = self.refused(lambda c=command, t=toml: self.parse(t, of=c))  # type: ignore[misc]
            self.assertIn(f"{command.command}: {self.file}: {expected}", message)

    def test_is_named_with_a_value_that_is_wrong_or_contradicts_another(self) -> None:
        for toml, arguments, expected in (
            ("mode = 'x'", [], "mode is 'x', none of starttls, pair, wrapped, clear"),
            ("log-first = 'x'", [], "log-first is 'x', and it takes a whole number"),
            ("max-line = 70", ["--max-plain=64"], "max-line is '70', more than all lines"),
            ("new = true\nmode = 'pair'", [], "new is given, which is --mode=starttls, and --mode "
             f"is pair; use one ({self.file} has mode)"),
        ):  # fmt: skip
            message = self.refused(lambda t=toml, a=arguments: self.parse(t, *a))  # type: ignore[misc]
            self.assertIn(f"twistd tlsdemo: {self.file}: {expected}", message)

    def test_is_named_if_the_command_line_contradicts_it(self) -> None:
        message = self.refused(lambda: self.parse("max-plain = 64", "--max-line=70"))
        self.assertIn("twistd tlsdemo: --max-line is '70', more than all lines", message)
        self.assertIn(f"raise --max-plain ({self.file} has max-plain)", message)

    def test_is_named_if_its_certificates_and_keys_are_not_pairs(self) -> None:
        options: Any = self.parse('cert = ["a", "b"]\nkey = "c"')
        message = self.refused(lambda: options.identities("server"))
        self.assertEqual(
            message,
            f"twistd tlsdemo: {self.file}: cert is given 2 times and --key 1 times; each needs the "
            f"other ({self.file} has key)",
        )

    def test_has_to_be_there(self) -> None:
        message = self.refused(lambda: tap.Options().parseOptions(["--config=nowhere.toml"]))
        self.assertIn("--config is 'nowhere.toml': it cannot be read: No such file", message)

    def test_is_not_read_again_by_workers(self) -> None:
        options: Any = self.parse('mode = "pair"\nlog-events = true', "--workers=2")
        self.assertEqual(options.arguments, ["--mode=pair", "--log-events", "--workers=2"])


class PrintedOptions(ConfigCase):
    def printed(self, *arguments: str, of: type[ConfigOptions] = tap.Options) -> str:
        output = io.StringIO()
        self.patch(sys, "stdout", output)
        exit_ = self.assertRaises(SystemExit, of().parseOptions, [*arguments, "--print-config"])
        self.assertEqual(exit_.code, 0)
        return output.getvalue()

    @settings(deadline=None, max_examples=30)
    @given(st.fixed_dictionaries({}, optional=FREE))
    def test_can_be_read_back(self, values: dict[str, list[str | None]]) -> None:
        if "proxy-protocol" not in values:
            values.pop("proxy-protocol-from", None)
        first, second = tap.Options(), tap.Options()
        first.parseOptions(command_line(values))
        with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
            file.write(first.as_toml())
            file.flush()
            second.parseOptions([f"--config={file.name}"])
        self.assertEqual({**second, "config": None}, {**first, "config": None})
        # Grouped and ordered otherwise, but the same.
        self.assertEqual(sorted(second.arguments), sorted(first.arguments))

    def test_have_a_line_for_every_option(self) -> None:
        for command in (tap.Options, tap_client.Options):
            lines = self.printed(of=command).splitlines()
            self.assertEqual([line for line in lines if line and line[0] != "#"], [])
            named = [line.split()[1].rstrip(":") for line in lines if line[:2] == "# "]
            self.assertLess(set(command().kinds()), set(named))

    def test_tell_what_was_given_and_what_is_the_default(self) -> None:
        self.file.write_text("workers = 3\nlog-first = 5")
        text = self.printed(f"--config={self.file}", "--log-first=7", "--mode=pair")
        self.assertIn("\nworkers = 3\n", text)
        self.assertIn("\nlog-first = 7\n", text)
        self.assertIn('\nmode = "pair"\n', text)
        self.assertIn("\n# log-every = 100\n", text)
        self.assertIn("\n# status: a UNIX socket that only this user can use\n", text)

    def test_have_no_secrets(self) -> None:
        token = Path(self.mktemp())
        token.write_text("not to be seen by anybody\n")
        self.patch(os, "environ", {**os.environ, "TLSDEMO_PASSPHRASE": "nor this"})
        text = self.printed("--web=tcp:0", f"--web-token={token}")
        self.assertIn(str(token), text)
        self.assertNotIn("not to be seen", text)
        self.assertNotIn("nor this", text)

    def test_are_not_shown_if_they_are_refused(self) -> None:
        message = self.refused(lambda: tap.Options().parseOptions(["--mode=x", "--print-config"]))
        self.assertIn("--mode is 'x'", message)
        arguments = ["--ca=\udcff", "--print-config"]
        message = self.refused(lambda: tap.Options().parseOptions(arguments))
        self.assertIn("not UTF-8, so it cannot be written as TOML", message)
