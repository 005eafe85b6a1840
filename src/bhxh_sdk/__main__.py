"""`python -m bhxh_sdk`: the command line where the script `bhxh` is not on the search path."""

from __future__ import annotations

import sys

from bhxh_sdk.cli import main

if __name__ == "__main__":
    sys.exit(main())
