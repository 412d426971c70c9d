"""How it looks: what others computed, laid out.

::

    terminal/    a console: sheets and matrices made to fit
    page/        the HTML page
    commands/    what each command prints, a module a command, of the command's name
    figures      how a number is written, and the signs of each output
    rows, cells  the summary of scorers: its lines, and the words and figures in them
    sheets       a titled table with notes, for every format; markup and csvrows write it
    verbosity    correctness against verbosity, as plots and the page draw it
    plots        files drawn by matplotlib
    progress     how far a run is
"""
