"""The second factor: everybody's own, and what a workspace asks of whoever accepts."""

from portal.core.access import Permission
from tests.isolation.calls import Parts
from tests.isolation.expect import FACTORY, Audience, Spec, form
from tests.isolation.routes_open import Routes
from tests.isolation.world import PASSWORD

P = Permission
CODE = "000000"  # nobody of this world has a second factor, so no code is right
NOBODY = Spec(audience=Audience.NOBODY, parts=form(code=CODE))
ROUTES: Routes = {
    ("GET", "/sign-in/code"): Spec(audience=Audience.EVERYBODY, leads_to="/sign-in"),
    ("POST", "/sign-in/code"): NOBODY,
    ("GET", "/profile/second-factor"): Spec(need=None),
    ("POST", "/profile/second-factor"): Spec(need=None, double=True, parts=form(password=PASSWORD)),
    ("GET", "/profile/second-factor/set-up"): Spec(need=None),
    ("POST", "/profile/second-factor/set-up"): NOBODY,
    ("POST", "/profile/second-factor/codes"): NOBODY,
    ("POST", "/profile/second-factor/remove"): NOBODY,
    ("POST", "/people/acceptance"): Spec(need=P.MANAGE_PEOPLE, scope=FACTORY, parts=form(acceptance="password")),
    ("GET", "/api/v1/acceptance"): Spec(need=None),
    ("PUT", "/api/v1/acceptance"): Spec(
        need=P.MANAGE_PEOPLE, scope=FACTORY, parts=lambda ids: Parts(json={"acceptance": "password"})
    ),
}
