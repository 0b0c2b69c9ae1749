"""What is serialised, as one caller may read it: the walk behind canonical JSON."""
