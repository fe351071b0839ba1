"""`python -m kitsu_twitch.login`: log in at Twitch by Device Code Flow, which needs no secret of the application's.

It asks nothing: it prints a link and a code, waits until somebody has agreed, and keeps what Twitch gives. Progress
goes to stderr, one JSON object to stdout at the end.
"""

import asyncio
import json
import sys
from typing import Any

import aiohttp
import twitchio
from twitchio.authentication.oauth import OAuth

from kitsu.config import home, load
from kitsu.errors import EngineError, KitsuError
from kitsu_twitch.client import point_to, trouble
from kitsu_twitch.config import TwitchSettings
from kitsu_twitch.tokens import NEEDED, USEFUL, Login, LoginFile

LONGEST_S = 1800.0
NO_CLIENT_ID = (
    "Twitch wants to know which application asks. Once, and free of charge: open dev.twitch.tv/console/apps, "
    "Register Your Application, OAuth Redirect URL http://localhost, Client Type Public, and copy its Client ID into "
    ".env: KITSU__TWITCH__CLIENT_ID=… Then run kitsu login twitch again."
)


async def log_in(settings: TwitchSettings, file: LoginFile) -> Login:
    """The whole flow.

    Raises:
        EngineError: `no_client_id`, `login_denied`, `login_too_late`, `twitch_unreachable`, `twitch_error`,
            `login_not_saved`.
    """
    if not settings.client_id:
        raise EngineError("no_client_id", NO_CLIENT_ID)
    point_to(settings)
    scopes = twitchio.Scopes([*NEEDED, *USEFUL])
    oauth = OAuth(client_id=settings.client_id, scopes=scopes)
    try:
        device = await oauth.device_code_flow()
        _show(device)
        async with asyncio.timeout(min(LONGEST_S, float(device["expires_in"]))):
            pair = await oauth.device_code_authorization(
                device_code=device["device_code"], interval=int(device["interval"])
            )
        about = await oauth.validate_token(pair["access_token"])
    except TimeoutError:
        raise EngineError("login_too_late", "Nobody agreed in time. Run kitsu login twitch again.") from None
    except ValueError:  # twitchio knows only some of Twitch's words for no
        raise _denied() from None
    except twitchio.DeviceCodeFlowException as error:
        raise (_denied() if error.status == 400 else trouble(error)) from None
    except (twitchio.TwitchioException, KeyError, aiohttp.ClientError, OSError) as error:
        raise _refused(error) from None
    finally:
        await oauth.close()
    login = Login(
        client_id=settings.client_id,
        access=pair["access_token"],
        refresh=pair["refresh_token"],
        user_id=about.user_id or "",
        login=about.login or "",
        scopes=tuple(pair["scope"]),
    )
    file.write(login)
    return login


def _show(device: Any) -> None:
    sys.stderr.write(
        f"Open {device['verification_uri']}\n"
        f"in a browser where the account is signed in that shall write the replies,\n"
        f"check that it shows the code {device['user_code']}, and agree. Waiting …\n"
    )
    sys.stderr.flush()


def _denied() -> EngineError:
    return EngineError("login_denied", "Twitch says that it was not agreed to. Nothing was changed.")


def _refused(error: Exception) -> EngineError:
    if isinstance(error, twitchio.HTTPException) and error.status == 400:
        text = "Twitch does not know that Client ID, or its application is not of the type Public."
        return EngineError("bad_client_id", f"{text} Check twitch.client_id at dev.twitch.tv/console/apps.")
    return trouble(error)


def main() -> int:
    """Log in; 0 when that worked."""
    try:
        login = asyncio.run(log_in(load("twitch", TwitchSettings), LoginFile(home().twitch_file)))
    except KitsuError as error:
        print(json.dumps({"code": error.code, "message": error.message}))  # noqa: T201 - our answer to the caller
        return 1
    print(json.dumps({"login": login.login, "missing": login.missing}))  # noqa: T201
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
