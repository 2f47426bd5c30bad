"""NumPy layers, forward and backward, written to be read."""
