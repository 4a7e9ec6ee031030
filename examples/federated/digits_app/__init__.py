"""Two clients learn to read handwritten digits."""
