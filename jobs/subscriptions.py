"""The one list of who reacts to what. Names are stored: renaming a subscriber orphans its waiting deliveries."""

from jobs import changes, chat_alerts, chats, contracts, forecasts, imports, invitations, notices, papers, releases
from jobs.subscribers import Subscriber, Subscriptions
from portal.notices.happenings import READERS

_ERRANDS: Subscriptions = {
    "AmendmentAccepted": (Subscriber("contracts.apply_amendment", effect=contracts.apply_amendment),),
    "ChangeAccepted": (Subscriber("changes.apply_accepted", effect=changes.apply_accepted),),
    "ChangeAsked": (Subscriber("changes.review", effect=changes.review),),
    "ChangeCountered": (Subscriber("changes.review_counter", effect=changes.review),),
    "ChangeExpired": (Subscriber("changes.drop_lapsed_cases", effect=changes.drop_cases),),
    "ChangeWithdrawn": (Subscriber("changes.drop_cases", effect=changes.drop_cases),),
    "ChatBlocked": (Subscriber("chat_alerts.blocked", errand=chat_alerts.blocked),),
    "ChatBound": (
        Subscriber("chats.greet", errand=chats.greet),
        Subscriber("chat_alerts.linked", errand=chat_alerts.linked),
    ),
    "ChatMoved": (Subscriber("chat_alerts.moved", errand=chat_alerts.moved),),
    "ChatUnbound": (Subscriber("chats.farewell", errand=chats.farewell),),
    "MemberInvited": (Subscriber("invitations.mail", errand=invitations.invite, seconds=30),),
    "AmendmentApplied": (
        Subscriber("contracts.redraft", effect=contracts.redraft_lines),
        Subscriber("papers.seal_version", errand=papers.seal, seconds=60),
    ),
    "ContractAccepted": (Subscriber("papers.seal", errand=papers.seal, seconds=60),),
    "ImportRequested": (Subscriber("imports.bring_forward", errand=imports.bring_forward, seconds=600, slow=True),),
    "ReleasePublished": (
        Subscriber("forecasts.ask", effect=forecasts.ask),
        Subscriber("releases.deliver", effect=releases.deliver),
    ),
    "ReleaseRejected": (Subscriber("releases.take_back", effect=releases.take_back),),
    "SealRequested": (Subscriber("papers.seal_again", errand=papers.seal, seconds=60),),
}
_NOTICES: Subscriptions = {
    kind.__name__: (Subscriber(f"notices.{kind.__name__}", errand=notices.tell, here=True),) for kind in READERS
}
SUBSCRIPTIONS: Subscriptions = {
    name: (*_ERRANDS.get(name, ()), *_NOTICES.get(name, ())) for name in (*_ERRANDS, *_NOTICES)
}
"""By the name of the event. An event without subscribers is marked as taken and kept as history."""


def names(subscriptions: Subscriptions = SUBSCRIPTIONS) -> dict[str, list[str]]:
    """The subscribers' names by event, for the check that each event got one delivery a subscriber."""
    return {event: [subscriber.name for subscriber in found] for event, found in subscriptions.items()}
