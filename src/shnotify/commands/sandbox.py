import click
@click.command("sandbox", short_help="Run an embedded AWS on this machine.")
def command() -> int:
    return 1
