"""Post-training defenses: one file each, what it does to a trained model and the class that holds its numbers."""
