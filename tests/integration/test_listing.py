"""Listing documents: orders, filters, and pages that neither shift nor repeat."""

import hashlib

import pytest
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osis.document.v1.document_pb2 import DocumentStatus
from osis.document.v1.document_service_pb2 import (
    ConfirmUpload,
    ConfirmUploadsRequest,
    DocumentOrder,
    DuplicateDocument,
    Hold,
)
from tests.support import files
from tests.support.changes import delete, duplicate_all, infect, update
from tests.support.documents import get
from tests.support.downloads import download
from tests.support.imports import bring, bring_modified_copy, moment
from tests.support.listing import ids, listed, page, pages
from tests.support.outcomes import outcome_of, reason_of
from tests.support.refusals import expect_refusal
from tests.support.uploads import confirm, new_id, store, token_for, upload

NEWEST_FIRST = DocumentOrder.DOCUMENT_ORDER_UPLOAD_TIME_DESC
OLDEST_FIRST = DocumentOrder.DOCUMENT_ORDER_UPLOAD_TIME_ASC
BY_PATH = DocumentOrder.DOCUMENT_ORDER_PATH_ASC
ORDERS = {"newest first": NEWEST_FIRST, "oldest first": OLDEST_FIRST, "by path": BY_PATH}

REQUESTED = DocumentStatus.DOCUMENT_STATUS_REQUESTED
UPLOADED = DocumentStatus.DOCUMENT_STATUS_UPLOADED
DELETED = DocumentStatus.DOCUMENT_STATUS_DELETED
INFECTED = DocumentStatus.DOCUMENT_STATUS_INFECTED

NOON = 1_600_000_000


@pytest.fixture(scope="module")
def admin(server):
    return server.stubs("admin")


@pytest.fixture
def folder():
    """A folder of the test's own, so that its documents can be told from all others."""
    return f"listing/{new_id()}/"


@pytest.fixture(params=ORDERS)
def order(request):
    return ORDERS[request.param]


def sort_key(order):
    """What documents are ordered by, apart from their ids."""
    if order == BY_PATH:
        return lambda document: document.path.encode()
    sign = -1 if order == NEWEST_FIRST else 1
    return lambda document: sign * document.upload_time.ToMicroseconds()


# ---- order --------------------------------------------------------------------------------------------------------------


def test_the_newest_comes_first_unless_asked_otherwise(admin, folder):
    old, new, between = (bring(admin, path=folder, at=NOON + second).id for second in (0, 9, 5))

    assert ids(admin, path_prefix=folder) == [new, between, old]
    assert ids(admin, path_prefix=folder, order=NEWEST_FIRST) == [new, between, old]
    assert ids(admin, path_prefix=folder, order=OLDEST_FIRST) == [old, between, new]


def test_microseconds_count(admin, folder):
    late, early = (bring(admin, path=folder, at=at).id for at in (NOON + 0.000002, NOON + 0.000001))

    assert ids(admin, path_prefix=folder, order=OLDEST_FIRST) == [early, late]


def test_paths_are_in_code_point_order(admin, folder):
    names = ["Z", "a", "~", "é", "ﬀ", "～", "😀", "\U0010ffff"]
    for name in reversed(names):
        bring(admin, path=f"{folder}{name}")

    paths = [document.path.removeprefix(folder) for document in listed(admin, path_prefix=folder, order=BY_PATH)]

    assert paths == names == sorted(names)


def test_a_folder_and_what_it_holds_are_in_the_order_of_their_characters(admin, folder):
    for name in ("a/b", "a.b", "a", "a b", "A/b"):
        bring(admin, path=f"{folder}{name}")

    paths = [document.path.removeprefix(folder) for document in listed(admin, path_prefix=folder, order=BY_PATH)]

    assert paths == ["A/b", "a", "a b", "a.b", "a/b"]


def test_ties_are_broken_by_id(admin, folder, order):
    made = [bring(admin, path=f"{folder}same.txt", at=NOON).id for _ in range(12)]

    assert ids(admin, path_prefix=folder, order=order) in (sorted(made), sorted(made, reverse=True))


def test_a_document_is_listed_as_it_is_described(alpha, beta, folder):
    document = confirm(alpha, upload(alpha, b"content", metadata={"number": 5}).write_token, path=folder)

    assert listed(beta, path_prefix=folder) == [document] == [get(alpha, document.id)]


# ---- pages --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(admin):
    """A folder of thirty documents: three at each of ten moments, two with each of fifteen paths."""
    folder = f"listing/{new_id()}/"
    for number in range(30):
        bring(admin, path=f"{folder}{number % 15:02}", at=NOON + number % 10)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page_size", [1, 2, 3, 7, 29, 30, 31, 1000])
def test_the_pages_together_are_the_list(admin, many, order, page_size):
    whole = listed(admin, path_prefix=many, order=order, page_size=1000)

    found = list(pages(admin, path_prefix=many, order=order, page_size=page_size))

    assert [document for documents in found for document in documents] == whole
    assert whole == sorted(whole, key=sort_key(order))
    assert len({document.id for document in whole}) == 30
    assert [len(documents) for documents in found[:-1]] == [page_size] * (len(found) - 1)
    assert len(found) == -(-30 // page_size), "the last page says that it is the last one"


def test_a_page_has_twenty_five_documents_unless_asked_otherwise(admin, many):
    assert len(page(admin, path_prefix=many).documents) == 25


@pytest.mark.slow
def test_a_page_has_fewer_documents_than_asked_for_where_they_would_be_too_large_for_an_answer(alpha, folder):
    wide = Struct()
    wide.update({"text": "x" * 60_000})
    tokens = [upload(alpha, b"content").write_token for _ in range(80)]
    stored = [confirm(alpha, token, path=folder, metadata=wide).id for token in tokens]  # 4.8 MB, and clients take 4 MiB

    found = list(pages(alpha, path_prefix=folder, page_size=1000, order=OLDEST_FIRST))

    assert [document.id for documents in found for document in documents] == stored
    assert len(found) == 2
    assert all(sum(document.ByteSize() for document in documents) <= 3 * 1024 * 1024 for documents in found)


@pytest.mark.parametrize("page_size", [-1, 1001, 2**31 - 1])
def test_a_page_of_no_possible_size_is_refused(admin, many, page_size):
    refusal = expect_refusal("ARGUMENT_INVALID", page, admin, path_prefix=many, page_size=page_size)

    assert "page_size" in refusal.fields


def test_the_size_may_change_from_page_to_page(admin, many):
    whole = ids(admin, path_prefix=many, page_size=1000)

    first = page(admin, path_prefix=many, page_size=3)
    rest = page(admin, path_prefix=many, page_size=1000, page_token=first.next_page_token)

    assert [document.id for document in [*first.documents, *rest.documents]] == whole


def test_nothing_at_all_is_one_empty_page(admin, folder):
    answer = page(admin, path_prefix=folder)

    assert list(answer.documents) == []
    assert answer.next_page_token == ""


def test_a_thousand_documents_are_one_page(alpha, admin, folder):
    """Duplicates of one document, which cost no bytes."""
    source = store(alpha, b"content")
    made = duplicate_all(alpha, [DuplicateDocument(document_id=source.id, path=folder)] * 1000)

    found = page(admin, path_prefix=folder, page_size=1000)

    assert {document.id for document in found.documents} == {result.document.id for result in made}
    assert len(found.documents) == 1000
    assert found.next_page_token == ""


@pytest.mark.slow
@pytest.mark.parametrize("page_size", [1, 3])
def test_documents_that_appear_between_two_pages_neither_shift_nor_repeat_the_others(admin, folder, order, page_size):
    def bring_three(second, letter):
        return {bring(admin, path=f"{folder}{letter}", at=NOON + second).id for _ in range(3)}

    there = bring_three(10, "b") | bring_three(20, "d") | bring_three(30, "f")
    found = []
    for documents in pages(admin, path_prefix=folder, order=order, page_size=page_size):
        found.extend(document.id for document in documents)
        if len(found) <= 3 * page_size:
            bring_three(5, "a")
            bring_three(20, "d")
            bring_three(35, "g")

    assert len(found) == len(set(found)), "a document came twice"
    assert there <= set(found), "a document was skipped"


@pytest.mark.slow
@pytest.mark.parametrize("page_size", [1, 3])
def test_documents_that_vanish_between_two_pages_neither_shift_nor_repeat_the_others(admin, folder, order, page_size):
    for number in range(12):
        bring(admin, path=f"{folder}{number // 3}", at=NOON + number // 3)
    whole = ids(admin, path_prefix=folder, order=order)

    found, gone = [], set()
    for documents in pages(admin, path_prefix=folder, order=order, page_size=page_size, statuses=[UPLOADED]):
        found.extend(document.id for document in documents)
        coming = [document_id for document_id in whole if document_id not in found and document_id not in gone]
        # The one that the page ended with, one long before it, and the one that would come next.
        vanishing = {found[-1], found[0], *coming[:1]}
        gone |= vanishing
        delete(admin, *vanishing)

    unseen = gone - set(found)
    assert found == [document_id for document_id in whole if document_id not in unseen]


def test_a_document_that_moves_on_in_the_order_does_not_repeat_those_between(alpha, admin, folder):
    """Renaming changes neither the path nor the time of the upload, so it moves nothing."""
    made = [bring(admin, path=folder, at=NOON + second).id for second in range(4)]

    seen = []
    for documents in pages(admin, path_prefix=folder, order=OLDEST_FIRST, page_size=1):
        seen.extend(document.id for document in documents)
        update(alpha, token_for(alpha, made[0], write=True), name=f"{len(seen)}.txt")

    assert seen == made


# ---- page tokens --------------------------------------------------------------------------------------------------------


def other_filters(folder):
    return {
        "another path prefix": {"path_prefix": folder[:-1]},
        "no path prefix": {"path_prefix": ""},
        "another order": {"order": OLDEST_FIRST},
        "a status": {"statuses": [UPLOADED]},
        "a type": {"mime_types": ["text/plain"]},
        "a name": {"name_contains": "note"},
        "a first moment": {"uploaded_from": moment(1)},
        "a last moment": {"uploaded_before": moment(2_000_000_000)},
        "held": {"held": False},
        "corrupt": {"corrupt": False},
    }


@pytest.mark.parametrize("difference", other_filters(""))
def test_a_page_token_of_another_filter_is_refused(admin, many, difference):
    token = page(admin, path_prefix=many, page_size=3).next_page_token

    refusal = expect_refusal(
        "ARGUMENT_INVALID", page, admin, page_token=token, **({"path_prefix": many} | other_filters(many)[difference])
    )

    assert "page_token" in refusal.fields


def test_a_page_token_is_good_for_the_same_filter_however_it_is_written(admin, many):
    token = page(admin, path_prefix=many, statuses=[UPLOADED, DELETED], page_size=3).next_page_token

    again = page(admin, path_prefix=many, statuses=[DELETED, UPLOADED], page_size=3, page_token=token)

    assert len(again.documents) == 3


@pytest.mark.parametrize(
    "token",
    ["garbage", "x" * 100_000, "é", "e30", "e30=", "bnVsbA", "W10", "AAAA", "{}", "None", " ", "0"],
    ids=["garbage", "very-long", "accent", "object", "padded", "null", "list", "zeros", "braces", "none", "space", "number"],
)
def test_a_foreign_page_token_is_refused(admin, many, token):
    refusal = expect_refusal("ARGUMENT_INVALID", page, admin, path_prefix=many, page_token=token)

    assert "page_token" in refusal.fields


def test_a_documents_token_is_no_page_token(admin, many):
    token = token_for(admin, ids(admin, path_prefix=many)[0])

    expect_refusal("ARGUMENT_INVALID", page, admin, path_prefix=many, page_token=token)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_page_token_that_was_changed_is_refused_or_harmless_and_never_a_fault_of_the_service(admin, many, data):
    token = page(admin, path_prefix=many, page_size=3).next_page_token
    place = data.draw(st.integers(0, len(token) - 1))
    changed = token[:place] + data.draw(st.sampled_from("ABCxyz019-_.=%\x7fé")) + token[place + 1 :]

    outcome = outcome_of(page, admin, path_prefix=many, page_size=1000, page_token=changed)

    assert reason_of(outcome) in {"", "ARGUMENT_INVALID"}
    if not reason_of(outcome):
        assert {document.path.startswith(many) for document in outcome.documents} <= {True}


# ---- filters ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def of_each_status(admin):
    """Ids by status, and a piece of text that all their names have."""
    mark = new_id()
    made = {
        REQUESTED: upload(admin, b"content", f"{mark}.txt").document.id,
        UPLOADED: store(admin, b"content", f"{mark}.txt").id,
        DELETED: store(admin, b"content", f"{mark}.txt").id,
        INFECTED: store(admin, b"content", f"{mark}.txt").id,
    }
    delete(admin, made[DELETED])
    infect(admin, made[INFECTED])
    return made, mark


@pytest.mark.parametrize("status", [REQUESTED, UPLOADED, DELETED, INFECTED], ids=DocumentStatus.Name)
def test_documents_of_one_status(admin, of_each_status, status):
    made, mark = of_each_status

    assert ids(admin, name_contains=mark, statuses=[status]) == [made[status]]


def test_documents_of_several_statuses(admin, of_each_status):
    made, mark = of_each_status

    assert set(ids(admin, name_contains=mark, statuses=[DELETED, UPLOADED, DELETED])) == {made[DELETED], made[UPLOADED]}


@pytest.mark.parametrize("statuses", [[], [DocumentStatus.DOCUMENT_STATUS_UNSPECIFIED]], ids=["none", "unspecified"])
def test_documents_of_any_status(admin, of_each_status, statuses):
    made, mark = of_each_status

    assert set(ids(admin, name_contains=mark, statuses=statuses)) == set(made.values())


@pytest.mark.parametrize("fields", [{"statuses": [99]}, {"order": 99}], ids=["status", "order"])
def test_a_value_that_the_contract_does_not_have_is_refused(admin, fields):
    expect_refusal("ARGUMENT_INVALID", page, admin, **fields)


def test_documents_of_some_types(admin, folder):
    made = {
        name: bring(admin, content, name, path=folder).id
        for name, content in {"a.pdf": files.pdf("text"), "b.txt": b"text", "c.png": files.png()}.items()
    }

    assert ids(admin, path_prefix=folder, mime_types=["application/pdf"]) == [made["a.pdf"]]
    assert set(ids(admin, path_prefix=folder, mime_types=["image/png", "text/plain"])) == {made["b.txt"], made["c.png"]}
    assert ids(admin, path_prefix=folder, mime_types=["application/%", ""]) == []


NAMES = {
    "Éléonore.txt": ["éléonore", "ÉLÉONORE", "éLÉO", "e\N{COMBINING ACUTE ACCENT}le\N{COMBINING ACUTE ACCENT}onore", ".TXT"],
    "straße.txt": ["STRASSE", "strasse", "Straße", "STRAẞE", "ß"],
    "GROSS.txt": ["groß", "Gross"],
    "İstanbul.txt": ["İSTANBUL", "i̇stanbul", "STANBUL"],
    "ΣΊΣΥΦΟΣ.txt": ["σίσυφος", "Σίσυφος", "σίσυφοσ"],
    "100%_sure'.txt": ["100%", "%_", "_SURE'", "'"],
}


@pytest.fixture(scope="module")
def named(admin):
    """A folder of documents with these names, and one that none of the texts is in."""
    folder = f"listing/{new_id()}/"
    for name in [*NAMES, "xyz.pdf.txt"]:
        bring(admin, name=name, path=folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in NAMES.items() for text in texts])
def test_a_name_is_found_by_any_part_of_it_whatever_its_case(admin, named, name, text):
    found = [document.name for document in listed(admin, path_prefix=named, name_contains=text)]

    assert name in found
    if text != ".TXT":
        assert "xyz.pdf.txt" not in found


@pytest.mark.parametrize("text", ["x_z", "x%z", "%pdf%", "_", "x\\yz", "\\", "x*z", "x.z", "Eleonore"])
def test_no_character_of_a_text_stands_for_others(admin, named, text):
    found = [document.name for document in listed(admin, path_prefix=named, name_contains=text)]

    assert found == [name for name in ["100%_sure'.txt"] if text in name]


@pytest.mark.parametrize("field", ["name_contains", "path_prefix"])
def test_a_text_with_a_nul_is_refused_since_no_name_and_no_path_has_one(admin, field):
    refusal = expect_refusal("ARGUMENT_INVALID", page, admin, **{field: "no\0te"})

    assert field in refusal.fields


@pytest.mark.parametrize(
    ("field", "value", "most"),
    [
        ("name_contains", "x" * 256, 255),
        ("name_contains", "é" * 60_000, 255),
        ("mime_types", ["text/plain"] * 101, 100),
        ("mime_types", [f"text/{number}" for number in range(40_000)], 100),
        ("statuses", [UPLOADED] * 101, 100),
    ],
    ids=["name", "long-name", "types", "many-types", "statuses"],
)
def test_a_filter_that_is_larger_than_anything_can_need_is_refused_with_its_limit(admin, field, value, most):
    refusal = expect_refusal("ARGUMENT_INVALID", page, admin, **{field: value})

    assert field in refusal.fields
    assert str(most) in refusal.message


def test_a_filter_may_be_as_large_as_its_limit(admin, folder):
    document = bring(admin, name=f"{'x' * 251}.txt", path=folder)

    types = ["text/plain", *(f"text/{number}" for number in range(99))]
    assert ids(admin, path_prefix=folder, name_contains=f"{'X' * 251}.txt", mime_types=types) == [document.id]


def test_a_document_is_found_by_the_name_that_it_was_given_later(alpha, folder):
    document = confirm(alpha, upload(alpha, b"content", "before.txt").write_token, path=folder)

    update(alpha, token_for(alpha, document.id, write=True), name="ÀPRÈS.txt")

    assert ids(alpha, path_prefix=folder, name_contains="àprès") == [document.id]
    assert ids(alpha, path_prefix=folder, name_contains="before") == []


PATHS = [
    *("a%b/x", "a_b/x", "axb/x", "axxb/x", "é/x", "e/x", "E/x", "😀/x"),
    *("\U0010ffff\U0010ffff/x", "\U0010ffff/x", "\ud7ff/x", "\ue000/x"),
]


@pytest.fixture(scope="module")
def pathed(admin):
    """A folder of documents with these paths."""
    folder = f"listing/{new_id()}/"
    for path in PATHS:
        bring(admin, path=folder + path)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("prefix", "paths"),
    [
        ("a%", ["a%b/x"]),
        ("a_", ["a_b/x"]),
        ("a\\", []),
        ("a\\%", []),
        ("ax", ["axb/x", "axxb/x"]),
        ("axb/x", ["axb/x"]),
        ("axb/x/", []),
        ("é", ["é/x"]),
        ("e\N{COMBINING ACUTE ACCENT}", ["é/x"]),
        ("e", ["e/x"]),
        ("E", ["E/x"]),
        ("😀", ["😀/x"]),
        ("\U0010ffff", ["\U0010ffff/x", "\U0010ffff\U0010ffff/x"]),
        ("\U0010ffff\U0010ffff", ["\U0010ffff\U0010ffff/x"]),
        ("\ud7ff", ["\ud7ff/x"]),
        ("\ue000", ["\ue000/x"]),
        ("*", []),
        ("'", []),
    ],
)
def test_documents_whose_path_starts_with_a_text(admin, pathed, order, prefix, paths):
    found = listed(admin, path_prefix=pathed + prefix, order=ORDERS[order])

    assert {document.path.removeprefix(pathed) for document in found} == set(paths)


def test_a_prefix_of_nothing_but_the_last_character_there_is(admin):
    document = bring(admin, path="\U0010ffff\U0010ffff/x")

    assert document.id in ids(admin, path_prefix="\U0010ffff")
    assert {found.path[0] for found in listed(admin, path_prefix="\U0010ffff")} == {"\U0010ffff"}


def test_the_first_moment_is_in_and_the_last_is_not(admin, folder):
    made = [bring(admin, path=folder, at=NOON + second).id for second in range(4)]

    found = ids(admin, path_prefix=folder, order=OLDEST_FIRST, uploaded_from=moment(NOON + 1), uploaded_before=moment(NOON + 3))

    assert found == made[1:3]
    assert ids(admin, path_prefix=folder, uploaded_from=moment(NOON + 3.000001)) == []
    assert ids(admin, path_prefix=folder, uploaded_before=moment(NOON)) == []
    assert ids(admin, path_prefix=folder, uploaded_from=moment(NOON + 2), uploaded_before=moment(NOON + 1)) == []


@pytest.mark.parametrize(
    ("field", "time", "finds"),
    [
        ("uploaded_from", Timestamp(seconds=-62135596800), True),
        ("uploaded_before", Timestamp(seconds=253402300799, nanos=999_999_999), True),
        ("uploaded_from", Timestamp(seconds=253402300799), False),
        ("uploaded_before", Timestamp(seconds=-62135596800), False),
    ],
    ids=["from-year-1", "before-year-10000", "from-year-9999", "before-year-1"],
)
def test_the_first_and_the_last_moment_that_the_contract_can_write_are_understood(admin, folder, field, time, finds):
    document = bring(admin, path=folder)

    assert ids(admin, path_prefix=folder, **{field: time}) == ([document.id] if finds else [])


@pytest.mark.parametrize("time", [Timestamp(seconds=10**15), Timestamp(seconds=-(10**15)), Timestamp(nanos=-1)])
@pytest.mark.parametrize("field", ["uploaded_from", "uploaded_before"])
def test_a_moment_that_the_contract_cannot_write_is_refused(admin, folder, field, time):
    refusal = expect_refusal("ARGUMENT_INVALID", page, admin, path_prefix=folder, **{field: time})

    assert field in refusal.fields


def test_documents_that_are_held_and_those_that_are_not(alpha, folder):
    held, kept = upload(alpha, b"content"), upload(alpha, b"content")
    for result, fields in ((held, {"hold": Hold()}), (kept, {})):
        uploads = [ConfirmUpload(token=result.write_token, path=folder)]
        alpha.documents.ConfirmUploads(ConfirmUploadsRequest(uploads=uploads, **fields))

    assert ids(alpha, path_prefix=folder, held=True) == [held.document.id]
    assert ids(alpha, path_prefix=folder, held=False) == [kept.document.id]
    assert len(ids(alpha, path_prefix=folder)) == 2


def damage(server, content):
    """Changes the stored bytes of this content."""
    file = server.blob_file_of(content)
    file.chmod(0o600)
    file.write_bytes(bytes([content[0] ^ 1]) + content[1:])


@pytest.mark.slow
def test_documents_whose_bytes_are_damaged_and_sound_ones(server, admin, folder):
    sound, broken, broken_copy = (bring(admin, f"{new_id()} {number}".encode(), path=folder) for number in range(3))
    copy, content = new_id().encode(), download(admin, token_for(admin, broken.id)).data
    bring_modified_copy(admin, broken_copy.id, copy)
    tokens = [token_for(admin, broken.id), token_for(admin, broken_copy.id, for_modified=True)]
    damage(server, content)
    damage(server, copy)
    for token in tokens:
        assert download(admin, token).refusal.reason == "DOCUMENT_CORRUPT"

    assert set(ids(admin, path_prefix=folder, corrupt=True)) == {broken.id, broken_copy.id}
    assert ids(admin, path_prefix=folder, corrupt=False) == [sound.id]
    assert len(ids(admin, path_prefix=folder)) == 3


def test_all_filters_must_hold(admin, folder):
    wanted = bring(admin, b"text", "Report.txt", path=f"{folder}in/", at=NOON)
    bring(admin, b"text", "Report.txt", path=f"{folder}out/", at=NOON)
    bring(admin, b"text", "Report.txt", path=f"{folder}in/", at=NOON - 10)
    bring(admin, b"text", "Report.txt", path=f"{folder}in/", at=NOON + 10)
    bring(admin, b"text", "other.txt", path=f"{folder}in/", at=NOON)
    bring(admin, files.pdf("text"), "Report.pdf", path=f"{folder}in/", at=NOON)
    bring(admin, b"text", "Report.txt", path=f"{folder}in/", at=NOON, status=DELETED)

    found = listed(
        admin,
        path_prefix=f"{folder}in/",
        name_contains="REPORT",
        mime_types=["text/plain"],
        statuses=[UPLOADED],
        uploaded_from=moment(NOON),
        uploaded_before=moment(NOON + 1),
        held=False,
        corrupt=False,
        page_size=1,
    )

    assert found == [wanted]
    assert found[0].sha256 == hashlib.sha256(b"text").hexdigest()


def test_a_document_that_is_not_confirmed_has_no_path_to_be_found_by(alpha):
    mark = new_id()
    document = upload(alpha, b"content", f"{mark}.txt").document

    assert ids(alpha, name_contains=mark, path_prefix=mark) == []
    assert ids(alpha, name_contains=mark) == [document.id]
