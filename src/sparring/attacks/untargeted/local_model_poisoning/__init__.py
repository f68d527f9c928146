"""The forms of local model poisoning, one for each way in which a rule chooses."""
