"""Administration of a provider under /api/v3/onepanel: storages, registration, supports."""
