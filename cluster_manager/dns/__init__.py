"""A name server for the domain of a cluster: load spreading by DNS."""
