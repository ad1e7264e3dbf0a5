"""What every domain stands on: settings, database, actor, errors, states, quantities, outbox, audit."""
