"""The cases, one file a group."""

from bench.cases import lists

CASES = {case.name: case for case in (*lists.CASES,)}
