"""Capture of training in PyTorch: what a hook hangs on a model and its optimizers, and takes off again."""
