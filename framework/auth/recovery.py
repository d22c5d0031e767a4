"""Verifies the addresses of users, and lets people who lost a password choose another. Knows no guards."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from framework.auth.accounts import Accounts
from framework.auth.address_limit import limit_address
from framework.auth.codes import (
    CODES_PER_ADDRESS,
    CodeState,
    change_email,
    digest_code,
    issue_code,
    new_code,
    use_code,
)
from framework.auth.emails import normalize_email
from framework.auth.errors import DuplicateEmail, InvalidCode, InvalidEmail, InvalidLink
from framework.auth.failure_log import log_failures
from framework.auth.limits import seconds_until
from framework.auth.links import (
    Account,
    Link,
    find_account,
    find_link,
    insert_link,
    public_origin,
    purge_mailed,
    replace_address,
    shorten_link,
    use_link,
)
from framework.auth.mail import Mailer, Message, deliver, write_reset, write_verification
from framework.auth.models import User
from framework.auth.settings import Settings
from framework.auth.store_users import StoredKey
from framework.auth.tokens import digest, is_token, new_token
from framework.auth.usernames import canonical_username
from framework.context import Context
from framework.database import Database, UniqueViolation
from framework.errors import ConfigurationError, Conflict, TooManyRequests
from framework.problem import report
from framework.security_log import log_event

__all__ = ["Recovery"]

U = TypeVar("U", bound=User)

Write = Callable[[str, str], Message]
"""Writes a mail to an address, about a code or a link."""

CODE_KEY: Final = "CODE_SECRET"
"""The secret that codes are stored with, where it is bound."""

_SECRET_MIN: Final = 32
"""Characters: at least 128 bits even as hex (OWASP ASVS 5.0, 11.2.3)."""

_NAME_MAX: Final = 255
"""Characters of a username that are looked up: no key's id has more."""


class Recovery(Accounts[U]):
    """The part of `Auth` that writes mails. Asks for ``user.email`` and ``user.email_verified_at``."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._mailer = settings.mailer

    # --- An address, and the code that verifies it -----------------------------------------------

    async def set_email(self, c: Context, email: str | None) -> None:
        """Give this request's user another address, which is not verified yet, or none.

        Put it behind `Auth.recent`: a link that replaces the password goes to the address once that
        is verified. The same address stays as it is. Codes and links that went to the old one are
        worth nothing from now on. Says nothing of who else has it. Raises `InvalidEmail` for what
        is no address.
        """
        canonical = None if email is None else normalize_email(email)
        if email is not None and canonical is None:
            raise InvalidEmail
        user_id = c.get(self.session_slot).user_id
        if self._mailer is None:  # then there may be no codes and no links
            await self._write(c, [change_email(user_id, canonical)])
        else:
            await self._write(c, replace_address(user_id, canonical))
        log_event(c, "user_updated", "email")

    async def send_verification(self, c: Context, write: Write = write_verification) -> None:
        """Mail a code to the address of this request's user. The code before it is worth nothing then.

        *write* makes the mail out of the address and the code. Past ten codes to one address in an
        hour, whoever asked for them, no mail is sent and no code is good. Nothing says so: it would
        tell that somebody else claims the address.

        Raises `Conflict` where there is no address or it is verified, `TooManyRequests` past five
        codes to one user in an hour and where a rate limiter refuses the client's address,
        `ConfigurationError` without a mailer, and what the mailer raises.
        """
        mailer = self._require_mailer()
        mailer.check(c)
        await limit_address(c, self._rate_limiter)
        user_id, code, now = c.get(self.session_slot).user_id, new_code(), self.clock()
        stored = digest_code(code, user_id, _secret(c))
        *_, issued, states = await self._write(c, issue_code(user_id, stored, now))
        state = states.first(CodeState)
        if state is None or state.email is None:
            raise Conflict("There is no address to verify.")
        if state.email_verified_at is not None:
            raise Conflict("The address is verified already.")
        if issued.changes == 0:
            wait = seconds_until(state.resets_at or now, now)
            raise TooManyRequests("Too many codes for this account.", retry_after=wait)
        if state.sent_to_address <= CODES_PER_ADDRESS:
            await deliver(mailer, c, write(state.email, code))

    async def verify_email(self, c: Context, code: str) -> None:
        """Verify the address of this request's user with the *code* that was mailed to it.

        Raises `InvalidCode` for any other code, after five minutes and after five tries, and
        `DuplicateEmail` where somebody else has verified that address.
        """
        self._require_mailer()
        user_id = c.get(self.session_slot).user_id
        stored = digest_code("".join(code.split()), user_id, _secret(c))
        try:
            results = await self._write(c, use_code(user_id, stored, self.clock()))
        except UniqueViolation as error:
            raise DuplicateEmail from error
        if results[1].changes == 0:
            raise InvalidCode
        log_event(c, "user_updated", "email-verified")

    # --- A password, and the link that replaces it -----------------------------------------------

    async def request_reset(
        self,
        c: Context,
        username_or_email: str,
        *,
        path: str = "/password-reset/",
        write: Write = write_reset,
    ) -> None:
        """Mail a link, where a new password can be chosen, to the owner of the account that
        *username_or_email* names.

        It goes to the address that they have verified, and to no other. Whether there is such an
        account, an address, and a mail cannot be told from outside: nothing is returned, the
        database is asked one question, and all else happens after the answer. *path* is where a GET
        with the token behind it shows the form; *write* makes the mail out of the address and the
        link. Raises `ConfigurationError` without a mailer or a ``PUBLIC_URL``, and
        `TooManyRequests` where a rate limiter refuses the client's address.
        """
        mailer = self._require_mailer()
        mailer.check(c)
        origin = public_origin(c)
        await limit_address(c, self._rate_limiter)
        canonical = canonical_username(username_or_email) or username_or_email[:_NAME_MAX]
        email = normalize_email(username_or_email)
        [found] = await self._db(c).batch(
            [find_account(self._key_id(canonical), email, self._provider)]
        )
        account = found.first(Account)
        await c.after_answer(self._send_link(c, account, mailer, origin + path, write))

    async def _send_link(
        self, c: Context, account: Account | None, mailer: Mailer, place: str, write: Write
    ) -> None:
        if account is None:
            return
        token = new_token()
        try:
            [stored] = await self._db(c).batch([insert_link(token, account, self.clock())])
            if stored.changes > 0:
                log_event(c, "authn_token_created", "password-reset", user_id=account.user_id)
                await deliver(mailer, c, write(account.email, place + token))
        except Exception as error:  # whatever it is: the answer must not tell
            report(c, error)
            with suppress(Exception):  # one that nobody has is not to count for as long as others
                await self._db(c).batch([shorten_link(token, self.clock())])

    async def check_reset(self, c: Context, token: str) -> None:
        """Raise `InvalidLink` unless `reset_password` would take *token* now. Uses nothing up."""
        await self._find_link(c, token)

    async def reset_password(self, c: Context, token: str, password: str) -> None:
        """Give the owner of the link another password, and use the link up: one batch.

        All their sessions end, all other links with them, and the browsers they are known by are
        forgotten. No session is begun: they sign in with the password that they chose. Raises
        `InvalidLink` where the link is used up, over, or was sent for another password or to
        another address than the account has now, and `PasswordError` for a password that is not
        allowed; the link stays good then.
        """
        with log_failures(c, "authn_password_change_fail"):
            link = await self._find_link(c, token)
            changed = StoredKey(link.key_id, link.user_id, await self.keys.hash(password))
            results = await self._db(c).batch(
                [
                    *use_link(token, link, changed, self.clock()),
                    *self._end_old_passwords(changed),
                    self._store.forget_attempts(digest(link.key_id)),
                ]
            )
            if results[0].changes == 0:
                raise InvalidLink
        log_event(c, "authn_password_change", "password-reset", user_id=link.user_id)

    async def _find_link(self, c: Context, token: str) -> Link:
        c.private = True
        self._require_mailer()
        if not is_token(token):
            raise InvalidLink
        [found] = await self._db(c).batch([find_link(token, self.clock())])
        link = found.first(Link)
        if link is None or not link.is_good:
            raise InvalidLink
        return link

    # --- With what there was before --------------------------------------------------------------

    async def purge(self, db: Database) -> int:
        """Delete what is dead: codes, links, and sessions with what belongs to them.

        Returns how many sessions it deleted. For a cron.
        """
        if self._mailer is not None:
            await db.batch(purge_mailed(self.clock()))
        return await super().purge(db)

    def _require_mailer(self) -> Mailer:
        """Return the mailer. Raises `ConfigurationError` where there is none."""
        if self._mailer is None:
            raise ConfigurationError(
                "this Auth has no mailer: pass it mailer= (docs/security.md, Mail)"
            )
        return self._mailer


def _secret(c: Context) -> bytes:
    try:
        secret = c.env[CODE_KEY]
    except KeyError:
        return b""
    if not isinstance(secret, str) or len(secret) < _SECRET_MIN:
        raise ConfigurationError(f"{CODE_KEY} has to be text of {_SECRET_MIN} characters or more")
    return secret.encode()
