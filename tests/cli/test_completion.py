from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.cli.printed import printed_by
from tests.cli.refusals import RefusingCase
from tlsdemo.cli.completion import completion
from tlsdemo.cli.main import main
from tlsdemo.cli.option_list import CommandEntry, OptionEntry
from tlsdemo.starttls.registry import DIALECTS

TRY = """
try() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _tlsdemo "$1"
    printf '%s|' "${COMPREPLY[@]}"
    echo
}
"""


class Bash(SynchronousTestCase):
    """What bash itself finds; an equals sign is a word of its own there."""

    def found(self, *lines: str) -> list[list[str]]:
        bash = shutil.which("bash")
        assert bash is not None
        script = "\n".join([printed_by("completion", "bash"), TRY, *lines])
        done = subprocess.run(
            [bash, "--norc"], input=script, capture_output=True, text=True, check=True, timeout=60
        )
        self.assertEqual(done.stderr, "")
        return [line.split("|")[:-1] for line in done.stdout.splitlines()]

    def test_completes_commands_options_and_values(self) -> None:
        self.assertEqual(
            self.found(
                "try tlsdemo ru",
                "try .venv/bin/tlsdemo seq",
                "try tlsdemo run --mo",
                "try tlsdemo run --mode =",
                "try tlsdemo run --mode = p",
                "try tlsdemo run --mode p",
                "try tlsdemo run --web --mo",
                r"try tlsdemo events --scenario = 'client\ certificate\ m'",
                "try twistd tlsd",
                "try twistd --pid",
                "try twistd -n tlsdemo --web",
                "try twistd tlsclient --dialect = ",
                "try twistd tlsdemo --cert = x",
            ),
            [
                ["run"],
                ["sequence-diagram"],
                ["--mode="],
                ["starttls", "pair", "wrapped", "clear"],
                ["pair"],
                ["pair"],
                ["--mode="],
                [r"client\ certificate\ missing"],
                ["tlsdemo"],
                ["--pidfile="],
                ["--web=", "--web-token="],
                list(DIALECTS),
                # Bash goes on with the names of files.
                [""],
            ],
        )

    def test_completes_names_with_any_character(self) -> None:
        option = OptionEntry("x", "", True, "It's.", ("a b", "it's", "$HOME", "*", "\\"))
        script = completion("bash", [CommandEntry("tlsdemo", "", "", "", {"": (option,)})])
        self.patch(sys.modules[__name__], "printed_by", lambda *_: script)
        (found,) = self.found("try tlsdemo --x =")
        self.assertEqual(found, [r"a\ b", r"it\'s", r"\$HOME", r"\*", "\\\\"])


class Fish(SynchronousTestCase):
    def test_has_a_line_for_every_option(self) -> None:
        script = printed_by("completion", "fish")
        self.assertIn(
            "complete -c twistd -n '__fish_seen_subcommand_from tlsdemo' -l readable -s r -d "
            "'The same as --delivery=readable'\n",
            script,
        )
        self.assertIn(" -l role -x -a '\\'proxy\\' \\'echo\\' \\'sink\\'' -d 'What the", script)
        self.assertIn("complete -c tlsdemo -f -n __fish_use_subcommand -a run -d 'Put the", script)

    def test_is_understood_by_fish(self) -> None:
        fish = shutil.which("fish")
        if fish is None:
            raise self.skipTest("there is no fish: apt-get install fish")
        script = printed_by("completion", "fish") + 'complete -C "twistd tlsdemo --role="\n'
        done = subprocess.run(
            [fish, "--no-config"], input=script, capture_output=True, text=True, timeout=60,
            check=True, env={**os.environ, "HOME": self.mktemp()},
        )  # fmt: skip
        self.assertEqual(done.stderr, "")
        found = [line.partition("\t")[0] for line in done.stdout.splitlines()]
        self.assertEqual(sorted(found), ["--role=echo", "--role=proxy", "--role=sink"])


class Zsh(RefusingCase):
    def test_asks_tlsdemo(self) -> None:
        script = printed_by("completion", "zsh")
        self.assertTrue(script.startswith("#compdef tlsdemo\n"))
        self.assertIn('"${words[@]}" --_shell-completion "zsh:$CURRENT"', script)

    def test_is_told_the_options_and_their_values(self) -> None:
        for words, expected in (
            ("run --mo", ":mode:(starttls pair wrapped clear)'"),
            ("findings --format=", ":format:(text json markdown)'"),
            ("", '"run:Put the same load'),
        ):
            output = io.TextIOWrapper(io.BytesIO())
            self.patch(sys, "stdout", output)
            self.patch(sys, "argv", ["tlsdemo"])
            self.assertIn(expected, self.asked(words.split(" "), output))

    def asked(self, words: list[str], output: io.TextIOWrapper) -> str:
        from twisted.python import usage

        self.patch(usage.Options, "_shellCompFile", output)
        position = f"zsh:{len(words) + 1}"
        exit_ = self.assertRaises(SystemExit, main, [*words, "--_shell-completion", position])
        self.assertFalse(exit_.code)
        output.flush()
        return output.buffer.getvalue().decode()  # type: ignore[attr-defined, no-any-return]


class Refusals(RefusingCase):
    def test_a_name_is_needed_and_has_to_be_known(self) -> None:
        for arguments, expected in (
            (["completion"], "tlsdemo completion: name one shell: bash, zsh, fish"),
            (["completion", "bash", "zsh"], "name one shell: bash, zsh, fish"),
            (["completion", "tcsh"], "the shell is 'tcsh', none of bash, zsh, fish"),
            (["man-page"], "name one manual page: tlsdemo, twistd-tlsdemo, twistd-tlsclient"),
            (["man-page", "tlsclient"], "the manual page is 'tlsclient', none of tlsdemo, twistd-"),
        ):
            message = self.refused(lambda a=arguments: main(a))  # type: ignore[misc]
            self.assertIn(expected, message)
