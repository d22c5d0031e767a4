"""The composition root: what is mounted where, behind which guard."""

from framework import App
from routes.account import account
from routes.admin import admin
from routes.answers import show_error
from routes.notes import notes
from routes.pages import pages
from routes.sessions import sessions

app = App()
app.on_error(show_error)

app.mount(pages)
app.mount(account)
app.mount(sessions)
app.mount(notes)
app.mount(admin)
