"""What a measurement says, and what it is compared with."""

import json
from dataclasses import replace
from pathlib import Path

from bench import report
from bench.__main__ import chosen
from bench.cases import CASES
from bench.harness import Result, Target, alternate, costs, rates
from bench.load import Answer, request

PAGE = Result("list_page_1m", "CPU s", 0.001, 0.0008, 0.8, 120.0, [0.001])


async def test_case_and_ceiling_take_turns_and_the_warming_up_is_not_counted() -> None:
    order: list[str] = []

    async def case() -> float:
        order.append("case")
        return float(len(order))

    async def ceiling() -> float:
        order.append("ceiling")
        return 0.0

    figures = await alternate(case, ceiling, runs=2)
    assert order == ["ceiling", "case", "case", "ceiling", "ceiling", "case"]
    assert (figures[0], figures[1]) == ([3.0, 6.0], [0.0, 0.0])


def test_a_ratio_of_one_is_as_good_as_the_bare_work_for_costs_and_rates_alike() -> None:
    assert costs("a", "CPU s", [2, 4, 3], [1.5, 1.5, 9], 1).ratio == 0.5
    assert rates("a", "/s", [500, 400, 900], [1000, 1000, 50], 1).ratio == 0.5


def test_a_target_is_missed_by_either_of_its_bounds() -> None:
    target = Target(least_ratio=0.2, least=500)
    confirm = Result("confirm_8", "/s", 600, 2000, 0.3, 1, [600])
    assert target.reached(confirm)
    assert not target.reached(replace(confirm, value=400))
    assert not target.reached(replace(confirm, ratio=0.1))
    assert target.text() == "≥ 0.2×, ≥ 500/s"


def test_a_run_is_stored_in_the_agreed_form(tmp_path: Path) -> None:
    report.write([PAGE, replace(PAGE, case="list_growth", p99=0.002)], tmp_path / "latest.json")
    stored = json.loads((tmp_path / "latest.json").read_text("utf-8"))
    assert set(stored) == {"machine", "cases"}
    growth, page = stored["cases"]
    assert list(page) == ["case", "unit", "value", "ceiling", "ratio", "peak_mb", "runs"]
    assert (growth["case"], growth["p99"]) == ("list_growth", 0.002)


def test_more_than_fifteen_per_cent_behind_the_reference_is_said() -> None:
    before = report.document([PAGE, replace(PAGE, case="board_500x26", unit="s", ratio=None, ceiling=None)])
    slower = [replace(PAGE, ratio=0.69), replace(PAGE, case="board_500x26", unit="s", ratio=None, value=0.00116)]
    assert report.slower(slower, before) == [
        "list_page_1m got slower: ratio 0.80 before, 0.69 now.",
        "board_500x26 got slower: 1.00 ms before, 1.16 ms now.",
    ]
    assert report.slower([replace(PAGE, ratio=0.71)], before) == []
    elsewhere = before | {"machine": {"cpu": "another"}}  # seconds of another machine say nothing
    assert report.slower(slower, elsewhere) == ["list_page_1m got slower: ratio 0.80 before, 0.69 now."]


def test_cases_are_chosen_by_name_and_every_one_says_what_it_measures() -> None:
    assert [case.name for case in chosen("confirm_8, cold_start")] == ["confirm_8", "cold_start"]
    assert chosen(None) == list(CASES.values())
    assert all(case.run.__doc__ for case in CASES.values())


def test_the_load_sends_plain_http() -> None:
    assert request("GET", "/a", {"cookie": "b"}) == b"GET /a HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: b\r\n\r\n"
    assert request("POST", "/a", {}, {"n": 1}).endswith(b"content-length: 8\r\n\r\n" + b'{"n": 1}')
    assert Answer(200, b'HTTP/1.1 200 OK\r\nETag: "3"\r\n\r\n', b"").header("etag") == '"3"'
