"""One file a verb: `run(arguments)` does it and returns the exit code."""
