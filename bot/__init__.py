"""The bot: one conversation engine, several transports. `portal bot` alone runs it; the worker borrows its channels."""
