"""A function that does nothing.

Belongs here: what every start costs at least. Does not belong here: any import that a function could do without.
"""

from typing import Any


def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return {"statusCode": 200, "headers": {}, "body": "", "isBase64Encoded": False}
