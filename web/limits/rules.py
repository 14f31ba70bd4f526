"""The tight limits by name, as decorators of the views that take the forms.

By address: what a household or an office may need. By account: what one person may need, and few
enough guesses, or mails to a stranger.
"""

from web.limits.tight import limit_tightly

# Only what failed counts. Ten guesses in a quarter of an hour, a thousand in a day, are too few to
# find any password that is not on a list. They also keep its owner out for that quarter of an hour,
# who has the link to reset the password meanwhile: so an account has no limit by the day, and one
# address can keep its owner out for five hours in a day at most.
sign_in = limit_tightly(
    "sign-in",
    by_address="30 per 15 minutes;200 per day",
    by_account="10 per 15 minutes",
    failures_only=True,
)

# These mail somebody who may not have asked for it.
sign_up = limit_tightly("sign-up", by_address="10 per hour", by_account="3 per hour;10 per day")
reset = limit_tightly("reset", by_address="10 per hour", by_account="3 per hour;10 per day")
subscribe = limit_tightly("subscribe", by_address="10 per hour", by_account="3 per hour;10 per day")
resend = limit_tightly("resend", by_address="10 per hour", by_account="3 per hour;10 per day")

# These are for who is signed in already; the account is theirs.
change_email = limit_tightly(
    "change-email", by_address="20 per hour", by_account="5 per hour", field=None
)
change_password = limit_tightly(
    "change-password",
    by_address="30 per 15 minutes",
    by_account="10 per 15 minutes;50 per day",
    field=None,
    failures_only=True,
)
