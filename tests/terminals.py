"""Commands in a real terminal."""

import pty
import struct
import subprocess
from collections.abc import Mapping, Sequence
from fcntl import ioctl
from io import FileIO
from termios import TIOCSWINSZ

END = b"\x00the command has ended\x00"
SHELL = [
    "sh",
    "-c",
    '"$@"; status=$?; printf "\\0the command has ended\\0"; exit $status',
    "sh",
]


def on_a_terminal(
    command: Sequence[str], environment: Mapping[str, str], *, columns: int = 80, lines: int = 24
) -> tuple[int, str]:
    """The status of a command, and what it wrote to a terminal of a size.

    A terminal may drop unread output when its last writer closes it. So this process holds it
    open, and a shell marks the end.
    """
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    with (
        FileIO(ours) as output,
        FileIO(theirs, "w") as terminal,
        subprocess.Popen(
            [*SHELL, *command], stdout=terminal, stderr=terminal, env=environment
        ) as process,
    ):
        text = b""
        while not text.endswith(END):
            text += output.read(65536)
        status = process.wait()
    return status, text.removesuffix(END).decode().replace("\r\n", "\n")
