"""Completion scripts for bash, zsh and fish: static text, made from the commands. Pure.

A script knows commands, options and choices; to complete a word starts no program of ours, so that
it costs nothing. Routes and subscribers are read out of the configuration file, and the ids of dead
letters out of what `dlq export` wrote here, by the shell's own means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import click

from shnotify.frozen import frozen

SHELLS = ("bash", "zsh", "fish")


@frozen
class Option:
    """One option of a command.

    names    as they are typed
    takes    "" for a flag, else "file", "choice", "text" or a name of `_READ`
    choices  what may follow it
    """

    names: tuple[str, ...]
    help: str
    takes: str = ""
    choices: tuple[str, ...] = ()


@frozen
class Known:
    """A command: its help, its options, and the commands below it.

    takes  what its arguments are: "" for none that is known, "file", or a name of `_READ`
    """

    help: str
    options: tuple[Option, ...]
    below: Mapping[str, Known]
    takes: str = ""
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
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    kinds = [one.type for one in arguments]
    choices = [
        str(word) for kind in kinds if isinstance(kind, click.Choice) for word in kind.choices
    ]
    return Known(
        command.get_short_help_str(80),
        tuple(options),
        below,
        takes=next((_ARGUMENTS.get(one.name or "", "") for one in arguments), ""),
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
    return Option(names, text, next((_VALUES[name] for name in names if name in _VALUES), "text"))


def script(shell: str, root: Known) -> str:
    """Writes the completion script for a shell of `SHELLS`."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](root)


_VALUES = {
    "--route": "route",
    "--to-route": "route",
    "--email": "subscriber",
    "--watchdog": "subscriber",
    "--id": "letter",
}
"""What an option's value is, where the shell can read it somewhere."""
_ARGUMENTS = {"file": "file", "files": "file", "endpoint": "subscriber", "message_id": "letter"}
"""What an argument is, by click's name for it; a finding's id or a link nobody can guess."""
_READ = {
    "route": r"""sed -n 's/^  *- name: *"\{0,1\}\([a-z][a-z0-9-]*\).*/\1/p' "$file" 2>/dev/null""",
    "subscriber": (
        """sed 's/#.*//' "$file" 2>/dev/null | """
        "grep -oE '[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+|https://[^\" }]+' | sort -u"
    ),
    "letter": r"""sed -n 's/^{"id": "\([^"]*\)".*/\1/p' ./*.jsonl 2>/dev/null""",
}
"""Prints the routes' names and the subscribers of the file, as `init` and the documentation write
them, and the ids in what `dlq export` wrote."""


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
        files = " files=1" if found.takes == "file" else ""
        read = f" $(_shnotify_{found.takes})" if found.takes in _READ else ""
        cases.append(f'    "{" ".join(path)}") words="{" ".join(words)}{read}"{files} ;;')
    values = []
    for name, option in _valued(root).items():
        if option.takes == "choice":
            values.append(f'    {name}) words="{" ".join(option.choices)}" files= ;;')
        elif option.takes in _READ:
            values.append(f'    {name}) words="$(_shnotify_{option.takes})" files= ;;')
        else:
            files = "1" if option.takes == "file" else ""
            values.append(f"    {name}) words= files={files} ;;")
    nested = "|".join(f'"{" ".join(path)}"' for path, _ in _paths(root) if path)
    return f"""\
# bash completion for shnotify: eval "$(shnotify completion bash)", or save it where bash looks
{_functions()}
_shnotify() {{
  local cur="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" path="" words="" files="" i word
  local file="${{SHNOTIFY_CONFIG:-shnotify.yaml}}"
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${{COMP_WORDS[i]}}"
    case "$word" in -c|--config) file="${{COMP_WORDS[i+1]}}" ;; esac
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


def _functions() -> str:
    """Writes the functions that read what only the files know; `$file` is the configuration file."""
    return "\n".join(f"_shnotify_{name}() {{ {code}; }}" for name, code in _READ.items())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _zsh(root: Known) -> str:
    functions = [_zsh_function(path, found) for path, found in _paths(root)]
    return (
        "#compdef shnotify\n"
        '# zsh completion for shnotify: eval "$(shnotify completion zsh)", or save it as _shnotify in $fpath\n'
        + f"{_functions()}\n{_ZSH_ADD}\n"
        + "\n".join(functions)
        + "\nif [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
        + '  _shnotify "$@"\nelse\n  compdef _shnotify shnotify\nfi\n'
    )


_ZSH_ADD = """\
_shnotify_add() {
  local file="${SHNOTIFY_CONFIG:-shnotify.yaml}" at
  at=${words[(I)(-c|--config)]}
  (( at )) && file="${(Q)words[at+1]}"
  local -a found; found=(${(f)"$(_shnotify_$1)"}); compadd -a found
}"""


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
            "text": ":value:",
        }.get(option.takes, f":{option.takes}:{{_shnotify_add {option.takes}}}")
        lines += [_quoted(f"*{name}[{_zsh_text(option.help)}]{value}") for name in option.names]
    if found.below:
        lines += ["'1:command:->command'", "'*::argument:->argument'"]
    elif found.takes == "file":
        lines.append("'*:file:_files'")
    elif found.takes:
        lines.append(_quoted(f"*:{found.takes}:{{_shnotify_add {found.takes}}}"))
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


_FISH_FILE = """\
function __shnotify_file
  set -l typed (commandline -opc); set -l file $SHNOTIFY_CONFIG
  for i in (seq (count $typed)); contains -- $typed[$i] -c --config; and set file $typed[(math $i + 1)]; end
  test -n "$file"; or set file shnotify.yaml; echo $file
end"""


def _fish(root: Known) -> str:
    lines = [
        "# fish completion for shnotify: save it as ~/.config/fish/completions/shnotify.fish",
        "complete -c shnotify -f",
        _FISH_FILE,
        *(
            f"function __shnotify_{name}; set -l file (__shnotify_file); {code}; end"
            for name, code in _READ.items()
        ),
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
        if found.takes == "file":
            lines.append(f"complete -c shnotify -n {_quoted(here)} -F")
        elif found.takes:
            add = f"'(__shnotify_{found.takes})'"
            lines.append(f"complete -c shnotify -n {_quoted(here)} -a {add}")
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
        "text": " -x",
    }.get(option.takes, f" -x -a '(__shnotify_{option.takes})'")
    return f"{names}{value} -d {_quoted(option.help)}"
