"""Tables for the tests of the SCMS import: the set that travels with the portal, whole or in small."""

from functools import cache

from msgspec.structs import replace

from portal.sync.scms import parse
from portal.sync.scms_demo import bundled_table
from portal.sync.scms_file import ScmsFile
from portal.sync.table import Table


@cache
def whole_set() -> Table:
    return bundled_table()


@cache
def history() -> ScmsFile:
    return parse(whole_set())


def some(count: int = 40) -> Table:
    """The first rows of the set, in lists that a test may change."""
    table = whole_set()
    return replace(table, columns=[column[:count] for column in table.columns], numbers=table.numbers[:count])


def with_cell(table: Table, row: int, title: str, cell: str) -> Table:
    """The table with one cell changed; `row` as a spreadsheet counts."""
    columns = [list(column) for column in table.columns]
    columns[table.header.index(title)][row - 2] = cell
    return replace(table, columns=columns)


def picked(table: Table, order: list[int]) -> Table:
    columns = [[column[at] for at in order] for column in table.columns]
    return replace(table, columns=columns, numbers=list(range(2, len(order) + 2)))
