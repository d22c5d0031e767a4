"""Who may do what: the users, and the guards that the routes stand behind."""

from framework.auth import Auth, BindingMailer, User


class Member(User, frozen=True, kw_only=True):
    """A user of this app: the columns of ``user`` that a guarded request reads."""

    username: str
    role: str = "user"
    created_at: int = 0
    email: str | None = None
    email_verified_at: int | None = None


auth = Auth(
    database="DB",
    user=Member,
    rate_limiter="SIGN_IN_LIMITER",  # bound in wrangler.toml; where it is not, none is asked
    mailer=BindingMailer("EMAIL"),
)
authorized = auth.guard()
leaving = auth.guard(for_sign_out=True)
recent = auth.recent()
administrator = auth.role("admin")
