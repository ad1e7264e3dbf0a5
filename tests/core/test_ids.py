"""Ids made in Python: of version 7, each larger than the one before, and never the same in two processes."""

import os
from uuid import RFC_4122, UUID

from portal.core.ids import uuid7, uuid7s


def test_ids_are_of_version_7_and_grow() -> None:
    made = [*(uuid7() for _ in range(1000)), *uuid7s(1000), *uuid7s(0), *uuid7s(1), *(uuid7() for _ in range(10))]
    assert len(made) == 2011
    assert all((one.version, one.variant) == (7, RFC_4122) for one in (UUID(str(made)) for made in made))
    assert made == sorted(set(made))


def test_a_forked_process_makes_other_ids_than_its_parent() -> None:
    uuid7()  # so that something is drawn which the child must not use
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, "".join(str(uuid7()) for _ in range(50)).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as theirs:
        text = theirs.read()
    ours = {str(uuid7())[19:] for _ in range(50)}
    assert len(text) == 50 * 36
    assert not ours & {text[n + 19 : n + 36] for n in range(0, len(text), 36)}
