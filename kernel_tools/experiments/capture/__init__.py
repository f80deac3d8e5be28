"""Automatic capture: where a run came from, what libraries tell while they train, and what a notebook cell shows.

Nothing here may break the code it watches: what fails is left out, with one `CaptureWarning`.
"""
