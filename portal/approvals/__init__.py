"""Approvals: what the factory wants looked at before it is done, who looks, and the rules that decide without them."""
