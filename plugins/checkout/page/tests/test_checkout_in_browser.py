"""The page as a buyer's browser shows it, without any JavaScript: in sight, in reach, and readable by a wallet."""

import io
from collections.abc import Iterator

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ADDRESS = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAYABLE = ["pending", "two_methods", "test_mode", "any_amount", "last_minutes", "partly_paid"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Not kept beyond this file: while Playwright runs, no other event loop can."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 360, "height": 640}, is_mobile=True, has_touch=True, java_script_enabled=False
    )
    yield context.new_page()
    context.close()


@pytest.fixture
def desktop(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, java_script_enabled=False)
    yield context.new_page()
    context.close()


def bottom(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["y"] + box["height"]


def read_code(page: Page) -> str:
    picture = Image.open(io.BytesIO(page.screenshot()))
    (code,) = zxingcpp.read_barcodes(picture)
    return code.text


@pytest.mark.parametrize("scene", PAYABLE)
def test_amount_code_and_wallet_are_in_sight_without_scrolling(checkout, url, phone, scene):
    checkout.play(scene)

    phone.goto(url)

    assert bottom(phone, ".price") < bottom(phone, ".qr") < bottom(phone, "text=Open in wallet") <= 640


def test_in_test_mode_with_a_choice_everything_is_still_in_sight(checkout, url, phone, make_method):
    checkout.play("pending", payments=[make_method(network="regtest"), make_method(id="method-2", network="regtest")])

    phone.goto(url)

    assert bottom(phone, "text=Open in wallet") <= 640


@pytest.mark.parametrize("scene", [*PAYABLE, "lightning"])
def test_the_code_asks_for_what_the_page_shows(checkout, url, phone, scene):
    checkout.play(scene)

    phone.goto(url)

    shown = phone.get_by_label("Payment link").get_attribute("value") or ""
    assert phone.get_by_text("Open in wallet").get_attribute("href") == shown
    assert read_code(phone) == (shown.upper() if scene == "lightning" else shown)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_code_is_dark_on_white_with_a_quiet_zone_and_square_corners(checkout, url, desktop, mode):
    desktop.emulate_media(color_scheme=mode)
    desktop.goto(url)
    box = desktop.locator(".qr").bounding_box()
    assert box is not None

    picture = Image.open(io.BytesIO(desktop.screenshot(clip=box))).convert("RGB")

    module = picture.width / 45  # version 5 and four modules of white on each side
    white = [picture.getpixel((at, 1)) for at in (1, picture.width // 2, picture.width - 2)]
    corner = picture.getpixel((int(4.5 * module), int(4.5 * module)))
    assert (white, corner) == ([(255, 255, 255)] * 3, (0, 0, 0))
    assert read_code(desktop) == f"bitcoin:{ADDRESS}?amount=0.00068312"


def test_a_partial_payment_moves_nothing_above_the_fold(checkout, url, phone):
    phone.goto(url)
    before = phone.locator(".qr").bounding_box()
    checkout.play("partly_paid")

    phone.get_by_text("Check for payment").tap()

    assert phone.locator("h1").inner_text() == "Part of the payment arrived"
    assert phone.locator(".qr").bounding_box() == before


def test_nothing_is_wider_than_a_narrow_screen(checkout, url, phone, scene):
    checkout.play(scene)
    checkout.store["name"] = "Donaudampfschifffahrtsgesellschaft" * 4
    phone.set_viewport_size({"width": 320, "height": 640})

    phone.goto(url)

    assert phone.evaluate("document.documentElement.scrollWidth") == 320


def test_the_whole_address_is_in_sight_and_is_copied_without_its_gaps(checkout, url, phone):
    phone.set_viewport_size({"width": 320, "height": 900})
    phone.goto(url)

    phone.evaluate("getSelection().selectAllChildren(document.querySelector('.address'))")

    assert phone.evaluate("getSelection().toString()").strip() == ADDRESS
    assert phone.evaluate("document.querySelector('.address').scrollWidth") <= 320 - 32


def test_one_click_takes_the_amount_without_its_unit(checkout, url, desktop):
    desktop.goto(url)

    desktop.locator(".coins .take").click()

    assert desktop.evaluate("getSelection().toString()").strip() == "0.00068312"


def test_the_browser_has_nothing_to_complain_of_and_asks_nobody_else(checkout, url, phone, scene):
    checkout.play(scene)
    complaints: list[str] = []
    requests: list[str] = []
    phone.on("console", lambda message: complaints.append(message.text))
    phone.on("pageerror", lambda error: complaints.append(str(error)))
    phone.on("request", lambda request: requests.append(request.url))

    phone.goto(url)

    assert complaints == []
    host = url.partition("/i/")[0]
    assert [address for address in requests if not address.startswith((f"{host}/i/", "data:"))] == []


def test_styles_arrive_under_the_strict_policy(checkout, url, desktop):
    desktop.goto(url)

    assert desktop.evaluate("getComputedStyle(document.querySelector('.card')).borderRadius") == "12px"


def test_a_buyer_chooses_pays_and_looks_again_by_links_alone(checkout, url, phone):
    checkout.play("choose")
    phone.goto(url)

    phone.get_by_role("link", name="LTC").tap()
    paying = phone.locator("h1").inner_text()
    checkout.play("seen")
    phone.get_by_text("Check for payment").tap()

    assert paying == "Waiting for payment"
    assert phone.locator("h1").inner_text() == "Payment found"
    assert phone.get_by_text("Open in wallet").count() == 0


def test_every_page_has_its_landmarks_one_heading_and_names_for_everything(checkout, url, desktop, scene):
    checkout.play(scene)

    desktop.goto(url)

    assert [desktop.get_by_role(role).count() for role in ("banner", "main", "contentinfo")] == [1, 1, 1]
    assert desktop.get_by_role("heading", level=1).count() == 1
    nameless = "[...document.querySelectorAll('a, input, [role=img], progress')].filter(e => !(e.ariaLabel || e.textContent.trim() || e.labels?.length)).length"
    assert desktop.evaluate(nameless) == 0


def test_the_first_stop_of_the_keyboard_skips_to_the_payment(checkout, url, desktop):
    desktop.goto(url)

    desktop.keyboard.press("Tab")

    assert desktop.evaluate("document.activeElement.innerText") == "Skip to the payment"
    assert desktop.evaluate("document.activeElement.getBoundingClientRect().top") >= 0


def test_the_button_that_opens_a_wallet_is_filled_where_there_is_a_finger(checkout, url, phone, desktop):
    phone.goto(url)
    desktop.goto(url)

    background = "getComputedStyle(document.querySelector('.main')).backgroundColor"
    assert phone.evaluate(background) == "rgb(63, 81, 181)"
    assert desktop.evaluate(background) == "rgba(0, 0, 0, 0)"


def test_targets_are_large_enough_for_a_finger(checkout, url, phone, scene):
    checkout.play(scene)

    phone.goto(url)

    buttons = phone.locator(".button, .methods a, summary").all()
    boxes = [box for button in buttons if (box := button.bounding_box())]
    assert boxes
    assert all(box["height"] >= 44 and box["width"] >= 44 for box in boxes)


def test_text_stands_out_from_its_ground_by_day_and_by_night(checkout, url, desktop, scene):
    checkout.play(scene)
    desktop.goto(url)

    for mode in ("light", "dark"):
        desktop.emulate_media(color_scheme=mode)
        assert desktop.evaluate(CONTRAST) >= 4.5, mode


CONTRAST = """() => {
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const parse = colour => colour.match(/[\\d.]+/g).map(Number);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  let worst = 21;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((p, q) => q - p);
    worst = Math.min(worst, (a + 0.05) / (b + 0.05));
  }
  return worst;
}"""
