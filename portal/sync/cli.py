"""`portal import scms`: a file of deliveries brought in by the operator."""

import asyncio
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from portal.core.settings import Settings, StartError

if TYPE_CHECKING:
    from portal.sync.findings import Refusal
    from portal.sync.scms_figures import Figures
    from portal.sync.scms_file import ScmsFile

import_app = typer.Typer(no_args_is_help=True, help="Bring data in from files.")
SHOWN = 50  # refused rows listed on the terminal; the imports page lists all of them

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV (plain or .gz) or XLSX.")]
Tenant = Annotated[str | None, typer.Option(help="Code of the workspace; without it the only one, or a new one: scms.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")]


class Refused(StartError):
    """A refusal, in its own sentence."""


@import_app.callback()
def begin() -> None:
    """Bring data in from files."""


@import_app.command("scms")
def scms(file: File, tenant: Tenant = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Turn an SCMS delivery history into contracts, deliveries, shipments and receipts. All of it or nothing."""
    from portal.core.errors import PortalError
    from portal.core.provision import provisioned
    from portal.core.starting import prepare_database

    with provisioned() as provision:
        prepare_database(provision)
        try:
            figures, refused = asyncio.run(_import(provision.settings, file, tenant, dry_run))
        except PortalError as error:
            raise Refused(str(error)) from error
    _print(figures, refused, as_json)
    raise typer.Exit(1 if refused else 0)


First = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The day of the first release.")]


@import_app.command("scms-stability")
def scms_stability(file: File, first: First, weeks: int = 52) -> None:
    """How steady weekly releases of an SCMS history would have been, by customer. Reads the file, writes nothing."""
    from portal.core.errors import PortalError
    from portal.schedules.rules_history import steadiness_by_contract
    from portal.sync import service
    from portal.sync.scms_releases import history, steadiness_by_partner, told

    try:
        parsed = asyncio.run(service.read_scms(file, file.name))
    except PortalError as error:
        raise Refused(str(error)) from error
    if not parsed.contracts:
        raise Refused(f"{file.name} holds no delivery that can be read. Is it the SCMS history?")
    by_contract = steadiness_by_contract(history(parsed), first.date(), min(max(weeks, 2), 520))
    for line in told(steadiness_by_partner(parsed, by_contract)):
        typer.echo(line)


Target = Annotated[str, typer.Option(help="What the rows become: contracts, schedule, opening.")]
Mapped = Annotated[str | None, typer.Option(help="Name of a saved mapping; without it the headings decide.")]


@import_app.command("own")
def own(file: File, target: Target, tenant: Tenant = None, mapping: Mapped = None, dry_run: DryRun = False) -> None:
    """Make drafts of a spreadsheet of your own. The good rows are written; the others are listed with their reasons."""
    from portal.core.errors import PortalError
    from portal.core.provision import provisioned
    from portal.core.starting import prepare_database

    with provisioned() as provision:
        prepare_database(provision)
        try:
            told, refused = asyncio.run(_own(provision.settings, file, target, tenant, mapping, dry_run))
        except PortalError as error:
            raise Refused(str(error)) from error
    for line in refused[:SHOWN]:
        typer.echo(line, err=True)
    if len(refused) > SHOWN:
        typer.echo(f"... and {len(refused) - SHOWN} more.", err=True)
    typer.echo(told)
    raise typer.Exit(1 if refused else 0)


async def _own(
    settings: Settings, source: Path, target: str, tenant: str | None, mapping: str | None, dry_run: bool
) -> tuple[str, list[str]]:
    from portal.core import db
    from portal.sync.own_command import bring
    from portal.sync.service_own import LIMITS
    from portal.sync.table import load

    db.configure(settings, pool_size=2)
    try:
        content = load(source, LIMITS)
        found = await bring(str(settings.database_url), content, source.name, target, tenant, mapping, dry_run)
    finally:
        await db.dispose()
    verb = "would be made" if dry_run else "made"
    told = f"{found.good} of {found.rows} rows are good; {len(found.made)} drafts {verb}."
    return told, [f"Row {one.row}, {one.column}: {one.reason} {one.told}" for one in found.refused]


async def _import(
    settings: Settings, source: Path, tenant: str | None, dry_run: bool
) -> tuple["Figures", list["Refusal"]]:
    from portal.core import db
    from portal.sync import service
    from portal.sync.scms_figures import figures
    from portal.sync.scms_writer import RowsRefused

    url = str(settings.database_url)
    db.configure(settings, pool_size=2)
    try:
        parsed = await service.read_scms(source, source.name)
        if dry_run:
            refused = (await service.try_scms(url, parsed, tenant)).refused
            return _with_refused(figures(parsed), refused), refused
        written = await _write(url, parsed, tenant)
        return figures(parsed, written), []
    except RowsRefused as error:
        return _with_refused(figures(parsed), error.refused), error.refused
    finally:
        await db.dispose()


async def _write(url: str, parsed: "ScmsFile", tenant: str | None) -> int:
    """Write with a bar on the error stream; returns the rows changed."""
    from rich.console import Console
    from rich.progress import Progress

    from portal.sync import service

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("Importing", total=parsed.rows)

        async def tell(done: int) -> None:
            progress.update(task, completed=done)

        return (await service.import_scms(url, parsed, tenant, tell)).changed


def _with_refused(figures: "Figures", refused: list["Refusal"]) -> "Figures":
    return {**figures, "refused": len({refusal.row for refusal in refused})}


def _print(figures: "Figures", refused: list["Refusal"], as_json: bool) -> None:
    import msgspec

    for refusal in refused[:SHOWN]:
        typer.echo(f"Row {refusal.row}, {refusal.column}: {refusal.reason} {refusal.mend}", err=True)
    if len(refused) > SHOWN:
        typer.echo(f"... and {len(refused) - SHOWN} more.", err=True)
    if refused:
        typer.echo(f"{figures['refused']} rows are refused. Nothing was written.", err=True)
    if as_json:
        typer.echo(msgspec.json.Encoder(decimal_format="number").encode(figures).decode())
        return
    for name, value in figures.items():
        typer.echo(f"{name:<15} {value:>20,}")
