"""The supervisor of one local job: the parent of its processes. Standard library only, so that it starts at once and
stays small; `boot.py` is run as a file, everything else is imported after user code was started."""
