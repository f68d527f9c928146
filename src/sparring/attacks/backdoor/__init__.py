"""Backdoor and data poisoning attacks, through the data that malicious clients train on."""
