"""Tables and figures of recursive reasoning about training-time adversarial machine learning (R2T2)."""
