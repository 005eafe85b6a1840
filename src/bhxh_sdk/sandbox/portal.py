"""The sandbox's portal: the seen calls, served as they were seen, and invented ones below `/sandbox/`.

What it decides, the sandbox's agency decides; here are only the wire and the sessions.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bhxh_sdk import catalogue
from bhxh_sdk.models import Action
from bhxh_sdk.sandbox import portal_answers as answers
from bhxh_sdk.sandbox.captcha import Captchas
from bhxh_sdk.sandbox.case import Submission
from bhxh_sdk.sandbox.faults import Faults, FaultyApp
from bhxh_sdk.sandbox.portal_declarations import PortalDeclarations, page_of
from bhxh_sdk.sandbox.portal_sessions import PortalSessions
from bhxh_sdk.sandbox.reasons import Reason, Refusal
from bhxh_sdk.secret import Secret
from bhxh_sdk.transport.profile import EndpointProfile
from bhxh_sdk.transport.reading import as_object, as_text, member

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from bhxh_sdk.ports import Clock
    from bhxh_sdk.sandbox.agency import SandboxAgency
    from bhxh_sdk.sandbox.case import Case

__all__ = ["SandboxPortal"]

_POOL = "BIGipServer_sandbox_8080"
_ACTIONS = {
    "register": Action.REGISTER,
    "adjust": Action.ADJUST,
    "stop": Action.STOP,
    "first-register": Action.REGISTER,
}
_DENIED = {"Message": "Authorization has been denied for this request."}


class SandboxPortal:
    """A portal on top of a sandbox agency.

    Args:
        agency: decides.
        clock: tells when sessions end; draws captchas and tokens.
        passphrase: what the client header must be encrypted with.

    Attributes:
        app: the ASGI application.
        declarations: the drafts that units have saved, and the files that they sent.
        faults: what goes wrong next, by operation of the profile `portal-sandbox`.
        passphrase: what the client header must be encrypted with.

    """

    def __init__(self, agency: SandboxAgency, clock: Clock, passphrase: Secret | None = None) -> None:
        self.passphrase = passphrase or Secret("sandbox-passphrase")
        profile = EndpointProfile.shipped("portal-sandbox")
        self.faults = Faults({name: endpoint.path for name, endpoint in profile.operations.items()})
        self.declarations = PortalDeclarations(clock)
        self._agency = agency
        self._clock = clock
        self._captchas = Captchas(clock)
        self._sessions = PortalSessions(clock, self.passphrase)
        self.app: ASGIApp = FaultyApp(Starlette(routes=self._routes()), self.faults)

    def answer(self, image: bytes) -> str:
        """Return what a captcha's picture shows, for tests that play the person."""
        return self._captchas.answer(image)

    def _routes(self) -> list[Route]:
        calls: Mapping[str, Callable[[Request], Awaitable[Response]]] = {
            "/api/getCaptchaImage": self._public(self._captcha),
            "/token": self._token,
            "/CallApiWithCurrentUser": self._signed_in(self._dispatch),
            "/GetValues": self._signed_in(self._dispatch),
            "/callApiSendFile": self._of_a_session(self._send_file),
            "/api/thaydoimatkhautochuc": self._signed_in(self._change_password),
            "/api/getDmtinhthanh": self._public(self._provinces),
            "/api/getDmphuongxa": self._public(self._wards),
            "/api/GetListIVAN": self._public(self._ivans),
            **{f"/sandbox/{name}": self._public(self._filing(action)) for name, action in _ACTIONS.items()},
            "/sandbox/progress": self._public(self._progress),
            "/sandbox/find": self._public(self._find),
            "/sandbox/activate": self._public(self._activate),
            "/sandbox/reset-password": self._public(self._reset_password),
            "/sandbox/agencies": self._public(self._agencies),
        }
        return [
            Route("/oauth2/GetClientId", self._client_id, methods=["GET"]),
            Route("/check", self._signed_in(self._check), methods=["GET"]),
            *(Route(path, call, methods=["POST"]) for path, call in calls.items()),
        ]

    # Who may call

    def _public(
        self, call: Callable[[Request, dict[str, Any]], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            if request.headers.get("is_public") != "true":
                return JSONResponse(_DENIED, 401)
            if not self._sessions.knows(request.headers.get("x-client", "")):
                return JSONResponse({"Message": "X-CLIENT không hợp lệ"}, 403)
            try:
                return await call(request, await _members(request))
            except Refusal as refusal:
                return _refused(refusal)

        return guarded

    def _signed_in(
        self, call: Callable[[Request, str, dict[str, Any]], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def with_members(request: Request, user_name: str) -> Response:
            return await call(request, user_name, await _members(request))

        return self._of_a_session(with_members)

    def _of_a_session(
        self, call: Callable[[Request, str], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            session = self._sessions.of(request.headers.get("authorization", ""))
            if session is None:
                return JSONResponse(_DENIED, 401)
            try:
                return await call(request, session.user_name)
            except Refusal as refusal:
                return _refused(refusal)

        return guarded

    # Sessions

    async def _client_id(self, request: Request) -> Response:
        client_id = self._sessions.new_client_id()
        quoted = client_id.endswith(("A=", "g==", "w=="))
        response: Response = JSONResponse(client_id) if quoted else PlainTextResponse(client_id)
        if _POOL not in request.cookies:
            response.set_cookie(_POOL, self._clock.new_id(), httponly=True)
        return response

    async def _captcha(self, request: Request, _: dict[str, Any]) -> Response:
        image, ticket = self._captchas.draw(request.cookies.get(_POOL, ""))
        shown = base64.b64encode(image).decode()
        return JSONResponse({"image": f"data:image/png;base64,{shown}", "code": ticket})

    async def _token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        visitor = request.cookies.get(_POOL, "")
        user_name = form.get("username", "")
        try:
            if not self._captchas.judge(form.get("code", ""), form.get("text", ""), visitor):
                return _oauth_error("invalid_captcha", "Mã xác thực không đúng")
            cases = self._agency.log_in(user_name, form.get("password", ""))
        except Refusal as refusal:
            return _oauth_error("invalid_grant", refusal.text)
        value, session = self._sessions.open(user_name)
        return JSONResponse(answers.token(user_name, value, session.ends, cases))

    async def _check(self, _: Request, __: str, ___: dict[str, Any]) -> Response:
        return PlainTextResponse("")

    async def _change_password(self, _: Request, user_name: str, members: dict[str, Any]) -> Response:
        old, new = as_text(members.get("oldPassword")), as_text(members.get("newPassword"))
        try:
            self._agency.change_password(user_name, old, new)
        except Refusal as refusal:
            return JSONResponse({"success": False, "errorCode": refusal.code, "message": refusal.text})
        return JSONResponse({"success": True, "message": "Đổi mật khẩu thành công"})

    # Dispatch

    async def _dispatch(self, _: Request, user_name: str, members: dict[str, Any]) -> Response:
        data = as_object(members.get("data"))
        unit_code = as_text(member(data, "masobhxhuser", "MaDonvi"))
        cases = tuple(case for case in self._agency.history(unit_code) if case.user_name == user_name)
        number = as_text(member(data, "soHoSo"))
        code = as_text(members.get("code"))
        if code == "085":
            return JSONResponse(self._history(user_name, unit_code, cases, data))
        if code in self.declarations.calls:
            owned = unit_code if cases else ""
            return JSONResponse(self.declarations.calls[code](user_name, owned, data))
        case = next((case for case in cases if case.dossier_number == number), None)
        if code == "176":
            found = answers.notices(case) if case else None
            return JSONResponse({"status": "success", "msg": None, "data": found})
        if code in {"019", "564"}:
            make = answers.trace if code == "019" else answers.written_files
            return JSONResponse(make(case) if case else {"Quatrinh": None, "ThongTinGiayTo": None})
        return JSONResponse({"Message": f"Mã dịch vụ {code} không được hỗ trợ"}, 400)

    def _history(
        self, user_name: str, unit_code: str, cases: tuple[Case, ...], data: dict[str, Any]
    ) -> dict[str, Any]:
        drafts = [draft.row for draft in self.declarations.drafts(user_name, unit_code)]
        rows = answers.numbered([*answers.filings(cases), *drafts])
        shown = page_of(rows, data, "PageSize", "PageIndex")
        return {"DSThuTuc": shown or None, "TotalRecords": float(len(rows))}

    async def _send_file(self, request: Request, _: str) -> Response:
        try:
            async with request.form() as form:
                file, code = form.get("file"), form.get("code")
                if isinstance(file, UploadFile) and isinstance(code, str):
                    content = await file.read()
                    return JSONResponse(self.declarations.take_file(code, file.filename or "", content))
        except HTTPException:
            pass
        return JSONResponse({"Message": "An error has occurred."}, 500)

    # Lists

    async def _provinces(self, _: Request, __: dict[str, Any]) -> Response:
        today = self._clock.now().date()
        found = catalogue.shipped().provinces(today)
        return JSONResponse([{"id": None, "ten": one.name, "matinh": one.code} for one in found])

    async def _wards(self, _: Request, members: dict[str, Any]) -> Response:
        found = catalogue.wards(as_text(members.get("matinh")))
        return JSONResponse([{"id": None, "ten": one.name, "maxa": one.code} for one in found])

    async def _ivans(self, _: Request, __: dict[str, Any]) -> Response:
        return JSONResponse([{"Ma": one.code, "Ten": one.name} for one in catalogue.ivans()])

    async def _agencies(self, _: Request, members: dict[str, Any]) -> Response:
        province = as_text(members.get("maTinh"))
        return JSONResponse(
            [
                {
                    "id": float(one.internal_id) if one.internal_id else None,
                    "ma": str(one.code),
                    "ten": one.name,
                    "maCha": one.parent_code or None,
                }
                for one in catalogue.shipped().agencies()
                if one.province_code == province
            ]
        )

    # Registration

    def _filing(self, action: Action) -> Callable[[Request, dict[str, Any]], Awaitable[Response]]:
        async def take(_: Request, members: dict[str, Any]) -> Response:
            try:
                document = base64.b64decode(as_text(members.get("noiDungXml")), validate=True)
            except binascii.Error:
                raise Refusal(Reason.DOCUMENT_UNREADABLE) from None
            key = as_text(members.get("khoaDangKy"))
            submission = Submission(key=key, channel="portal", action=action, document=document)
            return _done(answers.receipt(self._agency.receive(submission)))

        return take

    async def _progress(self, _: Request, members: dict[str, Any]) -> Response:
        return _done(answers.progress(self._agency.case(as_text(members.get("maGiaoDich")))))

    async def _find(self, _: Request, members: dict[str, Any]) -> Response:
        key, sha256 = as_text(members.get("khoaDangKy")), as_text(members.get("maBam"))
        case: Case | None = self._agency.find(key=key, sha256=sha256)
        return _done(answers.progress(case) if case else None)

    async def _activate(self, _: Request, members: dict[str, Any]) -> Response:
        sending_key, code = as_text(members.get("maGiaoDich")), as_text(members.get("maXacNhan"))
        self._agency.activate(sending_key, code)
        return _done({"tenDangNhap": None, "guiTaiKhoan": True})

    async def _reset_password(self, _: Request, members: dict[str, Any]) -> Response:
        self._agency.reset_password(as_text(members.get("maDonVi")), as_text(members.get("maSoThue")))
        return _done(None)


async def _members(request: Request) -> dict[str, Any]:
    body = await request.body()
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        raise Refusal(Reason.DOCUMENT_UNREADABLE) from None
    return value if isinstance(value, dict) else {}


def _done(data: object) -> Response:
    return JSONResponse({"status": "success", "code": None, "msg": None, "data": data})


def _refused(refusal: Refusal) -> Response:
    return JSONResponse({"status": "error", "code": refusal.code, "msg": refusal.text, "data": None})


def _oauth_error(error: str, text: str) -> Response:
    return JSONResponse({"error": error, "error_description": text}, 401)
