"""File formats of published data sets: location, checksums and parsing."""
