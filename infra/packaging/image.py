"""Of which code an image of Dagster is: its tag says so.

Belongs here: the files that the image runs, the tag that they make, and whether an image is of them. The
repository takes no tag twice (infra/templates/dagster.yaml): a tag is as good as a digest, and says more. Does not
belong here: building it (infra/dagster/Dockerfile).
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

from infra.deploy_failures import OtherImage
from infra.packaging.sources import REPOSITORY
from prism_core.failures import PermanentFailure

# What tasks run; of infra they need no more than what writes their instance.
PACKAGES: Final = ("prism_core", "prism_resources", "prism_assets", "prism_sensors", "prism_api")
OTHERS: Final = ("pyproject.toml", "uv.lock", "infra/instance.py")
FOLDER: Final = "infra/dagster"


def image_files(root: Path = REPOSITORY) -> Iterator[Path]:
    """Every file that the image runs, in one order. Raises PermanentFailure where there is no repository."""
    for name in OTHERS:
        if not (root / name).is_file():
            raise PermanentFailure(f"an image is built from the repository, and {root / name} is missing")
        yield root / name
    for folder in (*PACKAGES, FOLDER):
        yield from sorted(
            one for one in (root / folder).rglob("*") if one.is_file() and "__pycache__" not in one.parts
        )


def image_tag(root: Path = REPOSITORY) -> str:
    """`code-` and what the files hash to: the same for the same files, wherever they lie."""
    whole = sha256()
    for path in image_files(root):
        whole.update(f"{path.relative_to(root).as_posix()}\0{sha256(path.read_bytes()).hexdigest()}\n".encode())
    return f"code-{whole.hexdigest()[:16]}"


def judge_image(image: str, tag: str, *, named: bool) -> str | None:
    """What to say of an image that is not of the code with this tag; nothing of one that is.

    Raises OtherImage for one that nobody `named` this time: it would stay behind the code without a word.
    """
    if re.search(rf":{re.escape(tag)}(@|$)", image):
        return None
    repository = re.sub(r"(:[\w.-]+)?(@sha256:\w+)?$", "", image)
    if not named:
        raise OtherImage(
            f"the image of Dagster that is deployed is {image}, and this code is {tag}: runs would go on with "
            f"another code than functions and tables. Build and push {repository}:{tag} (docs/deploy.md), and say "
            f"--set DagsterImage={repository}:{tag}; or name the one that is there to keep it. Nothing was changed"
        )
    return f"warning: the image {image} does not say that it is of this code ({tag}); runs may be of another one"
