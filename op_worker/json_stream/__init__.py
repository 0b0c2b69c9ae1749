"""JSON documents of any length, read in pieces: events for what is short, pieces for what is long. Pure."""
