"""How often Python looks for garbage that only itself refers to."""

import gc


def settle() -> None:
    """What was allocated so far stays: it is never looked at again. What comes is looked at seldom.

    Called when a process has loaded what it works with. A look at all of it takes a worker most of a second, in which
    nothing leaves and no page is answered.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()
