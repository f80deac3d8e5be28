"""How a model answers inside of a worker: in its library, in another process, or as somebody's own program."""
