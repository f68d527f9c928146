"""Untargeted hand-crafted attacks on the updates that malicious clients submit."""
