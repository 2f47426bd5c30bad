"""The sections that the messages of the tasks link to."""

from cnnlib.checks.book import Section

_PAGE = "book/ch01_local_connectivity/local_connectivity"
NEURON = Section(1, _PAGE, "ch01-neuron", "A neuron, a layer, a network")
PIXELS = Section(1, _PAGE, "ch01-pixels", "An image as a vector")
NOT_WEIGHTS = Section(1, _PAGE, "ch01-not-weights", "Inputs are not weights")
THREE = Section(1, _PAGE, "ch01-three", "Three ways to wire a layer")
GROWTH = Section(1, _PAGE, "ch01-growth", "How the count grows")
SHUFFLE = Section(1, _PAGE, "ch01-shuffle", "The shuffled picture")
VOLUMES = Section(1, _PAGE, "ch01-volumes", "Volumes")
