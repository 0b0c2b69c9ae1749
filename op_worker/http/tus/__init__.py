"""The door of resumable uploads: tus 1.0.0."""
