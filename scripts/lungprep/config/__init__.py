"""The config: its schema and defaults, its presets, and the recipe that it makes with the code."""
