"""Completion of command lines in shells: scripts made from the options.

In bash and fish, the script has all of it.  In zsh, Twisted completes the options of a command line
when it is asked to; the script only asks.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from tlsdemo.cli.option_list import CommandEntry

_BASH = r"""
_tlsdemo() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local command=${1##*/} option= word i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if _tlsdemo_commands "$command" | grep -qxF -e "$word"; then
            command+=" $word"
            break
        fi
    done
    # Bash takes an equals sign for a word of its own.
    if [[ $current == '=' ]]; then
        option=$before current=
    elif [[ $before == '=' ]]; then
        option=${COMP_WORDS[COMP_CWORD-2]}
    elif [[ $before == --* ]] && _tlsdemo_options "$command" | grep -qxF -e "$before="; then
        option=$before
    fi
    while IFS= read -r word; do
        [[ $word == "${current//\\/}"* ]] && COMPREPLY+=("$(printf %q "$word")")
    done < <(
        if [[ $option ]]; then
            _tlsdemo_values "$command $option"
        else
            [[ $current == -* ]] || _tlsdemo_commands "$command"
            _tlsdemo_options "$command"
        fi
    )
    if [[ ${#COMPREPLY[@]} == 1 && $COMPREPLY == --*= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o default -F _tlsdemo tlsdemo twistd
"""

_ZSH = """\
#compdef tlsdemo
# Completion for zsh: as a file _tlsdemo in a folder of $fpath. That of twistd comes with zsh.
local found
found=$("${words[@]}" --_shell-completion "zsh:$CURRENT" 2>/dev/null)
[[ $found == '#compdef '* ]] && eval "$found"
"""

SHELLS = ("bash", "zsh", "fish")


def completion(shell: str, commands: Sequence[CommandEntry]) -> str:
    """Return the script for one of `SHELLS`; subcommands are among the ``commands``."""
    if shell == "zsh":
        return _ZSH
    lines = _bash(commands) if shell == "bash" else _fish(commands)
    return "\n".join(lines) + "\n"


def _below(commands: Sequence[CommandEntry], words: str) -> list[CommandEntry]:
    return [each for each in commands if each.words.rpartition(" ")[0] == words]


def _bash(commands: Sequence[CommandEntry]) -> Iterator[str]:
    yield "# Completion for bash, of tlsdemo and of what it adds to twistd."
    subcommands = {
        each.words: [sub.words.rpartition(" ")[2] for sub in _below(commands, each.words)]
        for each in commands
    }
    options = {
        each.words: [f"--{option.name}{'=' * option.takes_value}" for option in each.options]
        for each in commands
    }
    values = {
        f"{each.words} --{option.name}": list(option.values)
        for each in commands
        for option in each.options
    }
    tables = {"commands": subcommands, "options": options, "values": values}
    for name, table in tables.items():
        yield from (f"_tlsdemo_{name}() {{", '    case "$1" in')
        for key, words in table.items():
            if words:
                yield f"    {shlex.quote(key)}) printf '%s\\n' {shlex.join(words)} ;;"
        yield from ("    esac", "}")
    yield _BASH.strip()


def _fish(commands: Sequence[CommandEntry]) -> Iterator[str]:
    yield "# Completion for fish, of tlsdemo and of what it adds to twistd."
    for each in commands:
        program, _, name = each.words.partition(" ")
        below = _below(commands, each.words)
        condition = f"__fish_seen_subcommand_from {name}"
        if below:
            condition = "__fish_use_subcommand"
        for sub in below:
            word = sub.words.rpartition(" ")[2]
            yield f"complete -c {program} -f -n {condition} -a {word} -d {_quoted(sub.summary)}"
        for option in each.options:
            parts = [f"complete -c {program} -n {_quoted(condition)} -l {option.name}"]
            parts += [f"-s {option.letter}"] if option.letter else []
            if option.values:
                # The words of a list of fish may have quotes.
                names = " ".join(map(_quoted, option.values))
                parts.append(f"-x -a {_quoted(names)}")
            elif option.takes_value:
                parts.append("-r")
            parts.append(f"-d {_quoted(_brief(option.text))}")
            yield " ".join(parts)


def _brief(text: str) -> str:
    """Return the first sentence of a help."""
    return text.partition(". ")[0].partition(" [default:")[0].rstrip(".")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
