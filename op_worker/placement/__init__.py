"""Which storage of a space takes a new content: policies and the decision."""
