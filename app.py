"""The composition root: what is mounted where, behind which guard."""

from framework import App, Job
from framework.middleware.secure_headers import secure_headers
from routes.access import auth
from routes.account import account
from routes.admin import admin
from routes.answers import show_error
from routes.docs import docs
from routes.notes import notes
from routes.pages import pages
from routes.recovery import recovery
from routes.sessions import sessions

app = App()
app.on_error(show_error)
app.use(secure_headers())

app.mount(pages)
app.mount(account)
app.mount(recovery)
app.mount(sessions)
app.mount(notes)
app.mount(admin)
app.mount(docs(app))


@app.cron("17 3 * * *")
async def purge(job: Job) -> None:
    """Delete expired sessions, attempts, known devices, codes and links, once a day."""
    await auth.purge(job.database())
