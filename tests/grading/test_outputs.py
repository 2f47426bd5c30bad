"""What a cell leaves behind, made safe for a notebook that others open."""

import time

import pytest

from cnnlib.grading.outputs import Room, safe_outputs


@pytest.mark.parametrize(
    "given", [None, 8, "abc", {}, [None, 8, [], "stream", {"output_type": []}]]
)
def test_what_is_no_output_is_left_out(given):
    assert safe_outputs(given) == []


def test_outputs_are_texts_of_known_kinds_without_scripts():
    bad = "<script>alert(1)</script>"
    data = {
        **{
            "text/html": f"<b onclick=x>{bad}</b>",
            "text/plain": "x\ud800",
            "image/png": f'">{bad}',
        },
        **{"text/latex": bad, "application/javascript": bad, "image/jpeg": "YWJj\n"},
    }
    (output,) = safe_outputs(
        [{"output_type": "display_data", "data": data, "metadata": {"a": bad}}]
    )
    assert output == {
        "output_type": "display_data",
        "data": {
            "text/plain": "x\ufffd",
            "image/jpeg": "YWJj\n",
            "text/html": "<b>&lt;script&gt;alert(1)&lt;/script&gt;</b>",
        },
        "metadata": {},
    }


def test_a_page_that_would_take_minutes_to_clean_is_cut():
    page = "<a><b>" * 9_000 + "</a>" * 9_000
    start = time.monotonic()
    (output,) = safe_outputs([{"output_type": "display_data", "data": {"text/html": page}}])
    assert time.monotonic() - start < 1.0
    assert list(output["data"]) == ["text/plain"]
    assert output["data"]["text/plain"].endswith("… the rest of this page was left out")


def test_a_notebook_has_so_much_room_for_all_its_outputs():
    """Two thousand cells with a picture of 4 MB each would be more than any machine holds."""
    room = Room(text=1000, html=50)
    picture = {"output_type": "display_data", "data": {"image/png": "A" * 400}}
    page = {"output_type": "display_data", "data": {"text/html": "<b>x</b>" * 5}}
    error = {"output_type": "error", "ename": "x", "evalue": "", "traceback": ["a" * 150] * 2}
    assert [list(o["data"]) for o in safe_outputs([page], room)] == [["text/html"]]
    assert [list(o["data"]) for o in safe_outputs([page], room)] == [["text/plain"]]
    assert len(safe_outputs([picture, error], room)) == 2
    for _ in range(2):
        (left_out,) = safe_outputs([picture], room)
        assert left_out["text"] == "… the rest of this notebook's output was left out\n"


def test_an_error_output_keeps_texts_only():
    (output,) = safe_outputs(
        [
            {
                "output_type": "error",
                "ename": ["x"],
                "evalue": "v\x1b[2J",
                "traceback": ["a", [["b"]]],
            }
        ]
    )
    assert output == {
        "output_type": "error",
        "ename": "",
        "evalue": "v\ufffd[2J",
        "traceback": ["a", ""],
    }
