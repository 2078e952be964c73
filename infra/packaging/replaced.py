"""Modules of libraries that a function gets in a shorter form: at a start they import what no call of it uses.

Belongs here: the module, what stands in its place, and what that saves at a cold start (benchmarks/api_init.py).
Does not belong here: what is taken away whole (libraries.py). A module that is gone or has another form after an
upgrade fails the package: nothing is put where nobody looks.
"""

from pathlib import Path

from prism_core.failures import PermanentFailure

_RESOLVERS = '''"""The resolvers of API Gateway; the library's own page imports those of nine other services."""

from aws_lambda_powertools.event_handler.api_gateway import (
    ALBResolver,
    APIGatewayHttpResolver,
    ApiGatewayResolver,
    APIGatewayRestResolver,
    CORSConfig,
    Response,
)

__all__ = [
    "ALBResolver",
    "APIGatewayHttpResolver",
    "APIGatewayRestResolver",
    "ApiGatewayResolver",
    "CORSConfig",
    "Response",
]
'''

_POWERTOOLS = '''"""The library's own page imports its logger, metrics and tracer, and names itself to botocore."""

from aws_lambda_powertools.shared.version import VERSION

__version__ = VERSION
'''

_EVENTS = '''"""The events that the resolvers name; the library's own page imports those of thirty services."""

from aws_lambda_powertools.utilities.data_classes.alb_event import ALBEvent
from aws_lambda_powertools.utilities.data_classes.api_gateway_proxy_event import (
    APIGatewayProxyEvent,
    APIGatewayProxyEventV2,
)
from aws_lambda_powertools.utilities.data_classes.bedrock_agent_event import BedrockAgentEvent
from aws_lambda_powertools.utilities.data_classes.lambda_function_url_event import LambdaFunctionUrlEvent
from aws_lambda_powertools.utilities.data_classes.vpc_lattice import VPCLatticeEvent, VPCLatticeEventV2

__all__ = [
    "ALBEvent",
    "APIGatewayProxyEvent",
    "APIGatewayProxyEventV2",
    "BedrockAgentEvent",
    "LambdaFunctionUrlEvent",
    "VPCLatticeEvent",
    "VPCLatticeEventV2",
]
'''

_NO_DOCUMENTS = '''"""Nobody reads help on a client in a function: nothing that would write it is loaded."""

DEPRECATED_SERVICE_NAMES = {"sms-voice"}  # boto3 asks for it
'''

_DOCSTRINGS = '''"""Empty texts where botocore would write help from a model."""


class LazyLoadedDocstring(str):
    __slots__ = ()

    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)


ClientMethodDocstring = PaginatorDocstring = WaiterDocstring = LazyLoadedDocstring
'''

# By path: a name that the module must define today, and its shorter form. CPU of an import on two shared cores,
# least of fifteen: 173 ms of botocore and Powertools with validation before, 156 with the resolvers, 146 with the
# two of botocore. The other two of Powertools: a start with the client 233 ms before, 221 after, least of forty.
SHORTER = {
    "aws_lambda_powertools/event_handler/__init__.py": ("BedrockAgentResolver", _RESOLVERS),
    "aws_lambda_powertools/__init__.py": ("from aws_lambda_powertools.tracing import Tracer", _POWERTOOLS),
    "aws_lambda_powertools/utilities/data_classes/__init__.py": ("VPCLatticeEventV2", _EVENTS),
    "botocore/docs/__init__.py": ("generate_docs", _NO_DOCUMENTS),
    "botocore/docs/docstring.py": ("class ClientMethodDocstring(LazyLoadedDocstring)", _DOCSTRINGS),
}


def replace_modules(folder: Path) -> None:
    """Put the shorter forms into unpacked libraries; a library that is not there is passed over.

    Raises PermanentFailure for a library that has changed: somebody must look at what it does now.
    """
    for name, (defined, text) in SHORTER.items():
        library, module = folder / name.partition("/")[0], folder / name
        if not (library / "__init__.py").is_file():
            continue
        if not module.is_file() or defined not in module.read_text():
            raise PermanentFailure(
                f"{name} no longer has {defined!r}: see what it does now, and mend infra/packaging/replaced.py"
            )
        module.write_text(text)
