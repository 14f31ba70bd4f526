"""What web was told, where each value came from, and what production would refuse of it."""

from flask import Blueprint, render_template

from web.console import settings_shown

bp = Blueprint("configuration", __name__, url_prefix="/configuration")


@bp.get("")
def show() -> str:
    """Show every setting; no secret is on this page."""
    settings = settings_shown.known()
    return render_template(
        "console/configuration.html",
        settings=list(settings_shown.shown(settings)),
        app_env=settings.app_env,
        refused=settings.unsafe_in_production(),
    )
