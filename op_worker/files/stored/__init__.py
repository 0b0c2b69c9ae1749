"""What is stored of files, as values: documents, entries, intents, batches of steps. Pure."""
