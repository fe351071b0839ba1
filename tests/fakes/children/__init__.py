"""Small real processes that behave, or misbehave, as services do. Standard library only: they must start quickly."""
