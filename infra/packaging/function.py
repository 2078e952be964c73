"""The code of the API function, in the two shapes it is deployed in.

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

# Lambda's own limit is 250 MB; but every megabyte is unpacked and read at a cold start.
MAX_UNPACKED_BYTES = 60_000_000


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


def package_function(arch: Arch) -> Package:
    """Everything that Lambda needs. Raises PermanentFailure when it is larger than the bound."""
    with tempfile.TemporaryDirectory(prefix="prism-package-") as scratch:
        folder = Path(scratch) / "function"
        install_libraries(folder, arch)
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
    if archive.unpacked_bytes > MAX_UNPACKED_BYTES:
        largest = ", ".join(f"{name} {size:,}" for name, size in parts.most_common(5))
        raise PermanentFailure(
            f"the function has {archive.unpacked_bytes:,} bytes of at most {MAX_UNPACKED_BYTES:,} unpacked; "
            f"the largest parts are {largest}"
        )
    return Package(archive, arch, byte_code, dict(parts.most_common()))


def code_for(settings: Settings, arch: Arch) -> Archive:
    """The code in the shape of the place."""
    if settings.environment is Environment.LOCAL:
        return local_archive()
    package = package_function(arch)
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
