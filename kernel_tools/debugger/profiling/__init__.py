"""The profiler: what the machine and each step of the training spend their time on, and what would save some of it."""
