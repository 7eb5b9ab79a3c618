import click
@click.command("demo", short_help="Show it with an embedded AWS on this machine.")
def command() -> int:
    return 1
