"""Failures that say nothing of the text: a network that went away, a full disk, a lost process.

They are never booked as a damaged file, or a corpus would be finished without what could not be read. What is finished
is kept, and the same command goes on from there.
"""

from __future__ import annotations

import errno

from mothertongue.errors import SourceError

GO_ON = "What is finished is kept: run the same command again when that is over."
_OF_THE_FILE = (None, errno.EINVAL)  # what libraries say of bytes that they cannot unpack, or seek in


class OutageError(SourceError):
    """Something besides the text has failed, for now."""


def refuse_outage(path: object, error: Exception) -> None:
    """OutageError if `error`, met while reading `path`, comes from the system: a file was there when it was hashed."""
    if isinstance(error, OSError) and error.errno not in _OF_THE_FILE:
        raise OutageError(f"{path} cannot be read: {error.strerror or error}. {GO_ON}") from error
