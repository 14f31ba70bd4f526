"""What the backup worker can be told."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from sqlalchemy.engine import URL, make_url

import common.settings
from backup import schedule


def known_schedule(expression: str) -> str:
    """Return the expression if it can be scheduled; a ValueError says why not."""
    schedule.parse(expression)
    return expression


class Settings(common.settings.Settings):
    """What every service can be told, and when, how long and where backups are kept."""

    backup_schedule: Annotated[str, AfterValidator(known_schedule)] = Field(
        "0 3 * * *",
        description="when backups are taken: cron, in UTC, weekdays by name",
        examples=["30 2 * * mon-sat"],
    )
    backup_retention_days: int = Field(
        7,
        ge=1,
        le=3650,
        description="days that backups are kept; the newest proven one always stays",
    )
    backup_folder: Path = Field(
        Path("/var/lib/keelson/backups"), description="where they are kept: a volume of their own"
    )

    def url(self) -> URL:
        """Return where the database is, taken apart; it holds the password."""
        return make_url(self.database_url.get_secret_value())

    def for_database(self, name: str) -> "Settings":
        """Return the same settings for another database of the same server."""
        url = self.url().set(database=name).render_as_string(hide_password=False)
        return self.model_copy(update={"database_url": SecretStr(url)})
