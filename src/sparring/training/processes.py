"""Setup of every worker process."""

import os
import threading
from multiprocessing import parent_process


def follow_parent() -> None:
    """End this process when its parent ends, for any reason, since no other process would use its results."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
