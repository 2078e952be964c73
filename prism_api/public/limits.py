"""What the public may ask: paths, pages and the names in them, for the function and for the document of it.

Belongs here: limits and patterns. Does not belong here: answers (handler.py) and how they are told (document.py).
"""

from typing import Final

ROOT: Final = "/public/"
DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 100
# Longer names, and other characters, name nothing; a table would refuse them as keys.
SLUG: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"
NAME: Final = r"^[A-Za-z0-9._-]{1,100}$"
FILE: Final = r"^[0-9]{1,5}\.(webp|avif)$"
