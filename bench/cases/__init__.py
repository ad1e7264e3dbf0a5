"""The cases, one file a group."""

from bench.cases import boards, confirmations, contracts, lists, starts

GROUPS = (lists, confirmations, boards, contracts, starts)
CASES = {case.name: case for group in GROUPS for case in group.CASES}
