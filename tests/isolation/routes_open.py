"""Routes without a company's objects: coming in and going out, assets, health, documentation."""

from tests.isolation.expect import Audience, Sight, Spec, form
from tests.isolation.things import invited, membership
from tests.isolation.world import PASSWORD

Routes = dict[tuple[str, str], Spec | tuple[Spec, ...]]
OPEN = Spec(audience=Audience.EVERYBODY)
ASSET = "dist/sw.js"


def static(name: str) -> Spec:
    """One built file, named in the path."""
    return Spec(audience=Audience.EVERYBODY, given={"name": name})


ROUTES: Routes = {
    ("GET", "/healthz"): OPEN,
    ("GET", "/readyz"): OPEN,
    ("GET", "/api"): OPEN,
    ("GET", "/api/openapi.json"): OPEN,
    ("GET", "/api/docs"): OPEN,
    ("GET", "/static/{name:path}"): static(ASSET),
    ("GET", "/sw.js"): OPEN,
    ("GET", "/manifest.webmanifest"): OPEN,
    ("GET", "/sign-in"): OPEN,
    ("POST", "/sign-in"): Spec(audience=Audience.EVERYBODY, double=True, parts=form("email", password=PASSWORD)),
    ("POST", "/sign-out"): Spec(audience=Audience.EVERYBODY, double=True, parts=form(), leads_to="/sign-in"),
    ("POST", "/language"): Spec(audience=Audience.EVERYBODY, parts=form(language="en")),
    ("GET", "/companies"): Spec(need=None),
    ("POST", "/companies"): Spec(membership, form("membership_id"), sight=Sight.NOBODY, fresh=True),
    ("GET", "/invitations/{token:str}"): Spec(
        invited, audience=Audience.EVERYBODY, sight=Sight.LINK, shows_bearer=True
    ),
    ("POST", "/invitations/{token:str}"): Spec(
        invited,
        form(name="Inga", password=PASSWORD),
        audience=Audience.STRANGERS,
        sight=Sight.LINK,
        fresh=True,
        shows_bearer=True,
    ),
    ("GET", "/profile"): Spec(need=None),
    ("POST", "/profile/name"): Spec(need=None, parts=form(name="Another name")),
    ("POST", "/profile/password"): Spec(
        need=None, double=True, parts=form(present=PASSWORD, new="twelve capstans of oak")
    ),
    ("GET", "/live"): Spec(need=None),
}
