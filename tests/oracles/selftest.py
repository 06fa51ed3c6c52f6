"""Runs all self-tests of the oracle drivers; needs nothing of snnc.

DIR/bin/python tests/oracles/selftest.py
"""

import sys
import unittest
from pathlib import Path

if __name__ == "__main__":
    here = str(Path(__file__).parent)
    unittest.main(
        module=None,
        argv=["selftest.py", "discover", "-s", here, "-p", "selftest_*.py", *sys.argv[1:]],
    )
