"""Falls over before it is ready."""

raise RuntimeError("the fox ran away")
