"""How sessions come from the store and go there, by Flask-Session's rules and a few stricter ones."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from flask import Flask, Request, Response, request
from flask_session.base import ServerSideSessionInterface
from typing_extensions import override

from web.sessions import cookies
from web.sessions.cookies import FORM_TOKEN
from web.sessions.session import Session, State, now, read_back, write_down
from web.sessions.store import Found, SessionStoreError, Store

ID = re.compile(r"[A-Za-z0-9_-]{43}")  # as we make them; nothing else is looked for
NOT_WORTH_KEEPING = {FORM_TOKEN}
EXTENSIONS = 10  # at most, in one idle lifetime

log = structlog.get_logger(__name__)


class Sessions(ServerSideSessionInterface):  # type: ignore[misc] # the library ships no types
    """Flask-Session, but a session is read when it is asked for, and written if it is still there.

    A form's token stays in a signed cookie until a session starts: otherwise every visitor who
    opens a form, and every robot, would leave a session behind.
    """

    def __init__(self, store: Store, idle_seconds: int, absolute_seconds: int) -> None:
        super().__init__(app=None)
        self.store = store
        self._idle_seconds = idle_seconds
        self._absolute_seconds = absolute_seconds

    @override
    def open_session(self, app: Flask, request: Request) -> Session:
        """Return the session of the request's cookie, not yet read, or a new one."""
        return Session(partial(self._look, app, request))

    @override
    def save_session(self, app: Flask, session: Session, response: Response) -> None:
        """Write the session if it changed, or keep it for longer if it is in use."""
        if session.accessed:
            response.vary.add("Cookie")
        if not session.loaded:
            return
        try:
            if not session.modified:
                self._extend(session.state)
            elif session.keys() - NOT_WORTH_KEEPING:
                super().save_session(app, session, response)
                session.state.stored = True
            else:
                self._keep_nothing(app, session, response)
        finally:
            session.modified = False  # also where the store failed: Flask comes here once more

    @override
    def regenerate(self, session: Session) -> None:
        """Give the session a new id; the old one is dead at once, and for ever."""
        if not self._removed(session.state) and session.state.carried:
            session.clear()  # it was ended meanwhile, and must not live on under another id
        session.move()

    def end(self, session: Session) -> None:
        """Empty the session, and remove it at once."""
        self._removed(session.state)
        session.clear()
        session.move()
        session.ended = True

    def _removed(self, state: State) -> bool:
        """Remove the session from the store; return False if another request was faster."""
        return not state.stored or self.store.delete(self._get_store_id(state.sid))

    def _look(self, app: Flask, request: Request) -> State:
        sid = request.cookies.get(self.get_cookie_name(app), "")
        state = self._find(sid) if ID.fullmatch(sid) else None
        if state:
            return state
        token = cookies.visitor_token(app, request)
        return State({FORM_TOKEN: token} if token else {})

    def _find(self, sid: str) -> State | None:
        found = self._retrieve_session_data(self._get_store_id(sid))
        state = read_back(found.content, sid, found.seconds_left) if found else None
        return state if state and self._lifetime(state) > 0 else None

    def _keep_nothing(self, app: Flask, session: Session, response: Response) -> None:
        """Leave at most the visitor's cookie of a session that holds nothing else (any more)."""
        if session.state.stored:
            self._removed(session.state)
            session.move()
            session.ended = True
        if session.ended and request.cookies.get(self.get_cookie_name(app)):
            self._send(app, response, self.get_cookie_name(app), "", max_age=0)
        if FORM_TOKEN in session:
            token = cookies.signer(app).dumps(session[FORM_TOKEN])
            self._send(app, response, app.config["VISITOR_COOKIE_NAME"], token)

    def _send(
        self, app: Flask, response: Response, name: str, value: str, max_age: int | None = None
    ) -> None:
        response.set_cookie(
            name,
            value,
            max_age=max_age,
            path=self.get_cookie_path(app),
            httponly=self.get_cookie_httponly(app),
            secure=self.get_cookie_secure(app),  # or browsers leave a __Host- cookie as it is
            samesite=self.get_cookie_samesite(app),
        )

    def _extend(self, state: State) -> None:
        """Keep a session for longer that is in use, though not at every request."""
        seconds = self._lifetime(state)
        if not state.stored or (seconds - state.seconds_left) * EXTENSIONS <= self._idle_seconds:
            return
        state.seconds_left = seconds
        try:
            self.store.extend(self._get_store_id(state.sid), seconds)
        except SessionStoreError as error:  # the answer is good all the same
            log.warning("session not kept for longer", reason=str(error))

    def _lifetime(self, state: State) -> int:
        """Return for how many seconds the session may be kept from now on."""
        return min(self._idle_seconds, state.started + self._absolute_seconds - now())

    # What Flask-Session asks of its subclasses.

    @override
    def _get_store_id(self, sid: str) -> str:
        """Return the key of the store: who can read the store must not learn the ids."""
        return hashlib.sha256(f"{self.key_prefix}{sid}".encode()).hexdigest()

    @override
    def _retrieve_session_data(self, store_id: str) -> Found | None:
        return self.store.read(store_id)

    @override
    def _delete_session(self, store_id: str) -> None:
        self.store.delete(store_id)

    @override
    def _upsert_session(self, session_lifetime: timedelta, session: Session, store_id: str) -> None:
        """Write the session; one that was ended or renamed meanwhile does not come back."""
        state = session.state
        seconds = max(1, self._lifetime(state))
        if not self.store.write(store_id, write_down(state), seconds, only_if_there=state.stored):
            log.info("session ended meanwhile, so what changed in it is dropped")
        state.seconds_left = seconds

    @override
    def should_set_cookie(self, app: Flask, session: Session) -> bool:
        """Name a session once, when it is new.

        Sent again and again, its name might come late, after that of its successor.
        """
        return not session.state.stored

    @override
    def get_expiration_time(self, app: Flask, session: Session) -> datetime:
        """Return when even a session in use is over; until then, the store decides."""
        return datetime.fromtimestamp(session.state.started + self._absolute_seconds, UTC)

    @override
    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether the cookie is for https only: in production always, else on https."""
        return bool(app.config["SESSION_COOKIE_SECURE"]) or request.is_secure
