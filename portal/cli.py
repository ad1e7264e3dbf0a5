"""The `portal` command. Each command also works alone; heavy libraries are imported where they are used.

A further command is a module with a function or a Typer of its own, registered at the end of this file.
"""

import asyncio
import errno
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from portal.accounts.cli import tenant_app, user_app
from portal.core.settings import LogFormat, StartError, get_settings
from portal.core.starting import PARTS, choose_port, make_roles, prepare_database, require_free_port, require_schema
from portal.demo.cli import demo
from portal.dev.cli import dev_app
from portal.shipments.cli import contracts_app
from portal.sync.cli import import_app

if TYPE_CHECKING:
    from litestar import Litestar

    from portal.core.provision import Provision


DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


class Sentences(TyperGroup):
    """What an operator can mend is a sentence, not a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except StartError as error:
            said = str(error)
        except OSError as error:
            if error.errno not in DISK:
                raise
            said = f"{error.filename or get_settings().data}: {error.strerror}. Make room for it, or allow it."
        typer.echo(f"portal: {said}", err=True)
        raise typer.Exit(2)


app = typer.Typer(
    name="portal",
    cls=Sentences,
    help="Contracts, schedules, shipments and receipts shared by a factory, its customers and its suppliers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the web server; else PORTAL_PORT.")]


@app.callback()
def begin() -> None:
    """Before every command: log as configured."""
    from portal.core.log import configure_logging

    settings = get_settings()
    configure_logging(settings.log_format, settings.log_level)


@app.command()
def up(port: Port = None) -> None:
    """Run everything in this terminal: database, migrations, web, worker and bot."""
    from portal.core.provision import provisioned
    from portal.core.supervise import Part, Supervisor

    choose_port(port)
    require_free_port()

    async def run(provision: "Provision") -> int:
        command = [sys.executable, "-m", "portal.cli"]
        parts = [Part(name, [*command, verb]) for name, verb in PARTS]
        supervisor = Supervisor(parts, provision.mend, machines=provision.settings.log_format is LogFormat.JSON)
        supervisor.terminal.say("portal", f"{where(provision)}; stop with Ctrl-C")
        return await supervisor.run()

    with provisioned() as provision:
        prepare_database(provision)
        code = asyncio.run(run(provision))
    raise typer.Exit(code)


@app.command()
def serve(port: Port = None) -> None:
    """Run the web server alone. It does not migrate, and refuses to start on another schema than its own."""
    from portal.core.provision import provisioned
    from portal.core.serving import serve as serve_web

    choose_port(port)
    require_free_port()
    with provisioned() as provision:
        require_schema(provision)
        serve_web(web_app, provision.settings)


@app.command()
def worker() -> None:
    """Run the worker alone: deliveries, notices, imports."""
    from jobs.worker import run
    from portal.core.provision import provisioned

    with provisioned() as provision:
        require_schema(provision)
        run()


@app.command()
def bot() -> None:
    """Run the bot alone: the chat in the portal, and Telegram when a token is set."""
    from bot.main import run
    from portal.core.provision import provisioned

    with provisioned() as provision:
        require_schema(provision)
        run()


@app.command()
def migrate() -> None:
    """Make missing roles and bring the schema to the newest migration."""
    from portal.core.provision import provisioned

    with provisioned() as provision:
        prepare_database(provision)
    typer.echo("The schema is at its newest migration.")


@app.command()
def check() -> None:
    """Look for broken invariants in the data. Prints nothing broken, or each finding, and then exits with 1."""
    from portal.core.provision import provisioned

    with provisioned() as provision:
        from jobs.subscriptions import names
        from portal.core.invariants import run

        broken = asyncio.run(run(str(provision.settings.database_url), names()))
    for finding in broken:
        typer.echo(str(finding))
    typer.echo(f"{len(broken)} broken." if broken else "All invariants hold.")
    raise typer.Exit(1 if broken else 0)


@app.command()
def backup(folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")]) -> None:
    """Write database, files and secret key into a folder, while the portal runs or not."""
    from portal.core.backup import back_up
    from portal.core.provision import provisioned

    with provisioned() as provision:
        said = back_up(provision.settings, folder.absolute())
    typer.echo(f"{folder} holds {', '.join(said)}.")


@app.command()
def restore(folder: Annotated[Path, typer.Argument(help="What `portal backup` made.")]) -> None:
    """Read a backup into an empty PORTAL_DATA, or an empty database of your own, and bring it to the newest schema."""
    from portal.core import backup
    from portal.core.launch import prepared
    from portal.core.provision import provisioned

    backup.take_key(prepared(get_settings().data), folder)
    with provisioned() as provision:
        asyncio.run(backup.require_empty(provision.settings))
        make_roles(provision)
        backup.restore(provision.settings, folder)
        prepare_database(provision)
    typer.echo("Restored. Run `portal check` now.")


@app.command()
def doctor() -> None:
    """Show every setting with its source, and whether database, roles and queue are as they must be."""
    from portal.core.doctor import Level, environment_findings, examine, setting_lines
    from portal.core.provision import provisioned
    from portal.paper.service_verify import seal_findings

    settings = get_settings()
    for line in setting_lines(settings):
        typer.echo(f"{line.variable:<30} {line.value:<50} {line.source}")
    findings = [*environment_findings(settings), *seal_findings(settings)]
    with provisioned() as provision:
        findings += asyncio.run(examine(provision.settings))
    typer.echo()
    for finding in findings:
        typer.echo(f"{finding.level:<8} {finding.text}")
    raise typer.Exit(1 if any(finding.level is Level.WRONG for finding in findings) else 0)


def web_app() -> "Litestar":
    """What the web server runs."""
    from portal.app import create_app

    return create_app()


def where(provision: "Provision") -> str:
    """What this run uses, in one line."""
    database = f"embedded PostgreSQL under {provision.settings.data}" if provision.postgres else "your PostgreSQL"
    return f"{provision.settings.base_url} with {database}"


app.add_typer(tenant_app, name="tenant")
app.add_typer(user_app, name="user")
app.add_typer(import_app, name="import")
app.add_typer(dev_app, name="dev")
app.add_typer(contracts_app, name="contracts")
app.command()(demo)


if __name__ == "__main__":
    app()
