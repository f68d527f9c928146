"""One run: its folder, its records, its checkpoints, its model and its cost."""
