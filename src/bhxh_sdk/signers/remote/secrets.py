"""Secrets for a provider: from the caller, the environment, the system keyring or a person; from no file.

A lasting secret is asked for once; a PIN or one-time code each time. What the provider refused is not sent
again by code, wherever it came from.
"""

from __future__ import annotations

import os
from itertools import chain
from typing import TYPE_CHECKING, NoReturn, SupportsIndex

from attrs import frozen

from bhxh_sdk.errors import MissingExtraError, PersonNeededError, SetupError
from bhxh_sdk.ports import Question
from bhxh_sdk.remote_errors import ConfirmationSecretError
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.remote.masking import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bhxh_sdk.ports import Ask
    from bhxh_sdk.signers.remote.conversation import SecretNeed

__all__ = ["ONCE", "ProviderSecrets", "SecretPlace"]

ONCE = frozenset({"otp", "pin"})
"""Secrets that are asked for at each signature."""

_NO_CHANCE = 8  # a secret of that many characters stands in an id on purpose only


@frozen(kw_only=True)
class SecretPlace:
    """Say where a secret is kept.

    Args:
        env: name of an environment variable; empty for none.
        keyring: `service/user` in the system keyring; empty for none.

    """

    env: str = ""
    keyring: str = ""


class ProviderSecrets:
    """The secrets of one provider's profile.

    Args:
        places: where each is kept, by its name.
        given: secrets that the caller hands over, by their name; they go first.
        environment: the environment variables; the process's own when None.

    """

    def __init__(
        self,
        places: Mapping[str, SecretPlace] | None = None,
        given: Mapping[str, Secret] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._places = dict(places or {})
        self._given = {name: Secret(value) for name, value in (given or {}).items()}
        self._environment = os.environ if environment is None else environment
        self._asked: dict[str, Secret] = {}
        self._refused: dict[str, list[Secret]] = {}
        self._used: dict[str, Secret] = {}

    async def secret(self, need: SecretNeed, ask: Ask) -> Secret:
        """Return a secret; a person is asked where it is kept nowhere.

        Raises:
            SetupError: it should be in the environment or keyring and is not.
            MissingExtraError: it is in the keyring, and the extra `keyring` is not installed.
            PersonNeededError: nobody is there to ask.
            ConfirmationSecretError: the provider refused this very secret before.

        """
        found = self.kept(need.name)
        if found is None:
            found = await self._from_person(need, ask)
        if found in self._refused.get(need.name, ()):
            raise ConfirmationSecretError("remote.secret_refused_before", field=need.name)
        self._used[need.name] = found
        return found

    def kept(self, name: str) -> Secret | None:
        """Return a secret that the caller gave, or that the environment or the keyring has; None for none.

        Raises:
            SetupError: it should be in the environment or keyring and is not.
            MissingExtraError: it is in the keyring, and the extra `keyring` is not installed.

        """
        if name in self._given:
            return self._given[name]
        place = self._places.get(name, SecretPlace())
        if place.env:
            return self._from_environment(name, place.env)
        return _from_keyring(name, place.keyring) if place.keyring else None

    def refuse(self, name: str) -> None:
        """Remember that the provider refused the secret that was used last; an asked one is forgotten."""
        self._asked.pop(name, None)
        if name in self._used:
            self._refused.setdefault(name, []).append(self._used.pop(name))

    def mask(self, text: str, more: Iterable[Secret] = ()) -> str:
        """Return a provider's text without the secrets that were used, should it repeat them."""
        return masked(text, self._sent(more))

    def are_in(self, text: str, more: Iterable[Secret] = ()) -> bool:
        """Tell whether an id repeats a secret; short ones such as a PIN may stand there by chance."""
        return masked(text, [value for value in self._sent(more) if len(value) >= _NO_CHANCE]) != text

    def _sent(self, more: Iterable[Secret]) -> list[str]:
        refused = chain.from_iterable(self._refused.values())
        return [secret.reveal() for secret in (*self._used.values(), *refused, *more)]

    def forget(self) -> None:
        """Forget everything that people entered."""
        for secret in self._asked.values():
            secret.wipe()
        self._asked.clear()
        self._used.clear()
        self._refused.clear()

    async def _from_person(self, need: SecretNeed, ask: Ask) -> Secret:
        if need.name in self._asked:
            return self._asked[need.name]
        secret = await ask.secret(Question(purpose=f"remote_{need.name}", subject=need.subject))
        if not secret:
            raise PersonNeededError("remote.secret_empty", field=need.name)
        if need.name not in ONCE:
            self._asked[need.name] = secret
        return secret

    def _from_environment(self, name: str, variable: str) -> Secret:
        value = self._environment.get(variable, "")
        if not value:
            raise SetupError("channel.secret_missing", field=f"{name}_env", name=variable)
        try:
            return Secret(value)
        except ValueError:
            pass  # Python's own error could show the value
        raise SetupError("channel.secret_unreadable", field=f"{name}_env", name=variable)

    def __repr__(self) -> str:
        return f"ProviderSecrets({', '.join(sorted({*self._places, *self._given}))})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        msg = "secrets cannot be pickled or copied"
        raise TypeError(msg)


def _from_keyring(name: str, place: str) -> Secret:
    try:
        import keyring  # noqa: PLC0415  # an extra, wanted only where a profile names a place in it
        from keyring.errors import KeyringError  # noqa: PLC0415  # as above
    except ImportError:
        raise MissingExtraError(extra="keyring", name="keyring") from None
    service, _, user = place.rpartition("/")
    try:
        value = keyring.get_password(service, user)
    except KeyringError as error:
        reason = type(error).__name__
        raise SetupError("remote.keyring", field=f"{name}_keyring", name=place, reason=reason) from None
    if not value:
        raise SetupError("remote.keyring_empty", field=f"{name}_keyring", name=place)
    return Secret(value)
