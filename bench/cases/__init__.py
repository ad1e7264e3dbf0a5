"""The cases, one file a group."""

from bench.cases import boards, confirmations, contracts, imports, lists, notices, starts

GROUPS = (lists, confirmations, imports, boards, contracts, starts, notices)
CASES = {case.name: case for group in GROUPS for case in group.CASES}
