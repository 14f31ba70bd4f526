"""Sessions as visitors have them: their cookies, their files, and who has none."""

import json
import struct
import time
from pathlib import Path

import pytest
from cachelib import FileSystemCache
from cachelib.serializers import JSONSerializer

from mailer.upkeep.expiry import SESSION_NAME, Fate, fate_of_session
from tests.session_app import PRODUCTION, cookie_of, files, with_views
from tests.web_app import an_app, form_token
from web.sessions.files import SessionFiles


def test_reading_pages_and_forms_makes_no_file(tmp_path: Path) -> None:
    app = an_app(session_file_dir=tmp_path)

    for _ in range(20):
        app.test_client().get("/subscribe")

    assert files(tmp_path) == []


def test_page_without_a_form_sets_no_cookie() -> None:
    answer = an_app().test_client().get("/subscribe/asked")

    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_form_sets_its_cookie_once() -> None:
    client = an_app().test_client()

    first, second = client.get("/subscribe"), client.get("/subscribe")

    assert "HttpOnly; Path=/; SameSite=Lax" in first.headers["Set-Cookie"]
    assert "Set-Cookie" not in second.headers
    assert form_token(second)


def test_forged_visitor_cookie_is_not_believed() -> None:
    client = an_app().test_client()
    client.set_cookie("visitor", "ImZvcmdlZCI.forged-signature")

    answer = client.get("/subscribe")

    assert "visitor=" in answer.headers["Set-Cookie"]


def test_session_is_a_file_without_pickle_that_only_our_group_may_use(tmp_path: Path) -> None:
    client = with_views(an_app(session_file_dir=tmp_path)).test_client()

    client.get("/remember")

    (file,) = files(tmp_path)
    assert json.loads(file.read_bytes()[4:])["data"] == {"name": "ada"}
    assert file.stat().st_mode & 0o777 == 0o660
    assert client.get("/recall").text == "ada"


def test_session_that_could_not_be_put_in_place_is_open_to_our_group_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that is killed there would else leave what the mailer cannot read."""
    monkeypatch.setattr("os.replace", lambda _source, _target: None)
    client = with_views(an_app(session_file_dir=tmp_path)).test_client()

    client.get("/remember")

    (file,) = files(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o660


def test_reading_a_session_does_not_write_it_again(tmp_path: Path) -> None:
    client = with_views(an_app(session_file_dir=tmp_path)).test_client()
    client.get("/remember")
    before = files(tmp_path)[0].stat().st_ino

    client.get("/recall")

    assert files(tmp_path)[0].stat().st_ino == before


def test_sessions_are_not_evicted_to_make_room(tmp_path: Path) -> None:
    app = with_views(an_app(session_file_dir=tmp_path, ratelimit_enabled=False))
    first = app.test_client()
    first.get("/remember")

    for _ in range(600):
        app.test_client().get("/remember")

    assert first.get("/recall").text == "ada"


def test_session_that_was_cleared_is_gone(tmp_path: Path) -> None:
    client = with_views(an_app(session_file_dir=tmp_path)).test_client()
    client.get("/remember")

    client.get("/forget")

    assert files(tmp_path) == []
    assert client.get("/recall").text == "None"


def test_form_token_survives_the_start_of_a_session(tmp_path: Path) -> None:
    client = with_views(an_app(session_file_dir=tmp_path)).test_client()
    token = form_token(client.get("/subscribe"))
    client.get("/remember")

    answer = client.post("/subscribe", data={"csrf_token": token, "email": "no address"})

    assert answer.status_code == 422


def test_five_hundred_visitors_who_open_a_form_sign_nobody_out(tmp_path: Path) -> None:
    app = with_views(an_app(session_file_dir=tmp_path, ratelimit_enabled=False))
    signed_in = app.test_client()
    signed_in.get("/remember")

    for _ in range(505):
        app.test_client().get("/subscribe")

    assert signed_in.get("/recall").text == "ada"
    assert len(files(tmp_path)) == 1


def test_mailer_knows_our_files_and_when_they_expire(tmp_path: Path) -> None:
    with_views(an_app(session_file_dir=tmp_path)).test_client().get("/remember")

    (file,) = files(tmp_path)

    assert SESSION_NAME.fullmatch(file.name)
    head, now = file.read_bytes()[:4], time.time()
    assert fate_of_session(head, 0, now + 1800) is Fate.KEEP
    assert fate_of_session(head, 0, now + 1800 + 180) is Fate.EXPIRED


def test_files_have_the_format_of_cachelib(tmp_path: Path) -> None:
    class Json(FileSystemCache):
        serializer = JSONSerializer()  # type: ignore[assignment] # typed too narrowly

    client = with_views(an_app(session_file_dir=tmp_path)).test_client()
    client.get("/remember")

    read = Json(str(tmp_path), threshold=0).get(f"session:{cookie_of(client)}")

    assert read["data"] == {"name": "ada"}


def test_session_folder_stays_where_it_was_when_the_process_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    client = with_views(an_app(session_file_dir=Path("sessions"))).test_client()
    client.get("/remember")

    monkeypatch.chdir("/")

    assert client.get("/recall").text == "ada"


def test_expired_file_is_no_session(tmp_path: Path) -> None:
    client = with_views(an_app(session_file_dir=tmp_path)).test_client()
    client.get("/remember")
    (file,) = files(tmp_path)

    file.write_bytes(struct.pack("I", int(time.time()) - 1) + file.read_bytes()[4:])

    assert client.get("/recall").text == "None"


def test_id_that_the_client_made_up_is_never_taken(tmp_path: Path) -> None:
    client = with_views(an_app(session_file_dir=tmp_path)).test_client()
    client.set_cookie("session", "A" * 43)

    client.get("/remember")

    assert cookie_of(client) != "A" * 43
    client.set_cookie("session", "A" * 43)
    assert client.get("/recall").text == "None"


@pytest.mark.parametrize("sid", ["../../etc/passwd", "x", "\x00" * 43, "A" * 4000, "é" * 43])
def test_cookie_that_is_no_id_is_not_looked_for(
    sid: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    monkeypatch.setattr(SessionFiles, "read", lambda _files, key: reads.append(key))
    client = with_views(an_app(session_file_dir=tmp_path)).test_client()
    client.set_cookie("session", sid)

    answer = client.get("/recall")

    assert (answer.status_code, answer.text, reads) == (200, "None", [])


def test_page_that_asks_for_no_session_reads_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = with_views(an_app(session_file_dir=tmp_path, ratelimit_enabled=False)).test_client()
    client.get("/remember")
    reads: list[str] = []
    monkeypatch.setattr(SessionFiles, "read", lambda _files, key: reads.append(key))

    answer = client.get("/subscribe/asked")

    assert reads == []
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_cookie_is_sent_once_so_that_it_never_comes_late(tmp_path: Path) -> None:
    """Its successor's cookie, after a rotation, would be overwritten."""
    client = with_views(an_app(session_file_dir=tmp_path)).test_client()
    first = client.get("/remember")

    second = client.get("/remember")

    assert "session=" in first.headers["Set-Cookie"]
    assert "Set-Cookie" not in second.headers


@pytest.mark.parametrize("scheme", ["https", "http"])  # http: a proxy that does not say what it had
@pytest.mark.parametrize(
    ("path", "cookie"), [("/remember", "__Host-session"), ("/subscribe", "__Host-visitor")]
)
def test_cookies_are_for_this_host_and_https_only_in_production(
    path: str, cookie: str, scheme: str, tmp_path: Path
) -> None:
    client = with_views(an_app(session_file_dir=tmp_path, **PRODUCTION)).test_client()

    answer = client.get(path, base_url=f"{scheme}://status.example.org")

    sent = answer.headers["Set-Cookie"]
    assert sent.startswith(f"{cookie}=")
    assert "Secure; HttpOnly; Path=/; SameSite=Lax" in sent
    assert "Domain" not in sent


@pytest.mark.parametrize("view", ["/forget", "/leave"])
def test_cookie_is_removed_as_browsers_want_it_of_a_host_cookie(view: str, tmp_path: Path) -> None:
    client = with_views(an_app(session_file_dir=tmp_path, **PRODUCTION)).test_client()
    client.get("/remember", base_url="https://status.example.org")

    answer = client.get(view, base_url="https://status.example.org")

    sent = answer.headers["Set-Cookie"]
    assert sent.startswith("__Host-session=;")
    assert "Max-Age=0; Secure; HttpOnly; Path=/; SameSite=Lax" in sent


def test_cookies_are_for_https_only_where_they_came_by_https(tmp_path: Path) -> None:
    client = with_views(an_app(session_file_dir=tmp_path, trusted_proxies=1)).test_client()

    answer = client.get("/remember", headers={"X-Forwarded-Proto": "https"})

    assert "; Secure;" in answer.headers["Set-Cookie"]
    assert answer.headers["Set-Cookie"].startswith("session=")
