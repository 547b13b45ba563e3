"""Compare token ids with tiktoken's on millions of strings, by hand.

``target/venv/bin/python tests/fuzz_tokens.py --strings 5000000``
"""

from __future__ import annotations

import argparse
import sys
import time

from test_tokens import ENCODINGS, differences, strings

BATCH = 100_000


def main() -> int:
    """Go on in batches, each of its own seed; stop at the first that differs and show what does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strings", type=int, default=1_000_000, help="how many, for each encoding")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32, help="of the first batch")
    options = parser.parse_args()
    for batch in range(-(-options.strings // BATCH)):
        seed = options.seed + batch
        texts = list(strings(seed, min(BATCH, options.strings - batch * BATCH)))
        for encoding in ENCODINGS:
            if found := differences(encoding, texts):
                sys.stdout.write(f"seed {seed}, {encoding}: {len(found)} differ, among them {min(found, key=len)!r}\n")
                return 1
        sys.stdout.write(f"\rseed {seed}: {min((batch + 1) * BATCH, options.strings):,} strings alike")
        sys.stdout.flush()
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
