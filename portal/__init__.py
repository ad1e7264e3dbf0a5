"""Calloff: framework contracts, delivery schedules and receipts shared by a factory and its partners."""
