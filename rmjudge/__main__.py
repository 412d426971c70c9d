"""`python -m rmjudge`."""

import sys

from rmjudge.cli import main

sys.exit(main())
