"""What a solver prints never mixes with an answer on standard output."""

import subprocess
import sys

import pytest

# It prints as HiGHS 1.12 does: through the buffers of C, which a pipe gets when they are full, or last.
PROGRAM = """
import ctypes
import os

from prism_resources.plans.printing import printing_to_stderr

try:
    with printing_to_stderr():
        ctypes.CDLL(None).puts(b"debug of C")
        os.write(1, b"debug at once\\n")
        if FAILS:
            raise ValueError("no solution")
    said = b"a solution"
except ValueError as error:
    said = str(error).encode()
os.write(1, said)
"""


@pytest.mark.parametrize(
    ("failing", "said"), [("False", "a solution"), ("True", "no solution")], ids=["solved", "failed"]
)
def test_what_is_printed_on_the_way_is_not_in_an_answer(failing: str, said: str) -> None:
    program = PROGRAM.replace("FAILS", failing)

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout == said
    assert "debug of C" in ran.stderr
    assert "debug at once" in ran.stderr
