"""R2T2 (Chen et al., 2023): recursive reasoning in training-time adversarial machine learning."""
