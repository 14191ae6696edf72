"""Files in and out: one module per file format."""
