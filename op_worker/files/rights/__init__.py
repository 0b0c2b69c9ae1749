"""Who may do what: pure decisions about permission bits, access control lists and protection flags."""
