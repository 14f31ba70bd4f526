from datetime import timedelta

import pytest

from mailer.smtp.errors import Scope, Stage
from mailer.smtp.replies import Reply
from mailer.smtp.verdict import Failed, Failure, Verdict, judge

FIVE_MINUTES, QUARTER, HOUR = (timedelta(minutes=m) for m in (5, 15, 60))
SERVER = Verdict(Scope.SERVER, cause="server")
CROWDED = Verdict(Scope.SERVER, cause="server", slow_down=True)
ACCOUNT = Verdict(Scope.ACCOUNT, cause="login")
LOGIN_LATER = Verdict(Scope.ACCOUNT, cause="login", wait=QUARTER)
QUOTA = Verdict(Scope.QUOTA, cause="quota", wait=HOUR)
SENDER = Verdict(Scope.SENDER, permanent=True)
MESSAGE = Verdict(Scope.MESSAGE, permanent=True)
MESSAGE_LATER = Verdict(Scope.MESSAGE)
RECIPIENT = Verdict(Scope.RECIPIENT, permanent=True)
NO_SUCH = Verdict(Scope.RECIPIENT, permanent=True, no_such_address=True)
RECIPIENT_LATER = Verdict(Scope.RECIPIENT)
GREYLISTED = Verdict(Scope.RECIPIENT, wait=FIVE_MINUTES)
FULL = Verdict(Scope.RECIPIENT, wait=HOUR)
UNSURE = Verdict(Scope.UNSURE)
GREETING, EHLO, TLS, LOGIN = Stage.GREETING, Stage.EHLO, Stage.TLS, Stage.LOGIN
MAIL, RCPT, DATA, END = Stage.SENDER, Stage.RECIPIENT, Stage.CONTENT, Stage.END


@pytest.mark.parametrize(
    ("stage", "reply", "verdict"),
    [
        # Before the login: the relay's own, whatever it says.
        pytest.param(GREETING, "554 no service", SERVER, id="greeting is no"),
        pytest.param(GREETING, "421 4.3.2 closing", SERVER, id="going down at once"),
        pytest.param(GREETING, "421 4.7.0 slow down", CROWDED, id="too many of us, at once"),
        pytest.param(GREETING, "450 too many connections", CROWDED, id="too many of us, in words"),
        pytest.param(
            GREETING, "550 Connection frequency limited", SERVER, id="no mail to blame yet"
        ),
        pytest.param(EHLO, "502 5.5.1 what?", SERVER, id="EHLO is no"),
        pytest.param(EHLO, "421 4.3.2 closing", SERVER, id="going down at EHLO"),
        pytest.param(TLS, "454 4.7.0 not now", SERVER, id="TLS is not available"),
        pytest.param(TLS, "501 5.5.4 no", SERVER, id="TLS is refused"),
        # The login.
        pytest.param(LOGIN, "535 5.7.8 no", ACCOUNT, id="wrong password"),
        pytest.param(LOGIN, "534 5.7.9 app password wanted", ACCOUNT, id="app password"),
        pytest.param(LOGIN, "534 5.7.14 log in by web", ACCOUNT, id="web login wanted"),
        pytest.param(LOGIN, "538 5.7.11 encrypt", ACCOUNT, id="encryption wanted"),
        pytest.param(LOGIN, "504 5.5.4 unknown mechanism", ACCOUNT, id="mechanism not known"),
        pytest.param(LOGIN, "454 4.7.0 Too many login attempts", LOGIN_LATER, id="too many logins"),
        pytest.param(LOGIN, "432 4.7.12 transition", LOGIN_LATER, id="password transition"),
        pytest.param(LOGIN, "451 4.3.0 later", SERVER, id="login put off"),
        pytest.param(LOGIN, "421 4.7.0 Try again later", CROWDED, id="going down at the login"),
        pytest.param(LOGIN, "554 5.3.2 no", SERVER, id="takes nobody now"),
        pytest.param(LOGIN, "550 5.4.5 Daily limit", QUOTA, id="the quota's code at the login"),
        pytest.param(
            LOGIN, "450 4.2.1 Peak SMTP relay limit exceeded", QUOTA, id="quota in words, likewise"
        ),
        pytest.param(GREETING, "550 5.4.5 no", SERVER, id="the relay knows no account yet"),
        # Account and quota, amid a mail.
        pytest.param(MAIL, "530 5.7.0 log in first", ACCOUNT, id="login wanted at MAIL"),
        pytest.param(RCPT, "535 5.7.8 no", ACCOUNT, id="login refused at RCPT"),
        pytest.param(MAIL, "454 4.7.0 later", LOGIN_LATER, id="login not now, at MAIL"),
        pytest.param(
            RCPT, "554 5.7.1 <[...]>: Relay access denied", ACCOUNT, id="Postfix knows us not"
        ),
        pytest.param(
            RCPT, "454 4.7.1 <[...]>: Relay access denied", ACCOUNT, id="likewise, softly"
        ),
        pytest.param(RCPT, "550 relay not permitted", ACCOUNT, id="Exim knows us not"),
        pytest.param(RCPT, "550 5.7.54 Unable to relay recipient", ACCOUNT, id="Exchange likewise"),
        pytest.param(MAIL, "550 5.4.5 Daily sending limit", QUOTA, id="Gmail's daily quota"),
        pytest.param(RCPT, "550 5.4.5 x", QUOTA, id="the quota's code at RCPT"),
        pytest.param(END, "550 5.4.5 x", QUOTA, id="the quota's code at the end"),
        pytest.param(END, "550 5.7.1 Daily SMTP relay limit exceeded", QUOTA, id="quota in words"),
        pytest.param(DATA, "450 4.2.1 Peak SMTP relay limit exceeded", QUOTA, id="peak in words"),
        pytest.param(MAIL, "450 4.2.1 too fast", QUOTA, id="we send too fast"),
        pytest.param(MAIL, "452 4.5.3 too many", QUOTA, id="we send to too many"),
        pytest.param(
            END, "454 Throttling failure: Daily message quota exceeded", QUOTA, id="SES, day"
        ),
        pytest.param(END, "454 Throttling failure: Maximum sending rate", CROWDED, id="SES, rate"),
        pytest.param(
            MAIL, "550 5.4.5 Daily user sending limit exceeded.", QUOTA, id="Gmail, of a user"
        ),
        pytest.param(
            END,
            "550 5.7.1 Daily SMTP relay sending limit exceeded for customer",
            QUOTA,
            id="Gmail, of a customer",
        ),
        pytest.param(
            RCPT, "550 You have exceeded your daily sending limit", QUOTA, id="no enhanced code"
        ),
        pytest.param(
            END,
            "554 5.7.1 Your newsletter about our daily speed limit was rejected as spam",
            MESSAGE,
            id="a limit that the mail is about",
        ),
        pytest.param(
            END,
            "554 5.6.0 Daily message limit exceeded",
            MESSAGE,
            id="a code that is about the content",
        ),
        pytest.param(
            RCPT, "550 5.2.2 Daily message limit exceeded", FULL, id="the recipient's own limit"
        ),
        # The server, amid a mail.
        pytest.param(MAIL, "421 4.4.2 idle", SERVER, id="going down at MAIL"),
        pytest.param(RCPT, "421 4.3.2 closing", SERVER, id="going down at RCPT"),
        pytest.param(DATA, "421 4.7.0 too fast", CROWDED, id="too many of us, at DATA"),
        pytest.param(END, "421 4.3.2 closing", SERVER, id="going down, so not taken"),
        pytest.param(RCPT, "503 5.5.1 MAIL first", SERVER, id="bad sequence"),
        pytest.param(RCPT, "504 what?", SERVER, id="RCPT is not known"),
        pytest.param(MAIL, "504 5.5.2 what?", SERVER, id="a syntax that is not the recipient's"),
        pytest.param(DATA, "503 5.5.1 RCPT first", SERVER, id="bad sequence at DATA"),
        pytest.param(MAIL, "502 what?", SERVER, id="MAIL is not known"),
        pytest.param(
            RCPT, "554 5.7.1 Client host [192.0.2.1] blocked", SERVER, id="we are on a list"
        ),
        pytest.param(RCPT, "450 4.7.1 Client host rejected: no name", SERVER, id="we have no name"),
        # Our own address.
        pytest.param(MAIL, "501 5.1.7 bad sender", SENDER, id="our address is malformed"),
        pytest.param(MAIL, "553 5.1.8 bad sender", SENDER, id="our domain is unknown"),
        pytest.param(MAIL, "553 sorry", SENDER, id="our address, no enhanced code"),
        pytest.param(MAIL, "550 5.7.60 no permission", SENDER, id="not ours to send from"),
        pytest.param(RCPT, "550 5.1.8 sender", SENDER, id="our domain, said at RCPT"),
        pytest.param(END, "550 5.1.7 sender", SENDER, id="our address, said at the end"),
        pytest.param(
            RCPT, "553 5.7.1 Sender address rejected: not owned", SENDER, id="Postfix, RCPT"
        ),
        pytest.param(
            RCPT, "450 4.1.8 Sender address rejected", MESSAGE_LATER, id="likewise, softly"
        ),
        pytest.param(MAIL, "451 4.3.0 later", MESSAGE_LATER, id="MAIL put off"),
        pytest.param(MAIL, "452 4.3.1 no room", MESSAGE_LATER, id="relay's disk is full"),
        # The mail.
        pytest.param(MAIL, "552 5.3.4 too big", MESSAGE, id="too big, said at MAIL"),
        pytest.param(MAIL, "552 too big", MESSAGE, id="too big, no enhanced code"),
        pytest.param(RCPT, "552 5.3.4 too big", MESSAGE, id="too big, said at RCPT"),
        pytest.param(END, "552 5.2.3 too big", MESSAGE, id="too big, said at the end"),
        pytest.param(END, "554 5.6.0 malformed", MESSAGE, id="content refused"),
        pytest.param(END, "550 5.7.1 spam", MESSAGE, id="content refused as spam"),
        pytest.param(RCPT, "550 5.7.1 policy", MESSAGE, id="policy is not the address's fault"),
        pytest.param(RCPT, "554 no", MESSAGE, id="554 says nothing of the address"),
        pytest.param(END, "451 4.3.0 scanner down", MESSAGE_LATER, id="content put off"),
        pytest.param(END, "503 5.5.1 what?", MESSAGE, id="bad sequence after the dot"),
        pytest.param(
            END, "550 4.7.1 later", MESSAGE_LATER, id="enhanced code wins, soft, at the end"
        ),
        pytest.param(END, "554 5.4.4 no route", MESSAGE_LATER, id="routing changes, at the end"),
        pytest.param(RCPT, "550 5.4.4 no route", MESSAGE_LATER, id="routing changes"),
        pytest.param(RCPT, "554 5.3.2 not now", MESSAGE_LATER, id="host takes no mail now"),
        pytest.param(
            END,
            "550 Connection frequency limited",
            Verdict(Scope.MESSAGE, wait=QUARTER, slow_down=True),
            id="a rate under a code that is for good",
        ),
        # The recipient.
        pytest.param(RCPT, "550 5.1.1 unknown", NO_SUCH, id="unknown recipient"),
        pytest.param(RCPT, "551 5.1.6 moved", NO_SUCH, id="moved"),
        pytest.param(RCPT, "553 5.1.3 syntax", NO_SUCH, id="malformed address"),
        pytest.param(RCPT, "501 bad address", RECIPIENT, id="malformed, no enhanced code"),
        pytest.param(RCPT, "550 go away", RECIPIENT, id="no enhanced code"),
        pytest.param(RCPT, "550 5.2.1 disabled", NO_SUCH, id="disabled mailbox"),
        pytest.param(RCPT, "450 5.1.1 gone", NO_SUCH, id="enhanced code wins, hard"),
        pytest.param(END, "550 5.1.1 unknown", NO_SUCH, id="unknown, said at the end"),
        pytest.param(
            RCPT,
            "504 5.5.2 <[...]>: Recipient address rejected: need fully-qualified address",
            RECIPIENT,
            id="Postfix, an address without a domain",
        ),
        pytest.param(RCPT, "501 5.5.2 syntax", RECIPIENT, id="the recipient's syntax"),
        pytest.param(
            RCPT,
            "554 5.7.1 <[...]>: Recipient address rejected: Access denied",
            RECIPIENT,
            id="Postfix, by its own list",
        ),
        pytest.param(
            RCPT,
            "550 5.4.1 Recipient address rejected: Access denied.",
            RECIPIENT,
            id="Exchange, which says it with a routing code",
        ),
        pytest.param(
            RCPT,
            "550 5.1.1 <[...]>: Recipient address rejected: User unknown",
            NO_SUCH,
            id="Postfix, nobody there",
        ),
        pytest.param(
            RCPT,
            "450 4.1.1 <[...]>: Recipient address rejected: unverified address",
            GREYLISTED,
            id="Postfix, softly",
        ),
        pytest.param(
            RCPT,
            "550 4.1.1 Recipient address rejected: unverified",
            RECIPIENT_LATER,
            id="enhanced code wins, soft, whatever the words",
        ),
        pytest.param(RCPT, "450 4.7.1 greylisted", GREYLISTED, id="greylisting"),
        pytest.param(RCPT, "451 4.3.0 later", GREYLISTED, id="greylisting is often not named"),
        pytest.param(
            END, "451 4.7.1 Greylisted, come back", GREYLISTED, id="greylisting at the end"
        ),
        pytest.param(RCPT, "550 4.2.1 busy", RECIPIENT_LATER, id="enhanced code wins, soft"),
        pytest.param(RCPT, "452 4.5.3 too many", RECIPIENT_LATER, id="too many recipients of one"),
        pytest.param(RCPT, "452 4.2.2 mailbox full", FULL, id="mailbox full"),
        pytest.param(RCPT, "552 5.2.2 mailbox full", FULL, id="mailbox full, as if for good"),
        pytest.param(RCPT, "552 storage exceeded", FULL, id="552 at RCPT is as 452"),
        pytest.param(END, "552 5.2.2 daily mail quota of this mailbox", FULL, id="not our quota"),
        # No answer, or not to the question.
        pytest.param(RCPT, "220 hello", SERVER, id="not an answer to the question"),
        pytest.param(DATA, "250 thanks", SERVER, id="consent to nothing"),
        pytest.param(END, "354 go on", UNSURE, id="nonsense, and it may have arrived"),
    ],
)
def test_reply_says_whose_fault_it_is(stage: Stage, reply: str, verdict: Verdict) -> None:
    code, _, text = reply.partition(" ")

    assert judge(Reply(stage, int(code), text)) == verdict


@pytest.mark.parametrize(
    "said",
    [
        "No such user here",
        "No such user - psmtp",
        "<[...]>: no such recipient here",
        "User unknown",
        "Unknown user: [...]",
        "[...] User unknown",
        "unknown recipient",
        "Mailbox not found",
        "Mailbox does not exist!",
        "mailbox [...] doesn't exist",
        "Requested action not taken: mailbox not found",
        "sorry, no mailbox here by that name. (#5.1.1)",
        "The email account that you tried to reach does not exist.",
        "Address unknown",
        "Recipient not found.",
        "Invalid recipient",
        "5.0.0 User unknown",
        "5.1.0 User unknown",
    ],
)
def test_plain_refusal_that_says_so_means_that_there_is_no_such_address(said: str) -> None:
    assert judge(Reply(RCPT, 550, said)) == NO_SUCH


@pytest.mark.parametrize(
    ("code", "said"),
    [
        pytest.param(550, "Blocked by policy", id="policy"),
        pytest.param(550, "rejected due to sender IP reputation", id="our reputation"),
        pytest.param(
            553, "sorry, that domain isn't in my list of allowed rcpthosts", id="no relay for it"
        ),
        pytest.param(
            550,
            "Requested action not taken: mailbox unavailable",
            id="RFC 5321's words, policy too",
        ),
        pytest.param(
            550,
            "Verification failed for [...] Called: 192.0.2.1 Response: 550 User unknown "
            "Sender verify failed",
            id="our own address, asked after",
        ),
        pytest.param(550, "Too many unknown recipients from your host", id="others before"),
        pytest.param(550, "Blocked: you have sent to an unknown user of ours", id="blocked"),
        pytest.param(501, "No such user here", id="a code of syntax"),
        pytest.param(550, "5.1.0 Address rejected", id="an enhanced code that leaves it open"),
        pytest.param(
            550, "5.2.1 The user receives mail at a rate that prevents more", id="Gmail, too much"
        ),
        pytest.param(550, "", id="no words"),
    ],
)
def test_other_plain_refusal_of_a_recipient_says_nothing_of_the_address(
    code: int, said: str
) -> None:
    assert judge(Reply(RCPT, code, said)) == RECIPIENT


@pytest.mark.parametrize(
    ("stage", "how", "verdict"),
    [
        pytest.param(
            Stage.CREDENTIALS,
            Failed.MISSING,
            Verdict(Scope.ACCOUNT, cause="credentials"),
            id="no credentials",
        ),
        pytest.param(Stage.CONNECT, Failed.SILENCE, SERVER, id="nobody listens"),
        pytest.param(GREETING, Failed.SILENCE, SERVER, id="silent"),
        pytest.param(TLS, Failed.SILENCE, SERVER, id="certificate is bad"),
        pytest.param(TLS, Failed.NOT_OFFERED, SERVER, id="no STARTTLS"),
        pytest.param(LOGIN, Failed.NOT_OFFERED, ACCOUNT, id="no AUTH"),
        pytest.param(LOGIN, Failed.SILENCE, SERVER, id="hung up at the login"),
        pytest.param(MAIL, Failed.SILENCE, SERVER, id="hung up at MAIL"),
        pytest.param(RCPT, Failed.SILENCE, SERVER, id="hung up at RCPT"),
        pytest.param(DATA, Failed.SILENCE, SERVER, id="hung up before the dot"),
        pytest.param(END, Failed.SILENCE, UNSURE, id="hung up after the dot"),
        pytest.param(MAIL, Failed.NOT_SAYABLE, SENDER, id="line break in our address"),
        pytest.param(RCPT, Failed.NOT_SAYABLE, RECIPIENT, id="line break in the recipient's"),
    ],
)
def test_failure_without_a_reply_says_whose_fault_it_is(
    stage: Stage, how: Failed, verdict: Verdict
) -> None:
    assert judge(Failure(stage, how)) == verdict


def test_nonsense_after_the_dot_may_have_been_consent() -> None:
    assert judge(Reply(END, -1, "HTTP/1.1")) == UNSURE


def test_provider_words_can_be_left_out() -> None:
    reply = Reply(END, 550, "Connection frequency limited")

    assert judge(reply, providers=()) == MESSAGE
