"""Sessions in Valkey, for web servers that share no folder."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis, RedisError, ResponseError
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError  # noqa: A004 the library's name for it
from redis.retry import Retry

from web.sessions.store import Found, SessionStoreError

PREFIX = "session:"
SECONDS_TO_ANSWER = 1.0
MILLISECONDS = 1000


class SessionsInValkey:
    """A string for each session, which Valkey itself removes when it expires."""

    def __init__(self, url: str) -> None:
        self._client = Redis.from_url(
            url,
            socket_connect_timeout=SECONDS_TO_ANSWER,
            socket_timeout=SECONDS_TO_ANSWER,
            # Once more, as a connection from before Valkey's restart fails; but nobody waits twice.
            retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
        )

    def read(self, key: str) -> Found | None:
        """Return what is kept; None where nothing is, or nothing that web has written."""
        with told():
            both = self._client.pipeline(transaction=False)
            both.get(PREFIX + key)
            both.pttl(PREFIX + key)
            content, milliseconds = both.execute(raise_on_error=False)
            if is_of_another_kind(content) or content is None:
                return None
            for answer in (content, milliseconds):
                if isinstance(answer, RedisError):
                    raise answer
        seconds_left = milliseconds / MILLISECONDS
        return Found(content, seconds_left) if seconds_left > 0 else None

    def write(self, key: str, content: bytes, seconds: int, *, only_if_there: bool = False) -> bool:
        """Keep the session; Valkey itself looks whether it is there, in the same step."""
        with told():
            return bool(self._client.set(PREFIX + key, content, ex=seconds, xx=only_if_there))

    def extend(self, key: str, seconds: int) -> bool:
        """Keep the session for longer."""
        with told():
            return bool(self._client.expire(PREFIX + key, seconds))

    def delete(self, key: str) -> bool:
        """Forget the session."""
        with told():
            return bool(self._client.delete(PREFIX + key))

    def check(self) -> None:
        """Ask for nothing but an answer."""
        with told():
            self._client.ping()


def is_of_another_kind(answer: object) -> bool:
    """Return whether the key holds a list or the like, which web never writes."""
    return isinstance(answer, ResponseError) and str(answer).startswith("WRONGTYPE")


@contextmanager
def told() -> Iterator[None]:
    """Tell what the client library says of Valkey as what it means to web."""
    try:
        yield
    except RedisError as error:
        message = f"the Valkey of the sessions cannot be used: {type(error).__name__}: {error}"
        raise SessionStoreError(message) from error
