"""Fetches official weight files from where their authors publish them."""

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace

from core.errors import FaceLabError, UsageError
from facelib.checkpoints.importing import MAX_BYTES, Imported, install
from facelib.weights import RELEASES

_TIMEOUT = 30.0
_PIECE = 2**20


class FetchError(FaceLabError):
    """A weight file cannot be fetched, or is not the one that was published."""


def fetch(network: str, *, url: str | None = None,
          progress: Callable[[int, int | None], None] | None = None) -> list[Imported]:
    """Downloads the official weights of a network, checks them, and installs them.

    Args:
        network: A key of `facelib.weights.RELEASES`.
        url: Another address of the same file, such as a mirror; the checksum stays.
        progress: Called with the bytes so far, and in total where the server tells.

    Raises:
        UsageError: The network has no official file.
        FetchError: The server cannot be reached, or sends something else.
    """
    if network not in RELEASES:
        raise UsageError(f"there is no official file of {network!r} to fetch; there are "
                         f"{', '.join(RELEASES)}")
    release = RELEASES[network] if url is None else replace(RELEASES[network], url=url)
    data = _download(release.url, progress)
    digest = hashlib.sha256(data).hexdigest()
    if not digest.startswith(release.hash_start):
        raise FetchError(f"{release.url}: the file is not the published one (its SHA-256 begins "
                         f"with {digest[:10]} instead of {release.hash_start}); try again later, "
                         "or get it elsewhere and run `models import`")
    return install(data, release.url, RELEASES[network].file_name, network)


def _download(url: str, progress: Callable[[int, int | None], None] | None) -> bytes:
    pieces, n_bytes = [], 0
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:
            length = answer.headers.get("Content-Length")
            total = int(length) if length and length.isdigit() else None
            while piece := answer.read(_PIECE):
                pieces.append(piece)
                n_bytes += len(piece)
                if n_bytes > MAX_BYTES:
                    raise FetchError(f"{url}: the server sends more than any weight file has")
                if progress is not None:
                    progress(n_bytes, total)
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise FetchError(f"{url}: cannot fetch the weights ({reason}); check the network, or get "
                         "the file elsewhere and run `models import`") from error
    if total is not None and n_bytes < total:
        raise FetchError(f"{url}: the connection ended after {n_bytes} of {total} bytes; try again")
    return b"".join(pieces)
