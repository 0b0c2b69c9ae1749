"""The REST interface of the zone: one class per subject, all routes in one table."""
