"""The cases, one file a group."""

from bench.cases import boards, confirmations, contracts, imports, lists, papers, starts

GROUPS = (lists, confirmations, imports, boards, contracts, starts, papers)
CASES = {case.name: case for group in GROUPS for case in group.CASES}
