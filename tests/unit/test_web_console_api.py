"""What the console's pages show and do, programs can too: each page and each form has its endpoint."""

from tests.web_app import an_app

CONSOLE, API = "/console", "/api/v1/console"
# What shows a form, or shows live what another page shows too.
PAGES_ALONE = {
    "console.jobs.events",
    "console.notice_drafts.edit",
    "console.notice_drafts.new",
    "console.notice_updates.events",
}
ENDPOINTS = {
    "console.audit_log.export": "console_site.audit_log",
    "console.audit_log.show": "console_site.audit_log",
    "console.backups.actions.ask": "console_backups.ask",
    "console.backups.actions.verify": "console_backups.ask",
    "console.backups.drills.show": "console_backups.drills",
    "console.backups.restoring.show": "console_backups.restore",
    "console.backups.runs.one": "console_backups.run",
    "console.backups.runs.show": "console_backups.runs",
    "console.backups.schema.compare": "console_backups.ask",
    "console.backups.schema.look": "console_backups.ask",
    "console.backups.schema.show": "console_backups.schema",
    "console.backups.show": "console_backups.show",
    "console.cache.clear": "console_site.clear_cache",
    "console.cache.show": "console_site.cache",
    "console.cache.void": "console_site.void_tag",
    "console.configuration.show": "console_site.configuration",
    "console.database.show": "console_site.database",
    "console.invitations.invite": "console_invitations.invite",
    "console.invitations.show": "console_invitations.invitations",
    "console.invitations.withdraw": "console_invitations.withdraw",
    "console.jobs.show": "console_jobs.show",
    "console.limits.clear": "console_site.clear_limit",
    "console.limits.show": "console_site.limits",
    "console.mail.pause": "console_mail.pause",
    "console.mail.probe": "console_mail.probe",
    "console.mail.resume": "console_mail.resume",
    "console.mail.send_trial": "console_mail.send_trial",
    "console.mail.show": "console_mail.overview",
    "console.mail_messages.cancel": "console_mail.cancel",
    "console.mail_messages.one": "console_mail.show_message",
    "console.mail_messages.preview": "console_mail.preview",
    "console.mail_messages.resend": "console_mail.resend",
    "console.mail_messages.retry": "console_mail.retry",
    "console.mail_messages.show": "console_mail.list_messages",
    "console.mail_previews.show": "console_jobs.show",
    "console.mail_suppressions.show": "console_mail.list_suppressions",
    "console.mail_suppressions.suppress": "console_mail.suppress",
    "console.mail_suppressions.unsuppress": "console_mail.unsuppress",
    "console.notice_drafts.change": "console_notices.change",
    "console.notice_drafts.discard": "console_notices.discard",
    "console.notice_drafts.mail": "console_notices.show_mail",
    "console.notice_drafts.publish": "console_notices.publish",
    "console.notice_drafts.write": "console_notices.draft",
    "console.notice_updates.watch": "console_notices.show",
    "console.notice_updates.write": "console_notices.update",
    "console.notices.show": "console_notices.show",
    "console.notices.show_all": "console_notices.show_all",
    "console.overview.show": "console_site.overview",
    "console.people.change_role": "console_people.give_role",
    "console.people.show": "console_people.people",
    "console.person.end_all": "console_people.end_sessions",
    "console.person.end_one": "console_people.end_session",
    "console.person.lock": "console_people.lock",
    "console.person.show": "console_people.person",
    "console.person.unlock": "console_people.unlock",
    "console.sign_ins.show": "console_people.all_sessions",
}


def endpoints_below(prefix: str) -> set[str]:
    rules = an_app().url_map.iter_rules()
    return {rule.endpoint for rule in rules if f"{rule.rule}/".startswith(f"{prefix}/")}


def test_every_page_and_form_has_its_endpoint() -> None:
    assert endpoints_below(CONSOLE) - PAGES_ALONE == ENDPOINTS.keys()


def test_every_endpoint_is_there_and_is_of_a_page() -> None:
    theirs = {"console_backups.job", "console_people.sessions"}  # what jobs and a person show

    assert endpoints_below(API) - theirs == set(ENDPOINTS.values())
