"""What only developers and newcomers run: stand-ins for services of others. Nothing of the portal imports it."""
