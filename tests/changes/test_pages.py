"""The pages and the interface of change requests, as both companies open them."""
