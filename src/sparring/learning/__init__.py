"""How players come to play well."""
