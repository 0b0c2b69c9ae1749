"""Which nodes of a cluster are alive, how far they have booted, who owns what."""
