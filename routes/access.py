"""Who may do what: the users, and the guards that the routes stand behind."""

from framework.auth import Auth, User

__all__ = ["Member", "administrator", "auth", "authorized", "recent"]


class Member(User, frozen=True, kw_only=True):
    """A user of this app: the columns of ``user`` that a guarded request reads."""

    username: str
    role: str = "user"
    created_at: int = 0


auth = Auth(database="DB", user=Member)
authorized = auth.guard()
recent = auth.recent()
administrator = auth.role("admin")
