"""How other tools would read a run's verdicts and scores, beside how this one does."""
