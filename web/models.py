"""The tables that only web writes. They need no Flask, so that the migrations can read them too."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, String, Text, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from common.schema import INSTANT
from common.schema import metadata as shared_metadata

PENDING = "pending"
CONFIRMED = "confirmed"
UNSUBSCRIBED = "unsubscribed"
MEMBER = "member"


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
    """A person who can sign in."""

    __tablename__ = "accounts"
    __table_args__ = (CheckConstraint("role IN ('member', 'operator')", name="role"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(8), server_default=MEMBER)
    password_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(INSTANT, server_default=func.now())


Index("subscribers_email_key", func.lower(Subscriber.email), unique=True)
Index("accounts_email_key", func.lower(Account.email), unique=True)
