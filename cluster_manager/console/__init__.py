"""The command ``cluster-manager``: the state of a cluster in a terminal, and nodes that drain or leave."""
