"""The clock of leases and lifetimes: nobody sets it, and it does not stand still while the machine sleeps.

The database's time and this machine's may differ by hours; what lasts so many seconds does not care.
"""

import time


def now() -> float:
    """Return seconds since some moment in the past."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
