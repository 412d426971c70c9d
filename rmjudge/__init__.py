"""Find out whether a reward model judges substance or style."""
