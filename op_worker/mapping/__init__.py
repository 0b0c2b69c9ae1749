"""Who our users are on a storage, and whose the files are that were there before."""
