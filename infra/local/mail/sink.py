"""The end of every e-mail of a local platform: an SMTP server that keeps messages and forwards nothing.

Belongs here: SMTP, its replies and its life in an event loop that somebody else runs. Does not belong
here: file names and bytes on disk (keeping) and the page that shows the messages (mailbox).
"""

import asyncio
import ipaddress
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from aiosmtpd.smtp import SMTP, Session
from aiosmtpd.smtp import Envelope as SmtpEnvelope

from infra.local.mail import keeping
from prism_core.failures import BadUsage

MESSAGE_LIMIT_BYTES = 40 * 1024 * 1024
# RFC 5321 ends a line after 998 characters. We take longer ones: the sender (the embedded SES) drops a
# refused message with a line in its log, while the mailbox shows it with a warning.
LINE_LIMIT_BYTES = 1024 * 1024
# Two writers of our own: in the loop's default pool, which the emulator shares, a message would queue behind
# Lambda calls, and the embedded SES gives up after ten seconds without a second try.
WRITERS = 2
# What a client may still need, after its message is on disk, to read the answer before we hang up.
GOODBYE_SECONDS = 0.2

_log = logging.getLogger(__name__)


class _Connection(SMTP):
    line_length_limit = LINE_LIMIT_BYTES

    def __init__(self, handler: "_Keeper", connections: "set[_Connection]") -> None:
        super().__init__(
            handler,
            data_size_limit=MESSAGE_LIMIT_BYTES,
            enable_SMTPUTF8=True,
            hostname="mailbox.localhost",  # the default asks DNS for the machine's name
            ident="PRISM local mailbox",
            loop=asyncio.get_running_loop(),
        )
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        super().connection_lost(error)

    def hang_up(self) -> None:
        if self.transport is not None:
            self.transport.close()


class _Keeper:
    """Answers 250 only for what is on disk; whatever goes wrong is answered 451, so that a sender may retry."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.pool = ThreadPoolExecutor(WRITERS, thread_name_prefix="mail-sink")
        self.writing: set[asyncio.Future[str]] = set()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: SmtpEnvelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        loop = asyncio.get_running_loop()
        writing = loop.run_in_executor(
            self.pool,
            keeping.keep,
            self.directory,
            envelope.mail_from or "",
            list(envelope.rcpt_tos),
            content,
        )
        self.writing.add(writing)
        writing.add_done_callback(self.writing.discard)
        try:
            # A client that hangs up now must not stop the write half-way.
            message_id = await asyncio.shield(writing)
        except OSError as error:
            _log.warning("cannot keep a message in %s: %s", self.directory, error)
            return f"451 4.3.0 cannot keep the message: {error.strerror or error}"
        return f"250 2.0.0 kept as {message_id}"

    async def handle_exception(self, error: Exception) -> str:
        _log.error("the mail sink failed", exc_info=error)
        return f"451 4.3.0 the mail sink failed ({type(error).__name__})"


@dataclass(frozen=True)
class Sink:
    """A running sink. `port` is the one that was bound, also when any free one was asked for."""

    directory: Path
    host: str
    port: int
    _server: asyncio.Server
    _keeper: _Keeper
    _connections: set[_Connection]

    async def stop(self) -> None:
        """Takes no new connection, finishes what is being written, answers it, then hangs up."""
        self._server.close()
        if self._keeper.writing:
            await asyncio.wait(set(self._keeper.writing))
            await asyncio.sleep(GOODBYE_SECONDS)
        for connection in list(self._connections):
            connection.hang_up()
        await self._server.wait_closed()
        self._keeper.pool.shutdown(wait=True)


async def start_sink(directory: Path, host: str = "127.0.0.1", port: int = 0) -> Sink:
    """Serves SMTP in the running event loop and keeps every message of it in `directory`.

    Raises BadUsage for an address that is not loopback, OSError when the port is taken or the directory
    cannot be made.
    """
    if not _is_loopback(host):
        raise BadUsage(f"the mail sink listens on loopback only, not on {host!r}; use 127.0.0.1")
    directory = directory.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    keeping.remove_unfinished(directory)
    keeper, connections = _Keeper(directory), set[_Connection]()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(keeper, connections), host, port)
    bound = server.sockets[0].getsockname()[1]
    return Sink(directory, host, bound, server, keeper, connections)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
