"""Who is a member of the cluster and how far it has booted: events in, effects out, no I/O."""
