"""A factory's own spreadsheets: sent, mapped, applied and taken back by those who may import."""

from dataclasses import replace
from typing import Any

from portal.core.access import Permission
from portal.core.db import unit_of_work
from portal.core.ids import uuid7
from portal.sync import service_own
from portal.sync.own_fields import Target
from portal.sync.service_own import found_of
from tests.factories import today
from tests.isolation.calls import Parts
from tests.isolation.expect import Sight, Spec, form
from tests.isolation.routes_open import Routes
from tests.isolation.things import Ids
from tests.isolation.world import Place, World
from tests.sync.own_files import gb_csv

P = Permission
COLUMNS = {"number": 0, "partner": 1, "item_code": 2, "valid_from": 3}


def own_csv() -> bytes:
    """A file that nobody sent before."""
    return gb_csv(("合同编号", "客户", "料号", "生效日期"), (uuid7().hex[:12], "nobody", "A100", today().isoformat()))


async def own_run(world: World, place: Place) -> Ids:
    """A file that was sent and tried."""
    factory = world.companies[place].factory
    async with unit_of_work(factory) as session:
        run = await service_own.upload(session, factory, Target.CONTRACTS, "own.csv", own_csv())
        await session.flush()
        await service_own.map_columns(session, factory, run.id, found_of(run).mapping)
        return {"run_id": run.id}


async def own_done(world: World, place: Place) -> Ids:
    """The same, applied."""
    ids = await own_run(world, place)
    factory = world.companies[place].factory
    async with unit_of_work(factory) as session:
        await service_own.apply(session, factory, ids["run_id"])
    return ids


async def saved_mapping(world: World, place: Place) -> Ids:
    factory = world.companies[place].factory
    async with unit_of_work(factory) as session:
        run = await service_own.upload(session, factory, Target.CONTRACTS, "own.csv", own_csv())
        await session.flush()
        await service_own.map_columns(session, factory, run.id, found_of(run).mapping, f"m-{uuid7().hex[-8:]}")
        (saved, *_) = await service_own.mappings(session, factory)
        return {"mapping_id": saved.id}


def sent(**fields: Any) -> Any:
    return lambda ids: Parts(file=("own.csv", own_csv()), form={"target": "contracts", **fields})


RUN = Spec(own_run, need=P.RUN_IMPORTS, sight=Sight.FACTORY)
MAPPED = replace(RUN, parts=lambda ids: Parts(form={"header": "1", "column": list(COLUMNS)}))
SAVED = Spec(saved_mapping, need=P.RUN_IMPORTS, sight=Sight.FACTORY, fresh=True)
ROUTES: Routes = {
    ("GET", "/imports/own"): Spec(need=P.RUN_IMPORTS),
    ("POST", "/imports/own"): Spec(
        need=P.RUN_IMPORTS, parts=lambda ids: Parts(file=("own.csv", own_csv()), form={"target": "contracts"})
    ),
    ("GET", "/imports/own/{run_id:uuid}"): RUN,
    ("GET", "/imports/own/{run_id:uuid}/rest"): RUN,
    ("POST", "/imports/own/{run_id:uuid}/mapping"): MAPPED,
    ("POST", "/imports/own/{run_id:uuid}/apply"): replace(RUN, parts=form(), fresh=True),
    ("POST", "/imports/own/{run_id:uuid}/undo"): Spec(
        own_done, form(), need=P.RUN_IMPORTS, sight=Sight.FACTORY, fresh=True
    ),
    ("POST", "/imports/mappings/{mapping_id:uuid}/forget"): replace(SAVED, parts=form()),
    ("POST", "/api/v1/own-imports"): Spec(need=P.RUN_IMPORTS, parts=sent()),
    ("GET", "/api/v1/own-imports/{run_id:uuid}"): RUN,
    ("POST", "/api/v1/own-imports/{run_id:uuid}/mapping"): replace(
        RUN, parts=lambda ids: Parts(json={"header": 1, "columns": COLUMNS})
    ),
    ("POST", "/api/v1/own-imports/{run_id:uuid}/apply"): replace(RUN, fresh=True),
    ("POST", "/api/v1/own-imports/{run_id:uuid}/undo"): Spec(
        own_done, need=P.RUN_IMPORTS, sight=Sight.FACTORY, fresh=True
    ),
    ("GET", "/api/v1/import-mappings"): Spec(need=P.RUN_IMPORTS),
    ("DELETE", "/api/v1/import-mappings/{mapping_id:uuid}"): SAVED,
}
