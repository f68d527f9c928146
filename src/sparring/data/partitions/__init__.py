"""Ways to divide the training examples among clients."""
