"""Help texts: commands by what they are for, a command's own options apart, examples at the end.

Knows click and nothing of AWS, so that `--help` is instant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from inspect import cleandoc
from typing import Any

import click

from shnotify.terminal.examples import EXAMPLES
from shnotify.terminal.language import LANGUAGES, tr
from shnotify.terminal.wrapping import NARROWEST, wrapped

GROUPS: dict[str, tuple[str, ...]] = {
    "Set up": ("init", "validate", "schema", "completion", "demo", "sandbox"),
    "Look": ("plan", "status", "doctor", "why", "match", "render", "estimate", "iam-policy"),
    "Mend": ("apply", "destroy", "test"),
    "Operate": ("dlq", "subscriptions", "baseline"),
    "Scale": ("export", "rollout"),
}
"""What commands are for, in the order of the help; a name that does not exist (yet) is left out."""
_WIDEST_WORD = 30
_NARROW = 6
"""Where meanings begin when they have no room beside the words."""
LANG_HELP = "Language of texts (JSON never changes)."
OTHERS = "More"
"""The heading of a command that no group names."""
SHARED = frozenset(
    ("config", "profile", "region", "timeout", "output", "verbose", "no_color", "lang")
)
"""The parameters that most commands have, by click's names."""
INSTEAD: dict[str, str] = {
    "--dry-run": "`shnotify plan` shows what apply would do, and changes nothing",
    "--auto-approve": "give --yes to go on without asking",
    "--approve": "give --yes to go on without asking",
    "--assume-yes": "give --yes to go on without asking",
    "--json": "give -o json",
    "--file": "give -c FILE",
    "-f": "give -c FILE",
    "--debug": "give -v",
    "--region": "this command asks nothing of AWS, so it takes no Region; the file's `region:` names it",
    "--profile": "this command asks nothing of AWS, so it takes no profile",
    "--timeout": "this command asks nothing of AWS, so it takes no time limit",
    "destroy --dry-run": "without --yes, `shnotify destroy` shows what would go, and asks",
    "baseline --dry-run": "give --preview",
    "rollout apply --dry-run": "`shnotify rollout plan` shows what it would do",
}
"""What fingers type, alone or behind a command -> what to type instead where there is no such option."""


class _Helped(click.Command):
    """Writes own and shared options apart, and examples; says what to type instead.

    examples  two or more command lines, as they are typed
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.examples = tuple(examples)
        # Each for itself: click keeps the option that it makes for the first context it sees.
        self.context_settings.setdefault("help_option_names", ["-h", "--help"])

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix=f"{tr('Usage:')} ")

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        text = cleandoc(self.help or "")
        for paragraph in text.split("\n\n") if text else ():
            formatter.write("\n")
            with formatter.indentation():
                _write(formatter, tr(" ".join(paragraph.split())))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own: list[tuple[str, str]] = []
        shared: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record and isinstance(parameter, click.Option):
                (shared if parameter.name in SHARED else own).append(record)
        for title, records in (("Options", own), ("Shared options", shared)):
            if records:
                with formatter.section(tr(title)):
                    definitions(formatter, records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section(tr("Examples")):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            path = ctx.command_path.partition(" ")[2]
            instead = INSTEAD.get(f"{path} {error.option_name}") or INSTEAD.get(error.option_name)
            if instead and path:  # before any command, options are in the wrong place
                raise click.UsageError(
                    f"No such option {error.option_name!r}: {instead}", ctx
                ) from error
            raise


class Command(_Helped):
    """A command that has none below it."""


class Group(_Helped, click.Group):
    """A command with commands of its own, such as `dlq list`."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        below = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        records = [(name, one.get_short_help_str(200)) for name, one in below if not one.hidden]
        if records:
            with formatter.section(tr("Commands")):
                definitions(formatter, records)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is None:
            ctx.fail(no_such_command(cmd_name, self.list_commands(ctx)))
        return found


def helped(command: click.Command, path: str) -> click.Command:
    """Returns the command, and all below it, with the help that every command of ours has.

    path  the command as it is typed, without `shnotify`: the key of its examples
    """
    same = ("name", "params", "callback", "help", "epilog", "short_help", "hidden", "deprecated")
    given: dict[str, Any] = {name: getattr(command, name) for name in same}
    given |= {"context_settings": command.context_settings, "examples": EXAMPLES.get(path, ())}
    if not isinstance(command, click.Group):
        return Command(**given)
    below = {name: helped(one, f"{path} {name}") for name, one in command.commands.items()}
    if not any("--lang" in one.opts for one in command.params):
        kinds = click.Choice(LANGUAGES)
        lang = click.Option(["--lang"], type=kinds, expose_value=False, help=LANG_HELP)
        given["params"] = [*command.params, lang]
    return Group(**given, commands=below, no_args_is_help=True)


def _write(formatter: click.HelpFormatter, text: str) -> None:
    """Writes a paragraph at the formatter's indent."""
    indent = " " * formatter.current_indent
    for number, line in enumerate(wrapped(text, formatter.width - len(indent))):
        formatter.write(f"{indent}{line if number == 0 else line.lstrip()}\n")


def definitions(formatter: click.HelpFormatter, records: Sequence[tuple[str, str]]) -> None:
    """Writes words and what they mean in two columns; a long word has a line of its own."""
    indent = " " * formatter.current_indent
    column = min(max(len(word) for word, _ in records), _WIDEST_WORD) + 2
    if formatter.width - len(indent) - column < NARROWEST:
        column = _NARROW
    room = formatter.width - len(indent) - column
    for word, meaning in records:
        text, more = re.fullmatch(
            r"(.*?)((?:  \[(?:default|required|[0-9]).*\])?)", meaning, re.DOTALL
        ).groups()  # type: ignore[union-attr]
        lines = [line.lstrip() for line in wrapped(f"{tr(text)}{more}", room)] or [""]
        first = f"{indent}{word}"
        if len(word) + 2 > column:
            formatter.write(f"{first}\n")
            first = indent
        formatter.write(f"{first.ljust(len(indent) + column)}{lines[0]}".rstrip() + "\n")
        for line in lines[1:]:
            formatter.write(f"{indent}{'':{column}}{line}\n")


def no_such_command(name: str, known: Iterable[str]) -> str:
    """Says that there is no such command, and which one may be meant."""
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=1)
    return f"no such command: {name!r}{f'; did you mean {near[0]}?' if near else ''}"


def grouped(names: Iterable[str]) -> dict[str, list[str]]:
    """Puts the names of commands under their headings; what no group names comes last."""
    known = list(names)
    found = {title: [name for name in listed if name in known] for title, listed in GROUPS.items()}
    placed = {name for listed in found.values() for name in listed}
    found[OTHERS] = [name for name in known if name not in placed]
    return {title: listed for title, listed in found.items() if listed}
