"""PyTorch counterparts of :mod:`cnnlib.reference`: the same names and signatures, on any device."""
