"""What happens after the commit: events reach their subscribers, the audit is sealed. PostgreSQL holds what is to be
done; the queue is only a bell."""
