"""How patiently mirrors are asked, and what their failures are called."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import (
    ConnectTimeout,
    InvalidSchema,
    InvalidURL,
    ProxyError,
    RequestException,
    SSLError,
    TooManyRedirects,
)
from urllib3.util import Retry

from elboflow.images.errors import BadData

RETRIED_STATUS = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Limits:
    """How long to wait and how often to try. Times are in seconds."""

    connect_timeout: float = 10.0
    stall_timeout: float = 30.0  # without a byte, or with hardly any
    slowest: float = 1024.0  # bytes a second, over stall_timeout
    connect_retries: int = 2
    status_retries: int = 3
    attempts: int = 5  # transfers that break off, per mirror
    backoff: float = 1.0
    redirects: int = 5


class TransferError(BadData):
    """A mirror that does not give the file; the message is short: "HTTP 404"."""


class BrokenOff(TransferError):
    """A transfer that ended early and may be taken up again."""


def open_session(limits: Limits) -> requests.Session:
    """A session that retries what is worth retrying, and follows a few http(s) redirects only."""
    retry = Retry(
        total=None,
        connect=limits.connect_retries,
        read=1,
        redirect=0,
        status=limits.status_retries,
        other=0,
        status_forcelist=RETRIED_STATUS,
        backoff_factor=limits.backoff,
        raise_on_status=False,
        respect_retry_after_header=False,  # a server may ask for hours
    )
    session = requests.Session()
    session.max_redirects = limits.redirects
    session.mount("http://", HTTPAdapter(max_retries=retry))
    session.mount("https://", HTTPAdapter(max_retries=retry))
    # The length and the ranges of the file itself are wanted, not those of a packed transfer.
    session.headers["Accept-Encoding"] = "identity"
    return session


def reason(error: RequestException, limits: Limits) -> str:
    """A few words on why no answer came."""
    if isinstance(error, TooManyRedirects):
        return f"more than {limits.redirects} redirects"
    if isinstance(error, InvalidSchema | InvalidURL):
        return "redirects to something that is not http or https"
    if isinstance(error, ConnectTimeout):
        return f"no connection within {limits.connect_timeout:g} s"
    if isinstance(error, SSLError):
        return "its certificate is not accepted"
    if isinstance(error, ProxyError):
        return "the proxy does not answer"
    text = str(error)
    if "Read timed out" in text:
        return f"no answer within {limits.stall_timeout:g} s"
    if "NameResolutionError" in text or "Failed to resolve" in text:
        return "name not resolved"
    if "Connection aborted" in text:
        return "closed the connection without an answer"
    return "connection refused" if "Connection refused" in text else "no connection"


def shown_host(url: str) -> str:
    """The host and port of a URL, for messages: no user, password or query."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2]
