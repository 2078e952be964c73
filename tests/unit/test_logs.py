"""A log line of a function is one line of JSON with the id of its invocation, its trace inside."""

import json
import logging
import subprocess
import sys
from types import SimpleNamespace

from prism_api import logs

# In a process of its own: `begin` changes the logging of the process.
SCRIPT = """
import logging
from types import SimpleNamespace
from prism_api import logs
logs.begin(SimpleNamespace(aws_request_id="first"))
logs.begin(SimpleNamespace(aws_request_id="second"))
try:
    raise ValueError("two\\nlines")
except ValueError:
    logging.getLogger("prism.events").exception("receipt %s could not be judged", "01KE")
"""


def test_a_failure_is_one_line_with_its_ids_and_its_trace() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)

    (line,) = map(json.loads, done.stdout.splitlines())
    assert (line["level"], line["logger"], line["aws_request_id"]) == ("ERROR", "prism.events", "second")
    assert line["message"] == "receipt 01KE could not be judged"
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: two\nlines")
    assert done.stderr == ""


def test_a_program_that_calls_a_handler_keeps_its_own_handlers() -> None:
    before = [*logging.getLogger("prism").handlers]

    logs.begin(None)
    logs.begin(SimpleNamespace())

    assert logging.getLogger("prism").handlers == before


def test_a_line_names_ten_ids_at_most() -> None:
    assert logs.some(map(str, range(500))) == [str(number) for number in range(10)]
