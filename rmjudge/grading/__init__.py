"""Final answers: what a text states, and whether that is the known answer."""
