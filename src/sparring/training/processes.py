"""What every process does that works for another one."""

import os
import threading
from multiprocessing import parent_process


def follow_parent() -> None:
    """From now on, end with the parent, however it ends: nobody else would take what this process makes."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
