"""What runs say together: are they different, do they agree, does style move them.

::

    scored       a scorer's nine credits by tuple; the reading that several share
    pairing      several scorers -> the tuples all of them scored
    comparison   pairing -> differences, tests, agreement, where they disagree
    ├── testing      McNemar by tuple, gatekeeping and Holm
    ├── agreement    Cohen's kappa
    └── power        how small a difference could be seen
    sequential   two scorers, looked at while answers come in
    style        credits and texts -> what style and length are worth
    └── regression   logistic and linear models, clustered by tuple
    retest       a judge's votes against each other: its own noise
    panel        several scorers -> their majority, what each adds
    people       a scorer against people's labels, people among each other
    alpha        Krippendorff's alpha, for both
    correlation  accuracies against the scores of policies
    ├── policies     the CSV of those scores
    └── pooling      all downstream tasks together, by whole models

Pure functions over data; numpy and scipy are loaded when called.
"""
