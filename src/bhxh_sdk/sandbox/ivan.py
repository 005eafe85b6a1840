"""The sandbox's I-VAN: the calls of an I-VAN's app as they were seen, and invented ones below `/sandbox/`.

It takes documents that the client has signed, and filings that it signs itself once a person confirms on the
phone. What it decides, the sandbox's agency decides.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bhxh_sdk import catalogue
from bhxh_sdk.models import Action, Ivan
from bhxh_sdk.sandbox import ivan_answers as answers
from bhxh_sdk.sandbox.case import Submission
from bhxh_sdk.sandbox.faults import Faults, FaultyApp
from bhxh_sdk.sandbox.reasons import Reason, Refusal
from bhxh_sdk.transport.profile import EndpointProfile
from bhxh_sdk.transport.reading import VIETNAM, as_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import date, datetime

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from bhxh_sdk.models import Registration
    from bhxh_sdk.ports import Clock
    from bhxh_sdk.sandbox.agency import SandboxAgency
    from bhxh_sdk.sandbox.case import Case

    _Call = Callable[[Request, str], Awaitable[object]]

__all__ = ["Phone", "SandboxIvan"]

_DONE = "00"
_SESSION_ENDED = {"code": "304", "errorMessage": "Phiên làm việc đã hết hạn", "result": None}
_LIFETIME = timedelta(hours=1)


class Phone(Enum):
    """What the person does who has to confirm a signature on the phone."""

    CONFIRMS = "confirms"
    DECLINES = "declines"
    IS_SILENT = "is_silent"


class SandboxIvan:
    """An I-VAN on top of a sandbox agency.

    Args:
        agency: decides.
        clock: tells when sessions end; draws tokens.
        code: the I-VAN's code.
        account: user name and password of the integrator.

    Attributes:
        app: the ASGI application.
        faults: what goes wrong next, by operation of the profile `ivan-sandbox`.
        code: the I-VAN's code.
        phone: what happens when a remote signature has to be confirmed.
        credentials: the remote certificates that may sign.

    """

    def __init__(
        self,
        agency: SandboxAgency,
        clock: Clock,
        *,
        code: str = "00040",
        account: tuple[str, str] = ("sandbox", "sandbox-ivan"),
    ) -> None:
        self.code = code
        self.phone = Phone.CONFIRMS
        self.credentials: tuple[str, ...] = ("remote-1",)
        operations = EndpointProfile.shipped("ivan-sandbox").operations
        self.faults = Faults({name: endpoint.path for name, endpoint in operations.items()})
        self._agency = agency
        self._clock = clock
        self._account = account
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self.app: ASGIApp = FaultyApp(Starlette(routes=self._routes()), self.faults)

    def end_sessions(self) -> None:
        """Let every token end now."""
        self._tokens.clear()

    def _routes(self) -> list[Route]:
        service = "/api/RegisterService"
        return [
            Route("/api/Authen/auth", self._open(self._auth), methods=["POST"]),
            Route("/api/Authen/forgot-password", self._open(self._forgot), methods=["POST"]),
            self._get(f"{service}/get-list-credentials", self._credentials),
            self._get(f"{service}/get-registration-info", self._info),
            self._get(f"{service}/get-dkld-categories", self._categories),
            self._get("/api/History/get-histories-register", self._histories),
            self._get("/api/TraCuu/tien-do-dang-ky", self._progress),
            self._post(f"{service}/register-new-service", self._filing(Action.REGISTER)),
            self._post(f"{service}/change-info", self._filing(Action.ADJUST)),
            self._post(f"{service}/cancel-register", self._filing(Action.STOP)),
            self._post(f"{service}/first-register", self._first),
            self._post("/sandbox/find", self._find),
            self._post("/sandbox/activate", self._activate),
            self._post("/sandbox/change-password", self._change_password),
        ]

    # Who may call

    def _get(self, path: str, call: _Call) -> Route:
        return Route(path, self._signed_in(call), methods=["GET"])

    def _post(self, path: str, call: _Call) -> Route:
        return Route(path, self._signed_in(call), methods=["POST"])

    def _open(self, call: Callable[[dict[str, Any]], object]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                return _done(call(await _members(request)))
            except Refusal as refusal:
                return _refused(refusal)

        return answer

    def _signed_in(self, call: _Call) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            user_name, ends = self._tokens.get(token, ("", self._clock.now()))
            if ends <= self._clock.now():
                return JSONResponse(_SESSION_ENDED, 401)
            try:
                return _done(await call(request, user_name))
            except Refusal as refusal:
                return _refused(refusal)

        return answer

    def _auth(self, members: dict[str, Any]) -> object:
        user_name, password = as_text(members.get("userName")), as_text(members.get("password"))
        if (user_name, password) != self._account:
            self._units(self._agency.log_in(user_name, password))
        token = self._clock.random_bytes(24).hex()
        self._tokens[token] = (user_name, self._clock.now() + _LIFETIME)
        return token

    def _units(self, cases: tuple[Case, ...]) -> tuple[Case, ...]:
        """Return the units that transact through this I-VAN."""
        own = tuple(case for case in cases if case.channel == self.code)
        if not own:
            raise Refusal(Reason.LOG_IN_REFUSED)
        return own

    def _forgot(self, members: dict[str, Any]) -> object:
        self._agency.reset_password(as_text(members.get("maDonVi")), as_text(members.get("maSoThue")))
        return True

    # Questions

    async def _credentials(self, request: Request, _: str) -> object:
        return answers.credentials(request.query_params.get("userId", ""), self.credentials)

    async def _info(self, _: Request, user_name: str) -> object:
        return answers.registration_info(self._agency.units(user_name, self.code))

    async def _categories(self, _: Request, __: str) -> object:
        rows = [
            {"maCoQuanBHXH": str(one.code), "tenCoQuanBHXH": one.name, "maTinh": one.province_code}
            for one in catalogue.shipped().agencies()
        ]
        return {"tinhs": None, "dmCQQLs": rows, "loaiDoiTuongs": [{"ma": "1", "ten": "Tổ chức"}]}

    async def _histories(self, _: Request, user_name: str) -> object:
        cases = self._agency.cases(self.code)
        mine = (case for case in cases if user_name == self._account[0] or case.tax_code == user_name)
        return answers.histories(mine)

    async def _progress(self, request: Request, _: str) -> object:
        return answers.progress(self._case(request.query_params.get("ma_tra_cuu", "")))

    async def _find(self, request: Request, _: str) -> object:
        members = await _members(request)
        key, sha256 = as_text(members.get("khoaDangKy")), as_text(members.get("maBam"))
        case = self._agency.find(key=key, sha256=sha256)
        return answers.progress(case) if case and case.channel == self.code else None

    def _case(self, sending_key: str) -> Case:
        case = self._agency.case(sending_key)
        if case.channel != self.code:
            raise Refusal(Reason.CASE_UNKNOWN)
        return case

    # Filings

    def _filing(self, action: Action) -> _Call:
        async def take(request: Request, _: str) -> object:
            members = await _members(request)
            if "noiDungFile" in members:
                return answers.receipt(self._take_document(members, action))
            form = answers.stored_facts(members, action, Ivan(self.code), self._today())
            return self._sign_and_file(form, request.query_params.get("credentialID", ""))

        return take

    async def _first(self, request: Request, _: str) -> object:
        if not request.headers.get("content-type", "").startswith("multipart/"):
            return answers.receipt(self._take_document(await _members(request), Action.REGISTER))
        async with request.form() as fields:
            files = [
                (item.filename or "", await item.read())
                for item in fields.getlist("TepDinhKem")
                if isinstance(item, UploadFile)
            ]
            members = {name: value for name, value in fields.items() if isinstance(value, str)}
        form = answers.first_facts(members, files, Ivan(self.code), self._today())
        return self._sign_and_file(form, members.get("CredentialID", ""))

    def _take_document(self, members: dict[str, Any], action: Action) -> Case:
        try:
            document = base64.b64decode(as_text(members.get("noiDungFile")), validate=True)
        except binascii.Error:
            raise Refusal(Reason.DOCUMENT_UNREADABLE) from None
        key = as_text(members.get("khoaDangKy"))
        return self._agency.receive(Submission(channel=self.code, key=key, action=action, document=document))

    def _sign_and_file(self, form: Registration, credential_id: str) -> bool:
        """Play the remote signature and the phone; only a confirmed one is filed."""
        if credential_id not in self.credentials:
            raise Refusal(Reason.CREDENTIAL_UNKNOWN)
        if self.phone is Phone.DECLINES:
            raise Refusal(Reason.SIGNATURE_DECLINED)
        if self.phone is Phone.IS_SILENT:
            raise Refusal(Reason.SIGNATURE_NOT_CONFIRMED)
        self._agency.receive(Submission(channel=self.code, action=form.action, facts=form))
        return True

    async def _activate(self, request: Request, _: str) -> object:
        members = await _members(request)
        sending_key, code = as_text(members.get("messId")), as_text(members.get("maXacNhan"))
        if sending_key:
            self._case(sending_key)
        self._agency.activate(sending_key, code)
        return {"tenDangNhap": None, "guiTaiKhoan": True}

    async def _change_password(self, request: Request, user_name: str) -> object:
        members = await _members(request)
        old, new = as_text(members.get("oldPassword")), as_text(members.get("newPassword"))
        self._agency.change_password(user_name, old, new)
        return True

    def _today(self) -> date:
        return self._clock.now().astimezone(VIETNAM).date()


async def _members(request: Request) -> dict[str, Any]:
    try:
        value = json.loads(await request.body() or b"{}")
    except ValueError:
        raise Refusal(Reason.DOCUMENT_UNREADABLE) from None
    return value if isinstance(value, dict) else {}


def _done(result: object) -> Response:
    return JSONResponse({"code": _DONE, "errorMessage": None, "result": result})


def _refused(refusal: Refusal) -> Response:
    return JSONResponse({"code": refusal.code, "errorMessage": refusal.text, "result": None})
