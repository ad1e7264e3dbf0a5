"""Data from outside: uploaded tables, connectors to other systems, and how their records become ours."""
