"""Post-training defenses: one file per defense, with a class that holds its settings."""
