"""A small world for the flow: real rules, documents, signer and journal around a channel that obeys."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from attrs import define, evolve, field

from bhxh_sdk import catalogue
from bhxh_sdk.errors import UnsupportedOperationError
from bhxh_sdk.models import (
    Account,
    Agency,
    Attachment,
    Contact,
    Ivan,
    Organisation,
    Outcome,
    Progress,
    Receipt,
    Registration,
    Session,
    Stop,
    StopReason,
)
from bhxh_sdk.ports import Question  # noqa: TC001  # attrs reads the annotations at run time
from bhxh_sdk.secret import Secret
from bhxh_sdk.transport import ChannelCapabilities, ListEntry, Operation, SignatureBy

TAX_CODE = "0100109106"  # an example: it satisfies the check digit
NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


PORTAL = ChannelCapabilities(name="portal", operations=frozenset(Operation))
IVAN = ChannelCapabilities(name="ivan", operations=frozenset(Operation))
SERVICE = ChannelCapabilities(name="ivan", operations=frozenset(Operation), signature_by=SignatureBy.SERVICE)


class StillClock:
    """Time moves only when somebody waits; identifiers are counted."""

    def __init__(self) -> None:
        self.moment = NOW
        self.drawn = 0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    def random_bytes(self, count: int) -> bytes:
        return bytes(count)

    def new_id(self) -> str:
        self.drawn += 1
        return f"{self.drawn:032x}"


@define
class Person:
    """Answers every question with yes, or with no."""

    agrees: bool = True
    asked: list[Question] = field(factory=list)

    async def secret(self, question: Question) -> Secret:
        self.asked.append(question)
        return Secret("secret")

    async def captcha(self, challenge: object) -> str:
        return "abcd"

    async def choose(self, question: Question) -> int:
        self.asked.append(question)
        return 0

    async def confirm(self, question: Question) -> bool:
        self.asked.append(question)
        return self.agrees


@define
class ToldChannel:
    """A channel whose answers are given beforehand: a value is returned, an error is raised."""

    answers: dict[str, list[Any]] = field(factory=dict)
    capabilities: ChannelCapabilities = PORTAL
    calls: list[tuple[str, tuple[Any, ...]]] = field(factory=list)
    closed: bool = False
    asynchronous: bool | None = None

    def tell(self, operation: str, *answers: Any) -> None:
        self.answers.setdefault(operation, []).extend(answers)

    def _next(self, operation: str, *arguments: Any, usual: Any = None) -> Any:
        self.calls.append((operation, arguments))
        queue = self.answers.get(operation, [])
        answer = queue.pop(0) if queue else usual
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def count(self, operation: str) -> int:
        return sum(name == operation for name, _ in self.calls)

    def demand(self, operation):
        if operation not in self.capabilities.operations:
            raise UnsupportedOperationError(operation=operation.value)

    async def submit(self, filing):
        return self._next("submit", filing, usual=Receipt(sending_key="S-1", received_at=NOW))

    async def progress(self, sending_key):
        return self._next("progress", sending_key, usual=Progress(outcome=Outcome.PROCESSING))

    async def find(self, filing):
        return self._next("find", filing)

    async def activate(self, filing, sending_key, code):
        return self._next("activate", filing, sending_key, code, usual=Account(user_name=TAX_CODE))

    async def log_in(self, credentials, ask, unit_code=""):
        session = Session(user_name=credentials.user_name, token=Secret("token"))
        return self._next("log_in", credentials, unit_code, usual=session)

    async def change_password(self, session, old, new):
        return self._next("change_password", session, old, new)

    async def request_password_reset(self, unit_code, tax_code):
        return self._next("request_password_reset", unit_code, tax_code)

    async def history(self, session):
        return self._next("history", session, usual=())

    async def notices(self, session, dossier_number):
        return self._next("notices", session, dossier_number, usual=())

    async def agencies(self, province_code):
        usual = (Agency(code="07906", name="BHXH cơ sở Mới"),) if province_code == "79" else ()
        return self._next("agencies", province_code, usual=usual)

    async def ivans(self):
        return self._next("ivans", usual=(Ivan("00040", "Tên mới"),))

    async def provinces(self):
        return self._next("provinces", usual=(ListEntry(code="79", name="Thành phố Hồ Chí Minh"),))

    async def wards(self, province_code):
        return self._next("wards", province_code, usual=(ListEntry(code="26734", name="Phường Ví Dụ"),))

    async def close(self):
        self.closed = True


def a_form(**changes: Any) -> Registration:
    form = Registration(
        agency=catalogue.agency("07906"),
        organisation=Organisation(
            name="CÔNG TY TNHH VÍ DỤ", unit_code="TZ0001Z", tax_code=TAX_CODE, address="Số 1 Đường Ví Dụ"
        ),
        contact=Contact(
            name="Nguyễn Văn Mẫu", address="Số 1 Đường Ví Dụ", mobile="0912345678", email="hr@example.com"
        ),
    )
    return evolve(form, **changes)


def a_stop() -> Stop:
    return Stop(from_date=date(2026, 4, 1), reason=StopReason.MOVE_TO_ANOTHER_IVAN)


def a_licence() -> Attachment:
    return Attachment(
        file_name="giay-phep.pdf", content=b"%PDF-1.7 example", description="Giấy phép kinh doanh"
    )
