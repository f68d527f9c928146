"""Published files: where they lie, whether they are the right ones, and what is in them."""
