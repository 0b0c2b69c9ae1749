"""The HTTP door of a manager: the state of its cluster, and what operators may ask for."""
