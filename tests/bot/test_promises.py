"""Commits and carry-overs asked for in plain words, read back from the other company's side."""

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from bot.channels import chat_channels
from portal.approvals.inputs import Condition, Op
from portal.approvals.model import ApprovalPoint
from portal.contracts.model_buckets import BucketCadence
from portal.contracts.rules_periods import Agreed
from portal.core.access import Role
from portal.core.actor import Direction
from portal.core.i18n import Language
from portal.core.settings import get_settings
from portal.notices.channels import Channel
from tests.approvals.makers import all_of, approvers, put_in_force, rules_of
from tests.bot.makers import House
from tests.bot.test_forecasts import asking, released
from tests.bot.test_notices import pass_on
from tests.bot.test_wishes import asked
from tests.bot.test_words import missing
from tests.changes.makers import agree, worked
from tests.contracts.bucket_makers import figures, make_committed, span
from tests.factories import Made, Tenant, fetch, today
from tests.forecasts.makers import cells, make_forecast, week
from tests.notices.channel import MemoryChat
from tests.notices.conftest import Post

D = Decimal


@pytest.fixture
async def channels(house: House) -> AsyncIterator[dict[str, Channel]]:
    """What the worker sends by."""
    found = chat_channels(get_settings())
    yield found
    for channel in found.values():
        await channel.close()


async def standing(tenant: Tenant, made: Made) -> dict[int, Decimal | None]:
    """What the buyer reads."""
    return {number: cell.committed for number, cell in (await cells(tenant.factory, made)).items()}


async def test_a_share_and_a_week_are_committed_to_in_words(house: House, tenant: Tenant) -> None:
    made = await asking(tenant)
    ben = await house.linked(tenant.supplier)

    await ben.phone.say("commit to 90 %")
    card = await ben.phone.wait_for("I read this as:")
    assert card.labels[0] == "Commit"
    assert "90% of the forecast · the next 13 weeks" in card.text
    assert "A100: commit to 135\u00a0pcs, the forecast is 150\u00a0pcs" in card.text
    assert await standing(tenant, made) == {1: None, 2: None}  # words alone commit to nothing
    answer = await ben.phone.press("Commit")
    assert answer.text == "The commit is made. The buyer sees it."
    assert await standing(tenant, made) == {1: 90, 2: 45}

    await ben.phone.say("commit 30 kg of A100 for January 2025")
    await ben.phone.wait_for("The part is counted in pcs. Write the quantity in it. That period has passed.")
    no = week(2).isocalendar().week
    await ben.phone.say(f"commit 30 of A100 for week {no}")
    second = await ben.phone.wait_for("commit to 30", after=card.id)
    assert "until now 45" in second.text
    again = await ben.phone.press("Commit", message=second.id)
    assert again.text == answer.text
    assert await standing(tenant, made) == {1: 90, 2: 30}
    assert (await ben.phone.message(card.id)).labels == []  # what is done is not pressed again


async def test_a_card_of_an_older_release_or_commit_commits_to_nothing(house: House, tenant: Tenant) -> None:
    made = await asking(tenant)
    ben = await house.linked(tenant.supplier, language=Language.ZH)

    await ben.phone.say("按 90% 承诺")
    card = await ben.phone.wait_for("我理解为：")
    assert missing(card.text.replace(made.contract.number, "")) == []
    await released(tenant, made, {3: 70})
    refused = await ben.phone.press("承诺", message=card.id)
    assert refused.alert
    assert (refused.text or "").startswith("第 3 版")
    assert set((await standing(tenant, made)).values()) == {None}
    viewer = await house.linked(tenant.supplier, Role.VIEWER)
    await viewer.phone.say("commit to 100%")
    await viewer.phone.wait_for("role")
    await house.quiet()
    assert set((await standing(tenant, made)).values()) == {None}


async def test_what_is_open_is_asked_and_of_several_forecasts_one_is_chosen(house: House, tenant: Tenant) -> None:
    made, other = await make_forecast(tenant, {1: 100}), await make_forecast(tenant, {1: 70})
    ben = await house.linked(tenant.supplier)

    for text, said in (
        ("commit to A100", "Which share or quantity?"),
        ("commit 800 of A100", "For which week or month?"),
        ("commit 800 of A100 for Q1", "by weeks or months, not by quarters"),
        ("commit to 250%", "from 0% to 200%"),
        ("commit to 90% of B777", "I find no forecast of yours for this part."),
        (
            "commit to 250% of B777 for Q1",
            "two decimals. A forecast is committed to by weeks or",
        ),
        ("commit 800 of B777 for Q1", "not by quarters. I find no forecast of yours for this part."),
        ("don't commit to 90%", "nothing is changed"),
        ("commit to 80% or 90%", "I am not sure what this sentence wants"),
    ):
        await ben.phone.say(text)
        await ben.phone.wait_for(said)
    await ben.phone.say("commit to 50% of A100")
    question = await ben.phone.wait_for("Several forecasts fit. Which one is meant?")
    assert {label.split(" · ")[0] for label in question.labels} == {made.contract.number, other.contract.number}
    chosen = next(label for label in question.labels if other.contract.number in label)
    await ben.phone.press(chosen, message=question.id)
    await ben.phone.wait_for("commit to 35")
    await ben.phone.press("Commit")

    assert await standing(tenant, made) == {1: None}
    assert await standing(tenant, other) == {1: 35}


async def test_a_commit_that_waits_for_a_colleague_says_so_and_is_made_when_they_agree(
    house: House, tenant: Tenant, channels: dict[str, Channel]
) -> None:
    made = await make_forecast(tenant, {1: 100, 2: 200}, Direction.SALE)
    much = Condition(fact="quantity", op=Op.AT_LEAST, values=["150"])
    await put_in_force(tenant, rules_of((all_of(much), approvers(Role.FINANCE))), ApprovalPoint.COMMIT)
    planner = await house.linked(tenant.factory)
    finance = await house.linked(tenant.factory, Role.FINANCE, name="Fei")
    await Post(tenant, MemoryChat()).awake(finance.actor)

    await planner.phone.say("commit to 100%")
    await planner.phone.wait_for("commit to 300")
    answer = await planner.phone.press("Commit")
    assert answer.text == "The commit waits for a colleague's approval; nothing is committed yet."
    assert set((await standing_of_buyer(tenant, made)).values()) == {None}
    await pass_on(tenant, channels)
    await finance.phone.wait_for("Your approval is asked")
    await finance.phone.press("Approve")

    assert await standing_of_buyer(tenant, made) == {1: 100, 2: 200}


async def standing_of_buyer(tenant: Tenant, made: Made) -> dict[int, Decimal | None]:
    return {number: cell.committed for number, cell in (await cells(tenant.customer, made)).items()}


# --- carry-overs ------------------------------------------------------------------------------------------------------


async def test_a_shortfall_is_carried_over_in_words_once_both_agree(house: House, tenant: Tenant) -> None:
    made = await make_committed(tenant, span(-40, -10), span(-10, 45), span(45, 80))
    ben = await house.linked(tenant.supplier, language=Language.ZH)

    await ben.phone.say("把 A100 的缺口结转")
    question = await ben.phone.wait_for("有几个周期符合，指的是哪一个？")
    await ben.phone.press(question.labels[0], message=question.id)
    card = await ben.phone.wait_for("缺少的 100")
    assert missing(card.text.replace(made.contract.number, "")) == []
    await ben.phone.say("把少的 60 件结转")
    question = await ben.phone.wait_for("“把少的 60 件结转”")
    await ben.phone.press(question.labels[0], message=question.id)
    await ben.phone.wait_for("60")
    assert await asked(tenant.factory) == []  # nothing is kept before it is sent
    await ben.phone.press("提交申请")

    ((status, _number, way, _reason, _scope),) = await asked(tenant.factory)
    assert (status, way) == ("submitted", "seller")
    assert await figures(tenant, made) == [{}, {}, {}]


async def test_periods_are_named_by_month_and_what_has_not_ended_is_not_carried(house: House, tenant: Tenant) -> None:
    now = today().replace(day=1)
    firsts = [month(now.year * 12 + now.month - 1 + no) for no in (-1, 0, 1, 2)]
    last, here, ahead, _then = firsts
    agreed = [Agreed(BucketCadence.MONTH, start, end, D(80), D(100), D(120)) for start, end in pairwise(firsts)]
    made = await make_committed(tenant, *agreed)
    lena = await house.linked(tenant.factory)

    for text, said in (
        (f"carry the 40 short in {here:%B} over to {ahead:%B}", "That period has not ended"),
        (f"carry the 40 too many in {last:%B} over to {ahead:%B}", "is short or has too much there"),
        (f"carry the 140 short in {last:%B} over to {ahead:%B}", "Only 100 pcs of the period can be carried over."),
        (f"don't carry the 40 short in {last:%B} over", "nothing is changed"),
        ("carry the 40 short of B777 over", "I find no period of this part."),
    ):
        await lena.phone.say(text)
        await lena.phone.wait_for(said)
    await lena.phone.say(f"carry the 40 short in {last:%B} over to {ahead:%B}")
    card = await lena.phone.wait_for("I read this as:")
    assert card.labels == ["Send request", "Reason", "Not this"]
    assert "40\u00a0pcs missing" in card.text
    assert "whose target becomes 140\u00a0pcs" in card.text
    await lena.phone.press("Send request")
    ((change_id, status),) = await fetch(tenant.supplier, "select id, status from change_request")
    assert (status, await figures(tenant, made)) == ("submitted", [{}, {}, {}])
    await agree(tenant.supplier, change_id)
    await worked(tenant, change_id)
    assert await figures(tenant, made) == [{"carried_out": -40}, {}, {"carried_in": 40}]


def month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)
