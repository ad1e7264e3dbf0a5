"""`portal contracts suggest-targets`: what the history of a workspace's lines suggests, and taking it."""

import asyncio
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from portal.core.settings import Settings, StartError

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.shipments.service_ledger import SuggestedLine

contracts_app = typer.Typer(no_args_is_help=True, help="Contracts of a workspace.")
SHOWN = 40


class NoWorkspace(StartError):
    """There is no workspace with this code."""


@contracts_app.callback()
def begin() -> None:
    """Contracts of a workspace."""


@contracts_app.command("suggest-targets")
def suggest_targets(
    tenant: Annotated[str, typer.Argument(help="Code of the workspace.")],
    apply: Annotated[bool, typer.Option("--apply", help="Give these lines monthly periods.")] = False,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A day of the first month; without it today's.")
    ] = None,
    months: Annotated[int, typer.Option(min=1, max=240, help="How many months.")] = 12,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
) -> None:
    """The median of the months with demand as a monthly target; lines with too few deliveries stay pure call-off."""
    from portal.core.provision import provisioned
    from portal.core.starting import require_schema

    with provisioned() as provision:
        require_schema(provision)
        found, figures = asyncio.run(_run(provision.settings, tenant, apply, since, months))
    _print(found, figures, as_json)


async def _run(
    settings: Settings, code: str, apply: bool, since: datetime | None, months: int
) -> tuple[list["SuggestedLine"], dict[str, int]]:
    from portal.accounts.service_companies import find_tenant
    from portal.core import db
    from portal.shipments.service_ledger import suggestions

    db.configure(settings, pool_size=2)
    try:
        actor = await find_tenant(str(settings.database_url), code)
        if actor is None:
            raise NoWorkspace(f"There is no workspace with the code {code}. `portal tenant create` makes one.")
        async with db.read(actor) as connection:
            found = await suggestions(connection, actor)
        figures = {
            "contracts": len({line.contract_id for line in found}),
            "lines": len(found),
            "suggested": sum(line.said.target is not None for line in found),
            "pure_call_off": sum(line.said.target is None for line in found),
            "applied": 0,
            "left_out": 0,
        }
        if apply:
            figures |= await apply_targets(actor, found, since, months)
        return found, figures
    finally:
        await db.dispose()


async def apply_targets(
    actor: "Actor", found: list["SuggestedLine"], since: datetime | None, months: int
) -> dict[str, int]:
    """Take the suggestions contract by contract; one that has ended, or that both sides agreed on, is left out."""
    from portal.contracts.inputs_buckets import LineTarget, SetTargets
    from portal.core.db import unit_of_work
    from portal.core.errors import Conflict
    from portal.shipments.service_ledger import set_targets

    chosen: dict[UUID, list[LineTarget]] = defaultdict(list)
    for line in found:
        if line.said.target and line.foq is None and not line.periods:
            chosen[line.contract_id].append(LineTarget(line_id=line.line_id, target=line.said.target))
    done: dict[str, int] = {"applied": 0, "left_out": 0}
    for contract_id, lines in chosen.items():
        data = SetTargets(since=since.date() if since else None, months=months, lines=lines)
        try:
            async with unit_of_work(actor) as session:
                await set_targets(session, actor, contract_id, data)
            done["applied"] += len(lines)
        except Conflict:
            done["left_out"] += len(lines)
    return done


def _print(found: list["SuggestedLine"], figures: dict[str, Any], as_json: bool) -> None:
    import json

    if as_json:
        typer.echo(json.dumps(figures))
        return
    named = [line for line in found if line.said.target is not None]
    for line in named[:SHOWN]:
        said = f"{line.said.target:,.0f} {line.unit} a month"
        typer.echo(f"{line.number:<28} {line.item_code:<16} {said:<24} {line.said.deliveries} deliveries")
    if len(named) > SHOWN:
        typer.echo(f"... and {len(named) - SHOWN} more.")
    typer.echo(f"{figures['pure_call_off']} of {figures['lines']} lines stay pure call-off: too few deliveries.")
    if figures["applied"] or figures["left_out"]:
        typer.echo(f"{figures['applied']} lines have monthly periods now; {figures['left_out']} were left out.")
