"""From a recipe to a finished wheel: plan, fetch, compile, trim, repair."""
