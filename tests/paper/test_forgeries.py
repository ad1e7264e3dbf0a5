"""A sealed file is valid, and two hundred altered ones are not."""

import hashlib

from portal.paper.rules import is_valid
from tests.paper.forgeries import all_forgeries, overlaid
from tests.paper.makers import judged, own_key, sealed_pdf


def test_the_sealed_document_is_valid_in_all_four_facts() -> None:
    facts = judged(sealed_pdf())
    assert [(fact.name, fact.good) for fact in facts] == [
        (name, True) for name in ("intact", "whole", "signer", "time")
    ]
    assert is_valid(facts)


def test_no_altered_file_is_valid() -> None:
    original = hashlib.sha256(sealed_pdf()).digest()
    forgeries = all_forgeries()
    assert len(forgeries) >= 200
    assert all(hashlib.sha256(data).digest() != original for _name, data in forgeries)
    assert [name for name, data in forgeries if is_valid(judged(data))] == []


def test_every_refused_file_says_why() -> None:
    for name, data in all_forgeries()[::7]:
        facts = judged(data)
        assert all(fact.sentence for fact in facts), name
        assert any(not fact.good for fact in facts), name


def test_what_was_prepared_before_the_sealing_is_sealed_but_never_issued() -> None:
    """Only the portal seals, and it seals what it typeset: the four facts cannot see more, the database does."""
    from portal.paper.sealing import sealed

    assert is_valid(judged(sealed(overlaid(), own_key(), "x")))
