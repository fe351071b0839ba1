"""Getting voices and models: nothing is downloaded that was not asked for by name."""
