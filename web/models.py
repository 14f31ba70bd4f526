"""The tables that only web writes. They need no Flask, so that the migrations can read them too."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    String,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from common.schema import INSTANT
from common.schema import metadata as shared_metadata

PENDING = "pending"
CONFIRMED = "confirmed"
UNSUBSCRIBED = "unsubscribed"
MEMBER = "member"
OPERATOR = "operator"


class Base(DeclarativeBase):
    """Puts every model on the MetaData, and so into the migrations, that all services share."""

    metadata = shared_metadata


class Subscriber(Base):
    """A person who asked for notices by e-mail, and may have proven that the address is theirs.

    The hash outlives the confirmation, so that a used link is told from an unknown one; the row
    outlives the subscription, so that each link to unsubscribe works however often they come back.
    """

    __tablename__ = "subscribers"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'confirmed', 'unsubscribed')", name="state"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default=PENDING)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    token_expires_at: Mapped[datetime] = mapped_column(INSTANT)
    created_at: Mapped[datetime] = mapped_column(INSTANT, server_default=func.now())
    confirmed_at: Mapped[datetime | None] = mapped_column(INSTANT)


class Account(Base):
    """A person who can sign in; their address was confirmed before there was an account.

    A sign-in counts only while its epoch is the account's.
    """

    __tablename__ = "accounts"
    __table_args__ = (CheckConstraint("role IN ('member', 'operator')", name="role"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(8), server_default=MEMBER)
    password_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(INSTANT, server_default=func.now())
    epoch: Mapped[int] = mapped_column(server_default=text("0"))
    password_changed_at: Mapped[datetime | None] = mapped_column(INSTANT)
    locked_at: Mapped[datetime | None] = mapped_column(INSTANT)


class SignIn(Base):
    """One browser in which somebody is signed in; the key is in its session, here is its hash."""

    __tablename__ = "sign_ins"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    epoch: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(INSTANT)
    seen_at: Mapped[datetime] = mapped_column(INSTANT)
    expires_at: Mapped[datetime] = mapped_column(INSTANT, index=True)
    address: Mapped[str] = mapped_column(Text)
    agent: Mapped[str] = mapped_column(Text)


class AccountToken(Base):
    """A link that was mailed, or printed, and works once; the link holds the token, here is its hash.

    The e-mail is the address that the link is about: of the account to be, or the new one.
    """

    __tablename__ = "account_tokens"
    __table_args__ = (
        CheckConstraint(
            "purpose IN ('sign_up', 'invite', 'reset', 'email_old', 'email_new', 'operator')",
            name="purpose",
        ),
        CheckConstraint("role IN ('member', 'operator')", name="role"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    purpose: Mapped[str] = mapped_column(Text)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(Text)
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    role: Mapped[str] = mapped_column(Text, server_default=MEMBER)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    expires_at: Mapped[datetime] = mapped_column(INSTANT, index=True)
    used_at: Mapped[datetime | None] = mapped_column(INSTANT)
    invited_by: Mapped[int | None] = mapped_column(
        ForeignKey("accounts.id", ondelete="SET NULL"), index=True
    )


class LimitBreach(Base):
    """Who met which limit where, in one minute, and how often; address and id are of the first."""

    __tablename__ = "limit_breaches"

    minute: Mapped[datetime] = mapped_column(INSTANT, primary_key=True)
    route: Mapped[str] = mapped_column(Text, primary_key=True)
    rule: Mapped[str] = mapped_column(Text, primary_key=True)
    who: Mapped[str] = mapped_column(Text, primary_key=True)
    address: Mapped[str] = mapped_column(Text)
    request_id: Mapped[str] = mapped_column(Text)
    times: Mapped[int] = mapped_column(server_default=text("1"))


class Notice(Base):
    """Something that readers should know of: an incident, or maintenance with its hours. Unpublished it is a draft."""

    __tablename__ = "notices"
    __table_args__ = (CheckConstraint("kind IN ('incident', 'maintenance')", name="kind"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    parts: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    begins_at: Mapped[datetime | None] = mapped_column(INSTANT)
    ends_at: Mapped[datetime | None] = mapped_column(INSTANT)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    published_at: Mapped[datetime | None] = mapped_column(INSTANT, index=True)
    resolved_at: Mapped[datetime | None] = mapped_column(INSTANT)
    updates: Mapped[list["NoticeUpdate"]] = relationship(
        order_by="NoticeUpdate.id", cascade="all, delete-orphan"
    )


class NoticeUpdate(Base):
    """How a notice went on; its body is what subscribers were mailed."""

    __tablename__ = "notice_updates"
    __table_args__ = (
        CheckConstraint(
            "state IN ('investigating', 'identified', 'monitoring', 'planned', 'under_way', 'resolved')",
            name="state",
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(INSTANT)
    body_id: Mapped[int | None] = mapped_column(
        ForeignKey("mail_bodies.id", ondelete="SET NULL"), index=True
    )


class AuditEntry(Base):
    """What somebody did in the console, and from where; written once. The e-mail outlives the account."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(INSTANT, index=True)
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("accounts.id", ondelete="SET NULL"), index=True
    )
    email: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    request_id: Mapped[str] = mapped_column(Text)


Index("subscribers_email_key", func.lower(Subscriber.email), unique=True)
Index("accounts_email_key", func.lower(Account.email), unique=True)
Index("accounts_operators_index", Account.id, postgresql_where=Account.role == OPERATOR)
Index("account_tokens_email_index", func.lower(AccountToken.email), AccountToken.purpose)
