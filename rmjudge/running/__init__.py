"""Asking: from the chosen scorer to the last kept answer."""
