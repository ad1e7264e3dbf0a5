"""Tests mirror the packages. Laws run without a time limit per example: a busy machine is not a broken law."""

from hypothesis import settings

settings.register_profile("laws", deadline=None)
settings.load_profile("laws")
