"""Work as a number of calls, which is the same at each run, as a time is not."""

import sys


def calls_of(call):
    """How many functions a call calls, those written in C included. The first call warms it up."""
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    call()
    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(before)
    return count
