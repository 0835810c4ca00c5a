"""What ranks do together: join, add numbers, take over those of one rank, gather objects, part.

ELBOFLOW_COLLECTIVES names the library that does it; nobody else knows which one that is.
"""

import os

if os.environ.get("ELBOFLOW_COLLECTIVES") == "torch":
    from elboflow.ranks.by_torch import (
        add,
        adds_with,
        gather,
        join,
        part,
        position,
        share,
        share_object,
        unfit,
    )
else:
    from elboflow.ranks.by_horovod import (
        add,
        adds_with,
        gather,
        join,
        part,
        position,
        share,
        share_object,
        unfit,
    )

__all__ = [
    "add",
    "adds_with",
    "gather",
    "join",
    "part",
    "position",
    "share",
    "share_object",
    "unfit",
]
