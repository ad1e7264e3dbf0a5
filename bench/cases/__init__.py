"""The cases, one file a group."""

from bench.cases import (
    approvals,
    boards,
    buckets,
    changes,
    confirmations,
    contracts,
    imports,
    lists,
    notices,
    papers,
    releases,
    starts,
)

GROUPS = (
    *(lists, confirmations, imports, boards, contracts, buckets, changes, starts, notices, papers, releases),
    approvals,
)
CASES = {case.name: case for group in GROUPS for case in group.CASES}
