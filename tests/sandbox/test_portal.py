"""The sandbox's portal seen from the wire, by a caller that is not our channel."""

from __future__ import annotations

import base64
import http.client
import json
import struct
import zlib
from urllib.parse import urlencode, urlsplit

import pytest
from portal_world import PortalWorld, run, served

from bhxh_sdk.sandbox.captcha import picture
from bhxh_sdk.sandbox.faults import Fault, Faults
from bhxh_sdk.transport.client_header import encrypted_client_id


class Wire:
    """A plain HTTP caller with a cookie and a client header."""

    def __init__(self, world):
        self.world = world
        self.host = urlsplit(world.base_url).netloc
        self.cookie = ""
        client_id = self.call("GET", "/oauth2/GetClientId")[1].strip('"')
        salt = world.clock.random_bytes(8)
        header = encrypted_client_id(client_id, world.portal.passphrase, salt, spelling={"+": "teca"})
        self.public = {"X-CLIENT": header, "is_public": "true", "Content-Type": "application/json"}

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.host, timeout=5)
        sent = {**(headers or {}), **({"Cookie": self.cookie} if self.cookie else {})}
        connection.request(method, path, body if isinstance(body, str) else json.dumps(body or {}), sent)
        answer = connection.getresponse()
        self.cookie = (answer.getheader("set-cookie") or self.cookie).split(";")[0]
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def post(self, path, body=None, headers=None):
        status, text = self.call("POST", path, body, self.public if headers is None else headers)
        return status, json.loads(text)

    def captcha(self):
        _, shown = self.post("/api/getCaptchaImage", {"height": 60, "width": 300})
        image = base64.b64decode(shown["image"].rpartition(",")[2])
        return shown["code"], self.world.portal.answer(image)

    def token(self, credentials, ticket, text):
        form = {
            "grant_type": "password",
            "username": credentials.user_name,
            "password": credentials.password.reveal(),
            "text": text,
            "code": ticket,
        }
        status, answer = self.call("POST", "/token", urlencode(form))
        return status, json.loads(answer)


@pytest.fixture
def world():
    world = PortalWorld()
    with served(world.portal.app) as world.base_url:
        yield world


@pytest.fixture
def wire(world):
    return Wire(world)


@pytest.fixture
def signed_in(world, wire):
    credentials = world.registered(world.channel())
    _, answer = wire.token(credentials, *wire.captcha())
    return {"Authorization": f"Bearer {answer['access_token']}"}


def test_the_token_is_as_irregular_as_the_real_one(world, wire):
    credentials = world.registered(world.channel())
    status, answer = wire.token(credentials, *wire.captcha())
    assert status == 200
    assert isinstance(answer["dsDonVi"], str)
    (unit,) = json.loads(answer["dsDonVi"])
    assert unit["Id"] == 1000.0
    assert isinstance(answer[".expires"], int)
    assert answer["vnconnect"] == "0"


def test_a_captcha_is_good_once_for_one_visitor(world, wire):
    credentials = world.registered(world.channel())
    ticket, text = wire.captcha()
    assert wire.token(credentials, ticket, "wrong")[0] == 401
    status, answer = wire.token(credentials, ticket, text)
    assert (status, answer["error"]) == (401, "invalid_captcha")
    other = Wire(world)
    assert other.token(credentials, *wire.captcha())[0] == 401
    assert wire.token(credentials, *wire.captcha())[0] == 200


def test_client_ids_come_with_and_without_quotes(wire):
    texts = {wire.call("GET", "/oauth2/GetClientId")[1][0] == '"' for _ in range(40)}
    assert texts == {True, False}


def test_anonymous_calls_say_so_and_show_a_client_header(wire):
    assert wire.post("/api/GetListIVAN")[0] == 200
    assert wire.post("/api/GetListIVAN", headers={"X-CLIENT": wire.public["X-CLIENT"]})[0] == 401
    assert wire.post("/api/GetListIVAN", headers={"is_public": "true", "X-CLIENT": "teca"})[0] == 403


def test_dispatch_takes_objects_and_strings(wire, signed_in):
    context = {"masobhxhuser": "TZ0001Z", "PageSize": 5, "PageIndex": 1}
    answers = [
        wire.post("/CallApiWithCurrentUser", {"code": "085", "data": data}, signed_in)[1]
        for data in (context, json.dumps(context))
    ]
    assert answers[0] == answers[1]
    assert answers[0]["TotalRecords"] == 1.0
    assert answers[0]["DSThuTuc"][0]["soHoSo"] == "00001/2026/07906"


def test_a_session_sees_its_own_unit_only(wire, signed_in):
    data = {"masobhxhuser": "TZ0009Z"}
    assert (
        wire.post("/CallApiWithCurrentUser", {"code": "085", "data": data}, signed_in)[1]["DSThuTuc"] is None
    )


CONTEXT = {"masobhxhuser": "TZ0001Z", "macoquanuser": "07906", "loaidoituonguser": "1"}
DRAFT = {
    "thuTuc": {
        "maThuTuc": "SBX01",
        "kyKeKhai": "112026",
        "maCoQuan": "07906",
        "maDonVi": "TZ0001Z",
        "status": 4,
    },
    "SBX01-DS": [{"hoTen": "Nguyễn Văn Ví Dụ"}],
    "listToKhai": [{"maToKhai": "SBX01-DS", "tenToKhai": "Danh sách"}],
}


@pytest.fixture
def dispatch(wire, signed_in):
    def call(code, data=None, *, as_string=False, context=CONTEXT):
        sent = {**context, **(data or {})}
        body = {"code": code, "data": json.dumps(sent) if as_string else sent}
        status, answer = wire.post("/CallApiWithCurrentUser", body, signed_in)
        assert status == 200
        return answer

    return call


@pytest.mark.parametrize("code", ["028", "048", "062", "085", "092", "105", "108"])
def test_data_may_be_an_object_or_a_string(dispatch, code):
    data = {"maQuyTrinh": "SBX01", "maThuTuc": "SBX01", "maCoQuan": "07906"}
    assert dispatch(code, data) == dispatch(code, data, as_string=True)


def test_procedures_come_with_a_count_beside_them(dispatch):
    answer = dispatch("028", {"pagenum": 1, "pagesize": 2})
    assert set(answer) == {"dsDmthutuc", "totalRecords"}
    assert answer["totalRecords"] == 3.0
    assert isinstance(answer["totalRecords"], float)
    first, _ = answer["dsDmthutuc"]
    assert set(first) == {"id", "ten", "ma", "sudung", "dmloaihosoid", "tenlinhvuc"}
    assert isinstance(first["id"], float)
    assert [one["ma"] for one in dispatch("028", {"mathutuc": "SBX02"})["dsDmthutuc"]] == ["SBX02"]
    assert dispatch("028", {"mathutuc": "NONE"}) == {"dsDmthutuc": None, "totalRecords": 0.0}
    assert dispatch("028", {"pagenum": 9})["dsDmthutuc"] is None


@pytest.mark.parametrize("page", ["x", -1, None, 1.5, {}])
def test_what_is_no_page_is_the_usual_one(dispatch, page):
    assert len(dispatch("028", {"pagenum": page, "pagesize": page})["dsDmthutuc"]) == 3


def test_the_forms_of_a_procedure_are_a_bare_list(dispatch):
    first, second = dispatch("062", {"maQuyTrinh": "SBX01", "maCoQuan": "07906"})
    assert first == {
        "dmquitrinhid": 1.0,
        "tentokhai": "Danh sách lao động (ví dụ)",
        "matokhai": "SBX01-DS",
        "dmcoquantochucid": 4455.0,
        "isbatbuoc": 1.0,
        "dmtokhaiid": 101.0,
        "soluong": 1.0,
        "stt": 1.0,
        "loaitokhai": None,
        "maKhoQG": None,
    }
    assert isinstance(first["dmcoquantochucid"], float)
    assert second["isbatbuoc"] == 0.0
    assert dispatch("062", {"maQuyTrinh": "SBX01", "maCoQuan": "?"})[0]["dmcoquantochucid"] is None
    assert dispatch("062", {"maQuyTrinh": "NONE"}) == []


@pytest.mark.parametrize("as_string", [False, True])
def test_a_saved_declaration_takes_a_batch_and_appears_unnumbered(world, dispatch, as_string):
    batch = {"maThuTuc": "SBX01", "kyKeKhai": "112026"}
    assert dispatch("092", batch) == {"dot": 1.0}
    saved = dispatch("084", DRAFT, as_string=as_string)
    assert saved == {
        "success": True,
        "message": "Lưu tờ khai thành công",
        "thuTucId": 500.0,
        "errors": None,
    }
    assert dispatch("092", batch) == {"dot": 2.0}
    assert dispatch("092", {**batch, "kyKeKhai": "122026"}) == {"dot": 1.0}
    assert dispatch("084", DRAFT)["thuTucId"] == 501.0
    history = dispatch("085")
    assert history["TotalRecords"] == 3.0
    filed, *drafts = history["DSThuTuc"]
    assert (filed["status"], filed["soHoSo"]) == (2.0, "00001/2026/07906")
    assert [(row["id"], row["dot"], row["status"], row["soHoSo"], row["ngayGui"]) for row in drafts] == [
        (500.0, 1.0, 4.0, None, None),
        (501.0, 2.0, 4.0, None, None),
    ]
    assert [row["rowNumber"] for row in history["DSThuTuc"]] == [1.0, 2.0, 3.0]
    assert len(dispatch("085", {"PageSize": 2, "PageIndex": 2})["DSThuTuc"]) == 1
    (kept, _) = world.portal.declarations.drafts(filed_by(world), "TZ0001Z")
    assert kept.content["SBX01-DS"] == DRAFT["SBX01-DS"]
    assert "Nguyễn" not in repr(kept)


def filed_by(world):
    return world.agency.history("TZ0001Z")[0].user_name


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"thuTuc": None}, "Không tìm thấy thủ tục"),
        ({"thuTuc": {**DRAFT["thuTuc"], "maThuTuc": "NONE"}}, "Không tìm thấy thủ tục"),
        ({"thuTuc": {**DRAFT["thuTuc"], "kyKeKhai": "132026"}}, "Kỳ kê khai phải có dạng MMYYYY"),
        ({"thuTuc": {**DRAFT["thuTuc"], "maDonVi": "TZ0009Z"}}, "Mã đơn vị không thuộc tài khoản đăng nhập"),
        ({"masobhxhuser": "TZ0009Z"}, "Mã đơn vị không thuộc tài khoản đăng nhập"),
        ({"SBX01-DS": None}, "Thiếu nội dung tờ khai SBX01-DS"),
        ({"listToKhai": "none"}, "Thiếu tờ khai bắt buộc SBX01-DS"),
        ({"listToKhai": [{"maToKhai": "D99"}]}, "Tờ khai D99 không thuộc thủ tục"),
    ],
)
def test_a_declaration_that_does_not_fit_is_not_saved(dispatch, change, said):
    answer = dispatch("084", {**DRAFT, **change})
    assert (answer["success"], answer["thuTucId"]) == (False, None)
    assert said in answer["errors"]
    assert dispatch("085")["TotalRecords"] == 1.0


def test_names_of_agency_and_procedure_are_told(dispatch):
    known = dispatch("105", {"mathutuc": "SBX02", "macoquan": "07906", "loaihoso": ""})
    assert known["tenthutuc"] == "Báo giảm lao động (thủ tục ví dụ)"
    assert known["tencoquan"]
    assert dispatch("105", {"mathutuc": "NONE", "macoquan": "?"}) == {"tencoquan": None, "tenthutuc": None}


def test_the_units_profile_is_all_null(dispatch):
    answer = dispatch("108")
    assert {"Id", "Masothue", "Sotaikhoan", "Thutruongdonvi"} <= set(answer)
    assert set(answer.values()) == {None}
    assert len(answer) == 9


def test_all_wards_are_a_bare_list(dispatch):
    wards = dispatch("048")
    assert len(wards) > 3000
    assert {"id": None, "ten": "Phường Ba Đình", "maxa": "00004", "matinh": "01"} in wards


def multipart(name="lao-dong.xlsx", boundary="b1", code="112"):
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="code"\r\n\r\n{code}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\nPK\r\n'
        f"--{boundary}--\r\n"
    )


def test_a_workbook_is_taken(world, wire, signed_in):
    headers = {**signed_in, "Content-Type": "multipart/form-data; boundary=b1"}
    status, answer = wire.post("/callApiSendFile", multipart(), headers)
    assert (status, answer["status"]) == (200, "success")
    assert world.portal.declarations.imports == [("112", "lao-dong.xlsx", b"PK")]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data; boundary=other", multipart()),
        ("multipart/form-data", multipart()),
        ("multipart/form-data; boundary=b1", ""),
        ("multipart/form-data; boundary=b1", multipart().replace('name="file"', 'name="other"')),
        ("multipart/form-data; boundary=b1", multipart().replace('name="code"', 'name="other"')),
        ("application/json", "{}"),
    ],
)
def test_a_wrong_boundary_is_a_server_error(world, wire, signed_in, content_type, body):
    status, answer = wire.post("/callApiSendFile", body, {**signed_in, "Content-Type": content_type})
    assert (status, set(answer)) == (500, {"Message"})
    assert world.portal.declarations.imports == []


def test_a_file_is_taken_from_a_session_only(wire):
    headers = {"Content-Type": "multipart/form-data; boundary=b1"}
    assert wire.post("/callApiSendFile", multipart(), headers)[0] == 401


def test_an_unknown_dispatch_code_is_a_bad_request(wire, signed_in):
    status, answer = wire.post("/CallApiWithCurrentUser", {"code": "999"}, signed_in)
    assert (status, "999" in answer["Message"]) == (400, True)


def test_without_a_token_nothing_is_dispatched(wire):
    assert wire.post("/CallApiWithCurrentUser", {"code": "085"}, {})[0] == 401
    assert wire.call("GET", "/check")[0] == 401


@pytest.mark.parametrize("body", ["{cut", "[1]", '{"noiDungXml": "***"}', '{"noiDungXml": "PGEvPg=="}'])
def test_a_filing_that_cannot_be_read_is_refused(wire, body):
    status, answer = wire.post("/sandbox/register", body)
    assert (status, answer["status"], answer["data"]) == (200, "error", None)
    assert answer["code"].startswith("SBX-")


def test_a_broken_call_of_a_session_is_refused_too(wire, signed_in):
    assert wire.post("/GetValues", "{cut", signed_in)[1]["status"] == "error"


def test_a_filing_for_another_act_is_refused(world, wire):
    document = base64.b64encode(world.filing().document.content).decode()
    assert wire.post("/sandbox/stop", {"noiDungXml": document})[1]["code"] == "SBX-102"


def test_a_captcha_is_a_real_picture():
    image = picture("0123456789")
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, colour = struct.unpack(">IIBB", image[16:26])
    assert (width, height, depth, colour) == (410, 70, 8, 0)
    length = struct.unpack(">I", image[33:37])[0]
    assert len(zlib.decompress(image[41 : 41 + length])) == (width + 1) * height


def test_planned_faults_come_in_order_and_may_be_forgotten():
    faults = Faults({"register": "/sandbox/register"})
    faults.next("register", Fault.HTML_PAGE)
    faults.next("/sandbox/register", Fault.LOSE_REPLY, times=2)
    assert faults.take("/sandbox/register") is Fault.HTML_PAGE
    assert faults.take("/sandbox/register") is Fault.LOSE_REPLY
    faults.clear()
    assert faults.take("/sandbox/register") is None
    assert faults.take("/elsewhere") is None


def test_a_pool_cookie_is_given_once(wire):
    first = wire.cookie
    wire.call("GET", "/oauth2/GetClientId")
    assert wire.cookie == first
    assert first.startswith("BIGipServer")


def test_the_portal_counts_nothing_twice(world):
    channel, filing = world.channel(), world.filing()
    run(channel.submit(filing))
    assert world.agency.submissions == 1
