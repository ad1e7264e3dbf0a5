"""What the database holds, in one short answer: any row that was added, changed or removed changes it."""

from weakref import WeakKeyDictionary

import asyncpg

# Bookkeeping of requests themselves: a refused request may leave traces there and nowhere else.
BOOKKEEPING = ("alembic_version", "idempotency", "user_session")
_TABLES = """
select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
    and c.relname <> all($1::text[]) order by 1"""
# The largest xmin, as a number without the way over text, which costs twice as much.
_LATEST = "age('3'::xid) - coalesce(min(age(xmin)), age('3'::xid))"


Fingerprint = dict[str, tuple[int, int]]
_latest: WeakKeyDictionary[asyncpg.Connection, tuple[str, Fingerprint]] = WeakKeyDictionary()


async def fingerprint(owner: asyncpg.Connection) -> Fingerprint:
    """Per table how many rows there are, and the latest transaction that wrote one of them.

    An update writes a row anew even where it changes nothing, so this is stricter than a sum over what rows say. The
    tables are read only if a transaction that may write began or ended since the last time: equal snapshots see the
    same rows.
    """
    snapshot = await owner.fetchval("select pg_current_snapshot()::text")
    if owner not in _latest or _latest[owner][0] != snapshot:
        _latest[owner] = snapshot, await _read(owner)
    return _latest[owner][1]


async def _read(owner: asyncpg.Connection) -> Fingerprint:
    names = [row[0] for row in await owner.fetch(_TABLES, BOOKKEEPING)]
    each = (f"select '{name}', count(*), {_LATEST} from {name}" for name in names)
    return {row[0]: (row[1], row[2]) for row in await owner.fetch(" union all ".join(each))}


def changed(before: Fingerprint, after: Fingerprint) -> Fingerprint:
    """The tables that differ, with their row counts before and after."""
    return {name: (before[name][0], after[name][0]) for name in before if before[name] != after[name]}
