"""Every name that a deed notes has a reader's word: found in the code, so that a new one cannot be forgotten."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.core.i18n import Language, speaking
from portal.web.audit_views import KINDS
from portal.web.particulars import HIDDEN, NAMES, particulars
from portal.web.sheet_views import labelled

ROOT = Path(__file__).parents[2]


def test_every_noted_name_has_a_word() -> None:
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted((ROOT / "portal").rglob("*.py"))}
    noting = {"record"} | {name for tree in trees.values() for name in passing_on(tree)}
    missing = {
        f"{path.relative_to(ROOT)}:{call.lineno} {word.arg}"
        for path, tree in trees.items()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in noting
        for word in call.keywords
        if word.arg and word.arg not in {*NAMES, *HIDDEN} and not word.arg.endswith("_id")
    }
    assert missing == set()


def test_every_kind_of_document_has_a_name_in_the_audit() -> None:
    kinds = {
        call.args[0].value
        for path in sorted((ROOT / "portal").rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Subject"
        if call.args and isinstance(call.args[0], ast.Constant)
    }
    assert kinds - set(KINDS) == set()


def passing_on(tree: ast.Module) -> Iterator[str]:
    """Functions whose `**data` goes into `record`."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.args.kwarg and function.name != "record":
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            if any(isinstance(call.func, ast.Name) and call.func.id == "record" for call in calls):
                yield function.name


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (Language.EN, "Decided by: The firm zone is touched, so both companies must agree; Reason: Demand has changed"),
        (Language.ZH, "决定方式：涉及锁定区，须双方同意；原因：需求变化"),
    ],
)
def test_what_is_noted_by_its_code_is_told_in_words(language: Language, told: str) -> None:
    with speaking(language):
        assert particulars({"way": "firm", "reason": "demand"}, 200) == told
        assert particulars({"reason": "Too dear"}, 200).endswith("Too dear")  # what a person wrote stays


def test_a_row_of_a_workbook_is_called_by_its_day_in_words() -> None:
    with speaking(Language.ZH):
        assert labelled("FC-2026-021 · R100 · 2026-12-08") == "FC-2026-021 · R100 · 2026年12月8日"
