"""A recipe that somebody works on: its tables in a process of their own, seen through windows."""
