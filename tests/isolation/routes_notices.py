"""Notices: how people want to be told, the log of messages, and what may leave the house."""

from portal.core.access import Permission
from tests.isolation.calls import Parts
from tests.isolation.expect import FACTORY, Sight, Spec, asked, form
from tests.isolation.routes_open import Routes
from tests.isolation.things import Ids, contract, member

P = Permission
CHOICES = {
    "digest_at": "08:00",
    "quiet_from": "20:00",
    "quiet_to": "07:30",
    "kind": "confirmed:digest",
    "first": "email",
}


def chosen(ids: Ids) -> Parts:
    """Choices for somebody who has chosen nothing yet."""
    return Parts(json={"digest_at": "09:00"}, version=0)


ROUTES: Routes = {
    ("GET", "/profile/notifications"): Spec(need=None),
    ("POST", "/profile/notifications"): Spec(need=None, double=True, parts=form(version=0, **CHOICES)),
    ("POST", "/profile/notifications/detail"): Spec(
        need=P.MANAGE_PEOPLE, scope=FACTORY, parts=form(chat_detail="full")
    ),
    ("GET", "/messages"): Spec(),
    ("GET", "/messages/export"): Spec(),
    ("GET", "/api/v1/messages"): Spec(contract, asked(object_id="contract_id"), filters=True),
    ("GET", "/api/v1/members/{member_id:uuid}/notifications"): Spec(member, need=P.MANAGE_PEOPLE, sight=Sight.OWN),
    ("PUT", "/api/v1/members/{member_id:uuid}/notifications"): Spec(
        member, chosen, need=P.MANAGE_PEOPLE, sight=Sight.OWN, fresh=True
    ),
    ("GET", "/api/v1/chat-detail"): Spec(need=None),
    ("PUT", "/api/v1/chat-detail"): Spec(
        need=P.MANAGE_PEOPLE, scope=FACTORY, parts=lambda ids: Parts(json={"chat_detail": "full"})
    ),
}
