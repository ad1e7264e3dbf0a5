"""A factory's own spreadsheet from the command line: mapped as saved or as its headings say, tried or applied."""

from portal.core import db
from portal.core.errors import Invalid, NotFound
from portal.core.i18n import N_
from portal.sync import service_own
from portal.sync.own_fields import Target
from portal.sync.own_work import OwnFound
from portal.sync.service import choose_tenant


class UnknownTarget(Invalid):
    code = "unknown-target"
    text = N_("Rows become one of these: {targets}.")


async def bring(
    owner_url: str, content: bytes, filename: str, target: str, code: str | None, mapping: str | None, dry_run: bool
) -> OwnFound:
    """Upload, map and apply; or stop after trying. Raises what the pages would say."""
    if target not in set(Target):
        raise UnknownTarget(field="target", targets=", ".join(Target))
    actor = await choose_tenant(owner_url, code)
    if actor is None:
        raise NotFound
    async with db.unit_of_work(actor) as session:
        run = await service_own.upload(session, actor, Target(target), filename, content)
        said = service_own.found_of(run).mapping
        if mapping is not None:
            said = await service_own.use_mapping(session, actor, run, mapping)
        await session.flush()
        await service_own.map_columns(session, actor, run.id, said)
        if not dry_run:
            await service_own.apply(session, actor, run.id)
        return service_own.found_of(run)
