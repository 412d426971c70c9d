"""From prompts to tuples with a proof each: recipes, checks, styles, files. `running` asks."""
