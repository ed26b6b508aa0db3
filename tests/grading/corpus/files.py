"""Mutations of the file: what disks, editors, version control and mail do to it."""

import io
import json
import random
import zipfile

from tests.grading.corpus.kinds import rewrite


@rewrite
def cut_short(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


@rewrite
def start_missing(data: bytes, rng: random.Random) -> bytes:
    return data[rng.randint(1, 5000) :]


@rewrite
def bytes_flipped(data: bytes, rng: random.Random) -> bytes:
    spoilt = bytearray(data)
    for _ in range(rng.randint(1, 20)):
        if spoilt:
            spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
    return bytes(spoilt)


@rewrite
def null_bytes_at_the_end(data: bytes, rng: random.Random) -> bytes:
    return data + bytes(rng.choice([1, 512, 4096]))


@rewrite
def null_bytes_inside(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data) + 1)
    return data[:place] + bytes(rng.randint(1, 600)) + data[place:]


@rewrite
def null_bytes_only(data: bytes, rng: random.Random) -> bytes:
    return bytes(len(data))


@rewrite
def empty_file(data: bytes, rng: random.Random) -> bytes:
    return b""


@rewrite
def white_space_only(data: bytes, rng: random.Random) -> bytes:
    return b" \n\t\r\n" * rng.randint(1, 50)


@rewrite
def byte_order_mark(data: bytes, rng: random.Random) -> bytes:
    return b"\xef\xbb\xbf" * rng.choice([1, 1, 2]) + data


@rewrite
def utf_16(data: bytes, rng: random.Random) -> bytes:
    return data.decode(errors="replace").encode(rng.choice(["utf-16", "utf-16-le", "utf-16-be"]))


@rewrite
def utf_32(data: bytes, rng: random.Random) -> bytes:
    return data.decode(errors="replace").encode("utf-32")


@rewrite
def latin_1(data: bytes, rng: random.Random) -> bytes:
    return data.decode(errors="replace").encode("latin-1", errors="replace")


@rewrite
def utf_8_encoded_twice(data: bytes, rng: random.Random) -> bytes:
    return data.decode("latin-1").encode()


@rewrite
def invalid_utf_8(data: bytes, rng: random.Random) -> bytes:
    place = data.rfind(b'"', 0, rng.randrange(len(data) + 1)) + 1
    spoilt = rng.choice([b"\xff\xfe", b"\xc0\x80", b"\xf5", b"\xe2\x82", b"\x80"])
    return data[:place] + spoilt + data[place:]


@rewrite
def surrogates_as_utf_8(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b"def ", b"# \xed\xa0\x80\ndef ", 1)


@rewrite
def surrogate_escapes(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b"def ", rng.choice([b"\\ud800", b"\\udc00\\ud800"]) + b"def ", 3)


@rewrite
def line_ends_of_windows(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b"\n", b"\r\n").replace(b"\\n", b"\\r\\n")


@rewrite
def line_ends_of_old_macs(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b"\n", b"\r").replace(b"\\n", b"\\r")


@rewrite
def raw_line_ends_in_texts(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b"\\n", b"\n")


@rewrite
def keys_twice(data: bytes, rng: random.Random) -> bytes:
    again = rng.choice([b'"cells": []', b'"nbformat": 4', b'"metadata": {}', b'"cells": null'])
    first = data.lstrip()[:1] == b"{"
    if first and rng.random() < 0.5:
        return data.replace(b"{", b"{" + again + b",", 1)
    return data.rstrip().removesuffix(b"}") + b"," + again + b"}"


@rewrite
def numbers_that_json_lacks(data: bytes, rng: random.Random) -> bytes:
    number = rng.choice([b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-0.0", b"1" * 5000])
    return data.replace(b": 3", b": " + number).replace(b": null", b": " + number, 3)


@rewrite
def comma_too_many(data: bytes, rng: random.Random) -> bytes:
    return data.rstrip().removesuffix(b"}").rstrip() + b",\n}"


@rewrite
def single_quotes(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b'"', b"'")


@rewrite
def javascript_comments(data: bytes, rng: random.Random) -> bytes:
    return b"// my homework\n" + data


@rewrite
def printed_by_python(data: bytes, rng: random.Random) -> bytes:
    try:
        return repr(json.loads(data)).encode(errors="replace")
    except ValueError:
        return repr(data).encode()


@rewrite
def two_notebooks_in_a_file(data: bytes, rng: random.Random) -> bytes:
    return data + data


@rewrite
def nested_100_000_deep(data: bytes, rng: random.Random) -> bytes:
    opening, closing = rng.choice([(b"[", b"]"), (b'{"a":', b"}")])
    deep = opening * 100_000 + b"1" + closing * 100_000
    return rng.choice([deep, b'{"nbformat": 4, "metadata": {}, "cells": ' + deep + b"}"])


@rewrite
def nested_about_a_thousand_deep(data: bytes, rng: random.Random) -> bytes:
    depth = rng.randint(300, 1100)
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    return data.replace(b'"metadata": {}', b'"metadata": ' + deep, 1)


@rewrite
def json_of_another_type(data: bytes, rng: random.Random) -> bytes:
    others = [b"7", b"null", b"true", b'"notebook"', b"[]", b"{}", b"[{}]", b"NaN", b"[[]]", b"-"]
    return rng.choice(others)


@rewrite
def json_of_another_program(data: bytes, rng: random.Random) -> bytes:
    others = [{"type": "FeatureCollection"}, {"nbformat": 4}, {"cells": []}, {"nbformat": 4.5}]
    return json.dumps(rng.choice(others)).encode()


@rewrite
def wrapped_in_a_list(data: bytes, rng: random.Random) -> bytes:
    return b"[" + data + b"]"


@rewrite
def cell_is_no_object(data: bytes, rng: random.Random) -> bytes:
    thing = rng.choice([b"7", b"null", b"[]", b'"text"', b"[[]]", b"{}", b"true"])
    return data.replace(b'"cells": [', b'"cells": [' + thing + b",", 1)


@rewrite
def zip_renamed(data: bytes, rng: random.Random) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(zipfile.ZipInfo("notebook.ipynb"), data)
    return archive.getvalue()


@rewrite
def pdf_renamed(data: bytes, rng: random.Random) -> bytes:
    return b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\n" + rng.randbytes(2000)


@rewrite
def picture_renamed(data: bytes, rng: random.Random) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + rng.randbytes(2000)


@rewrite
def web_page_renamed(data: bytes, rng: random.Random) -> bytes:
    return b"<!DOCTYPE html><html><body>Please log in</body></html>"


@rewrite
def script_renamed(data: bytes, rng: random.Random) -> bytes:
    return b"# %%\ndef bic(log_likelihood, num_components, dim, num_points):\n    return 0.0\n"


@rewrite
def merge_conflict(data: bytes, rng: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    place = rng.randint(0, len(lines))
    conflict = [b"<<<<<<< HEAD\n", *lines[place : place + 3], b"=======\n"]
    conflict += [*lines[place : place + 2], b">>>>>>> 1a2b3c4\n"]
    return b"".join([*lines[:place], *conflict, *lines[place + 3 :]])


@rewrite
def line_lost(data: bytes, rng: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if lines:
        del lines[rng.randrange(len(lines))]
    return b"".join(lines)


@rewrite
def pointer_of_large_file_storage(data: bytes, rng: random.Random) -> bytes:
    return b"version https://git-lfs.github.com/spec/v1\noid sha256:%064x\nsize 40762\n" % 7


@rewrite
def random_bytes(data: bytes, rng: random.Random) -> bytes:
    return rng.randbytes(rng.randint(1, 5000))


@rewrite
def minified(data: bytes, rng: random.Random) -> bytes:
    try:
        return json.dumps(json.loads(data), separators=(",", ":")).encode()
    except ValueError:
        return b"".join(data.split())


@rewrite
def white_space_around(data: bytes, rng: random.Random) -> bytes:
    return b"\n" * 1000 + data + b"\r\n \t" * 1000
