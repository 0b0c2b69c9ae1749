"""Whether storages can be used: probes, checks from time to time, tests that tell each step."""
