"""Batch transform: a model on all rows of files, as a job that goes on where it was killed."""
