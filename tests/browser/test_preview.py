"""`olm preview` and `olm show --html` in a real browser."""

import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

import olm
from olm.cli import main

SPEC = """\
# A short run.
kind: WarmupCosineScheduler
warmup_steps: 100   # as in the paper
total_steps: 1000
optimizer: {lr: 1.0e-3}
clock: {total_steps: 1000, steps_per_epoch: 50, tokens_per_step: 4096}
"""
SOON = 10_000
"""How long a change may take, in milliseconds."""


@pytest.fixture
def serve(tmp_path):
    """A function that starts `olm preview` on files, and returns its address and the process."""
    started = []

    def start(*arguments):
        command = [sys.executable, "-m", "olm", "preview", "--no-browser", *map(str, arguments)]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process.stdout.readline().split()[0], process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def file_of(tmp_path, text=SPEC, name="run.olm.yaml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def curve(page):
    return page.locator(".picture:visible svg path").last.get_attribute("d")


def hover(page, share):
    """The lines that a picture shows with the pointer at a share of its width."""
    box = page.locator(".picture:visible svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
    return page.locator(".picture:visible .tip").inner_text().splitlines()


def test_the_page_shows_numbers_under_the_pointer(serve, pages, tmp_path, keep):
    page = pages(serve(file_of(tmp_path))[0])
    assert page.title().endswith("run.olm.yaml")
    assert page.locator("h1").inner_text() == "A short run"
    numbers = dict(line.split("  ", 1) for line in hover(page, 0.55))
    keep(page)
    assert [*numbers] == ["step", "epochs", "tokens", "of the run", "lr"]
    step = int(numbers["step"].replace(",", ""))
    assert 400 < step < 600
    assert float(numbers["lr"]) == pytest.approx(olm.loads(SPEC).lr(step, 1e-3), rel=1e-3)
    assert float(numbers["epochs"]) == pytest.approx(step / 50, rel=1e-3)


def test_the_arrow_keys_move_from_step_to_step(serve, pages, tmp_path):
    page = pages(serve(file_of(tmp_path))[0])
    page.locator(".picture:visible").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    third = page.locator(".picture:visible .tip").inner_text().splitlines()[0]
    page.keyboard.press("ArrowLeft")
    second = page.locator(".picture:visible .tip").inner_text().splitlines()[0]
    assert 0 < int(second.split()[1]) < int(third.split()[1]) < 10


def test_the_switches_choose_the_axis_and_the_scale(serve, pages, tmp_path, keep):
    page = pages(serve(file_of(tmp_path))[0])
    linear = curve(page)
    page.get_by_label("logarithmic").check()
    assert curve(page) != linear
    keep(page, "log")
    page.get_by_label("along").select_option("epochs")
    texts = page.locator(".picture:visible svg text").all_text_contents()
    assert "epochs" in texts
    assert page.locator(".picture:visible").count() == 1


def test_a_saved_change_is_drawn_and_a_mistake_keeps_the_last_picture(serve, pages, tmp_path, keep):
    path = file_of(tmp_path)
    page = pages(serve(path)[0])
    before = curve(page)
    path.write_text(SPEC.replace("warmup_steps: 100", "warmup_steps: 400"), encoding="utf-8")
    page.wait_for_function(
        "old => document.querySelector('.picture:not([hidden]) svg path:last-of-type')"
        ".getAttribute('d') !== old",
        arg=before,
        timeout=SOON,
    )
    path.write_text(SPEC.replace("warmup_steps", "warmup_stps"), encoding="utf-8")
    page.wait_for_selector("pre.wrong", timeout=SOON)
    text = page.locator("pre.wrong").inner_text()
    assert "did you mean `warmup_steps`?" in text
    assert re.search(r"\^{5,}", text)
    assert page.locator(".picture.old:visible").count() == 1
    keep(page, "mistake")
    path.write_text(SPEC, encoding="utf-8")
    page.wait_for_selector("pre.wrong", state="detached", timeout=SOON)
    assert curve(page) == before
    path.unlink()
    page.wait_for_selector("pre.wrong", timeout=SOON)
    assert "No such file" in page.locator("pre.wrong").inner_text()


def test_a_slider_changes_the_picture_and_the_yaml_but_not_the_file(serve, pages, tmp_path, keep):
    path = file_of(tmp_path)
    page = pages(serve(path)[0])
    before = curve(page)
    page.locator("input[type=number][data-name='0:warmup_steps']").fill("300")
    page.wait_for_function(
        "() => document.querySelector('#paste pre').textContent.includes('warmup_steps: 300')",
        timeout=SOON,
    )
    assert curve(page) != before
    page.get_by_text("show YAML").click()
    keep(page)
    assert page.locator("#paste pre").inner_text() == SPEC.replace(
        "warmup_steps: 100", "warmup_steps: 300"
    )
    assert path.read_text(encoding="utf-8") == SPEC
    page.get_by_text("numbers of the file").click()
    page.wait_for_function(
        "() => document.querySelector('#paste pre').textContent.includes('warmup_steps: 100')",
        timeout=SOON,
    )


def test_two_files_are_drawn_in_one_picture(serve, pages, tmp_path, keep):
    other = file_of(tmp_path, SPEC.replace("100 ", "500 "), "other.olm.yaml")
    page = pages(serve(file_of(tmp_path), other)[0])
    texts = page.locator(".picture:visible svg text").all_text_contents()
    assert {"run.olm.yaml", "other.olm.yaml"} <= {*texts}
    keep(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone_and_follows_light_and_dark(serve, pages, tmp_path, keep, scheme):
    phone = {"viewport": {"width": 375, "height": 667}, "color_scheme": scheme}
    page = pages(serve(file_of(tmp_path))[0], **phone)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    keep(page)


def test_a_page_as_a_file_works_without_a_network(pages, tmp_path, monkeypatch, keep):
    monkeypatch.chdir(tmp_path)
    file_of(tmp_path)
    assert main(["show", "run.olm.yaml", "--html", "run.html"]) == 0
    page = pages((tmp_path / "run.html").as_uri())
    assert hover(page, 0.5)[0].startswith("step  ")
    page.get_by_label("along").select_option("tokens")
    assert "tokens" in page.locator(".picture:visible svg text").all_text_contents()
    keep(page)
    file_of(tmp_path, SPEC.replace("100 ", "300 "), "b.olm.yaml")
    assert main(["diff", "run.olm.yaml", "b.olm.yaml", "--html", "diff.html"]) == 1
    page = pages((tmp_path / "diff.html").as_uri())
    assert "warmup_steps" in page.locator("pre").first.inner_text()
    keep(page, "diff")


def test_text_of_a_file_is_never_run(serve, pages, tmp_path):
    mean = '# <script>document.title="x"</script>\nkind: "<img src=x onerror=alert(1)>"\n'
    page = pages(serve(file_of(tmp_path, mean, "<b>.olm.yaml"))[0])
    assert page.locator("pre.wrong").count() == 1
    assert page.locator("img").count() == 0
    fine = "# <script>document.title='x'</script></script>\n" + SPEC
    page = pages(serve(file_of(tmp_path, fine))[0])
    assert page.locator("h1").inner_text() == "<script>document.title='x'</script></script>"
    assert page.title().endswith(".yaml")


def test_only_its_own_address_is_answered(serve, tmp_path):
    address, _ = serve(file_of(tmp_path))
    home, token = address.rstrip("/").rsplit("/", 1)

    def status(path, host=None, method="GET"):
        request = urllib.request.Request(f"{home}/{path}", method=method)
        if host:
            request.add_header("Host", host)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    assert status(f"{token}/") == 200
    assert status(f"{token}/", host="evil.example") == 403
    assert status("") == status("wrong/") == status(f"{token}/../run.olm.yaml") == 404
    assert status(f"{token}/", method="POST") == 501
    assert status(f"{token}/draw?0:warmup_steps=1e999&7:x=1&0:kind=HoldLR&x") == 200


def test_it_ends_with_ctrl_c_and_with_the_process_that_started_it(serve, tmp_path):
    _, process = serve(file_of(tmp_path))
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 0
    # A parent that is gone as soon as the server runs, which keeps the other pipe open.
    shell = (
        "import subprocess, sys;"
        "child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=sys.stdout);"
        "child.stdout.readline()"
    )
    command = [
        sys.executable,
        "-m",
        "olm",
        "preview",
        "--no-browser",
        str(tmp_path / "run.olm.yaml"),
    ]
    done = subprocess.Popen(
        [sys.executable, "-c", shell, *command], stdout=subprocess.PIPE, text=True
    )
    # The pipe is closed when the last process that has it is gone.
    start = time.monotonic()
    done.communicate(timeout=30)
    assert time.monotonic() - start < 20
