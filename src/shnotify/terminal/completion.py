"""Completion scripts for bash, zsh and fish: static text, made from the commands. Pure.

A script knows commands, options and choices; to complete a word starts no program, so that it costs
nothing. Routes are read out of the configuration file by the shell's own means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import click

SHELLS = ("bash", "zsh", "fish")


@dataclass(frozen=True)
class Option:
    """One option of a command.

    names    as they are typed
    takes    "" for a flag, else "file", "route", "choice" or "text"
    choices  what may follow it
    """

    names: tuple[str, ...]
    help: str
    takes: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """A command: its help, its options, and the commands below it."""

    help: str
    options: tuple[Option, ...]
    below: Mapping[str, Known]
    files: bool = False
    choices: tuple[str, ...] = ()


def known(command: click.Command, parent: click.Context | None = None) -> Known:
    """Reads a command and all below it."""
    context = click.Context(command, parent=parent, **command.context_settings)
    options = [
        _option(one)
        for one in command.get_params(context)
        if isinstance(one, click.Option) and not one.hidden
    ]
    below: dict[str, Known] = {}
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner and not inner.hidden:
                below[name] = known(inner, context)
    arguments = [one.type for one in command.params if isinstance(one, click.Argument)]
    choices = [
        str(word) for kind in arguments if isinstance(kind, click.Choice) for word in kind.choices
    ]
    return Known(
        command.get_short_help_str(80),
        tuple(options),
        below,
        files=bool(arguments) and not choices,
        choices=tuple(choices),
    )


def _option(option: click.Option) -> Option:
    names = (*option.opts, *option.secondary_opts)
    text = (option.help or "").split(". ")[0].rstrip(".")
    if option.is_flag or option.count:
        return Option(names, text)
    if isinstance(option.type, click.Choice):
        return Option(names, text, "choice", tuple(map(str, option.type.choices)))
    if isinstance(option.type, click.Path):
        return Option(names, text, "file")
    return Option(names, text, "route" if "--route" in names else "text")


def script(shell: str, root: Known) -> str:
    """Writes the completion script for a shell of `SHELLS`."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](root)


_ROUTES = (
    r"""sed -n 's/^  *- name: *"\{0,1\}\([a-z][a-z0-9-]*\).*/\1/p' """
    '"${SHNOTIFY_CONFIG:-shnotify.yaml}" 2>/dev/null'
)
"""Prints the routes' names of the file, as `init` and the documentation write them."""


_FISH_ROUTES = (
    "function __shnotify_routes; set -l file $SHNOTIFY_CONFIG; "
    'test -n "$file"; or set file shnotify.yaml; '
    r"""sed -n 's/^  *- name: *"\{0,1\}\([a-z][a-z0-9-]*\).*/\1/p' $file 2>/dev/null; end"""
)


def _paths(root: Known, path: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Known]]:
    yield path, root
    for name, inner in root.below.items():
        yield from _paths(inner, (*path, name))


def _valued(root: Known) -> dict[str, Option]:
    """Maps every option that takes a value to the option; one name means one thing everywhere."""
    return {
        name: option
        for _, found in _paths(root)
        for option in found.options
        if option.takes
        for name in option.names
    }


def _bash(root: Known) -> str:
    cases = []
    for path, found in _paths(root):
        words = [
            *found.below,
            *found.choices,
            *(name for option in found.options for name in option.names),
        ]
        files = " files=1" if found.files else ""
        cases.append(f'    "{" ".join(path)}") words="{" ".join(words)}"{files} ;;')
    values = []
    for name, option in _valued(root).items():
        if option.takes == "choice":
            values.append(f'    {name}) words="{" ".join(option.choices)}" files= ;;')
        elif option.takes == "route":
            values.append(f'    {name}) words="$({_ROUTES})" files= ;;')
        else:
            files = "1" if option.takes == "file" else ""
            values.append(f"    {name}) words= files={files} ;;")
    nested = "|".join(f'"{" ".join(path)}"' for path, _ in _paths(root) if path)
    return f"""\
# bash completion for shnotify: eval "$(shnotify completion bash)", or save it where bash looks
_shnotify() {{
  local cur="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" path="" words="" files="" i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${{COMP_WORDS[i]}}"
    case "${{path:+$path }}$word" in
      {nested}) path="${{path:+$path }}$word" ;;
    esac
  done
  case "$path" in
{chr(10).join(cases)}
  esac
  case "$before" in
{chr(10).join(values)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [ -n "$files" ]; then COMPREPLY+=($(compgen -f -- "$cur")); fi
}}
complete -o filenames -F _shnotify shnotify
"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _zsh(root: Known) -> str:
    functions = [_zsh_function(path, found) for path, found in _paths(root)]
    return (
        "#compdef shnotify\n"
        '# zsh completion for shnotify: eval "$(shnotify completion zsh)", or save it as _shnotify in $fpath\n'
        f'_shnotify_routes() {{ local -a found; found=(${{(f)"$({_ROUTES})"}}); compadd -a found }}\n'
        + "\n".join(functions)
        + "\nif [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
        + '  _shnotify "$@"\nelse\n  compdef _shnotify shnotify\nfi\n'
    )


def _zsh_name(path: tuple[str, ...]) -> str:
    return "_".join(("_shnotify", *path)).replace("-", "_")


def _zsh_text(text: str) -> str:
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def _zsh_function(path: tuple[str, ...], found: Known) -> str:
    lines = []
    for option in found.options:
        value = {
            "": "",
            "choice": f":value:({' '.join(option.choices)})",
            "file": ":file:_files",
            "route": ":route:_shnotify_routes",
            "text": ":value:",
        }[option.takes]
        lines += [_quoted(f"*{name}[{_zsh_text(option.help)}]{value}") for name in option.names]
    if found.below:
        lines += ["'1:command:->command'", "'*::argument:->argument'"]
    elif found.files:
        lines.append("'*:file:_files'")
    elif found.choices:
        lines.append(_quoted(f"1:word:({' '.join(found.choices)})"))
    body = f"  _arguments -C {' '.join(lines)}"
    if not found.below:
        return f"{_zsh_name(path)}() {{\n{body}\n}}"
    described = " ".join(_quoted(f"{name}:{one.help}") for name, one in found.below.items())
    calls = "\n".join(f"      {name}) {_zsh_name((*path, name))} ;;" for name in found.below)
    return f"""{_zsh_name(path)}() {{
  local state line
{body}
  case $state in
    command) local -a commands; commands=({described}); _describe command commands ;;
    argument) case $line[1] in
{calls}
    esac ;;
  esac
}}"""


def _fish(root: Known) -> str:
    lines = [
        "# fish completion for shnotify: save it as ~/.config/fish/completions/shnotify.fish",
        "complete -c shnotify -f",
        _FISH_ROUTES,
    ]
    for path, found in _paths(root):
        here = (
            " ".join(f"and __fish_seen_subcommand_from {name};" for name in path)
            .removeprefix("and ")
            .rstrip(";")
            if path
            else "__fish_use_subcommand"
        )
        for name, one in found.below.items():
            apart = (
                "" if not path else f"; and not __fish_seen_subcommand_from {' '.join(found.below)}"
            )
            lines.append(
                f"complete -c shnotify -n {_quoted(here + apart)} -a {name} -d {_quoted(one.help)}"
            )
        for option in found.options:
            lines.append(f"complete -c shnotify -n {_quoted(here)}{_fish_option(option)}")
        if found.files:
            lines.append(f"complete -c shnotify -n {_quoted(here)} -F")
        if found.choices:
            words = _quoted(" ".join(found.choices))
            lines.append(f"complete -c shnotify -n {_quoted(here)} -a {words}")
    return "\n".join(lines) + "\n"


def _fish_option(option: Option) -> str:
    names = "".join(
        f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in option.names
    )
    value = {
        "": "",
        "choice": f" -x -a {_quoted(' '.join(option.choices))}",
        "file": " -r -F",
        "route": " -x -a '(__shnotify_routes)'",
        "text": " -x",
    }[option.takes]
    return f"{names}{value} -d {_quoted(option.help)}"
