"""`python -m yanrt` is the command `yanrt`."""

import sys

from yanrt.cli import main

sys.exit(main())
