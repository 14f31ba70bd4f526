"""Handing one mail over, from MAIL to the reply to its final dot."""

from collections.abc import Callable, Container

from mailer.smtp.conversation import Conversation
from mailer.smtp.envelope import (
    DATA,
    DOT,
    MailObject,
    mail_command,
    rcpt_command,
    with_dots_doubled,
)
from mailer.smtp.errors import DeliveryError, Stage
from mailer.smtp.relay import Relay
from mailer.smtp.replies import Reply, read_reply
from mailer.smtp.translation import SUCCESS, expect, failure, refusal

PORTION = 65_536  # of a content, in bytes: the relay has its time for each
EARLY_SECONDS = 1.0  # for a refusal that it sent before it hung up
NO_MORE = {None, 421}  # after these, no reply is worth waiting for
WANTED: dict[Stage, Container[int]] = {
    Stage.SENDER: SUCCESS,
    Stage.RECIPIENT: SUCCESS,
    Stage.CONTENT: {354},
}


class Transaction:
    """One mail on a connection that is logged in.

    `in_content` says that the relay takes whatever comes next for content, a goodbye too.
    """

    def __init__(self, host: Conversation, relay: Relay, mail: MailObject) -> None:
        self._host = host
        self._relay = relay
        self._name = str(relay)
        self._mail = mail
        self._stage = Stage.SENDER
        self.in_content = False

    def run(self, about_to_end: Callable[[], None]) -> Reply:
        """Return the relay's consent, or raise a DeliveryError, or what `about_to_end` raises."""
        try:
            self._begin()
            last = self._send_all_but_last(with_dots_doubled(self._mail.raw))
        except (OSError, ValueError) as error:
            raise failure(error, self._stage, self._name) from error
        about_to_end()
        try:
            return self._end(last)
        except OSError as error:
            raise failure(error, self._stage, self._name) from error

    def _begin(self) -> None:
        """Say MAIL, RCPT and DATA: at once, where the relay can take that (RFC 2920)."""
        features = self._host.esmtp_features
        commands = {Stage.SENDER: mail_command(self._mail.sender, self._mail.raw, features)}
        self._stage = Stage.RECIPIENT
        commands |= {Stage.RECIPIENT: rcpt_command(self._mail.recipient), Stage.CONTENT: DATA}
        if "pipelining" in features:
            self._enter(Stage.SENDER)
            self._host.send(b"".join(commands.values()))
            self._read_all()
            return
        for stage, command in commands.items():
            self._enter(stage)
            self._host.send(command)
            self._read(stage)

    def _read_all(self) -> None:
        """Read the replies to commands that went at once; the first refusal explains the others."""
        refused: list[DeliveryError] = []
        for stage in WANTED:
            self._enter(stage)
            try:
                self._read(stage)
            except DeliveryError as error:
                refused.append(error)
                if error.code in NO_MORE:
                    break
            except OSError:
                if not refused:
                    raise
                break
        if not refused:
            return
        if self.in_content and refused[-1].stage is Stage.RECIPIENT:
            self._withdraw()
        raise refused[0]

    def _withdraw(self) -> None:
        """Send a lone dot to a relay that wants content for nobody: no mail, and we can go on.

        A relay that has a recipient would take it for an empty mail; that one is hung up on.
        """
        try:
            self._host.send(DOT)
            self._host.getreply()
        except OSError:
            return
        self.in_content = False

    def _read(self, stage: Stage) -> None:
        """Read the reply to one command, and raise what it means unless that is consent."""
        code, text = self._host.getreply()
        if code not in WANTED[stage]:
            raise refusal(read_reply(stage, code, text, self._hidden), self._name)
        self.in_content = stage is Stage.CONTENT

    def _send_all_but_last(self, content: bytes) -> bytes:
        """Send the content up to its last portion, which is returned: it goes with the dot."""
        last = (len(content) - 1) // PORTION * PORTION
        for start in range(0, last, PORTION):
            self._send(content[start : start + PORTION])
        return content[last:]

    def _end(self, last: bytes) -> Reply:
        """Send the last portion and the dot; from then on the mail may have arrived."""
        self._send(last + DOT)
        self._stage = Stage.END
        self._host.deadline.start(self._relay.end_timeout_seconds)
        code, text = self._host.getreply()
        self.in_content = False
        return expect(read_reply(Stage.END, code, text, self._hidden), self._name)

    def _send(self, portion: bytes) -> None:
        """Send some content. While that fails, the dot has not gone: the relay has no whole mail."""
        self._enter(Stage.CONTENT)
        try:
            self._host.send(portion)
        except TimeoutError:
            raise
        except OSError:
            self._raise_early_refusal()
            raise

    def _raise_early_refusal(self) -> None:
        """Raise what a relay said amid the content, as that it is too large, before it hung up."""
        self._host.deadline.start(EARLY_SECONDS)
        try:
            reply = read_reply(Stage.CONTENT, *self._host.getreply(), self._hidden)
        except OSError:
            return
        raise refusal(reply, self._name)

    def _enter(self, stage: Stage) -> None:
        self._stage = stage
        self._host.deadline.start(self._relay.timeout_seconds)

    @property
    def _hidden(self) -> tuple[str, ...]:
        return (self._mail.recipient,)
