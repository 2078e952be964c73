"""The code of the functions, in the two shapes it is deployed in.

Belongs here: putting sources and libraries together, the bound of its size, the upload.
Does not belong here: how either is found (sources.py, libraries.py) and the stack that names it (infra/deploy.py).
"""

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from infra.packaging.archive import Archive, archive_of
from infra.packaging.libraries import PYTHON, Arch, byte_compile, files_of, install_libraries, strip
from infra.packaging.sources import own_files
from prism_core.failures import PermanentFailure
from prism_core.settings import Environment, Settings
from prism_resources.aws import client
from prism_resources.failures import calling


@dataclass(frozen=True, slots=True)
class Function:
    """A function: groups of uv.lock beside the main one, packages that it does without, the bound of its size.

    Lambda's own limit is 250 MB; but every megabyte is unpacked and read at a cold start.
    """

    name: str
    max_unpacked_bytes: int
    groups: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


# It looks at the text of an article for the pictures in it.
API = Function("api", 60_000_000, ("articles",))
# OR-Tools asks for pandas and more, of which its flow imports nothing; routes are not its own.
PLANNER = Function(
    "planner",
    190_000_000,
    ("solver",),
    ("pandas", "protobuf", "absl-py", "immutabledict", "aws-lambda-powertools"),
)
# Routes are not its own, and personal values are in none of its tables.
EVENTS = Function("events", 60_000_000, ("events",), ("aws-lambda-powertools", "cryptography", "holidays"))
# Pictures are opened in one of its functions and articles rendered in the other; routes are not its own, and
# personal values are in neither of its tables.
MEDIA = Function("media", 60_000_000, ("articles", "media"), ("aws-lambda-powertools", "cryptography", "holidays"))
FUNCTIONS = {one.name: one for one in (API, PLANNER, EVENTS, MEDIA)}


@dataclass(frozen=True, slots=True)
class Package:
    """What was built. `parts` are unpacked bytes by the first name of their path, largest first."""

    archive: Archive
    arch: Arch
    byte_code: bool
    parts: dict[str, int]


def local_archive() -> Archive:
    """Our modules alone: the embedded AWS runs a function with the Python, and the libraries, that runs PRISM."""
    return archive_of(own_files())


def package_function(function: Function, arch: Arch) -> Package:
    """Everything that Lambda needs. Raises PermanentFailure when it is larger than the bound."""
    with tempfile.TemporaryDirectory(prefix="prism-package-") as scratch:
        folder = Path(scratch) / "function"
        install_libraries(folder, arch, function.groups, function.without)
        strip(folder)
        for name, source in own_files():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
        byte_code = byte_compile(folder)
        parts = Counter[str]()
        for name, path in files_of(folder):
            parts[name.partition("/")[0]] += path.stat().st_size
        archive = archive_of(files_of(folder))
    if archive.unpacked_bytes > function.max_unpacked_bytes:
        largest = ", ".join(f"{name} {size:,}" for name, size in parts.most_common(5))
        raise PermanentFailure(
            f"the function {function.name} has {archive.unpacked_bytes:,} bytes of at most "
            f"{function.max_unpacked_bytes:,} unpacked; the largest parts are {largest}"
        )
    return Package(archive, arch, byte_code, dict(parts.most_common()))


def code_for(settings: Settings, function: Function, arch: Arch) -> Archive:
    """The code in the shape of the place."""
    if settings.environment is Environment.LOCAL:
        return local_archive()
    package = package_function(function, arch)
    if not package.byte_code:
        raise PermanentFailure(f"no Python {PYTHON} is here to write the byte-code of a deployment; install one")
    return package.archive


def upload(settings: Settings, bucket: str, archive: Archive) -> str:
    """Put the code where CloudFormation finds it, once; answers its key."""
    s3 = client(settings, "s3")
    with calling(f"s3://{bucket}", "upload the code"):
        try:
            s3.head_object(Bucket=bucket, Key=archive.key)
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") != 404:
                raise
            s3.put_object(Bucket=bucket, Key=archive.key, Body=archive.body)
    return archive.key
