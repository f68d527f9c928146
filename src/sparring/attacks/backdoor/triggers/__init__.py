"""What is put on an image so that a backdoored model takes it for the target class."""
