"""The launcher's own API, as seen from the orchestrator."""

from typing import Any

import httpx

from kitsu.errors import KitsuError

TIMEOUT_S = 2.0


class Launcher:
    """Asks the launcher how the processes are and passes orders on."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=TIMEOUT_S, trust_env=False
        )

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def status(self) -> dict[str, Any] | None:
        """What the launcher says; None when there is none (somebody started the services by hand)."""
        try:
            answer = await self._client.get("/status")
            data = answer.json()
        except (httpx.HTTPError, ValueError, RecursionError):
            return None
        return data if isinstance(data, dict) and answer.is_success else None

    async def order(self, name: str, action: str) -> dict[str, Any]:
        """Start, stop or restart a service.

        Raises:
            KitsuError: `no_such_service`, `launcher_missing`, or whatever code the launcher gives.
        """
        try:
            answer = await self._client.post(f"/services/{name}/{action}", timeout=30)
            data = answer.json()
        except (httpx.HTTPError, ValueError, RecursionError):
            raise KitsuError("launcher_missing", "The launcher does not answer.") from None
        if not isinstance(data, dict):
            raise KitsuError("launcher_missing", "What answers at the launcher's port is no launcher.")
        if answer.is_error:
            error = found if isinstance(found := data.get("error"), dict) else {}
            code = "no_such_service" if answer.status_code == 404 else str(error.get("code", "launcher_refused"))
            raise KitsuError(code, str(error.get("message", "The launcher refused.")))
        return data
