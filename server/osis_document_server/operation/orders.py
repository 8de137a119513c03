"""What the parent and the processes that serve tell each other: single bytes, over a socket that only the two have."""

#: A process that it serves.
HEALTHY = b"+"
#: The parent that it is to stop …
STOP = b"s"
#: … and that it is to stop without waiting for calls under way.
HURRY = b"h"
