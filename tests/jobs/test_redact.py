"""Nothing that names a person survives, in whatever spelling; the rest of the line does."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loragui.jobs.redact import _NO_SECRET, redact

WINDOWS = {
    "home": "C:\\Users\\John Doe",
    "user": "John Doe",
    "host": "JDOE-PC",
    "folders": {"workspace": "D:\\work\\loragui"},
}
LINUX = {
    "home": "/home/ann",
    "user": "ann",
    "host": "annbox.example.org",
    "folders": {"workspace": "/home/ann/.local/share/loragui"},
}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (r"C:\Users\John Doe\a.cpp(12): error C2065", r"<home>\a.cpp(12): error C2065"),
        ("C:/Users/John Doe/a.cpp:12: error", "<home>/a.cpp:12: error"),
        (r"c:\USERS\john doe\a.cpp", r"<home>\a.cpp"),
        (r'{"argv": ["C:\\Users\\John Doe\\a.exe", "-x"]}', r'{"argv": ["<home>\\a.exe", "-x"]}'),
        ("file:///C:/Users/John%20Doe/a.html#x", "file:///<home>/a.html#x"),
        ("from=C%3A%5CUsers%5CJohn%20Doe%5Ca", "from=<home>%5Ca"),
        (r"C:\Users\JOHNDO~1\AppData\Local\Temp\x", r"<home>\AppData\Local\Temp\x"),
        (r"\\?\C:\Users\John Doe\x", r"<home>\x"),
        ("/c/Users/John Doe/x and /mnt/c/Users/John Doe/x", "<home>/x and <home>/x"),
        (r"cl -IC:\Users\John Doe\x /FoD:\work\loragui\y.obj", r"cl -I<home>\x /Fo<workspace>\y.obj"),
        (r"D:\work\loragui\cache\b.cpp(1): warning", r"<workspace>\cache\b.cpp(1): warning"),
        (r"D:\My Documents\letters\to bob.txt", r"…\to bob.txt"),
        (r'open "E:\Private Things\diary.txt" failed', r'open "…\diary.txt" failed'),
        (r"E:\models\private\llama.gguf: not found", r"…\llama.gguf: not found"),
        (r'"E:\\models\\private\\llama.gguf": 1', r'"…\\llama.gguf": 1'),
        (r"\\nas\private\llama.gguf is here", r"…\llama.gguf is here"),
        (r"C:\Program Files\Git\cmd\git.exe --version", r"C:\Program Files\Git\cmd\git.exe --version"),
        (r"C:\Windows\System32\cmd.exe /c x", r"C:\Windows\System32\cmd.exe /c x"),
        ("jdoe-pc: hello john doe, John Doe's PC", "<host>: hello <user>, <user>'s PC"),
    ],
)
def test_windows(line: str, shown: str) -> None:
    assert redact(line, **WINDOWS) == shown  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("/home/ann/a.cpp:12:3: error: x", "<home>/a.cpp:12:3: error: x"),
        ("g++ -I/home/ann/x -L/srv/ann/lib -DX=/home/ann", "g++ -I<home>/x -L…/lib -DX=<home>"),
        ("/home/annabel/x and /home/bob", "…/x and …/bob"),
        ("PATH=/usr/bin:/home/bob/bin:/home/ann/bin", "PATH=/usr/bin:…/bin:<home>/bin"),
        ("in /home/ann/.local/share/loragui/cache", "in <workspace>/cache"),
        ("/usr/include/x.h:1 /bin/sh: 1: g++: not found", "/usr/include/x.h:1 /bin/sh: 1: g++: not found"),
        ("ann: annotate, planning, anna", "<user>: annotate, planning, anna"),
        ("/tmp/pytest-of-ann/x.o", "…/x.o"),
        ("made by ann@annbox on annbox.example.org", "made by <user>@<host> on <host>"),
        ("write to ann.b+c@mail.example.org!", "write to <e-mail>!"),
        ("git@github.com:x/y https://github.com/x/y.git", "git@github.com:x/y https://github.com/x/y.git"),
        ("http://bob:pass@proxy:8080/ and http://t0ken@h/x", "http://<credentials>@proxy:8080/ and http://<credentials>@h/x"),
        ("http://bob:p/a@ss@proxy/", "http://<credentials>@proxy/"),
        ("https://host:443/a@b", "https://host:443/a@b"),
        ("token hf_abcdefghijklmnopqrst!", "token <secret>!"),
        ("HF_TOKEN=abcdefgh PASSWORD: 'hunter22'", "HF_TOKEN=<secret> PASSWORD: '<secret>'"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer <secret>"),
        ("BOS token = 128000 '<|begin_of_text|>'", "BOS token = 128000 '<|begin_of_text|>'"),
        ("iter=     1 sample=5/120 loss=6.2 dt=242.0ms |->", "iter=     1 sample=5/120 loss=6.2 dt=242.0ms |->"),
        ("[12/27] Building CXX object common/train.dir/x.o", "[12/27] Building CXX object common/train.dir/x.o"),
        ("either/or ../x/y ./a/b 1/2/3", "either/or ../x/y ./a/b 1/2/3"),
    ],
)  # fmt: skip
def test_linux(line: str, shown: str) -> None:
    assert redact(line, **LINUX) == shown  # type: ignore[arg-type]


def test_root_is_no_name_but_a_place() -> None:
    names = {"home": "/root", "user": "root", "host": "localhost", "folders": {}}
    assert redact("root@localhost -I/root/x chroot/root/x", **names) == (  # type: ignore[arg-type]
        "root@localhost -I<home>/x chroot/root/x"
    )


def test_bytes_of_an_old_code_page() -> None:
    names = {"home": "C:\\Users\\Jörg", "user": "Jörg", "host": "PC-17", "folders": {}}
    for page in ("utf-8", "cp1252", "cp850"):
        line = "C:\\Users\\Jörg\\a.cpp".encode(page).decode("utf-8", "backslashreplace")
        assert redact(line, **names) == "<home>\\a.cpp"  # type: ignore[arg-type]


# --- properties -----------------------------------------------------------------------------------------------------

PARTS = st.text("abcdefghijklmnopqrstuvwxyzABCXYZäöüéñçøłжд中 .-_0123456789", min_size=3, max_size=12).filter(
    lambda name: name.strip(" .-_") == name and name.lower() not in _NO_SECRET and not name.isdigit()
)
"""Names of people and computers, as they are chosen."""
WAYS = {
    "as it is": str,
    "other slashes": lambda path: path.replace("\\", "/"),
    "JSON": lambda path: json.dumps(path)[1:-1],
    "JSON in JSON": lambda path: json.dumps(json.dumps(path)[1:-1])[1:-1],
    "JSON with letters": lambda path: json.dumps(path, ensure_ascii=False)[1:-1],
    "percent": lambda path: quote(path.replace("\\", "/")),
    "percent, all": lambda path: quote(path, safe=""),
    "capitals": str.upper,
    "small": str.lower,
    "cp1252": lambda path: path.encode("cp1252", "replace").decode("utf-8", "backslashreplace"),
}


def told(name: str, text: str) -> bool:
    """Whether the name stands in the text in any spelling, as a word of its own."""
    text = text.casefold()
    spelled = {way(name).casefold() for key, way in WAYS.items() if key != "cp1252"}
    return any(re.search(rf"(?<![a-z0-9]){re.escape(one)}(?![a-z0-9])", text) for one in spelled)


@given(PARTS, PARTS, PARTS, st.sampled_from(sorted(WAYS)), st.sampled_from(["C:\\Users\\", "D:\\", "/home/", "/x/y/"]))
def test_no_name_survives(user: str, host: str, file: str, way: str, base: str) -> None:
    assume(len({user.lower(), host.lower(), file.lower()}) == 3)
    assume("?" not in user.encode("cp1252", "replace").decode("cp1252"))
    home, slash = base + user, "/" if base.startswith("/") else "\\"
    path = WAYS[way](home + slash + "here.cpp")  # type: ignore[operator]
    line = f"error: {path}: not good; {WAYS[way](user)}@{WAYS[way](host)}"  # type: ignore[operator]
    shown = redact(line, home=home, user=user, host=host, folders={})
    assert not told(user, shown)
    assert not told(host, shown)
    assert shown.startswith("error: ")
    assert "here.cpp: not good; " in shown.lower().replace("%3a", ":")


@given(PARTS, PARTS, st.sampled_from(["E:\\", "/data/", "\\\\nas\\"]))
def test_other_places_keep_only_their_last_part(folder: str, other: str, base: str) -> None:
    assume(folder.lower() != other.lower())
    slash = "/" if base.startswith("/") else "\\"
    for start, end in (('open "', '" now'), ("open '", "' now")):
        shown = redact(
            f"{start}{base}{folder}{slash}{other}{slash}file.txt{end}",
            home="/home/zz",
            user="zz",
            host="zz",
            folders={},
        )
        assert shown == f"{start}…{slash}file.txt{end}"


PASSWORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/@\"'<>\\%"), min_size=1)


@given(PASSWORDS, PASSWORDS)
def test_no_password_of_a_proxy_survives(name: str, password: str) -> None:
    shown = redact(f"proxy http://{name}:{password}@proxy:80/ x", **LINUX)  # type: ignore[arg-type]
    assert shown == "proxy http://<credentials>@proxy:80/ x"


@given(st.text())
def test_anything_is_taken_and_lines_stay_lines(text: str) -> None:
    assert redact(text, **LINUX).count("\n") == text.count("\n")  # type: ignore[arg-type]


@given(st.text("ab /\\:.\"'@%~-<>…cC1\n", max_size=80))
def test_texts_full_of_paths_stay_lines(text: str) -> None:
    assert redact(text, **WINDOWS).count("\n") == text.count("\n")  # type: ignore[arg-type]
