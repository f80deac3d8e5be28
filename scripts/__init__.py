"""The scripts behind the Makefile: set-up, checks, tests and the lock. Only the standard library is needed."""
