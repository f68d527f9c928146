"""The forms of local model poisoning, one per family of rules."""
