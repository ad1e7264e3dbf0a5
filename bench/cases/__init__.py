"""The cases, one file a group."""

from bench.cases import boards, buckets, confirmations, contracts, imports, lists, starts

GROUPS = (lists, confirmations, imports, boards, contracts, buckets, starts)
CASES = {case.name: case for group in GROUPS for case in group.CASES}
