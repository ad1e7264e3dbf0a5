from portal.core.paging import *  # noqa: F403
